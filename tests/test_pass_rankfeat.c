/* The last map without its first singular component, against LAPACK's SVD and a network's tail built by hand. */
#include <lapacke.h>

#include "ood/pass_private.h"
#include "tests/pass_rig.h"

/* The sum of all components but the first. @param x [rows,columns] @return the same of x, free with dn_free() */
static double *without_first(const double *x, size_t rows, size_t columns)
{
    const size_t d = rows < columns ? rows : columns;
    double *copy = dn_calloc(rows * columns, sizeof *copy), *rest = dn_calloc(rows * columns, sizeof *rest);
    double *s = dn_calloc(d, sizeof *s), *u = dn_calloc(rows * d, sizeof *u), *vt = dn_calloc(d * columns, sizeof *vt);
    double *superb = dn_calloc(d, sizeof *superb);
    memcpy(copy, x, rows * columns * sizeof *copy);
    cr_assert_eq(LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'S', 'S', (int)rows, (int)columns, copy, (int)columns, s, u, (int)d,
                                vt, (int)columns, superb),
                 0);
    for (size_t c = 1; c < d; c++)
        for (size_t i = 0; i < rows * columns; i++)
            rest[i] += s[c] * u[i / columns * d + c] * vt[c * columns + i % columns];
    double *const scratch[] = {copy, s, u, vt, superb};
    for (int i = 0; i < 5; i++) dn_free(scratch[i]);
    return rest;
}

static double difference(const double *a, const double *b, size_t count)
{
    double largest = 0.0;
    for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs(a[i] - b[i]));
    return largest;
}

Test(rankfeat, removes_the_first_component)
{
    static const size_t sizes[][2] = {{2, 2}, {5, 3}, {3, 5}, {49, 16}, {4, 64}, {1, 7}, {9, 1}};
    dn_random_sequence random = {.seed = 2};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t rows = sizes[i][0], columns = sizes[i][1], count = rows * columns;
        double *x = dn_calloc(count, sizeof *x);
        /* As maps are: many zeros, nothing negative, and of a scale of their own. */
        for (size_t k = 0; k < count; k++) x[k] = 100 * fmax(0.0, (double)dn_random_next_normal(&random));
        double *right = without_first(x, rows, columns);
        OK(dn__remove_first_component(x, rows, columns));
        /* Vectors are off by eps s1^2 / (s1^2 - s2^2), what is left by that times s1. */
        cr_expect_lt(difference(x, right, count), 1e-10, "%zux%zu: off by %g", rows, columns,
                     difference(x, right, count));
        dn_free(right);
        dn_free(x);
    }
}

Test(rankfeat, maps_of_low_rank)
{
    double zeros[12] = {0}, one[12], tiny[12], two[12] = {0};
    for (int i = 0; i < 12; i++) {
        const int row = i / 4, column = i % 4;
        one[i] = (1.0 + row) * (2.0 + column);
        tiny[i] = 1e-200 * one[i];
    }
    two[0] = two[5] = 3; /* equal singular values: either may be the first */
    OK(dn__remove_first_component(zeros, 3, 4));
    OK(dn__remove_first_component(one, 3, 4));
    OK(dn__remove_first_component(tiny, 3, 4));
    OK(dn__remove_first_component(two, 3, 4));
    double squares = 0.0;
    for (int i = 0; i < 12; i++) {
        cr_expect_eq(zeros[i], 0.0);
        cr_expect_float_eq(one[i], 0.0, 1e-13);
        cr_expect_lt(fabs(tiny[i]), 1e-198);
        squares += two[i] * two[i];
    }
    cr_expect_float_eq(squares, 9.0, 1e-12);
}

/* toy_convnet behind its last map, op by op. @return logits [E,N,K], free with dn_free() */
static double *tail_by_hand(pass_rig *rig, const double *maps, dn_shape shape)
{
    dn_program *p = dn_program_new(rig->params, NULL);
    dn_executor *executor = NULL;
    const int64_t features = shape.dim[1] / 2 * (shape.dim[2] / 2) * shape.dim[3];
    const dn_tensor map = dn_input(p, "map", rig->c.type, shape, false);
    const dn_tensor weight = dn_parameter(p, "head.weight", DN_SHAPE(rig->c.classes, features), (dn_init){0});
    const dn_tensor bias = dn_parameter(p, "head.bias", DN_SHAPE(rig->c.classes), (dn_init){0});
    const dn_tensor z = dn_linear(p, dn_flatten(p, dn_max_pool(p, map, 2, 2, 0)), weight, bias, false);
    dn_keep(p, z);
    OK(dn_program_seal(p));
    OK(dn_executor_open(&executor, p, rig->device));
    direct d = {.program = p, .executor = executor, .type = rig->c.type};
    write_direct(&d, map, maps);
    OK(dn_executor_run(executor, 1));
    double *logits = read_direct(&d, z);
    dn_executor_close(executor);
    dn_program_close(p);
    return logits;
}

/* @return all maps of the batch without their first components, free with dn_free() */
static double *change_maps(direct *d, dn_shape *shape, size_t members)
{
    const dn_tensor tap = d->taps.at[1].tensor;
    *shape = dn_shape_of(d->program, tap);
    double *maps = read_direct(d, tap);
    const size_t pixels = (size_t)(shape->dim[1] * shape->dim[2]), channels = (size_t)shape->dim[3];
    for (size_t i = 0; i < members * (size_t)shape->dim[0]; i++) {
        double *rest = without_first(maps + i * pixels * channels, pixels, channels);
        memcpy(maps + i * pixels * channels, rest, pixels * channels * sizeof *rest);
        dn_free(rest);
    }
    return maps;
}

static void check_network(const pass_case *c, double tolerance)
{
    pass_rig rig;
    open_pass_rig(&rig, c);
    const size_t rows = (size_t)c->batch, members = (size_t)c->members, columns = (size_t)c->classes;
    uint8_t *images = draw_images(&rig, rows, 9);
    memset(images + rig.pixels, 0, rig.pixels); /* its map is that of the biases alone: zeros */
    double *x = spread(&rig, images, rows);
    const dn_pass_options options = {
        .kind = DN_PASS_RANKFEAT, .type = DN_U8, .layers = dn_pass_last_layer(&rig.layers) | 2};
    dn_pass_out out;
    dn_pass *pass = run_pass(&rig, &options, &out, images, rows);
    direct d = open_direct(&rig, c->batch, &dn_forward_infer);
    dn_shape shape;
    double *plain = run_direct(&d, x), *maps = change_maps(&d, &shape, members);
    double *right = tail_by_hand(&rig, maps, shape);
    const double error = largest_error(out.logits, right, members * rows * columns);
    cr_expect_lt(error, tolerance, "%s: logits are off by %g", c->device, error);
    cr_expect_gt(largest_error(out.logits, plain, members * rows * columns), .01);
    /* The layers from the map on are those of the changed one. */
    const size_t pixels = (size_t)(shape.dim[1] * shape.dim[2]), channels = (size_t)shape.dim[3];
    double *mean = dn_calloc(members * rows * channels, sizeof *mean);
    for (size_t i = 0; i < members * rows * pixels * channels; i++)
        mean[i / (pixels * channels) * channels + i % channels] += maps[i] / (double)pixels;
    cr_expect_lt(largest_error(out.features[1], mean, members * rows * channels), tolerance);
    cr_expect_eq(dn_pass_images(pass), (int64_t)rows);
    double *const scratch[] = {mean, right, maps, plain, x};
    for (int i = 0; i < 5; i++) dn_free(scratch[i]);
    close_direct(&d);
    dn_pass_close(pass);
    free_out(&out);
    dn_free(images);
    close_pass_rig(&rig);
}

Test(rankfeat, logits_are_those_of_the_tail_on_the_changed_map)
{
    check_network(&(pass_case){"toy_convnet", "ref", DN_F64, 3, 12, 1, 5, 4, 4, -1, AS_THEY_ARE}, 1e-6);
    check_network(&(pass_case){"toy_convnet", "ref", DN_F64, 1, 14, 2, 3, 8, 3, -1, AS_THEY_ARE}, 1e-6);
    static const char *const devices[] = {"cpu", "cuda-emu", "cuda"};
    for (int i = 0; i < 3; i++)
        if (has_device(devices[i]))
            check_network(&(pass_case){"toy_convnet", devices[i], DN_F32, 3, 12, 1, 5, 4, 4, -1, AS_THEY_ARE}, 1e-4);
}

/* The second program starts at the map: nothing before it is in it. */
Test(rankfeat, computes_nothing_twice)
{
    pass_rig rig;
    open_pass_rig(&rig, &(pass_case){"vgg_small", "cpu", DN_F32, 1, 8, 3, 4, 4, 2, -1, STANDARDIZED});
    const dn_pass_options options = {.kind = DN_PASS_RANKFEAT, .type = DN_U8};
    uint8_t *images = draw_images(&rig, 2, 9);
    dn_pass_out out;
    dn_pass *pass = run_pass(&rig, &options, &out, images, 2);
    char text[256];
    for (int i = 0; i < dn_program_ops(pass->second.program); i++)
        cr_expect(!strstr(dn_program_op_text(pass->second.program, i, text, sizeof text), "conv2d"), "%s", text);
    for (int i = 0; i < dn_program_ops(pass->first.program); i++)
        cr_expect(!strstr(dn_program_op_text(pass->first.program, i, text, sizeof text), "linear"), "%s", text);
    dn_pass_close(pass);
    free_out(&out);
    dn_free(images);
    close_pass_rig(&rig);
}

/* Only the first channel of the last map. */
static void build_narrow(void *context, dn_program *p, dn_tensor images, dn_pass_graph *graph)
{
    build_pass(context, p, images, graph);
    graph->tap[1].tensor = dn_slice(p, graph->tap[1].tensor, 0, 1);
}

Test(rankfeat, a_map_of_rank_one_is_refused)
{
    pass_rig rig;
    dn_pass *pass = NULL;
    open_pass_rig(&rig, &(pass_case){"toy_convnet", "ref", DN_F64, 1, 12, 1, 3, 4, 2, -1, AS_THEY_ARE});
    const dn_pass_options options = {.kind = DN_PASS_RANKFEAT, .type = DN_U8};
    rig.network.build = build_narrow;
    cr_expect_eq(dn_pass_open(&pass, &rig.network, &options), DN_ERROR_UNSUPPORTED);
    cr_expect(strstr(dn_error_last(), "3x3x1: its rank is 1"), "%s", dn_error_last());
    close_pass_rig(&rig);
}
