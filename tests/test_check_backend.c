/* The device "check:A,B": a good pair passes, a wrong kernel is named, rounding is told from faults. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "core/check/check.h"
#include "core/executor.h"
#include "core/ops.h"
#include "layers/layers.h"
#include "layers/losses.h"
#include "optim/optimizer.h"

enum { IMAGES = 12, BATCH = 8, STEPS = 3, MEMBERS = 3 };

/* ---- whole training runs ---- */

typedef struct rig {
    dn_device *device;
    dn_params *store;
    dn_program *p;
    dn_executor *ex;
    dn_buffer *images; /* the data set, NULL: none */
} rig;

static rig open_rig(const char *device, int members)
{
    rig r = {0};
    const dn_params_options options = {.members = members, .dtype = DN_F32, .seed = 4};
    const dn_status opened = dn_device_open(&r.device, device, &(dn_device_options){.threads = 2});
    cr_assert_eq(opened, DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_params_new(&r.store, &options), DN_OK);
    r.p = dn_program_new(r.store, &(dn_program_options){.name = "small", .batch = BATCH});
    return r;
}

static void close_rig(rig *r)
{
    dn_executor_close(r->ex);
    dn_buffer_close(r->images);
    dn_program_close(r->p);
    dn_params_close(r->store);
    dn_device_close(r->device);
}

/* A step of everything that a recipe has: drawn batches, a convolution, batch norm with relu, pooling, dropout, a
 * linear head, losses over classes and over members, Adam. The bias before batch norm has a gradient of
 * nothing but rounding. */
static void build_network(dn_program *p)
{
    const dn_tensor images = dn_external(p, "images", DN_U8, DN_SHAPE(IMAGES, 8, 8, 3));
    const dn_tensor labels = dn_input(p, "labels", DN_I32, DN_SHAPE(IMAGES), true);
    const dn_indices_options draw = {.batch = BATCH, .count = IMAGES, .pool = DN_NONE, .pool_size = DN_NONE};
    const dn_tensor chosen = dn_indices(p, dn_step(p), &draw);
    dn_tensor x = dn_standardize(p, dn_random_flip(p, dn_gather(p, images, chosen), dn_step(p)));
    const dn_conv_layer conv = {.filters = 32, .kernel = 3, .padding = 1, .init = DN_WEIGHTS_HE, .bias = DN_BIAS_ZERO};
    const dn_norm_options norm = {.epsilon = 1e-3, .decay = .9, .relu = true};
    x = dn_layer_batch_norm(p, "norm", dn_layer_conv2d(p, "conv", x, conv), norm, &dn_forward_train);
    x = dn_dropout(p, dn_max_pool(p, x, 2, 2, 0), .25);
    const dn_linear_layer head = {.units = 4, .init = DN_WEIGHTS_GLOROT, .bias = DN_BIAS_ZERO};
    const dn_tensor logits = dn_layer_linear(p, "head", x, head);
    dn_tensor loss = dn_cross_entropy(p, logits, dn_gather(p, labels, chosen));
    loss = dn_add(p, loss, dn_spread_members(p, dn_loss_mutual_information(p, logits)));
    dn_minimize(p, loss, &dn_adam_defaults);
}

/* Puts the program and its data on the device. */
static void start_network(rig *r)
{
    uint8_t *pixels = dn_calloc(IMAGES * 8 * 8 * 3, 1);
    int32_t labels[IMAGES];
    for (size_t i = 0; i < IMAGES * 8 * 8 * 3; i++) pixels[i] = (uint8_t)(i * 2654435761u >> 11);
    for (int i = 0; i < IMAGES; i++) labels[i] = i % 4;
    build_network(r->p);
    cr_assert_eq(dn_program_seal(r->p), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_executor_open(&r->ex, r->p, r->device), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_buffer_take(&r->images, r->device, pixels, IMAGES * 8 * 8 * 3), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_executor_bind(r->ex, dn_find(r->p, "images"), r->images), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_executor_write(r->ex, dn_find(r->p, "labels"), labels, sizeof labels), DN_OK);
}

/* Trains. @return the values [E,P] at the end */
static float *train(const char *device, size_t *count)
{
    rig r = open_rig(device, MEMBERS);
    start_network(&r);
    cr_assert_eq(dn_executor_run(r.ex, STEPS), DN_OK, "%s", dn_error_last());
    *count = (size_t)(dn_params_slice(r.store, DN_BLOCK_VALUES) * MEMBERS);
    float *values = dn_calloc(*count, sizeof *values);
    dn_buffer *block = dn_params_buffer(r.store, DN_BLOCK_VALUES, 0);
    cr_assert_eq(dn_buffer_download(block, 0, values, *count * sizeof *values), DN_OK);
    close_rig(&r);
    return values;
}

/* ---- a device with a fault ---- */

typedef enum fault { FAULT_NONE, FAULT_SCALE, FAULT_NAN, FAULT_COUNT_ON, FAULT_ADD } fault;

/* A reference device that spoils one element of one op's output, from some step on. */
static struct {
    fault fault;
    dn_op_kind kind;
    int output, member, element, from_step;
    float by;
    const dn_program *program;
    dn_memory memory;
    int runs; /* of that op */
} bad;

static dn_status compile_bad(dn_compiled **out, dn_device *device, const dn_program *program)
{
    bad.program = program;
    bad.runs = 0;
    return dn__backend_ref.compile(out, device, program);
}

static dn_status attach_bad(dn_compiled *compiled, const dn_memory *memory)
{
    bad.memory = *memory;
    return dn__backend_ref.attach(compiled, memory);
}

static dn_status run_bad(dn_compiled *compiled, int first, int last, int64_t steps)
{
    const dn_op *op = &bad.program->ops[first];
    DN_TRY(dn__backend_ref.run(compiled, first, last, steps));
    if (op->kind != bad.kind || bad.runs++ < bad.from_step) return DN_OK;
    void *data = dn__address(bad.program, &bad.memory, op->out[bad.output], bad.member);
    float *reals = (float *)data + bad.element;
    switch (bad.fault) {
    case FAULT_NONE: break;
    case FAULT_SCALE: *reals *= bad.by; break;
    case FAULT_NAN: *reals = NAN; break;
    case FAULT_ADD: *reals += bad.by; break;
    case FAULT_COUNT_ON: ((uint8_t *)data)[bad.element]++; break;
    }
    return DN_OK;
}

/* Puts the fault into side B of "check:ref,ref". */
static void break_side(rig *r)
{
    static dn_backend backend;
    backend = dn__backend_ref;
    backend.compile = compile_bad;
    backend.attach = attach_bad;
    backend.run = run_bad;
    ((dn_check_device *)r->device)->side[DN_CHECK_B]->backend = &backend;
}

/* Trains with the fault, which must be found. @return the error's text */
static const char *train_broken(void)
{
    rig r = open_rig("check:ref,ref", MEMBERS);
    break_side(&r);
    start_network(&r);
    cr_expect_eq(dn_executor_run(r.ex, STEPS), DN_ERROR_NUMERIC);
    close_rig(&r);
    return dn_error_last();
}

#define HOLDS(text, piece) cr_expect(strstr(text, piece) != NULL, "no '%s' in: %s", piece, text)

Test(check_backend, a_good_pair_passes_and_computes_what_the_first_does)
{
    size_t count = 0;
    float *ref = train("ref", &count), *check = train("check:ref,cpu", &count);
    cr_expect_arr_eq(ref, check, count * sizeof *ref);
    dn_free(ref);
    dn_free(check);
}

Test(check_backend, the_wrong_op_is_named)
{
    memset(&bad, 0, sizeof bad);
    bad.fault = FAULT_SCALE, bad.kind = DN_OP_CONV2D_WEIGHT_GRAD, bad.by = 1.001f;
    bad.member = 1, bad.element = 42, bad.from_step = 2;
    const char *text = train_broken();
    const char *const pieces[] = {
        "check: op ", "conv2d_weight_grad(", "step 2",     "'ref' and 'ref' differ", "output 0", "member 1",
        "element 42", "1 of 864 elements",   "'ref | ref'"};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) HOLDS(text, pieces[i]);
}

Test(check_backend, a_nan_and_a_wrong_integer_are_named)
{
    memset(&bad, 0, sizeof bad);
    bad.fault = FAULT_NAN, bad.kind = DN_OP_ADAM, bad.output = 2, bad.member = 2, bad.element = 7;
    const char *text = train_broken();
    HOLDS(text, "adam(");
    HOLDS(text, "output 2, member 2, element 7");
    memset(&bad, 0, sizeof bad);
    bad.fault = FAULT_COUNT_ON, bad.kind = DN_OP_MAX_POOL, bad.output = 1, bad.element = 3;
    text = train_broken();
    HOLDS(text, "max_pool(");
    HOLDS(text, "output 1, member 0, element 3");
}

Test(check_backend, kernels_of_both_sides_have_names)
{
    rig r = open_rig("check:ref,cpu", 1);
    start_network(&r);
    for (int i = 0; i < dn_program_ops(r.p); i++) {
        const char *name = dn_executor_kernel(r.ex, i);
        cr_expect(strstr(name, " | ") != NULL, "%s", name);
    }
    cr_expect_str_eq(dn_device_name(r.device), "check:ref,cpu");
    cr_expect_eq(dn_device_threads(r.device), 2);
    close_rig(&r);
}

/* ---- relu behind batch norm, on the kink ---- */

/* Batch norm of rows -1, 0, 0, 1: the middle ones are on the kink, whose gradient may be taken from either side. */
static dn_status run_on_kink(dn_op_kind spoilt, int output, float by)
{
    const float rows[4] = {-1, 0, 0, 1};
    rig r = open_rig("check:ref,ref", 1);
    memset(&bad, 0, sizeof bad);
    bad.fault = FAULT_ADD, bad.kind = spoilt, bad.output = output, bad.by = by;
    break_side(&r);
    const dn_tensor x = dn_input(r.p, "x", DN_F32, DN_SHAPE(4, 1), false);
    const dn_norm_options norm = {.epsilon = 1e-3, .decay = .9, .relu = true};
    const dn_tensor y = dn_layer_batch_norm(r.p, "norm", x, norm, &dn_forward_train);
    dn_differentiate(r.p, dn_sum(r.p, y, DN_ALL_AXES));
    cr_assert_eq(dn_program_seal(r.p), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_executor_open(&r.ex, r.p, r.device), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_executor_write(r.ex, x, rows, sizeof rows), DN_OK);
    const dn_status status = dn_executor_run(r.ex, 1);
    close_rig(&r);
    return status;
}

Test(check_backend, either_side_of_a_kink_is_right)
{
    cr_expect_eq(run_on_kink(DN_OP_BATCH_NORM_GRAD, 2, 0), DN_OK, "%s", dn_error_last());
    cr_expect_eq(run_on_kink(DN_OP_BATCH_NORM_GRAD, 2, 2), DN_OK, "both elements on the kink: %s", dn_error_last());
    cr_expect_eq(run_on_kink(DN_OP_BATCH_NORM_GRAD, 2, 2.01f), DN_ERROR_NUMERIC);
    cr_expect_eq(run_on_kink(DN_OP_BATCH_NORM_GRAD, 1, .01f), DN_ERROR_NUMERIC, "xhat is 0 there: no change in dgamma");
}

/* ---- names ---- */

static void expect_refused(const char *name, const char *piece)
{
    dn_device *device = NULL;
    cr_expect_eq(dn_device_open(&device, name, NULL), DN_ERROR_ARGUMENT, "%s", name);
    cr_expect_null(device);
    HOLDS(dn_error_last(), piece);
    HOLDS(dn_error_last(), name);
}

Test(check_backend, bad_names_are_refused)
{
    const char *const lacking[] = {"check", "check:", "check:cpu", "check:cpu,", "check:,cpu", "check,cpu", "check:,"};
    for (size_t i = 0; i < sizeof lacking / sizeof *lacking; i++) expect_refused(lacking[i], "two devices are needed");
    expect_refused("check:cpu,nosuch", "'nosuch' is not known");
    expect_refused("check:nosuch,cpu", "'nosuch' is not known");
    expect_refused("check:ref,cpu,ref", "not known");
    expect_refused("check:check:ref,cpu", "is a check itself");
    expect_refused("check:ref,check:ref,cpu", "is a check itself");
}

Test(check_backend, is_listed)
{
    enum { MOST = 32 };
    dn_device_info rows[MOST];
    const int count = dn_device_list(rows, MOST);
    bool found = false;
    for (int i = 0; i < count && i < MOST; i++) found = found || strcmp(rows[i].name, "check:A,B") == 0;
    cr_expect(found);
}

/* ---- comparison ---- */

static dn_check_difference compare(dn_dtype dtype, const void *a, const void *b, int64_t n, dn_check_limit limit)
{
    dn_check_difference difference;
    dn__check_compare(&difference, dtype, a, b, n, &limit);
    return difference;
}

Test(check_backend, floats_may_be_as_far_apart_as_the_limit_says)
{
    const float a[4] = {3, 0, -3, NAN}, b[4] = {3, .25f, -3.5f, NAN};
    const dn_check_difference none = compare(DN_F32, a, b, 4, (dn_check_limit){.relative = .2});
    cr_expect_eq(none.count, 0, "rms is sqrt(6): 0.49 are allowed, 0.6 at 3");
    const dn_check_difference some = compare(DN_F32, a, b, 4, (dn_check_limit){.relative = .1});
    cr_expect_eq(some.count, 2);
    cr_expect_eq(some.element, 2, "the worse of the two");
    cr_expect_float_eq(some.times, .5 / .3, 1e-9);
    cr_expect_float_eq(some.b, -3.5, 0);
    cr_expect_eq(compare(DN_F32, a, b, 4, (dn_check_limit){.relative = .1, .scale = 5}).count, 0);
    const double extra[4] = {0, .1, 0, 0};
    cr_expect_eq(compare(DN_F32, a, b, 4, (dn_check_limit){.relative = .1, .extra = extra}).count, 1);
}

Test(check_backend, what_is_no_number_must_agree)
{
    const float a[4] = {1, INFINITY, NAN, -1e30f}, b[4] = {1, INFINITY, NAN, -1e30f};
    const float one[4] = {1, INFINITY, 1, -1e30f}, other[4] = {1, -INFINITY, NAN, -1e30f};
    const dn_check_limit wide = {.relative = 1};
    cr_expect_eq(compare(DN_F32, a, b, 4, wide).count, 0);
    cr_expect(isinf(compare(DN_F32, a, one, 4, wide).times));
    cr_expect_eq(compare(DN_F32, one, a, 4, wide).element, 2);
    cr_expect_eq(compare(DN_F32, a, other, 4, wide).element, 1);
    const float off[4] = {1.5f, INFINITY, NAN, -1e30f};
    cr_expect_eq(compare(DN_F32, a, off, 4, (dn_check_limit){.relative = .1}).count, 1, "-1e30 does not count as size");
}

Test(check_backend, integers_must_be_equal)
{
    const int32_t a[3] = {7, -1, 1 << 30}, b[3] = {7, -1, (1 << 30) + 1};
    const dn_check_difference difference = compare(DN_I32, a, b, 3, (dn_check_limit){.relative = 1, .scale = 1e12});
    cr_expect(difference.count == 1 && difference.element == 2 && isinf(difference.times));
    const uint8_t c[2] = {0, 255}, d[2] = {0, 254};
    cr_expect_eq(compare(DN_U8, c, d, 2, (dn_check_limit){.relative = 1}).count, 1);
}

Test(check_backend, bf16_and_doubles_are_read)
{
    const uint16_t bits[3] = {0x3f80, 0xc000, 0x7fc0}; /* 1, -2, NaN */
    cr_expect_float_eq(dn__check_value(DN_BF16, bits, 0), 1, 0);
    cr_expect_float_eq(dn__check_value(DN_BF16, bits, 1), -2, 0);
    cr_expect(isnan(dn__check_value(DN_BF16, bits, 2)));
    const double a[1] = {1}, b[1] = {1 + 1e-12};
    cr_expect_eq(compare(DN_F64, a, b, 1, (dn_check_limit){.relative = 1e-13}).count, 1);
    cr_expect_eq(compare(DN_F64, a, b, 1, (dn_check_limit){.relative = 1e-11}).count, 0);
}

Test(check_backend, the_limit_follows_from_op_and_shapes)
{
    dn_tensor_info tensors[3] = {
        {.shape = DN_SHAPE(2, 8, 8, 16)}, {.shape = DN_SHAPE(32, 3, 3, 16)}, {.shape.rank = 4}};
    tensors[2].shape = DN_SHAPE(2, 8, 8, 32);
    const dn_program p = {.tensors = tensors, .n_tensors = 3, .members = 2};
    dn_op op = DN__NO_OP;
    op.kind = DN_OP_CONV2D;
    op.in[0] = 0, op.in[1] = 1, op.out[0] = 2;
    const double rms[DN_OP_MAX_IN] = {2, 3}, eps = (double)FLT_EPSILON;
    dn_check_limit limit = dn__check_limit(&p, &op, 0, rms, 2);
    cr_expect_float_eq(limit.relative, 8 * eps * 12, 1e-12, "R S C = 144 terms");
    cr_expect_float_eq(limit.scale, 72, 1e-9);
    op.kind = DN_OP_CONV2D_WEIGHT_GRAD;
    op.in[1] = 2, op.out[0] = 1;
    limit = dn__check_limit(&p, &op, 0, rms, 1);
    cr_expect_float_eq(limit.relative, 4 * eps * sqrt(128), 1e-12, "N P Q = 128 terms");
    cr_expect_float_eq(limit.scale, 6 * sqrt(128), 1e-9);
    op.out[1] = 1;
    cr_expect_float_eq(dn__check_limit(&p, &op, 1, rms, 1).scale, 3 * sqrt(128), 1e-9, "the bias: a sum of dy alone");
    tensors[1].dtype = DN_BF16;
    cr_expect_gt(dn__check_limit(&p, &op, 0, rms, 1).relative, 0x1p-7);
    op.kind = DN_OP_RELU;
    cr_expect_float_eq(dn__check_limit(&p, &op, 0, rms, 1).scale, 0, 0);
    cr_expect_eq(dn__check_measured(DN_OP_RELU), 0u);
    cr_expect_eq(dn__check_measured(DN_OP_CONV2D), 3u);
    cr_expect_float_eq(dn__check_factor("onednn jit_wino:avx512"), 8, 0);
    cr_expect_float_eq(dn__check_factor("conv f32 64x64x16"), 1, 0);
    cr_expect_float_eq(dn__check_factor("conv tf32 128x64"), 8192, 0);
}
