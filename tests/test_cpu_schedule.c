/* Whole training programs on the device "cpu": members over cores, repeatable, and like "ref". */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "core/cpu/compiled.h"
#include "core/executor.h"
#include "core/ops.h"
#include "layers/layers.h"
#include "layers/losses.h"
#include "optim/optimizer.h"

enum { IMAGES = 12, BATCH = 8, STEPS = 3 };

typedef struct result {
    float *values; /* [E,P] after the last step */
    size_t count;
    int onednn, tuned; /* how many ops ran on which kernels */
} result;

/* A small convolutional network; no bias before batch norm, which would have no gradient but rounding. Members meet in
 * an information term if `coupled`. */
static void build(dn_program *p, bool coupled)
{
    const dn_tensor images = dn_input(p, "images", DN_U8, DN_SHAPE(IMAGES, 8, 8, 3), true);
    const dn_tensor labels = dn_input(p, "labels", DN_I32, DN_SHAPE(IMAGES), true);
    const dn_indices_options draw = {.batch = BATCH, .count = IMAGES, .pool = DN_NONE, .pool_size = DN_NONE};
    const dn_tensor chosen = dn_indices(p, dn_step(p), &draw);
    dn_tensor x = dn_standardize(p, dn_gather(p, images, chosen));
    const dn_conv_layer conv = {.filters = 32, .kernel = 3, .padding = 1, .init = DN_WEIGHTS_HE};
    const dn_norm_options norm = {.epsilon = 1e-3, .decay = .9, .relu = true};
    x = dn_layer_batch_norm(p, "norm", dn_layer_conv2d(p, "conv", x, conv), norm, &dn_forward_train);
    x = dn_dropout(p, dn_max_pool(p, x, 2, 2, 0), .25);
    const dn_linear_layer head = {.units = 4, .init = DN_WEIGHTS_GLOROT, .bias = DN_BIAS_ZERO};
    const dn_tensor logits = dn_layer_linear(p, "head", x, head);
    dn_tensor loss = dn_cross_entropy(p, logits, dn_gather(p, labels, chosen));
    if (coupled) loss = dn_add(p, loss, dn_spread_members(p, dn_loss_mutual_information(p, logits)));
    dn_minimize(p, loss, &dn_adam_defaults);
}

static void write_data(dn_executor *ex, const dn_program *p)
{
    uint8_t images[IMAGES * 8 * 8 * 3];
    int32_t labels[IMAGES];
    for (size_t i = 0; i < sizeof images; i++) images[i] = (uint8_t)(i * 2654435761u >> 11);
    for (int i = 0; i < IMAGES; i++) labels[i] = i % 4;
    cr_assert_eq(dn_executor_write(ex, dn_find(p, "images"), images, sizeof images), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_executor_write(ex, dn_find(p, "labels"), labels, sizeof labels), DN_OK, "%s", dn_error_last());
}

static void count_kernels(result *out, const dn_executor *ex, const dn_program *p)
{
    for (int i = 0; i < dn_program_ops(p); i++) {
        const char *name = dn_executor_kernel(ex, i);
        out->onednn += strncmp(name, "onednn ", 7) == 0;
        out->tuned += strcmp(name, "tuned") == 0;
    }
}

static result train(const char *device_name, int threads, int members, bool coupled)
{
    result out = {0};
    dn_device *device = NULL;
    dn_params *store = NULL;
    dn_executor *ex = NULL;
    const dn_params_options options = {.members = members, .dtype = DN_F32, .seed = 4};
    cr_assert_eq(dn_device_open(&device, device_name, &(dn_device_options){.threads = threads}), DN_OK);
    cr_assert_eq(dn_params_new(&store, &options), DN_OK);
    dn_program *p = dn_program_new(store, &(dn_program_options){.name = "small", .batch = BATCH});
    build(p, coupled);
    cr_assert_eq(dn_program_seal(p), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_executor_open(&ex, p, device), DN_OK, "%s", dn_error_last());
    write_data(ex, p);
    cr_assert_eq(dn_executor_run(ex, STEPS), DN_OK, "%s", dn_error_last());
    count_kernels(&out, ex, p);
    out.count = (size_t)(dn_params_slice(store, DN_BLOCK_VALUES) * members);
    out.values = dn_calloc(out.count, sizeof *out.values);
    dn_buffer *values = dn_params_buffer(store, DN_BLOCK_VALUES, 0);
    cr_assert_eq(dn_buffer_download(values, 0, out.values, out.count * sizeof *out.values), DN_OK);
    dn_executor_close(ex);
    dn_program_close(p);
    dn_params_close(store);
    dn_device_close(device);
    return out;
}

Test(cpu_schedule, members_alone)
{
    cr_expect_eq(dn__cpu_members_alone(10, 4), 8);
    cr_expect_eq(dn__cpu_members_alone(1, 1), 1);
    cr_expect_eq(dn__cpu_members_alone(3, 8), 0);
}

Test(cpu_schedule, same_bytes_for_the_same_threads)
{
    for (int members = 1; members <= 3; members += 2) {
        const result a = train("cpu", 2, members, true), b = train("cpu", 2, members, true);
        cr_expect_arr_eq(a.values, b.values, a.count * sizeof *a.values);
        dn_free(a.values);
        dn_free(b.values);
    }
}

/* A member that has a core to itself computes what it would on a machine with one core. */
Test(cpu_schedule, member_alone_does_not_see_the_others)
{
    const result one = train("cpu", 1, 3, false), two = train("cpu", 2, 3, false);
    cr_expect_arr_eq(one.values, two.values, one.count / 3 * 2 * sizeof *one.values);
    dn_free(one.values);
    dn_free(two.values);
}

/* Adam's first steps are of size `rate` (1e-3) whatever the gradient's size, so a gradient near 0, which rounding may
 * turn around, moves a value by up to 2 rates a step: most values must be much closer, none farther. */
Test(cpu_schedule, like_the_reference)
{
    for (int threads = 1; threads <= 2; threads++) {
        const result ref = train("ref", 1, 3, true), cpu = train("cpu", threads, 3, true);
        size_t close = 0;
        for (size_t i = 0; i < ref.count; i++) {
            const double off = fabs((double)ref.values[i] - (double)cpu.values[i]);
            cr_assert_lt(off, 2e-3 * STEPS * 1.01, "element %zu", i);
            close += off < 2e-5;
        }
        cr_expect_geq((double)close, .99 * (double)ref.count, "only %zu of %zu are close", close, ref.count);
        cr_expect_eq(ref.onednn + ref.tuned, 0);
        cr_expect_geq(cpu.tuned, 8);
        if (strncmp(dn__onednn_version(), "oneDNN", 6) == 0) cr_expect_geq(cpu.onednn, 4);
        dn_free(ref.values);
        dn_free(cpu.values);
    }
}

Test(cpu_schedule, double_is_for_ref)
{
    dn_device *device = NULL;
    dn_params *store = NULL;
    dn_executor *ex = NULL;
    cr_assert_eq(dn_device_open(&device, "cpu", NULL), DN_OK);
    cr_assert_eq(dn_params_new(&store, &(dn_params_options){.members = 1, .dtype = DN_F64}), DN_OK);
    dn_program *p = dn_program_new(store, &(dn_program_options){.name = "wide"});
    dn_fill(p, DN_SHAPE(2), false, 1);
    cr_assert_eq(dn_program_seal(p), DN_OK);
    cr_expect_eq(dn_executor_open(&ex, p, device), DN_ERROR_UNSUPPORTED);
    cr_expect(strstr(dn_error_last(), "wide") && strstr(dn_error_last(), "f64") && strstr(dn_error_last(), "ref"));
    dn_program_close(p);
    dn_params_close(store);
    dn_device_close(device);
}
