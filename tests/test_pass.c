/* Plain passes, taps, and what is refused. */
#include "tests/pass_rig.h"

static const pass_case cases[] = {
    {"mlp", "cpu", DN_F32, 1, 5, 1, 4, 20, 6, -1, STANDARDIZED},
    {"mlp", "ref", DN_F64, 3, 5, 1, 4, 20, 6, -1, AS_THEY_ARE},
    {"toy_convnet", "cpu", DN_F32, 3, 12, 1, 5, 4, 4, -1, AS_THEY_ARE},
    {"toy_convnet", "ref", DN_F64, 1, 11, 2, 5, 4, 4, -1, NORMALIZED},
    {"glyph_net", "cpu", DN_F32, 3, 10, 2, 4, 4, 5, -1, STANDARDIZED},
    {"cnn3", "ref", DN_F64, 2, 8, 3, 4, 4, 3, -1, NORMALIZED},
    {"vgg4", "cpu", DN_F32, 2, 8, 1, 4, 4, 3, -1, STANDARDIZED},
    {"vgg_small", "cpu", DN_F32, 1, 9, 3, 4, 4, 3, -1, STANDARDIZED},
};
enum { CASES = sizeof cases / sizeof *cases };

/* Rounding of sums of a few hundred products in f32, some layers deep. Results are f32 in any case. */
static double tolerance(const pass_case *c)
{
    return c->type == DN_F64 ? 1e-7 : 1e-5;
}

/* The tap of all members averaged over its pixels, by the definition. */
static double *average(direct *d, size_t layer, size_t members, size_t rows, size_t dim)
{
    double *all = read_direct(d, d->taps.at[layer].tensor);
    const dn_shape shape = dn_shape_of(d->program, d->taps.at[layer].tensor);
    const size_t pixels = shape.rank == 4 ? (size_t)(shape.dim[1] * shape.dim[2]) : 1;
    double *mean = dn_calloc(members * rows * dim, sizeof *mean);
    for (size_t i = 0; i < members * rows * pixels * dim; i++)
        mean[i / (pixels * dim) * dim + i % dim] += all[i] / (double)pixels;
    dn_free(all);
    return mean;
}

Test(pass, logits_and_every_layer_are_those_of_the_network)
{
    for (int i = 0; i < CASES; i++) {
        pass_rig rig;
        open_pass_rig(&rig, &cases[i]);
        const size_t members = (size_t)cases[i].members, rows = (size_t)cases[i].batch;
        uint8_t *images = draw_images(&rig, rows, 1);
        double *x = spread(&rig, images, rows);
        const dn_pass_options options = {.type = DN_U8, .layers = dn_pass_all_layers(&rig.layers)};
        dn_pass_out out;
        dn_pass *pass = run_pass(&rig, &options, &out, images, rows);
        direct d = open_direct(&rig, (int)rows, &dn_forward_infer);
        double *logits = run_direct(&d, x);
        cr_assert_eq(dn_pass_members(pass), members);
        cr_expect_lt(largest_error(out.logits, logits, members * rows * (size_t)cases[i].classes),
                     tolerance(&cases[i]));
        cr_assert_eq((size_t)d.taps.count, rig.layers.count);
        for (size_t l = 0; l < rig.layers.count; l++) {
            const size_t dim = rig.layers.layer[l].dim;
            double *mean = average(&d, l, members, rows, dim);
            cr_expect_str_eq(rig.layers.layer[l].name, d.taps.at[l].name);
            const double error = largest_error(out.features[l], mean, members * rows * dim);
            cr_expect_lt(error, tolerance(&cases[i]), "%s, %s: error %g", cases[i].model, rig.layers.layer[l].name,
                         error);
            dn_free(mean);
        }
        dn_free(logits);
        dn_free(x);
        dn_free(images);
        close_direct(&d);
        free_out(&out);
        dn_pass_close(pass);
        close_pass_rig(&rig);
    }
}

/* What the evaluation asks of a network must be what it has: names in order, sizes of maps. */
Test(pass, layers_of_the_models)
{
    static const struct {
        const char *model;
        int side;
        const char *names;
    } expected[] = {
        {"mlp", 6, "dense1:8 features:4"},
        {"toy_convnet", 12, "conv1:8@10x10 conv2:16@3x3 features:16"},
        {"cnn3", 16, "conv1:8@16x16 conv2:16@8x8 conv3:32@4x4 features:64"},
        {"glyph_net", 9, "conv1:8@9x9 conv2:16@4x4 conv3:32@2x2 features:32"},
        {"vgg4", 8, "block1:8@8x8 block2:16@4x4 features:128"},
        {"vgg_small", 8, "block1:8@8x8 block2:16@4x4 block3:32@2x2 features:64"},
        {"vgg16", 32,
         "block1:8@32x32 block2:16@16x16 block3:32@8x8 block4:64@4x4 block5:64@2x2 dense1:128 features:64"}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        pass_rig rig;
        const pass_case c = {expected[i].model, "ref", DN_F32, 1, expected[i].side, 1, 3, 8, 2, -1, AS_THEY_ARE};
        open_pass_rig(&rig, &c);
        char text[256] = "", *at = text;
        for (size_t l = 0; l < rig.layers.count; l++) {
            const size_t left = sizeof text - (size_t)(at - text);
            const int height = rig.layers.layer[l].height, width = rig.layers.layer[l].width;
            at += snprintf(at, left, "%s%s:%zu", l ? " " : "", rig.layers.layer[l].name, rig.layers.layer[l].dim);
            if (height > 0) at += snprintf(at, sizeof text - (size_t)(at - text), "@%dx%d", height, width);
        }
        cr_expect_str_eq(text, expected[i].names);
        close_pass_rig(&rig);
    }
}

/* Collecting taps adds no op and no byte. */
Test(pass, taps_cost_nothing)
{
    size_t temporaries[2];
    int ops[2];
    for (int with = 0; with < 2; with++) {
        dn_params *params = NULL;
        dn_device *device = NULL;
        dn_executor *executor = NULL;
        OK(dn_device_open(&device, "ref", NULL));
        OK(dn_params_new(&params, &(dn_params_options){.members = 2, .dtype = DN_F32}));
        dn_program *p = dn_program_new(params, NULL);
        dn_taps taps = {0};
        dn_forward forward = dn_forward_train;
        if (with) forward.taps = &taps;
        const dn_tensor x = dn_input(p, "x", DN_F32, DN_SHAPE(4, 16, 16, 1), true);
        const pass_case c = {.model = "glyph_net", .classes = 4, .dropout = .5};
        const dn_tensor logits = build_model(&c, p, x, &forward);
        dn_differentiate(p, dn_cross_entropy(p, logits, dn_input(p, "labels", DN_I32, DN_SHAPE(4), true)));
        OK(dn_program_seal(p));
        OK(dn_executor_open(&executor, p, device));
        temporaries[with] = dn_executor_plan(executor)->temporaries;
        ops[with] = dn_program_ops(p);
        cr_expect_eq(taps.count, with ? 4 : 0);
        dn_executor_close(executor);
        dn_program_close(p);
        dn_params_close(params);
        dn_device_close(device);
    }
    cr_expect_eq(ops[0], ops[1]);
    cr_expect_eq(temporaries[0], temporaries[1]);
}

/* A short last batch gives the rows that a full one gives, bit for bit; reals give what bytes give. */
Test(pass, batches_of_any_size_and_type)
{
    pass_rig rig;
    open_pass_rig(&rig, &cases[2]);
    enum { ROWS = 4, SHORT = 3, E = 3, K = 5 };
    uint8_t *images = draw_images(&rig, ROWS, 2);
    double *x = spread(&rig, images, ROWS);
    float *reals = dn_calloc(ROWS * rig.pixels, sizeof *reals);
    for (size_t i = 0; i < ROWS * rig.pixels; i++) reals[i] = (float)x[i];
    const dn_pass_options bytes = {.type = DN_U8}, floats = {.type = DN_F32};
    dn_pass_out all, part, real;
    dn_pass *first = run_pass(&rig, &bytes, &all, images, ROWS), *third = run_pass(&rig, &floats, &real, reals, ROWS);
    dn_pass *second = run_pass(&rig, &bytes, &part, images + rig.pixels, SHORT);
    cr_expect_arr_eq(all.logits, real.logits, sizeof(float) * E * ROWS * K);
    for (int e = 0; e < E; e++)
        cr_expect_arr_eq(all.logits + (e * ROWS + 1) * K, part.logits + e * SHORT * K, sizeof(float) * SHORT * K);
    cr_expect_eq(dn_pass_images(second), SHORT);
    OK(dn_pass_run(second, &all, images, ROWS));
    cr_expect_eq(dn_pass_images(second), SHORT + ROWS);
    cr_expect_arr_eq(all.logits, real.logits, sizeof(float) * E * ROWS * K);
    dn_pass *const passes[3] = {first, second, third};
    for (int i = 0; i < 3; i++) dn_pass_close(passes[i]);
    free_out(&all);
    free_out(&part);
    free_out(&real);
    dn_free(reals);
    dn_free(x);
    dn_free(images);
    close_pass_rig(&rig);
}

/* @return what is said of options that must be refused */
static const char *refusal(pass_rig *rig, dn_pass_options options, dn_status code)
{
    dn_pass *pass = NULL;
    const dn_status status = dn_pass_open(&pass, &rig->network, &options);
    cr_expect_eq(status, code, "%d instead of %d: %s", (int)status, (int)code, dn_error_last());
    cr_expect_null(pass);
    return dn_error_last();
}

Test(pass, wrong_requests_are_explained)
{
    pass_rig mlp, conv;
    open_pass_rig(&mlp, &cases[0]);
    open_pass_rig(&conv, &cases[2]);
    const dn_status argument = DN_ERROR_ARGUMENT, unsupported = DN_ERROR_UNSUPPORTED;
    cr_expect(strstr(refusal(&mlp, (dn_pass_options){.type = DN_F64}, argument), "u8 or f32, not f64"));
    cr_expect(strstr(refusal(&mlp, (dn_pass_options){.type = DN_U8, .layers = 4}, argument), "2 layers"));
    dn_pass_options odin = {.kind = DN_PASS_ODIN, .type = DN_U8, .temperature = 1000, .epsilon = -1};
    cr_expect(strstr(refusal(&mlp, odin, argument), "eps = -1"));
    odin.epsilon = NAN;
    cr_expect(strstr(refusal(&mlp, odin, argument), "eps = "));
    odin.epsilon = .1;
    odin.temperature = 0;
    cr_expect(strstr(refusal(&mlp, odin, argument), "temperature is 0"));
    cr_expect(strstr(refusal(&mlp, (dn_pass_options){.kind = DN_PASS_SCORE, .type = DN_U8, .epsilon = .1}, argument),
                     "need that gradient"));
    cr_expect(strstr(refusal(&conv, (dn_pass_options){.kind = DN_PASS_DROPOUT, .type = DN_U8}, argument), "1 to"));
    cr_expect(
        strstr(refusal(&mlp, (dn_pass_options){.kind = DN_PASS_DROPOUT, .type = DN_U8, .samples = 2}, unsupported),
               "no dropout"));
    cr_expect(
        strstr(refusal(&mlp, (dn_pass_options){.kind = DN_PASS_RANKFEAT, .type = DN_U8}, unsupported), "convolutions"));
    cr_expect(
        strstr(refusal(&conv, (dn_pass_options){.kind = DN_PASS_RANKFEAT, .type = DN_U8, .layers = 1}, unsupported),
               "'conv2'"));
    const dn_pass_options plain = {.type = DN_U8};
    dn_pass_out out;
    uint8_t *images = draw_images(&mlp, 6, 1);
    dn_pass *pass = run_pass(&mlp, &plain, &out, images, 6);
    cr_expect_eq(dn_pass_run(pass, &out, images, 0), DN_ERROR_ARGUMENT);
    cr_expect_eq(dn_pass_run(pass, &out, images, 7), DN_ERROR_ARGUMENT);
    mlp.network.columns = 5;
    cr_expect(strstr(refusal(&mlp, plain, DN_ERROR_SHAPE), "logits [N,5]"));
    dn_pass_close(pass);
    dn_free(images);
    free_out(&out);
    close_pass_rig(&mlp);
    close_pass_rig(&conv);
}
