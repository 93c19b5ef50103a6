/* Optimizers against plain loops, schedules against closed forms, and training from end to end. */
#include <math.h>
#include <string.h>

#include "layers/models/models.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"
#include "tests/run_program.h"

enum { MEMBERS = 2, SIZE = 5, STEPS = 50 };

/* loss = |w - target|^2, each member with targets of its own. */
static dn_tensor build_distance(rig *r, dn_tensor *w)
{
    *w = dn_parameter(r->p, "w", DN_SHAPE(SIZE), (dn_init){.kind = DN_INIT_UNIFORM, .value = 1.0});
    double targets[MEMBERS * SIZE];
    for (int i = 0; i < MEMBERS * SIZE; i++) targets[i] = 0.3 * i - 1.0;
    const dn_tensor target = dn_constant(r->p, "target", DN_SHAPE(SIZE), false, targets);
    return dn_keep(r->p, dn_sum_squares(r->p, dn_add(r->p, *w, dn_scale(r->p, target, -1.0, DN_NONE))));
}

/* One step of the textbook on w [MEMBERS, SIZE] with moments m and v. */
static void plain_step(const dn_minimize_options *o, int step, double *w, double *m, double *v)
{
    for (int i = 0; i < MEMBERS * SIZE; i++) {
        const double rate = o->rate * (o->member_factors ? o->member_factors[i / SIZE] : 1.0);
        const double g = 2 * (w[i] - (0.3 * i - 1.0)) + o->update.weight_decay * w[i];
        if (o->kind == DN_ADAM) {
            m[i] = o->update.beta1 * m[i] + (1 - o->update.beta1) * g;
            v[i] = o->update.beta2 * v[i] + (1 - o->update.beta2) * g * g;
            const double mean = m[i] / (1 - pow(o->update.beta1, step + 1));
            const double square = v[i] / (1 - pow(o->update.beta2, step + 1));
            w[i] -= rate * mean / (sqrt(square) + o->update.epsilon);
        } else {
            m[i] = o->update.momentum * m[i] + g;
            w[i] -= rate * (o->update.nesterov ? g + o->update.momentum * m[i] : m[i]);
        }
    }
}

static void expect_trajectory(const dn_minimize_options *options, const char *what)
{
    rig r = open_rig(MEMBERS, DN_F64);
    dn_tensor w;
    const dn_tensor loss = build_distance(&r, &w);
    const dn_tensor ok = dn_minimize(r.p, loss, options);
    cr_expect_eq(dn_is_none(ok), !options->check_finite);
    start_rig(&r);
    double want[MEMBERS * SIZE], got[MEMBERS * SIZE], m[MEMBERS * SIZE] = {0}, v[MEMBERS * SIZE] = {0};
    read_rig(&r, w, want, sizeof want);
    for (int step = 0; step < STEPS; step++) {
        plain_step(options, step, want, m, v);
        run_rig(&r, 1);
        read_rig(&r, w, got, sizeof got);
        for (int i = 0; i < MEMBERS * SIZE; i++)
            cr_assert_float_eq(got[i], want[i], 1e-12, "%s, step %d, element %d: %.15g, not %.15g", what, step, i,
                               got[i], want[i]);
    }
    int32_t count = 0;
    read_rig(&r, dn_find(r.p, "step"), &count, sizeof count);
    cr_expect_eq(count, STEPS);
    close_rig(&r);
}

Test(optimizers, follow_the_textbook)
{
    const double factors[MEMBERS] = {1.0, 0.25};
    dn_minimize_options o = dn_adam_defaults;
    o.rate = 0.05;
    expect_trajectory(&o, "adam");
    o.member_factors = factors;
    o.update = (dn_update_options){.beta1 = 0.5, .beta2 = 0.9, .epsilon = 0.1, .weight_decay = 0.3};
    expect_trajectory(&o, "adam with decay and member factors");
    o = dn_sgd_defaults;
    o.rate = 0.02;
    expect_trajectory(&o, "sgd");
    o.update.weight_decay = 0.7;
    o.check_finite = false;
    expect_trajectory(&o, "sgd with decay, unchecked");
    o.update.momentum = 0.9;
    expect_trajectory(&o, "sgd with momentum and decay");
    o.update.nesterov = true;
    o.member_factors = factors;
    expect_trajectory(&o, "sgd with nesterov momentum");
}

static bool same_values(const double *a, const double *b)
{
    int same = 0;
    for (int i = 0; i < MEMBERS * SIZE; i++) same += a[i] == b[i];
    return same == MEMBERS * SIZE;
}

/* From the first NaN on nothing moves: not the parameters, not the moments, not the step. */
Test(optimizers, stand_still_when_not_finite)
{
    rig r = open_rig(MEMBERS, DN_F64);
    dn_tensor w;
    const dn_tensor x = dn_input(r.p, "x", DN_F64, DN_SHAPE(1), false);
    const dn_tensor loss = dn_add(r.p, build_distance(&r, &w), x);
    const dn_tensor ok = dn_minimize(r.p, loss, &dn_adam_defaults);
    start_rig(&r);
    double before[MEMBERS * SIZE], after[MEMBERS * SIZE];
    int32_t fine = 7, step = 7;
    run_rig(&r, 3);
    read_rig(&r, w, before, sizeof before);
    write_rig(&r, x, (const double[MEMBERS]){0.0, NAN}, MEMBERS * sizeof(double));
    run_rig(&r, 2);
    read_rig(&r, w, after, sizeof after);
    read_rig(&r, ok, &fine, sizeof fine);
    read_rig(&r, dn_find(r.p, "step"), &step, sizeof step);
    cr_expect(same_values(before, after) && fine == 0 && step == 3);
    write_rig(&r, x, (const double[MEMBERS]){0.0, 0.0}, MEMBERS * sizeof(double));
    run_rig(&r, 1);
    read_rig(&r, w, after, sizeof after);
    read_rig(&r, ok, &fine, sizeof fine);
    cr_expect(!same_values(before, after) && fine == 1);
    close_rig(&r);
}

/* ---- schedules ---- */

enum { PIECEWISE, DECAY, LINEAR, COSINE, CONSTANT, SEGMENTS, SCHEDULES };

static const int64_t boundaries[2] = {4, 7};
static const double values[3] = {1.0, 0.3, 0.1};
static const dn_segment segments[4] = {
    {0, 0.0, DN_SEGMENT_LINEAR}, {5, 1.0, DN_SEGMENT_HOLD}, {8, 1.0, DN_SEGMENT_COSINE}, {16, 0.2, DN_SEGMENT_LINEAR}};

static dn_tensor build_schedule(dn_program *p, int which)
{
    switch (which) {
    case PIECEWISE: return dn_schedule_piecewise(p, boundaries, values, 3);
    case DECAY: return dn_schedule_decay(p, 2.0, 0.5, 3, 11);
    case LINEAR: return dn_schedule_linear(p, 1.0, 3.0, 8);
    case COSINE: return dn_schedule_cosine(p, 1.0, -1.0, 10);
    case CONSTANT: return dn_schedule_constant(p, 0.7);
    default: return dn_schedule_segments(p, segments, 4);
    }
}

static double expected_value(int which, int t)
{
    const double pi = acos(-1.0);
    switch (which) {
    case PIECEWISE: return t < 4 ? 1.0 : t < 7 ? 0.3 : 0.1;
    case DECAY: return 2.0 * pow(0.5, t > 11 ? 3 : t / 3);
    case LINEAR: return t < 8 ? 1.0 + 0.25 * t : 3.0;
    case COSINE: return t < 10 ? cos(pi * t / 10) : -1.0;
    case CONSTANT: return 0.7;
    default: break;
    }
    if (t < 5) return t / 5.0;
    if (t < 8) return 1.0;
    return t < 16 ? 0.2 + 0.8 * (1 + cos(pi * (t - 8) / 8)) / 2 : 0.2;
}

Test(schedules, closed_forms)
{
    for (int which = 0; which < SCHEDULES; which++) {
        rig r = open_rig(3, DN_F64);
        const double factors[3] = {1, 2, -3};
        const dn_tensor rate = dn_keep(r.p, build_schedule(r.p, which));
        const dn_tensor own = dn_keep(r.p, dn_schedule_members(r.p, rate, factors));
        dn_advance(r.p, dn_step(r.p), DN_NONE);
        start_rig(&r);
        for (int t = 0; t < 25; t++) {
            double got, each[3];
            run_rig(&r, 1);
            read_rig(&r, rate, &got, sizeof got);
            read_rig(&r, own, each, sizeof each);
            const double want = expected_value(which, t);
            cr_expect_float_eq(got, want, 1e-14, "schedule %d, step %d: %g, not %g", which, t, got, want);
            for (int e = 0; e < 3; e++) cr_expect_float_eq(each[e], factors[e] * want, 1e-13);
        }
        close_rig(&r);
    }
}

Test(schedules, tables_that_make_no_sense)
{
    static const dn_segment late[1] = {{3, 1.0, DN_SEGMENT_HOLD}};
    static const dn_segment back[3] = {{0, 1.0, DN_SEGMENT_HOLD}, {5, 1.0, DN_SEGMENT_HOLD}, {5, 2.0, DN_SEGMENT_HOLD}};
    static const dn_segment infinite[1] = {{0, INFINITY, DN_SEGMENT_HOLD}};
    static const dn_segment far[2] = {{0, 1.0, DN_SEGMENT_HOLD}, {(1 << 24) + 1, 1.0, DN_SEGMENT_HOLD}};
    static const char *const words[] = {
        "start at step 0", "segment 2 starts at step 5", "value inf", "16777217", "every 0", "start at step 0"};
    for (int i = 0; i < 6; i++) {
        rig r = open_rig(1, DN_F32);
        switch (i) {
        case 0: dn_schedule_segments(r.p, late, 1); break;
        case 1: dn_schedule_segments(r.p, back, 3); break;
        case 2: dn_schedule_segments(r.p, infinite, 1); break;
        case 3: dn_schedule_segments(r.p, far, 2); break;
        case 4: dn_schedule_decay(r.p, 1.0, 0.5, 0, 10); break;
        default: dn_schedule_segments(r.p, late, 0); break;
        }
        cr_assert_neq(r.p->status, DN_OK, "case %d", i);
        cr_expect(strstr(r.p->error, words[i]), "'%s' lacks '%s'", r.p->error, words[i]);
        close_rig(&r);
    }
}

/* ---- training ---- */

enum { IMAGES = 64, SIDE = 8, CLASSES = 4, TRAIN_STEPS = 120 };

/* Images [IMAGES,SIDE,SIDE,1] of noise with one bright quarter, which is the class. */
static void draw_quarters(float *images, int32_t *labels)
{
    dn_random_sequence random = {.seed = 9};
    for (int n = 0; n < IMAGES; n++) {
        labels[n] = n % CLASSES;
        for (int i = 0; i < SIDE * SIDE; i++) {
            const int quarter = i / SIDE / (SIDE / 2) * 2 + i % SIDE / (SIDE / 2);
            images[n * SIDE * SIDE + i] = (quarter == labels[n] ? 0.5F : 0.0F) + 0.3F * dn_random_next_normal(&random);
        }
    }
}

/* Trains on batches drawn within the program. @param parameters receives all values, *bytes of them
 *  @return the worse member's accuracy over the last 20 steps */
static double train(const char *model, int width, float **parameters, size_t *bytes)
{
    static float images[IMAGES * SIDE * SIDE];
    static int32_t labels[IMAGES];
    draw_quarters(images, labels);
    rig r = open_rig(MEMBERS, DN_F32);
    const dn_tensor data = dn_input(r.p, "images", DN_F32, DN_SHAPE(IMAGES, SIDE, SIDE, 1), true);
    const dn_tensor classes = dn_input(r.p, "labels", DN_I32, DN_SHAPE(IMAGES), true);
    const dn_indices_options draw = {.batch = 16, .count = IMAGES, .pool = DN_NONE, .pool_size = DN_NONE};
    const dn_tensor ids = dn_indices(r.p, dn_step(r.p), &draw);
    const dn_tensor x = dn_gather(r.p, data, ids), y = dn_gather(r.p, classes, ids);
    const dn_model_options options = {.name = model, .classes = CLASSES, .dropout = 0.1, .width = width};
    const dn_tensor logits = dn_model_build(r.p, &options, x, &dn_forward_train);
    const dn_tensor accuracy = dn_record(r.p, "accuracy", dn_accuracy(r.p, logits, y), dn_step(r.p), TRAIN_STEPS);
    dn_minimize_options minimize = dn_adam_defaults;
    minimize.schedule = dn_schedule_cosine(r.p, 1e-2, 0.0, TRAIN_STEPS);
    dn_minimize(r.p, dn_cross_entropy(r.p, logits, y), &minimize);
    start_rig(&r);
    write_rig(&r, data, images, sizeof images);
    write_rig(&r, classes, labels, sizeof labels);
    run_rig(&r, TRAIN_STEPS);
    float history[MEMBERS][TRAIN_STEPS];
    double worst = 1.0;
    read_rig(&r, accuracy, history, sizeof history);
    for (int e = 0; e < MEMBERS; e++) {
        double mean = 0.0;
        for (int t = TRAIN_STEPS - 20; t < TRAIN_STEPS; t++) mean += history[e][t] / 20.0;
        worst = fmin(worst, mean);
    }
    const dn_buffer *block = dn_params_buffer(r.store, DN_BLOCK_VALUES, 0);
    *bytes = dn_buffer_bytes(block);
    *parameters = dn_calloc(*bytes, 1);
    cr_assert_eq(dn_buffer_download(block, 0, *parameters, *bytes), DN_OK);
    close_rig(&r);
    return worst;
}

Test(training, learns_and_repeats_to_the_last_bit)
{
    static const char *const models[] = {"mlp", "glyph_net", "cnn3"};
    static const int widths[] = {60, 8, 8};
    for (int m = 0; m < 3; m++) {
        float *parameters[2];
        size_t bytes[2];
        for (int run = 0; run < 2; run++) {
            const double accuracy = train(models[m], widths[m], &parameters[run], &bytes[run]);
            cr_expect_gt(accuracy, 0.95, "%s: accuracy %g", models[m], accuracy);
        }
        cr_expect(bytes[0] == bytes[1] && memcmp(parameters[0], parameters[1], bytes[0]) == 0, "%s", models[m]);
        cr_expect(memcmp(parameters[0], (char *)parameters[0] + bytes[0] / 2, bytes[0] / 2) != 0,
                  "%s: the members are the same", models[m]);
        dn_free(parameters[0]);
        dn_free(parameters[1]);
    }
}
