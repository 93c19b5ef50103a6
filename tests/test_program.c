/* Building, sealing, differentiating and running programs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/run_program.h"

static const dn_init ones = {.kind = DN_INIT_CONSTANT, .value = 1.0};

/* Seals a program that must have failed with `code` and a text that holds all of `words`. */
static void expect_error(rig *r, dn_status code, const char *const words[3])
{
    cr_expect_eq(dn_program_seal(r->p), code);
    for (int i = 0; i < 3 && words[i]; i++)
        cr_expect(strstr(dn_error_last(), words[i]), "'%s' lacks '%s'", dn_error_last(), words[i]);
    close_rig(r);
}

Test(program, first_error_stays)
{
    rig r = open_rig(2, DN_F32);
    const dn_tensor x = dn_input(r.p, "x", DN_F32, DN_SHAPE(4, 8, 8, 3), true);
    const dn_tensor w = dn_parameter(r.p, "w", DN_SHAPE(5, 3, 3, 2), ones);
    const dn_tensor y = dn_conv2d(r.p, x, w, DN_NONE, 1, 1, false);
    cr_expect(dn_is_none(y));
    cr_expect(dn_is_none(dn_relu(r.p, y)));
    cr_expect(dn_is_none(dn_add(r.p, x, w)));
    cr_expect(dn_is_none(dn_max_pool(r.p, x, 99, 1, 0)));
    dn_differentiate(r.p, y);
    expect_error(&r, DN_ERROR_SHAPE, (const char *const[3]){"conv2d", "[4,8,8,3]", "[5,3,3,2]"});
}

static dn_tensor build_wrong(dn_program *p, int which, dn_tensor x, dn_tensor rows, dn_tensor ids)
{
    switch (which) {
    case 0: return dn_max_pool(p, x, 9, 1, 0);
    case 1: return dn_add(p, x, rows);
    case 2: return dn_reshape(p, x, DN_SHAPE(5, 5));
    case 3: return dn_linear(p, rows, dn_parameter(p, "w", DN_SHAPE(3, 7), ones), DN_NONE, false);
    case 4: return dn_cross_entropy(p, rows, rows);
    case 5: return dn_slice(p, rows, 4, 3);
    case 6: return dn_dropout(p, x, 1.0);
    case 7: return dn_patch_shuffle(p, x, dn_step(p), 3);
    case 8: return dn_relu(p, ids);
    case 9: return dn_sum(p, rows, 2);
    case 10: return dn_fill(p, DN_SHAPE(2, 0), true, 1.0);
    case 11: return dn_fill(p, (dn_shape){0}, true, 1.0);
    case 12: return dn_concat(p, rows, x);
    case 13: return dn_sum_members(p, x);
    case 14: return dn_relu(p, (dn_tensor){12345});
    default: return dn_clamp(p, x, 1.0, NAN);
    }
}

Test(program, wrong_uses_name_op_and_shapes)
{
    static const char *const words[][3] = {{"max_pool", "9x9", "[2,8,8,3]"},
                                           {"add", "[2,8,8,3]", "[6,5]"},
                                           {"reshape", "[2,8,8,3]", "[5,5]"},
                                           {"linear", "[6,5]", "[3,7]"},
                                           {"cross_entropy", "i32", "f64"},
                                           {"slice", "3 channels", "of 5"},
                                           {"dropout", "rate 1", NULL},
                                           {"patch_shuffle", "3 x 3", "[2,8,8,3]"},
                                           {"relu", "i32", "f64"},
                                           {"reduce", "axis 2", "2 dimensions"},
                                           {"[2,0]", "1 or more", NULL},
                                           {"0 dimensions", NULL, NULL},
                                           {"concat", "[6,5]", "[2,8,8,3]"},
                                           {"sum_members", "shared", NULL},
                                           {"no tensor of this program", NULL, NULL},
                                           {"clamp", "nan", NULL}};
    for (int i = 0; i < (int)(sizeof words / sizeof *words); i++) {
        rig r = open_rig(2, DN_F64);
        const dn_tensor x = dn_input(r.p, "x", DN_F64, DN_SHAPE(2, 8, 8, 3), true);
        const dn_tensor rows = dn_input(r.p, "rows", DN_F64, DN_SHAPE(6, 5), false);
        const dn_tensor ids = dn_input(r.p, "ids", DN_I32, DN_SHAPE(6), false);
        cr_expect(dn_is_none(build_wrong(r.p, i, x, rows, ids)), "wrong use %d was accepted", i);
        const dn_status code = r.p->status;
        expect_error(&r, code == DN_OK ? DN_ERROR_SHAPE : code, words[i]);
    }
}

Test(program, sealed_once_and_for_all)
{
    rig r = open_rig(1, DN_F32);
    const dn_tensor x = dn_input(r.p, "x", DN_F32, DN_SHAPE(3), true);
    dn_executor *early = NULL;
    cr_expect_eq(dn_executor_open(&early, r.p, r.device), DN_ERROR_ARGUMENT);
    cr_expect_null(early);
    dn_keep(r.p, dn_relu(r.p, x));
    cr_expect_eq(dn_program_seal(r.p), DN_OK);
    cr_expect_eq(dn_program_seal(r.p), DN_ERROR_ARGUMENT);
    cr_expect(strstr(dn_error_last(), "sealed already"));
    cr_expect(dn_is_none(dn_relu(r.p, x)));
    close_rig(&r);
}

/* In a program of either precision. */
Test(program, gram_takes_doubles)
{
    for (int which = 0; which < 4; which++) {
        rig r = open_rig(2, which % 2 ? DN_F64 : DN_F32);
        const dn_tensor x = dn_input(r.p, "x", DN_F64, DN_SHAPE(4, 3), which < 2);
        const dn_tensor y = dn_gram(r.p, x);
        const dn_shape shape = dn_shape_of(r.p, y);
        cr_expect(dn_shape_equal(&shape, &DN_SHAPE(3, 3)));
        cr_expect_eq(dn_dtype_of(r.p, y), DN_F64);
        cr_expect_eq(dn_is_shared(r.p, y), which < 2);
        close_rig(&r);
    }
    rig r = open_rig(2, DN_F32);
    dn_gram(r.p, dn_input(r.p, "x", DN_F32, DN_SHAPE(4, 3), true));
    expect_error(&r, DN_ERROR_SHAPE, (const char *const[3]){"gram", "f32", "f64"});
    r = open_rig(2, DN_F32);
    dn_gram(r.p, dn_input(r.p, "x", DN_F64, DN_SHAPE(4, 3, 2), true));
    expect_error(&r, DN_ERROR_SHAPE, (const char *const[3]){"gram", "[4,3,2]", "2 dimensions"});
}

Test(program, without_ops)
{
    rig r = open_rig(1, DN_F32);
    expect_error(&r, DN_ERROR_ARGUMENT, (const char *const[3]){"no ops", NULL, NULL});
}

Test(program, what_cannot_be_differentiated)
{
    for (int which = 0; which < 5; which++) {
        static const char *const words[5] = {"one number", "no parameter", "once", "gather", "f32"};
        rig r = open_rig(2, DN_F32);
        const dn_tensor w = dn_parameter(r.p, "w", DN_SHAPE(3), ones);
        const dn_tensor x = dn_input(r.p, "x", DN_F32, DN_SHAPE(3), true);
        const dn_tensor ids = dn_input(r.p, "ids", DN_I32, DN_SHAPE(2), true);
        const dn_tensor loss = dn_sum_squares(r.p, w);
        switch (which) {
        case 0: dn_differentiate(r.p, w); break;
        case 1: dn_differentiate(r.p, dn_sum_squares(r.p, x)); break;
        case 2:
            dn_differentiate(r.p, loss);
            dn_differentiate(r.p, loss);
            break;
        case 3: dn_differentiate(r.p, dn_sum_squares(r.p, dn_gather(r.p, dn_want_gradient(r.p, x), ids))); break;
        default: dn_differentiate(r.p, dn_hold(r.p, dn_step(r.p), 2)); break;
        }
        cr_expect_neq(r.p->status, DN_OK, "case %d", which);
        if (which < 4) cr_expect(strstr(r.p->error, words[which]), "'%s' lacks '%s'", r.p->error, words[which]);
        close_rig(&r);
    }
}

/* What a gradient rule reads again must not have been changed in between. */
Test(program, inputs_changed_before_the_backward_pass)
{
    for (int which = 0; which < 4; which++) {
        rig r = open_rig(2, DN_F32);
        const dn_tensor x = dn_parameter(r.p, "x", DN_SHAPE(4, 2), ones);
        const dn_tensor scale = dn_parameter(r.p, "s", DN_SHAPE(2), ones),
                        shift = dn_parameter(r.p, "b", DN_SHAPE(2), ones);
        const dn_tensor mean = dn_state(r.p, "m", DN_SHAPE(2), 0), variance = dn_state(r.p, "v", DN_SHAPE(2), 1);
        const dn_norm_options options = {.epsilon = 1e-3, .decay = 0.9};
        dn_tensor y = x;
        if (which == 0) y = dn_batch_norm_infer(r.p, y, scale, shift, mean, variance, options);
        if (which < 3) y = dn_batch_norm(r.p, y, scale, shift, mean, variance, options);
        if (which == 1) y = dn_batch_norm_infer(r.p, y, scale, shift, mean, variance, options);
        if (which == 2) y = dn_batch_norm(r.p, y, scale, shift, mean, variance, options);
        if (which == 3) y = dn_dropout(r.p, y, 0.5);
        const dn_tensor loss = dn_sum_squares(r.p, y);
        if (which == 3) dn_advance(r.p, dn_step(r.p), DN_NONE);
        dn_differentiate(r.p, loss);
        static const char *const words[4] = {"'m' as it was", NULL, NULL, "'step' as it was"};
        cr_expect_eq(dn_program_seal(r.p), words[which] ? DN_ERROR_ARGUMENT : DN_OK, "case %d", which);
        if (words[which]) cr_expect(strstr(dn_error_last(), words[which]), "%s", dn_error_last());
        close_rig(&r);
    }
}

/* sum over members of (sum of squares of a + a.a): d/da = 2 a + 2 a; b is not reached. */
Test(program, accumulated_and_unreached_gradients)
{
    rig r = open_rig(2, DN_F64);
    const dn_tensor a = dn_parameter(r.p, "a", DN_SHAPE(3), (dn_init){.kind = DN_INIT_UNIFORM, .value = 2.0});
    const dn_tensor b = dn_parameter(r.p, "b", DN_SHAPE(2), ones);
    const dn_tensor copies = dn_concat(r.p, a, a);
    dn_differentiate(r.p, dn_add(r.p, dn_sum_squares(r.p, a), dn_sum_squares(r.p, copies)));
    start_rig(&r);
    double values[6], gradient[6], unreached[4] = {9, 9, 9, 9};
    for (int step = 0; step < 2; step++) {
        run_rig(&r, 1);
        read_rig(&r, a, values, sizeof values);
        read_rig(&r, dn_gradient(r.p, a), gradient, sizeof gradient);
        read_rig(&r, dn_gradient(r.p, b), unreached, sizeof unreached);
        for (int i = 0; i < 6; i++) cr_expect_float_eq(gradient[i], 6 * values[i], 1e-14);
        for (int i = 0; i < 4; i++) cr_expect_eq(unreached[i], 0.0);
    }
    close_rig(&r);
}

/* A parameter that is the loss itself, and one whose gradient is another tensor's too. */
Test(program, gradients_have_places_of_their_own)
{
    rig r = open_rig(2, DN_F64);
    const dn_tensor a = dn_parameter(r.p, "a", DN_SHAPE(1), ones), b = dn_parameter(r.p, "b", DN_SHAPE(1), ones);
    dn_differentiate(r.p, dn_add(r.p, a, dn_add(r.p, b, a)));
    start_rig(&r);
    run_rig(&r, 2);
    double of_a[2], of_b[2];
    read_rig(&r, dn_gradient(r.p, a), of_a, sizeof of_a);
    read_rig(&r, dn_gradient(r.p, b), of_b, sizeof of_b);
    cr_expect(of_a[0] == 2 && of_a[1] == 2 && of_b[0] == 1 && of_b[1] == 1);
    close_rig(&r);
    /* The gradient of the sum goes to a and, later, on to b; meanwhile a's own grows by 3. */
    r = open_rig(2, DN_F64);
    const dn_tensor c = dn_parameter(r.p, "a", DN_SHAPE(1), ones), d = dn_parameter(r.p, "b", DN_SHAPE(1), ones);
    const dn_tensor first = dn_relu(r.p, d), second = dn_scale(r.p, c, 3.0, DN_NONE);
    dn_differentiate(r.p, dn_add(r.p, dn_add(r.p, c, first), second));
    start_rig(&r);
    run_rig(&r, 2);
    read_rig(&r, dn_gradient(r.p, c), of_a, sizeof of_a);
    read_rig(&r, dn_gradient(r.p, d), of_b, sizeof of_b);
    cr_expect(of_a[0] == 4 && of_a[1] == 4 && of_b[0] == 1 && of_b[1] == 1);
    close_rig(&r);
    r = open_rig(2, DN_F64);
    const dn_tensor alone = dn_parameter(r.p, "a", DN_SHAPE(1), ones);
    dn_keep(r.p, dn_relu(r.p, alone));
    dn_differentiate(r.p, alone);
    start_rig(&r);
    run_rig(&r, 1);
    read_rig(&r, dn_gradient(r.p, alone), of_a, sizeof of_a);
    cr_expect(of_a[0] == 1 && of_a[1] == 1);
    cr_expect_eq(dn__info(r.p, dn_gradient(r.p, alone))->storage, DN_STORAGE_GRADIENTS);
    close_rig(&r);
}

/* Members with their own weights and a shared input; the gradient of what is shared is the sum over members. */
Test(program, shared_and_own_tensors)
{
    rig r = open_rig(3, DN_F64);
    const dn_tensor x = dn_want_gradient(r.p, dn_input(r.p, "x", DN_F64, DN_SHAPE(1, 2), true));
    const dn_tensor w = dn_parameter(r.p, "w", DN_SHAPE(1, 2), ones);
    const dn_tensor y = dn_linear(r.p, x, w, DN_NONE, false);
    cr_expect(!dn_is_shared(r.p, y));
    const dn_tensor loss = dn_mean_members(r.p, dn_sum(r.p, y, DN_ALL_AXES));
    cr_expect(dn_is_shared(r.p, loss));
    dn_differentiate(r.p, loss);
    const dn_tensor dx = dn_keep(r.p, dn_gradient(r.p, x));
    cr_expect(dn_is_shared(r.p, dx));
    start_rig(&r);
    const double input[2] = {3, 5}, weights[6] = {1, 2, 10, 20, 100, 200};
    double of_x[2], of_w[6];
    write_rig(&r, x, input, sizeof input);
    write_rig(&r, w, weights, sizeof weights);
    run_rig(&r, 1);
    read_rig(&r, dx, of_x, sizeof of_x);
    read_rig(&r, dn_gradient(r.p, w), of_w, sizeof of_w);
    cr_expect_float_eq(of_x[0], 37, 1e-13);
    cr_expect_float_eq(of_x[1], 74, 1e-13);
    for (int i = 0; i < 6; i++) cr_expect_float_eq(of_w[i], input[i % 2] / 3, 1e-15);
    close_rig(&r);
}

Test(program, two_programs_see_one_store)
{
    rig r = open_rig(2, DN_F64);
    const dn_tensor w = dn_parameter(r.p, "w", DN_SHAPE(3), ones);
    const dn_tensor rate = dn_constant(r.p, "rate", DN_SHAPE(1), true, &(double){0.1});
    dn_differentiate(r.p, dn_sum_squares(r.p, w));
    dn_sgd(r.p, rate, DN_NONE, &(dn_update_options){0});
    start_rig(&r);
    dn_program *reader = dn_program_new(r.store, &(dn_program_options){.name = "reader"});
    const dn_tensor sum = dn_keep(reader, dn_sum(reader, dn_parameter(reader, "w", DN_SHAPE(3), ones), DN_ALL_AXES));
    dn_executor *ex = NULL;
    cr_assert_eq(dn_program_seal(reader), DN_OK);
    cr_assert_eq(dn_executor_open(&ex, reader, r.device), DN_OK);
    double sums[2], want = 3;
    for (int step = 0; step < 3; step++) {
        cr_assert_eq(dn_executor_run(ex, 1), DN_OK);
        cr_assert_eq(dn_executor_read(ex, sum, sums, sizeof sums), DN_OK);
        cr_expect_float_eq(sums[0], want, 1e-14);
        cr_expect_float_eq(sums[1], want, 1e-14);
        run_rig(&r, 1);
        want *= 0.8;
    }
    /* The store's layout is fixed now, and a shape that differs is named. */
    dn_program *late = dn_program_new(r.store, NULL);
    cr_expect(dn_is_none(dn_parameter(late, "new", DN_SHAPE(1), ones)));
    cr_expect(strstr(late->error, "'new'"));
    dn_program_close(late);
    late = dn_program_new(r.store, NULL);
    cr_expect(dn_is_none(dn_parameter(late, "w", DN_SHAPE(4), ones)));
    cr_expect(strstr(late->error, "[3]") && strstr(late->error, "[4]"));
    dn_program_close(late);
    dn_executor_close(ex);
    dn_program_close(reader);
    close_rig(&r);
}

Test(program, too_big_a_plan_is_refused_before_anything_is_allocated)
{
    rig r = open_rig(2, DN_F32);
    const int64_t rows = 1 << 28;
    const dn_tensor step = dn_step(r.p);
    const dn_tensor x = dn_noise(r.p, step, DN_SHAPE(rows, 64, 64, 3), false, DN_NOISE_UNIFORM, 0, 1);
    dn_keep(r.p, dn_name(r.p, dn_average_pool(r.p, x, 2, 2, 0), "%s pool", "huge"));
    start_rig(&r);
    const dn_plan *plan = dn_executor_plan(r.ex);
    cr_expect_geq(plan->total, (size_t)rows * 64 * 64 * 3 * sizeof(float) * 2);
    cr_expect_eq(dn_executor_start(r.ex), DN_ERROR_MEMORY);
    cr_expect(strstr(dn_error_last(), "[268435456,64,64,3]"), "%s", dn_error_last());
    cr_expect(strstr(dn_error_last(), "huge pool"), "%s", dn_error_last());
    /* The rig's batch is 4: not even 1 fits. Of a batch of `rows`, what memory holds of such rows does. */
    cr_expect(strstr(dn_error_last(), "use fewer members or a smaller network"), "%s", dn_error_last());
    r.p->batch = (int)rows;
    const size_t row = (64 * 64 + 32 * 32) * 3 * sizeof(float) * 2;
    cr_expect_eq(dn_executor_start(r.ex), DN_ERROR_MEMORY);
    const char *advice = strstr(dn_error_last(), "a batch of ");
    const size_t fits = advice ? strtoull(advice + strlen("a batch of "), NULL, 10) : 0;
    cr_expect_gt(fits, 1, "%s", dn_error_last());
    cr_expect_leq(fits, dn_device_available(r.device) * 11 / 10 / row); /* memory comes and goes */
    cr_expect_eq(dn_executor_run(r.ex, 1), DN_ERROR_MEMORY);
    cr_expect_null(dn_params_buffer(r.store, DN_BLOCK_VALUES, 0));
    close_rig(&r);
}

Test(program, transfers_are_checked)
{
    rig r = open_rig(2, DN_F32);
    const dn_tensor x = dn_input(r.p, "x", DN_F32, DN_SHAPE(3), false);
    const dn_tensor data = dn_external(r.p, "data", DN_U8, DN_SHAPE(5, 3));
    const dn_tensor ids = dn_input(r.p, "ids", DN_I32, DN_SHAPE(2), true);
    const dn_tensor rows = dn_keep(r.p, dn_gather(r.p, data, ids));
    dn_keep(r.p, dn_relu(r.p, x));
    start_rig(&r);
    float six[6] = {0};
    cr_expect_eq(dn_executor_run(r.ex, 1), DN_ERROR_ARGUMENT);
    cr_expect(strstr(dn_error_last(), "'data'"), "%s", dn_error_last());
    dn_buffer *small = NULL, *whole = NULL;
    cr_assert_eq(dn_buffer_new(&small, r.device, 14), DN_OK);
    cr_assert_eq(dn_buffer_new(&whole, r.device, 15), DN_OK);
    cr_expect_eq(dn_executor_bind(r.ex, data, small), DN_ERROR_SHAPE);
    cr_expect_eq(dn_executor_bind(r.ex, x, whole), DN_ERROR_ARGUMENT);
    cr_expect_eq(dn_executor_bind(r.ex, DN_NONE, whole), DN_ERROR_ARGUMENT);
    cr_expect_eq(dn_executor_run_op(r.ex, 2, 1), DN_ERROR_ARGUMENT);
    cr_assert_eq(dn_executor_bind(r.ex, data, whole), DN_OK, "%s", dn_error_last());
    cr_expect_eq(dn_executor_write(r.ex, x, six, sizeof six - 1), DN_ERROR_SHAPE);
    cr_expect_eq(dn_executor_write(r.ex, DN_NONE, six, sizeof six), DN_ERROR_ARGUMENT);
    const unsigned char bytes[15] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 51, 102, 255, 0, 0, 0};
    cr_assert_eq(dn_buffer_upload(whole, 0, bytes, sizeof bytes), DN_OK);
    write_rig(&r, ids, (const int32_t[2]){3, 0}, 2 * sizeof(int32_t));
    run_rig(&r, 1);
    read_rig(&r, rows, six, sizeof six);
    cr_expect(six[0] == 51 / 255.0F && six[1] == 102 / 255.0F && six[2] == 1 && six[3] == 0);
    dn_buffer_close(small);
    dn_buffer_close(whole);
    close_rig(&r);
}

Test(program, finds_the_first_op_that_is_not_finite)
{
    rig r = open_rig(2, DN_F32);
    const dn_tensor x = dn_input(r.p, "x", DN_F32, DN_SHAPE(2), false);
    dn_tensor y = dn_relu(r.p, x);
    y = dn_scale(r.p, y, 1e30, DN_NONE);
    dn_keep(r.p, dn_sum_squares(r.p, y));
    start_rig(&r);
    int op = 7;
    cr_assert_eq(dn_executor_find_nonfinite(r.ex, &op), DN_OK);
    cr_expect_eq(op, -1);
    write_rig(&r, x, (const float[4]){0, 0, 0, 1}, 4 * sizeof(float));
    cr_assert_eq(dn_executor_find_nonfinite(r.ex, &op), DN_OK);
    cr_expect_eq(op, 2);
    close_rig(&r);
}
