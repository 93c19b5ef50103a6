/* Images that move against a gradient: the gradient by central differences in double, the outputs by hand. */
#include <float.h>

#include "ood/pass_private.h"
#include "tests/pass_rig.h"

static const pass_case cases[] = {
    {"mlp", "ref", DN_F64, 1, 6, 1, 4, 16, 5, -1, STANDARDIZED},
    {"toy_convnet", "ref", DN_F64, 3, 11, 1, 5, 4, 3, -1, AS_THEY_ARE},
    {"glyph_net", "ref", DN_F64, 3, 8, 2, 4, 4, 3, -1, STANDARDIZED},
    {"cnn3", "ref", DN_F64, 1, 8, 3, 4, 4, 3, -1, NORMALIZED},
};
enum { CASES = sizeof cases / sizeof *cases, MOST_CLASSES = 8 };

/* Which columns of a leave-out ensemble's members are used, where a test has a class map. */
static const int32_t leave_out[3 * 5] = {0, 1, 2, 3, -1, 4, -1, 0, 1, 2, 2, 3, 4, 0, 1};

/* What images move against: a function of one row's logits, or features. */
typedef struct objective {
    dn_method_pass kind;
    double temperature;
    const int32_t *class_map;
} objective;

/* Half the squared distance to (1/2, 1/2, ...): what this file takes for a score of features. */
static double distance(const double *f, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += (f[i] - 0.5) * (f[i] - 0.5) / 2;
    return sum;
}

static dn_status distance_gradient(void *context, double *gradient, const float *logits, const float *features,
                                   size_t rows)
{
    const pass_rig *rig = context;
    const size_t count = (size_t)rig->c.members * rows * rig->layers.layer[rig->layers.count - 1].dim;
    cr_expect(isfinite(logits[0]));
    for (size_t i = 0; i < count; i++) gradient[i] = (double)features[i] - 0.5;
    return DN_OK;
}

/* By the definitions: CE of z / T and its own argmax, or the entropy. @param used NULL: all columns */
static double loss(const objective *o, const double *z, size_t n, const int32_t *used)
{
    double p[MOST_CLASSES], sum = 0.0, entropy = 0.0;
    size_t top = n;
    for (size_t k = 0; k < n; k++) {
        if (used && used[k] < 0) continue;
        if (top == n || z[k] > z[top]) top = k;
    }
    for (size_t k = 0; k < n; k++) p[k] = used && used[k] < 0 ? 0.0 : exp((z[k] - z[top]) / o->temperature);
    for (size_t k = 0; k < n; k++) sum += p[k];
    for (size_t k = 0; k < n; k++) entropy -= p[k] > 0.0 ? p[k] / sum * log(p[k] / sum) : 0.0;
    return o->kind == DN_PASS_ODIN ? log(sum) : entropy;
}

/* Every row's loss at x. @param losses [E,N] */
static void losses_at(double *losses, direct *d, const pass_rig *rig, const objective *o, const double *x)
{
    double *z = run_direct(d, x);
    const size_t rows = (size_t)rig->c.batch, columns = (size_t)rig->c.classes;
    const size_t width = rig->layers.layer[rig->layers.count - 1].dim;
    double *f = read_direct(d, d->taps.at[d->taps.count - 1].tensor);
    for (size_t e = 0; e < (size_t)rig->c.members; e++)
        for (size_t r = 0; r < rows; r++) {
            const size_t row = e * rows + r;
            losses[row] = o->kind == DN_PASS_SCORE
                              ? distance(f + row * width, width)
                              : loss(o, z + row * columns, columns, o->class_map ? o->class_map + e * columns : NULL);
        }
    dn_free(f);
    dn_free(z);
}

/* Derivatives by pixel `at` of all rows' losses, of fourth order in the step. @param slopes [E,N] */
static void slopes_at(double *slopes, direct *d, const pass_rig *rig, const objective *o, double *x, size_t at,
                      double step)
{
    const size_t rows = (size_t)rig->c.members * (size_t)rig->c.batch;
    double losses[4][64] = {{0}};
    static const double places[4] = {-2, -1, 1, 2};
    for (int k = 0; k < 4; k++) {
        for (size_t r = 0; r < rows; r++) x[r * rig->pixels + at] += places[k] * step;
        losses_at(losses[k], d, rig, o, x);
        for (size_t r = 0; r < rows; r++) x[r * rig->pixels + at] -= places[k] * step;
    }
    for (size_t r = 0; r < rows; r++)
        slopes[r] = (8 * (losses[2][r] - losses[1][r]) - (losses[3][r] - losses[0][r])) / (12 * step);
}

typedef struct tally {
    size_t compared, pixels, wrong;
} tally;

/* Compares the direction in which every pixel went. The differences' error: what two steps differ by (kinks of relu and
 * pooling nearby, truncation), and the rounding of losses of that size, 18 of them over 12 steps. */
static tally compare_directions(const pass_rig *rig, const dn_pass *pass, const objective *o, const double *x)
{
    tally t = {0};
    const size_t rows = (size_t)rig->c.members * (size_t)rig->c.batch, count = rows * rig->pixels;
    const double step = 1e-5;
    double *work = dn_calloc(count, sizeof *work), base[64] = {0}, wide[64], narrow[64];
    direct d = open_direct(rig, rig->c.batch, &dn_forward_infer);
    memcpy(work, x, count * sizeof *work);
    losses_at(base, &d, rig, o, work);
    for (size_t at = 0; at < rig->pixels; at++) {
        slopes_at(wide, &d, rig, o, work, at, step);
        slopes_at(narrow, &d, rig, o, work, at, step / 2);
        for (size_t r = 0; r < rows; r++) {
            const size_t i = r * rig->pixels + at;
            const double rounding = 18 * 8 * DBL_EPSILON * (1 + fabs(base[r])) / (12 * step / 2);
            const double floor = 4 * fabs(wide[r] - narrow[r]) + rounding;
            t.pixels++;
            /* A pixel that changes nothing at all, behind a dead relu or a lost maximum, has the gradient 0. */
            const bool none = wide[r] == 0.0 && narrow[r] == 0.0;
            if (fabs(narrow[r]) <= floor && !none) continue;
            t.compared++;
            t.wrong += (dn__real_get(&pass->x, i) < x[i]) != (narrow[r] >= 0.0);
        }
    }
    close_direct(&d);
    dn_free(work);
    return t;
}

static dn_pass_options options_of(pass_rig *rig, const objective *o, double epsilon)
{
    return (dn_pass_options){.kind = o->kind,
                             .type = DN_U8,
                             .epsilon = epsilon,
                             .temperature = o->temperature,
                             .gradient = distance_gradient,
                             .context = rig};
}

static void check_directions(const pass_case *c, objective o)
{
    pass_rig rig;
    open_pass_rig(&rig, c);
    rig.network.class_map = o.class_map;
    uint8_t *images = draw_images(&rig, (size_t)c->batch, 3);
    double *x = spread(&rig, images, (size_t)c->batch);
    const dn_pass_options options = options_of(&rig, &o, .01);
    dn_pass_out out;
    dn_pass *pass = run_pass(&rig, &options, &out, images, (size_t)c->batch);
    for (size_t i = 0; i < pass->x.count; i++) cr_assert_float_eq(fabs(dn__real_get(&pass->x, i) - x[i]), .01, 1e-15);
    const tally t = compare_directions(&rig, pass, &o, x);
    printf("%-11s kind %d T %4g: %zu of %zu pixels compared\n", c->model, (int)o.kind, o.temperature, t.compared,
           t.pixels);
    cr_expect_eq(t.wrong, 0, "%s, kind %d, T %g: %zu of %zu pixels went the wrong way", c->model, (int)o.kind,
                 o.temperature, t.wrong, t.compared);
    cr_expect_gt(10 * t.compared, 9 * t.pixels, "%s: only %zu of %zu pixels could be compared", c->model, t.compared,
                 t.pixels);
    dn_pass_close(pass);
    free_out(&out);
    dn_free(x);
    dn_free(images);
    close_pass_rig(&rig);
}

Test(pass_gradient, directions_are_those_of_central_differences)
{
    for (int i = 0; i < CASES; i++) {
        check_directions(&cases[i], (objective){DN_PASS_ODIN, 1000, NULL});
        check_directions(&cases[i], (objective){DN_PASS_ODIN_ENTROPY, 20, NULL});
        check_directions(&cases[i], (objective){DN_PASS_ODIN_ENTROPY, 1.5, NULL});
        check_directions(&cases[i], (objective){DN_PASS_SCORE, 1, NULL});
    }
    check_directions(&cases[1], (objective){DN_PASS_ODIN, 1000, leave_out});
    check_directions(&cases[1], (objective){DN_PASS_ODIN_ENTROPY, 2, leave_out});
}

/* ---- the whole of ODIN by another way: the loss is an op of the program, and parameters get gradients too ---- */

/* x - eps sign(dL/dx). @param z [E,N,K] plain logits @return [E,N,pixels], free with dn_free() */
static double *move_by_hand(pass_rig *rig, const objective *o, const double *x, const double *z, double epsilon)
{
    const size_t members = (size_t)rig->c.members, rows = (size_t)rig->c.batch, columns = (size_t)rig->c.classes;
    dn_program *p = dn_program_new(rig->params, NULL);
    dn_executor *executor = NULL;
    const dn_shape shape = DN_SHAPE(rig->c.batch, rig->c.side, rig->c.side, rig->c.channels);
    const dn_tensor images = dn_want_gradient(p, dn_input(p, "x", rig->c.type, shape, false));
    const dn_tensor labels = dn_input(p, "labels", DN_I32, DN_SHAPE(rig->c.batch), false);
    const dn_tensor logits =
        dn_scale(p, build_model(&rig->c, p, images, &dn_forward_infer), 1 / o->temperature, DN_NONE);
    dn_differentiate(p, o->kind == DN_PASS_ODIN ? dn_cross_entropy(p, logits, labels)
                                                : dn_sum(p, dn_entropy(p, logits), DN_ALL_AXES));
    const dn_tensor gradient = dn_keep(p, dn_gradient(p, images));
    OK(dn_program_seal(p));
    OK(dn_executor_open(&executor, p, rig->device));
    int32_t *top = dn_calloc(members * rows, sizeof *top);
    for (size_t r = 0; r < members * rows; r++)
        for (size_t k = 1; k < columns; k++)
            if (z[r * columns + k] > z[r * columns + (size_t)top[r]]) top[r] = (int32_t)k;
    OK(dn_executor_write(executor, labels, top, members * rows * sizeof *top));
    direct d = {.program = p, .executor = executor, .type = rig->c.type};
    write_direct(&d, images, x);
    OK(dn_executor_run(executor, 1));
    double *moved = read_direct(&d, gradient);
    for (size_t i = 0; i < members * rows * rig->pixels; i++) moved[i] = x[i] - epsilon * (moved[i] < 0.0 ? -1.0 : 1.0);
    dn_free(top);
    dn_executor_close(executor);
    dn_program_close(p);
    return moved;
}

static void check_odin(const pass_case *c, objective o, double epsilon)
{
    pass_rig rig;
    open_pass_rig(&rig, c);
    const size_t rows = (size_t)c->batch, count = (size_t)c->members * rows;
    uint8_t *images = draw_images(&rig, rows, 6);
    double *x = spread(&rig, images, rows);
    const dn_pass_options options = options_of(&rig, &o, epsilon);
    dn_pass_out out;
    dn_pass *pass = run_pass(&rig, &options, &out, images, rows);
    direct d = open_direct(&rig, c->batch, &dn_forward_infer);
    double *plain = run_direct(&d, x), *moved = move_by_hand(&rig, &o, x, plain, epsilon);
    double *right = run_direct(&d, moved);
    double change = 0.0;
    for (size_t i = 0; i < count * (size_t)c->classes; i++) change = fmax(change, fabs(right[i] - plain[i]));
    const double error = largest_error(out.logits, right, count * (size_t)c->classes);
    cr_expect_lt(error, 1e-7, "%s, kind %d: logits are off by %g", c->model, (int)o.kind, error);
    cr_expect_gt(change, 1e-3 * epsilon, "%s: moving changed nothing", c->model);
    dn_free(right);
    dn_free(moved);
    dn_free(plain);
    close_direct(&d);
    dn_pass_close(pass);
    free_out(&out);
    dn_free(x);
    dn_free(images);
    close_pass_rig(&rig);
}

Test(pass_gradient, logits_are_those_of_images_moved_by_hand)
{
    for (int i = 0; i < CASES; i++) {
        check_odin(&cases[i], (objective){DN_PASS_ODIN, 1000, NULL}, .0014);
        check_odin(&cases[i], (objective){DN_PASS_ODIN, 2, NULL}, .1);
        check_odin(&cases[i], (objective){DN_PASS_ODIN_ENTROPY, 1000, NULL}, .0014);
    }
}

/* ---- in f32, on the device that runs do ---- */

static const pass_case on_cpu = {"glyph_net", "cpu", DN_F32, 3, 10, 2, 4, 4, 5, -1, STANDARDIZED};

/* Results are those of the images that the pass made, bit for bit, and nearly all pixels go where f64 sends them. */
static void check_f32(const char *device)
{
    const objective o = {DN_PASS_ODIN, 1000, NULL};
    pass_case narrow = on_cpu, wide = on_cpu;
    narrow.device = device;
    wide.device = "ref";
    wide.type = DN_F64;
    pass_rig rigs[2];
    open_pass_rig(&rigs[0], &narrow);
    open_pass_rig(&rigs[1], &wide);
    enum { ROWS = 5, E = 3, K = 4 };
    uint8_t *images = draw_images(&rigs[0], ROWS, 7);
    dn_pass *passes[2];
    dn_pass_out out[2];
    for (int i = 0; i < 2; i++) {
        const dn_pass_options options = options_of(&rigs[i], &o, .01);
        passes[i] = run_pass(&rigs[i], &options, &out[i], images, ROWS);
    }
    direct d = open_direct(&rigs[0], ROWS, &dn_forward_infer);
    double *moved = dn_calloc(passes[0]->x.count, sizeof *moved), *x = spread(&rigs[1], images, ROWS);
    size_t same = 0;
    for (size_t i = 0; i < passes[0]->x.count; i++) {
        moved[i] = dn__real_get(&passes[0]->x, i);
        same += (moved[i] < x[i]) == (dn__real_get(&passes[1]->x, i) < x[i]);
    }
    double *right = run_direct(&d, moved);
    for (size_t i = 0; i < E * ROWS * K; i++) cr_expect_eq((double)out[0].logits[i], right[i]);
    cr_expect_gt(100 * same, 99 * passes[0]->x.count, "%zu of %zu pixels agree", same, passes[0]->x.count);
    dn_free(right);
    dn_free(x);
    dn_free(moved);
    close_direct(&d);
    for (int i = 0; i < 2; i++) {
        dn_pass_close(passes[i]);
        free_out(&out[i]);
        close_pass_rig(&rigs[i]);
    }
    dn_free(images);
}

Test(pass_gradient, f32_goes_where_f64_goes)
{
    static const char *const devices[] = {"cpu", "cuda-emu", "cuda"};
    for (int i = 0; i < 3; i++)
        if (has_device(devices[i])) check_f32(devices[i]);
}

Test(pass_gradient, no_distance_is_the_plain_pass)
{
    pass_rig rig;
    open_pass_rig(&rig, &on_cpu);
    enum { ROWS = 5, E = 3, K = 4 };
    uint8_t *images = draw_images(&rig, ROWS, 7);
    dn_pass_out out, plain;
    const dn_pass_options none = {.type = DN_U8};
    dn_pass *first = run_pass(&rig, &none, &plain, images, ROWS);
    const dn_method_pass kinds[] = {DN_PASS_ODIN, DN_PASS_ODIN_ENTROPY, DN_PASS_SCORE};
    for (int i = 0; i < 3; i++) {
        const dn_pass_options options = options_of(&rig, &(objective){kinds[i], 1000, NULL}, 0);
        dn_pass *pass = run_pass(&rig, &options, &out, images, ROWS);
        cr_expect_arr_eq(out.logits, plain.logits, sizeof(float) * E * ROWS * K);
        dn_pass_close(pass);
        free_out(&out);
    }
    dn_pass_close(first);
    free_out(&plain);
    dn_free(images);
    close_pass_rig(&rig);
}

/* Where nothing depends on the image, every gradient is 0 and every sign +1. */
Test(pass_gradient, zero_counts_as_positive)
{
    pass_case c = on_cpu;
    c.prepared = ERASED;
    pass_rig rig;
    open_pass_rig(&rig, &c);
    uint8_t *images = draw_images(&rig, 5, 7);
    memset(images, 100, 2 * rig.pixels); /* images of one colour */
    double *x = spread(&rig, images, 5);
    const dn_pass_options options = options_of(&rig, &(objective){DN_PASS_ODIN, 1000, NULL}, .25);
    dn_pass_out out;
    dn_pass *pass = run_pass(&rig, &options, &out, images, 5);
    for (size_t i = 0; i < pass->x.count; i++) cr_assert_float_eq(dn__real_get(&pass->x, i), x[i] - .25, 1e-7);
    dn_pass_close(pass);
    free_out(&out);
    dn_free(x);
    dn_free(images);
    close_pass_rig(&rig);
}

/* Rolls a block of the store [E,slice] by one member. */
static void roll(pass_rig *rig, dn_params_block block)
{
    dn_buffer *buffer = dn_params_buffer(rig->params, block, 0);
    const size_t each = (size_t)dn_params_slice(rig->params, block) * sizeof(float), members = (size_t)rig->c.members;
    char *values = dn_calloc(members + 1, each);
    OK(dn_buffer_download(buffer, 0, values + each, members * each));
    memcpy(values, values + members * each, each);
    OK(dn_buffer_upload(buffer, 0, values, members * each));
    dn_free(values);
}

/* Each member's images move by its own gradient, whoever stands beside it. */
Test(pass_gradient, members_do_not_see_each_other)
{
    pass_rig rig;
    open_pass_rig(&rig, &on_cpu);
    enum { ROWS = 5, E = 3, K = 4 };
    uint8_t *images = draw_images(&rig, ROWS, 8);
    const dn_pass_options options = options_of(&rig, &(objective){DN_PASS_ODIN, 1000, NULL}, .02);
    dn_pass_out before, after;
    dn_pass *pass = run_pass(&rig, &options, &before, images, ROWS);
    dn_pass_close(pass);
    roll(&rig, DN_BLOCK_VALUES);
    roll(&rig, DN_BLOCK_STATES);
    pass = run_pass(&rig, &options, &after, images, ROWS);
    for (int e = 0; e < E; e++)
        cr_expect_arr_eq(after.logits + (e + 1) % E * ROWS * K, before.logits + e * ROWS * K, sizeof(float) * ROWS * K);
    cr_expect_neq(before.logits[0], before.logits[ROWS * K]);
    dn_pass_close(pass);
    free_out(&before);
    free_out(&after);
    dn_free(images);
    close_pass_rig(&rig);
}

static dn_status refuse(void *context, double *gradient, const float *logits, const float *features, size_t rows)
{
    (void)context;
    (void)logits;
    (void)features;
    gradient[rows - 1] = NAN;
    return DN_OK;
}

Test(pass_gradient, numbers_that_are_not_finite_are_refused)
{
    pass_case c = on_cpu;
    c.prepared = AS_THEY_ARE;
    pass_rig rig;
    open_pass_rig(&rig, &c);
    float *images = dn_calloc(5 * rig.pixels, sizeof *images), *logits = dn_calloc(60, sizeof *logits);
    dn_pass_options options = options_of(&rig, &(objective){DN_PASS_ODIN, 1000, NULL}, .02);
    dn_pass_out out = {.logits = logits};
    dn_pass *pass = NULL;
    options.type = DN_F32;
    OK(dn_pass_open(&pass, &rig.network, &options));
    images[3 * rig.pixels] = NAN;
    cr_expect_eq(dn_pass_run(pass, &out, images, 5), DN_ERROR_NUMERIC);
    cr_expect(strstr(dn_error_last(), "image 3 of the batch"), "%s", dn_error_last());
    cr_expect_eq(dn_pass_images(pass), 0);
    dn_pass_close(pass);
    options.kind = DN_PASS_SCORE;
    options.gradient = refuse;
    images[3 * rig.pixels] = 0;
    OK(dn_pass_open(&pass, &rig.network, &options));
    cr_expect_eq(dn_pass_run(pass, &out, images, 5), DN_ERROR_NUMERIC);
    cr_expect(strstr(dn_error_last(), "score's gradient"), "%s", dn_error_last());
    dn_pass_close(pass);
    dn_free(logits);
    dn_free(images);
    close_pass_rig(&rig);
}
