/* Every network's forward pass against PyTorch: tests/fixtures/models/make.py has the same rows, computes the same
 * weights from their names, and wrote down parameter counts, logits, taps and what training does to the statistics. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layers/models/models.h"
#include "optim/optimizer.h"
#include "tests/run_program.h"

enum { PROBES = 8, MOST_NUMBERS = 256 };

typedef struct row {
    const char *name;
    int width, depth;
    int64_t images[4]; /* [N,H,W,C] */
    int classes;
} row;

static const row reduced[] = {
    {"mlp", 6, 0, {3, 4, 5, 2}, 5},
    {"toy_convnet", 4, 0, {3, 12, 14, 2}, 5},
    {"cnn3", 4, 0, {3, 16, 8, 3}, 5},
    {"vgg16", 4, 0, {3, 32, 32, 3}, 5},
    {"vgg16_bn", 4, 0, {3, 32, 32, 3}, 5},
    {"resnet20", 4, 14, {3, 16, 12, 3}, 5},
    {"resnet18", 4, 18, {3, 16, 12, 3}, 5},
    {"keras_resnet", 4, 14, {3, 16, 12, 3}, 5},
    {"densenet_bc", 4, 16, {3, 16, 12, 3}, 5},
    {"wrn_28_10", 20, 16, {3, 16, 12, 3}, 5},
};
static const row full[] = {
    {"vgg16_bn", 0, 0, {1, 32, 32, 3}, 10},     {"resnet20", 0, 56, {1, 32, 32, 3}, 10},
    {"resnet18", 0, 0, {1, 32, 32, 3}, 10},     {"keras_resnet", 0, 56, {1, 32, 32, 3}, 10},
    {"densenet_bc", 0, 100, {1, 32, 32, 3}, 8}, {"wrn_28_10", 0, 28, {1, 32, 32, 3}, 8},
};

/* ---- the numbers of a name, see make.py ---- */

static uint32_t hash_of(const char *name)
{
    uint32_t h = 2166136261U;
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 16777619U;
    return h;
}

static double number(uint32_t hash, uint64_t i)
{
    uint32_t u = (uint32_t)(i * 0x9E3779B9U + hash);
    u = (u ^ (u >> 16)) * 0x85EBCA6BU;
    u = (u ^ (u >> 13)) * 0xC2B2AE35U;
    u ^= u >> 16;
    return (u >> 8) / 8388608.0 - 1.0;
}

/* Where the numbers of a parameter, a state or the images lie: around base, as far as spread. */
static void find_range(const char *name, const dn_shape *shape, double *base, double *spread)
{
    const struct {
        const char *part;
        double base, spread;
    } parts[] = {{".bias", 0, .1}, {".scale", 1, .3},    {".shift", 0, .2},
                 {".mean", 0, .1}, {".variance", 1, .5}, {"images", .5, .5}};
    const char *dot = strrchr(name, '.');
    *base = 0.0;
    *spread = sqrt(4.5 * (double)shape->dim[0] / (double)dn_shape_count(shape)); /* of weights */
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(dot ? dot : name, parts[i].part) != 0) continue;
        *base = parts[i].base;
        *spread = parts[i].spread;
    }
}

static void write_numbers(rig *r, const char *name)
{
    const dn_tensor t = dn_find(r->p, name);
    cr_assert(!dn_is_none(t), "%s", name);
    const dn_shape shape = dn_shape_of(r->p, t);
    const bool is_double = dn_dtype_of(r->p, t) == DN_F64;
    const size_t count = (size_t)dn_shape_count(&shape);
    float *floats = dn_calloc(count, sizeof *floats);
    double *doubles = dn_calloc(is_double ? count : 1, sizeof *doubles), base, spread;
    const uint32_t hash = hash_of(name);
    find_range(name, &shape, &base, &spread);
    for (size_t i = 0; i < count; i++) {
        floats[i] = (float)(base + spread * number(hash, i));
        if (is_double) doubles[i] = (double)floats[i];
    }
    write_rig(r, t, is_double ? (const void *)doubles : floats, count * (is_double ? sizeof *doubles : sizeof *floats));
    dn_free(floats);
    dn_free(doubles);
}

/* ---- a network in both modes ---- */

/* "infer.features", "train.logits": what the passes are called. The train pass is the last, so that it alone moves the
 * statistics that both read. */
static void build_pass(rig *r, const row *c, dn_tensor x, bool training)
{
    const dn_model_options options = {
        .name = c->name, .classes = c->classes, .dropout = 0.0, .width = c->width, .depth = c->depth};
    dn_taps taps = {0};
    dn_forward forward = training ? dn_forward_train : dn_forward_infer;
    forward.prefix = training ? "train." : "infer.";
    forward.taps = &taps;
    dn_keep(r->p, dn_name(r->p, dn_model_build(r->p, &options, x, &forward), "%slogits", forward.prefix));
    for (int i = 0; i < taps.count; i++) dn_keep(r->p, taps.at[i].tensor);
}

static rig open_network(const row *c, const char *device, dn_dtype type, bool training)
{
    rig r = open_rig(1, type);
    dn_device_close(r.device);
    cr_assert_eq(dn_device_open(&r.device, device, &(dn_device_options){.threads = 1}), DN_OK, "%s", dn_error_last());
    const dn_tensor x =
        dn_input(r.p, "images", type, DN_SHAPE(c->images[0], c->images[1], c->images[2], c->images[3]), true);
    build_pass(&r, c, x, false);
    if (training) build_pass(&r, c, x, true);
    start_rig(&r);
    write_numbers(&r, "images");
    for (int block = DN_BLOCK_VALUES; block <= DN_BLOCK_STATES; block++)
        for (int i = 0; i < dn_params_count(r.store, (dn_params_block)block); i++)
            write_numbers(&r, dn_params_at(r.store, (dn_params_block)block, i)->name);
    run_rig(&r, 1);
    return r;
}

/* Reads `wanted` elements of a tensor, spread evenly if it has more. @return how many */
static int probe(rig *r, dn_tensor t, int wanted, double *to)
{
    const size_t bytes = tensor_bytes(r->p, t);
    const bool is_double = dn_dtype_of(r->p, t) == DN_F64;
    const int64_t count = (int64_t)(bytes / (is_double ? sizeof(double) : sizeof(float)));
    const int taken = count < wanted ? (int)count : wanted;
    void *all = dn_calloc(bytes, 1);
    read_rig(r, t, all, bytes);
    for (int i = 0; i < taken; i++) {
        const int64_t at = count > wanted ? i * (count - 1) / (wanted - 1) : i;
        to[i] = is_double ? ((const double *)all)[at] : (double)((const float *)all)[at];
    }
    dn_free(all);
    return taken;
}

/* What a line of the fixture speaks of. @return how many numbers */
static int measure(rig *r, const char *mode, const char *what, double *to)
{
    char name[64];
    if (strcmp(what, "parameters") == 0) {
        to[0] = 0.0;
        for (int i = 0; i < dn_params_count(r->store, DN_BLOCK_VALUES); i++)
            to[0] += (double)dn_shape_count(&dn_params_at(r->store, DN_BLOCK_VALUES, i)->shape);
        return 1;
    }
    if (strcmp(what, "statistics") == 0) {
        const int states = dn_params_count(r->store, DN_BLOCK_STATES);
        double first[PROBES] = {0};
        for (int i = 0; i < states && i < MOST_NUMBERS; i++) {
            probe(r, dn_find(r->p, dn_params_at(r->store, DN_BLOCK_STATES, i)->name), PROBES, first);
            to[i] = first[0];
        }
        return states;
    }
    snprintf(name, sizeof name, "%s.%s", mode, what);
    const dn_tensor t = dn_find(r->p, name);
    cr_assert(!dn_is_none(t), "there is no %s", name);
    return probe(r, t, strcmp(what, "logits") == 0 ? MOST_NUMBERS : PROBES, to);
}

static void compare_line(rig *r, const char *line, double tolerance, const row *c)
{
    double want[MOST_NUMBERS] = {0}, got[MOST_NUMBERS] = {0}, scale = 0.0, worst = 0.0;
    char mode[16], what[32];
    int count = 0, used = 0;
    cr_assert_eq(sscanf(line, "%15s %31s %n", mode, what, &used), 2, "%s", line);
    for (char *end; count < MOST_NUMBERS && line[used] && line[used] != '\n'; used = (int)(end - line))
        want[count++] = strtod(line + used, &end);
    cr_assert_eq(measure(r, mode, what, got), count, "%s %s %s", c->name, mode, what);
    for (int i = 0; i < count; i++) scale = fmax(scale, fabs(want[i]));
    for (int i = 0; i < count; i++) worst = fmax(worst, isnan(got[i]) ? INFINITY : fabs(got[i] - want[i]));
    cr_expect_leq(worst, tolerance * scale, "%s %s %s: off by %g of %g", c->name, mode, what, worst, scale);
}

/* @param lines how many the file must have for this network: all its taps, logits and what else there is */
static void check_network(const char *file, const row *c, const char *device, dn_dtype type, double tolerance)
{
    char path[512], line[MOST_NUMBERS * 24];
    const char *slash = strrchr(__FILE__, '/');
    snprintf(path, sizeof path, "%.*s/fixtures/models/%s", (int)(slash - __FILE__), __FILE__, file);
    FILE *from = fopen(path, "r");
    cr_assert(from, "%s cannot be read", path);
    rig r = open_network(c, device, type, type == DN_F64);
    const size_t length = strlen(c->name);
    int lines = 0;
    while (fgets(line, sizeof line, from)) {
        if (strncmp(line, c->name, length) != 0 || line[length] != ' ') continue;
        compare_line(&r, line + length + 1, tolerance, c);
        lines++;
    }
    (void)fclose(from);
    cr_expect_geq(lines, 3, "%s: %d lines", c->name, lines);
    close_rig(&r);
}

/* In double precision what is left is rounding and the fixture's 12 digits. */
Test(models_pass, reduced_in_both_modes)
{
    for (size_t i = 0; i < sizeof reduced / sizeof *reduced; i++)
        check_network("reduced.dat", &reduced[i], "ref", DN_F64, 1e-10);
}

/* As published, on the kernels that are used. 2^-24 sqrt(K) for sums of K <= 5760 terms, some 50 layers. */
Test(models_pass, full)
{
    for (size_t i = 0; i < sizeof full / sizeof *full; i++) check_network("full.dat", &full[i], "cpu", DN_F32, 5e-5);
}

/* ---- kernels ---- */

/* Training steps of two members, every op on both devices: networks bring shapes that no table of cases has. */
static void train_on_both(const row *c, const char *devices, int width, int steps)
{
    rig r = open_rig(2, DN_F32);
    dn_device_close(r.device);
    cr_assert_eq(dn_device_open(&r.device, devices, &(dn_device_options){.threads = 1}), DN_OK, "%s", dn_error_last());
    const dn_shape images = DN_SHAPE(c->images[0], c->images[1], c->images[2], c->images[3]);
    const dn_tensor x = dn_input(r.p, "images", DN_F32, images, true);
    const dn_tensor y = dn_input(r.p, "labels", DN_I32, DN_SHAPE(3), true);
    const dn_model_options options = {
        .name = c->name, .classes = c->classes, .dropout = 0.1, .width = width, .depth = c->depth};
    const dn_tensor logits = dn_model_build(r.p, &options, x, &dn_forward_train);
    dn_minimize(r.p, dn_cross_entropy(r.p, logits, y), &dn_sgd_defaults);
    start_rig(&r);
    write_random(&r, x, 1);
    write_rig(&r, y, (const int32_t[3]){0, 3, 4}, 3 * sizeof(int32_t));
    cr_expect_eq(dn_executor_run(r.ex, steps), DN_OK, "%s: %s", c->name, dn_error_last());
    close_rig(&r);
}

Test(models_pass, training_on_the_kernels_that_are_used)
{
    for (size_t i = 0; i < sizeof reduced / sizeof *reduced; i++)
        train_on_both(&reduced[i], "check:ref,cpu", 2 * reduced[i].width, 2);
}

Test(models_pass, training_of_the_deep_ones_on_emulated_cuda)
{
    dn_device *device = NULL;
    if (dn_device_open(&device, "cuda-emu", NULL) == DN_ERROR_UNSUPPORTED) cr_skip_test("%s", dn_error_last());
    dn_device_close(device);
    for (size_t i = 0; i < sizeof reduced / sizeof *reduced; i++)
        if (reduced[i].depth > 0) train_on_both(&reduced[i], "check:ref,cuda-emu", reduced[i].width, 1);
}
