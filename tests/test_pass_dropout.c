/* Passes with dropout on: those of the network, drawn by the seed, and right on average. */
#include "tests/pass_rig.h"

static const pass_case toy = {"toy_convnet", "cpu", DN_F32, 2, 12, 1, 4, 4, 3, -1, AS_THEY_ARE};
enum { ROWS = 3, E = 2, K = 4 };

/* Every pass is one of the network with dropout and batch norm's moving statistics, for some step. */
Test(dropout, passes_are_those_of_the_network)
{
    const pass_case cases[] = {toy, {"glyph_net", "cpu", DN_F32, 2, 9, 1, 4, 8, 3, .4, STANDARDIZED}};
    for (int i = 0; i < 2; i++) {
        pass_rig rig;
        open_pass_rig(&rig, &cases[i]);
        uint8_t *images = draw_images(&rig, ROWS, 1);
        double *x = spread(&rig, images, ROWS);
        enum { T = 4 };
        const dn_pass_options options = {.kind = DN_PASS_DROPOUT, .type = DN_U8, .samples = T, .seed = 42};
        dn_pass_out out;
        dn_pass *pass = run_pass(&rig, &options, &out, images, ROWS);
        cr_assert_eq(dn_pass_members(pass), (size_t)(E * T));
        dn_forward forward = dn_forward_infer;
        forward.dropout = true;
        direct d = open_direct(&rig, ROWS, &forward);
        uint32_t bits[4];
        dn_random_block(bits, 42, 0x6f6f64, 0, 0, 0);
        for (int t = 0; t < T; t++) {
            const int32_t step = (int32_t)((bits[0] + (uint32_t)t) & INT32_MAX);
            OK(dn_executor_write(d.executor, dn_find(d.program, "step"), &step, sizeof step));
            double *right = run_direct(&d, x);
            for (int e = 0; e < E; e++)
                cr_expect_lt(largest_error(out.logits + (e * T + t) * ROWS * K, right + e * ROWS * K, ROWS * K), 1e-6);
            dn_free(right);
        }
        cr_expect_eq(dn_pass_images(pass), ROWS);
        close_direct(&d);
        dn_pass_close(pass);
        free_out(&out);
        dn_free(x);
        dn_free(images);
        close_pass_rig(&rig);
    }
}

Test(dropout, the_seed_decides)
{
    pass_rig rig;
    open_pass_rig(&rig, &toy);
    uint8_t *images = draw_images(&rig, ROWS, 1);
    enum { T = 3 };
    const size_t bytes = sizeof(float) * E * T * ROWS * K;
    dn_pass_out out[3];
    dn_pass *passes[3];
    for (int i = 0; i < 3; i++) {
        const dn_pass_options options = {.kind = DN_PASS_DROPOUT, .type = DN_U8, .samples = T, .seed = i == 2 ? 8 : 7};
        passes[i] = run_pass(&rig, &options, &out[i], images, ROWS);
    }
    cr_expect_arr_eq(out[0].logits, out[1].logits, bytes);
    cr_expect_arr_neq(out[0].logits, out[2].logits, bytes);
    /* Passes differ from each other, and so do batches. */
    cr_expect_arr_neq(out[0].logits, out[0].logits + ROWS * K, bytes / E / T);
    OK(dn_pass_run(passes[0], &out[0], images, ROWS));
    cr_expect_arr_neq(out[0].logits, out[1].logits, bytes);
    /* The second batch is the same for the same seed, too. */
    OK(dn_pass_run(passes[1], &out[1], images, ROWS));
    cr_expect_arr_eq(out[0].logits, out[1].logits, bytes);
    for (int i = 0; i < 3; i++) {
        dn_pass_close(passes[i]);
        free_out(&out[i]);
    }
    dn_free(images);
    close_pass_rig(&rig);
}

/* In toy_convnet only the last layer follows dropout: the mean of its logits is the plain logit, whatever the rate. */
Test(dropout, the_mean_of_many_passes_is_the_plain_one)
{
    pass_rig rig;
    pass_case c = toy;
    c.device = "ref";
    open_pass_rig(&rig, &c);
    uint8_t *images = draw_images(&rig, ROWS, 1);
    enum { T = 1000 };
    const dn_pass_options many = {.kind = DN_PASS_DROPOUT, .type = DN_U8, .samples = T, .seed = 5},
                          one = {.type = DN_U8};
    dn_pass_out out, plain;
    dn_pass *pass = run_pass(&rig, &many, &out, images, ROWS), *other = run_pass(&rig, &one, &plain, images, ROWS);
    for (int e = 0; e < E; e++)
        for (int i = 0; i < ROWS * K; i++) {
            double sum = 0.0, squares = 0.0;
            for (int t = 0; t < T; t++) {
                const double z = (double)out.logits[(e * T + t) * ROWS * K + i];
                sum += z;
                squares += z * z;
            }
            const double mean = sum / T, deviation = sqrt(squares / T - mean * mean);
            cr_expect_gt(deviation, 1e-3);
            /* 24 means: five standard errors are not exceeded by chance. */
            cr_expect_lt(fabs(mean - (double)plain.logits[e * ROWS * K + i]), 5 * deviation / sqrt(T));
        }
    dn_pass_close(pass);
    dn_pass_close(other);
    free_out(&out);
    free_out(&plain);
    dn_free(images);
    close_pass_rig(&rig);
}
