/* Gradients towards inputs only, and programs without what nobody needs. */
#include <string.h>

#include "core/graph.h"
#include "tests/pass_rig.h"

static const pass_case small = {"glyph_net", "ref", DN_F64, 2, 9, 2, 4, 4, 3, -1, STANDARDIZED};

typedef struct gradients {
    dn_program *program;
    dn_executor *executor;
    double *x; /* [E,N,pixels] the images' gradient */
} gradients;

/* The gradient of sum(z w) by the images: by dn_pull_back() with the seed w, or of that sum as a loss. */
static gradients differentiate(pass_rig *rig, const double *images, const double *w, bool pull_back)
{
    gradients g = {.program = dn_program_new(rig->params, NULL)};
    dn_program *p = g.program;
    const int64_t rows = rig->c.batch, columns = rig->c.classes;
    const dn_shape shape = DN_SHAPE(rows, rig->c.side, rig->c.side, rig->c.channels);
    const dn_tensor x = dn_want_gradient(p, dn_input(p, "x", DN_F64, shape, false));
    const dn_tensor z = build_model(&rig->c, p, x, &dn_forward_infer);
    const dn_tensor seed =
        dn_input(p, "w", DN_F64, pull_back ? DN_SHAPE(rows, columns) : DN_SHAPE(1, rows * columns), false);
    if (pull_back)
        dn_pull_back(p, z, seed);
    else
        dn_differentiate(
            p, dn_reshape(p, dn_linear(p, dn_reshape(p, z, DN_SHAPE(1, rows * columns)), seed, DN_NONE, false),
                          DN_SHAPE(1)));
    dn_keep(p, dn_gradient(p, x));
    OK(dn_program_seal(p));
    OK(dn_executor_open(&g.executor, p, rig->device));
    direct d = {.program = p, .executor = g.executor, .type = DN_F64};
    write_direct(&d, x, images);
    write_direct(&d, seed, w);
    OK(dn_executor_run(g.executor, 1));
    g.x = read_direct(&d, dn_gradient(p, x));
    return g;
}

static void close_gradients(gradients *g)
{
    dn_executor_close(g->executor);
    dn_program_close(g->program);
    dn_free(g->x);
}

static int count_ops(const dn_program *p, dn_op_kind kind)
{
    int count = 0;
    for (size_t i = 0; i < p->n_ops; i++) count += p->ops[i].kind == kind;
    return count;
}

Test(pull_back, is_the_gradient_of_the_weighted_sum)
{
    pass_rig rig;
    open_pass_rig(&rig, &small);
    uint8_t *bytes = draw_images(&rig, 3, 4);
    double *images = spread(&rig, bytes, 3), w[2 * 3 * 4];
    for (int i = 0; i < 24; i++) w[i] = sin(1.7 * i);
    gradients one = differentiate(&rig, images, w, true), other = differentiate(&rig, images, w, false);
    double largest = 0.0;
    for (size_t i = 0; i < 6 * rig.pixels; i++) {
        largest = fmax(largest, fabs(other.x[i]));
        cr_assert_float_eq(one.x[i], other.x[i], 1e-14);
    }
    cr_expect_gt(largest, 1e-3);
    /* Nothing was done for the parameters. */
    cr_expect_eq(dn_executor_plan(one.executor)->gradients, 0);
    cr_expect_gt(dn_executor_plan(other.executor)->gradients, 0);
    cr_expect(dn_is_none(dn_gradient(one.program, dn_find(one.program, "conv1.weight"))));
    cr_expect_eq(count_ops(one.program, DN_OP_CONV2D_WEIGHT_GRAD), 0);
    cr_expect_eq(count_ops(one.program, DN_OP_CONV2D_DATA_GRAD), 3);
    cr_expect_eq(count_ops(other.program, DN_OP_CONV2D_WEIGHT_GRAD), 3);
    close_gradients(&one);
    close_gradients(&other);
    dn_free(images);
    dn_free(bytes);
    close_pass_rig(&rig);
}

/* Of y = relu(x) and z = 3 y, which depends on y, with the seeds v and w: v + 3 w where x > 0. */
Test(pull_back, of_several_tensors_is_the_sum)
{
    pass_rig rig;
    open_pass_rig(&rig, &small);
    dn_program *p = dn_program_new(rig.params, NULL);
    dn_executor *executor = NULL;
    const dn_tensor x = dn_want_gradient(p, dn_input(p, "x", DN_F64, DN_SHAPE(4), true));
    const dn_tensor y = dn_relu(p, x), z = dn_scale(p, y, 3.0, DN_NONE);
    const dn_tensor v = dn_input(p, "v", DN_F64, DN_SHAPE(4), true), w = dn_input(p, "w", DN_F64, DN_SHAPE(4), true);
    dn_pull_back_all(p, (const dn_tensor[]){y, z}, (const dn_tensor[]){v, w}, 2);
    const dn_tensor gradient = dn_keep(p, dn_gradient(p, x));
    OK(dn_program_seal(p));
    OK(dn_executor_open(&executor, p, rig.device));
    OK(dn_executor_write(executor, x, (const double[]){1, -1, 2, 3}, 4 * sizeof(double)));
    OK(dn_executor_write(executor, v, (const double[]){1, 2, 3, 4}, 4 * sizeof(double)));
    OK(dn_executor_write(executor, w, (const double[]){10, 20, 30, -40}, 4 * sizeof(double)));
    OK(dn_executor_run(executor, 1));
    double found[4] = {0};
    OK(dn_executor_read(executor, gradient, found, sizeof found));
    cr_expect(found[0] == 31 && found[1] == 0 && found[2] == 93 && found[3] == -116, "%g %g %g %g", found[0], found[1],
              found[2], found[3]);
    dn_executor_close(executor);
    dn_program_close(p);
    close_pass_rig(&rig);
}

/* @return the error that sealing gives for a pull-back of that seed */
static const char *error_of(pass_rig *rig, dn_shape seed, bool ask, bool twice)
{
    static char text[512];
    dn_program *p = dn_program_new(rig->params, NULL);
    const dn_tensor x = dn_input(p, "x", DN_F64, DN_SHAPE(3, 9, 9, 2), false);
    if (ask) dn_want_gradient(p, x);
    const dn_tensor z = build_model(&rig->c, p, x, &dn_forward_infer);
    const dn_tensor w = dn_input(p, "w", DN_F64, seed, false);
    dn_pull_back(p, z, w);
    if (twice) dn_pull_back(p, z, w);
    cr_expect_neq(dn_program_seal(p), DN_OK);
    snprintf(text, sizeof text, "%s", dn_error_last());
    dn_program_close(p);
    return text;
}

Test(pull_back, wrong_requests_are_explained)
{
    pass_rig rig;
    open_pass_rig(&rig, &small);
    cr_expect(strstr(error_of(&rig, DN_SHAPE(3, 5), true, false), "[3,5]"));
    cr_expect(strstr(error_of(&rig, DN_SHAPE(3, 4), false, false), "dn_want_gradient()"));
    cr_expect(strstr(error_of(&rig, DN_SHAPE(3, 4), true, true), "differentiated once"));
    close_pass_rig(&rig);
}

/* A pruned program gives the same and does less. */
Test(prune, drops_what_leads_nowhere)
{
    pass_rig rig;
    open_pass_rig(&rig, &small);
    uint8_t *bytes = draw_images(&rig, 3, 4);
    double *images = spread(&rig, bytes, 3), *maps[2];
    int ops[2];
    for (int pruned = 0; pruned < 2; pruned++) {
        dn_executor *executor = NULL;
        dn_program *p = dn_program_new(rig.params, NULL);
        const dn_tensor x = dn_input(p, "x", DN_F64, DN_SHAPE(3, 9, 9, 2), false);
        build_model(&rig.c, p, x, &dn_forward_infer);
        const dn_tensor map = dn_keep(p, dn_find(p, "conv2"));
        if (pruned) dn_prune(p);
        OK(dn_program_seal(p));
        OK(dn_executor_open(&executor, p, rig.device));
        direct d = {.program = p, .executor = executor, .type = DN_F64};
        write_direct(&d, x, images);
        OK(dn_executor_run(executor, 1));
        maps[pruned] = read_direct(&d, map);
        ops[pruned] = dn_program_ops(p);
        cr_expect_eq(count_ops(p, DN_OP_LINEAR), pruned ? 0 : 2);
        cr_expect_eq(count_ops(p, DN_OP_CONV2D), pruned ? 2 : 3);
        dn_executor_close(executor);
        dn_program_close(p);
    }
    cr_expect_lt(ops[1], ops[0]);
    cr_expect_arr_eq(maps[0], maps[1], sizeof(double) * 2 * 3 * 4 * 4 * 8);
    for (int i = 0; i < 2; i++) dn_free(maps[i]);
    dn_free(images);
    dn_free(bytes);
    close_pass_rig(&rig);
}

/* All of a network leads to its logits, through views too. */
Test(prune, follows_views)
{
    pass_rig rig;
    open_pass_rig(&rig, &small);
    dn_program *p = dn_program_new(rig.params, NULL);
    const dn_tensor x = dn_input(p, "x", DN_F64, DN_SHAPE(3, 9, 9, 2), false);
    const dn_tensor z = build_model(&rig.c, p, x, &dn_forward_infer);
    dn_keep(p, dn_reshape(p, z, DN_SHAPE(12)));
    const int before = dn_program_ops(p);
    cr_expect_gt(count_ops(p, DN_OP_RESHAPE), 1);
    dn_prune(p);
    cr_expect_eq(dn_program_ops(p), before);
    dn_program_close(p);
    close_pass_rig(&rig);
}

/* A training step has nothing to drop but the numbers that nobody asked for. */
Test(prune, keeps_what_lasts)
{
    pass_rig rig;
    open_pass_rig(&rig, &small);
    dn_program *p = dn_program_new(rig.params, NULL);
    const dn_tensor x = dn_input(p, "x", DN_F64, DN_SHAPE(3, 9, 9, 2), true);
    const dn_tensor z = build_model(&rig.c, p, x, &dn_forward_train);
    const dn_tensor labels = dn_input(p, "labels", DN_I32, DN_SHAPE(3), true);
    dn_tensor loss = dn_cross_entropy(p, z, labels);
    dn_entropy(p, z);
    dn_differentiate(p, loss);
    const dn_op_kind stay[] = {DN_OP_BATCH_NORM, DN_OP_CONV2D_WEIGHT_GRAD, DN_OP_LINEAR_WEIGHT_GRAD};
    int before[3];
    for (int i = 0; i < 3; i++) before[i] = count_ops(p, stay[i]);
    dn_prune(p);
    for (int i = 0; i < 3; i++) cr_expect_eq(count_ops(p, stay[i]), before[i]);
    cr_expect_eq(count_ops(p, DN_OP_ENTROPY), 0);
    for (size_t t = 0; t < p->n_tensors; t++)
        if (p->tensors[t].writer >= 0) {
            const dn_op *op = &p->ops[p->tensors[t].writer];
            bool writes = false;
            for (int k = 0; k < DN_OP_MAX_OUT; k++) writes |= op->out[k] == (int)t;
            cr_expect(writes, "tensor %zu is not written by op %d", t, p->tensors[t].writer);
        }
    OK(dn_program_seal(p));
    dn_program_close(p);
    close_pass_rig(&rig);
}
