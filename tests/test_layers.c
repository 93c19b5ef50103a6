/* Layers, losses and the table of networks. */
#include <math.h>
#include <string.h>

#include "layers/losses.h"
#include "layers/models/models.h"
#include "tests/run_program.h"

static int64_t count_parameters(const dn_params *store)
{
    int64_t count = 0;
    for (int i = 0; i < dn_params_count(store, DN_BLOCK_VALUES); i++)
        count += dn_shape_count(&dn_params_at(store, DN_BLOCK_VALUES, i)->shape);
    return count;
}

static const dn_params_entry *find_entry(const dn_params *store, const char *name)
{
    for (int i = 0; i < dn_params_count(store, DN_BLOCK_VALUES); i++)
        if (strcmp(dn_params_at(store, DN_BLOCK_VALUES, i)->name, name) == 0)
            return dn_params_at(store, DN_BLOCK_VALUES, i);
    return NULL;
}

/* ---- models ---- */

typedef struct expectation {
    const char *name;
    int side, channels, classes, width, features;
    int64_t parameters;
    int depth;
} expectation;

/* Counts worked out by hand: K (R S C + bias) for each layer, 2 C for each batch norm. Those of the deep networks are
 * the published ones; keras_resnet's of depth 20 is Keras' "trainable params". */
static const expectation expected[] = {
    {"toy_convnet", 28, 1, 10, 0, 1600, 320 + 18496 + 16010, 0},
    {"cnn3", 32, 3, 10, 0, 256, 896 + 18496 + 73856 + 2048 * 256 + 256 + 2570, 0},
    {"mlp", 28, 1, 10, 0, 150, 784 * 300 + 300 + 300 * 150 + 150 + 1510, 0},
    {"vgg16", 32, 3, 10, 0, 512, 14710464 + 2 * 4224 + 512 * 1024 + 1024 + 1024 * 512 + 512 + 5130, 0},
    {"vgg16", 32, 3, 100, 0, 512, 14710464 + 2 * 4224 + 512 * 1024 + 1024 + 1024 * 512 + 512 + 51300, 0},
    {"vgg16_bn", 32, 3, 10, 0, 512, 14728266, 0},
    {"vgg4", 28, 1, 10, 0, 512, 800 + 64 + 51200 + 128 + 3136 * 512 + 512 + 5130, 0},
    {"vgg_small", 32, 3, 10, 0, 256, 864 + 9216 + 18432 + 36864 + 73728 + 147456 + 896 + 524288 + 256 + 2570, 0},
    {"resnet20", 32, 3, 10, 0, 64, 269722, 0},
    {"resnet32", 32, 3, 10, 0, 64, 464154, 0},
    {"resnet56", 32, 3, 10, 0, 64, 853018, 0},
    {"resnet20", 32, 3, 10, 0, 64, 853018, 56},
    {"resnet18", 32, 3, 10, 0, 512, 11173962, 0},
    {"keras_resnet", 32, 3, 10, 0, 64, 273066, 20},
    {"densenet_bc", 32, 3, 8, 0, 342, 768476, 0},
    {"wrn_28_10", 32, 3, 8, 0, 640, 36477912, 0},
    {"glyph_net", 32, 1, 10, 0, 64, 144 + 32 + 4608 + 64 + 18432 + 128 + 1024 * 64 + 64 + 650, 0},
    {"mlp", 28, 1, 10, 30, 15, 784 * 30 + 30 + 30 * 15 + 15 + 160, 0},
    {"cnn3", 8, 1, 2, 8, 64, 80 + 1168 + 4640 + 32 * 64 + 64 + 130, 0},
};

Test(models, parameters_features_and_logits)
{
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const expectation *want = &expected[i];
        rig r = open_rig(1, DN_F32);
        const dn_model_options options = {want->name, want->classes, -1.0, want->width, want->depth};
        dn_forward forward = dn_forward_infer;
        forward.prefix = "id.";
        const dn_tensor x = dn_input(r.p, "x", DN_F32, DN_SHAPE(2, want->side, want->side, want->channels), true);
        const dn_tensor logits = dn_model_build(r.p, &options, x, &forward);
        const dn_tensor again = dn_model_build(r.p, &options, x, &dn_forward_train);
        cr_expect_eq(count_parameters(r.store), want->parameters, "%s: %ld parameters, not %ld", want->name,
                     (long)count_parameters(r.store), (long)want->parameters);
        cr_assert_eq(dn_program_seal(r.p), DN_OK, "%s", dn_error_last());
        const dn_shape rows = DN_SHAPE(2, want->classes), activations = DN_SHAPE(2, want->features);
        const dn_shape shapes[4] = {dn_shape_of(r.p, logits), dn_shape_of(r.p, again),
                                    dn_shape_of(r.p, dn_find(r.p, "id.features")),
                                    dn_shape_of(r.p, dn_find(r.p, "features"))};
        for (int k = 0; k < 4; k++)
            cr_expect(dn_shape_equal(&shapes[k], k < 2 ? &rows : &activations), "%s: shape %d", want->name, k);
        const dn_shape head = DN_SHAPE(want->classes, want->features);
        const dn_params_entry *entry = find_entry(r.store, "head.weight");
        cr_expect(entry && dn_shape_equal(&entry->shape, &head), "%s", want->name);
        close_rig(&r);
    }
}

static const char *build_error(const char *name, int classes, int width, int depth, dn_shape images)
{
    static char text[512];
    rig r = open_rig(1, DN_F32);
    const dn_model_options options = {name, classes, -1.0, width, depth};
    cr_expect(dn_is_none(dn_model_build(r.p, &options, dn_input(r.p, "x", DN_F32, images, true), &dn_forward_train)));
    cr_expect_neq(dn_program_seal(r.p), DN_OK, "%s was built", name);
    snprintf(text, sizeof text, "%s", dn_error_last());
    close_rig(&r);
    return text;
}

Test(models, wrong_requests_are_explained)
{
    cr_expect(strstr(build_error("vgg61", 10, 0, 0, DN_SHAPE(2, 32, 32, 3)), "did you mean 'vgg16'?"));
    cr_expect(strstr(build_error("quite unlike any", 10, 0, 0, DN_SHAPE(2, 32, 32, 3)), "not known"));
    cr_expect(strstr(build_error("vgg16", 10, 0, 0, DN_SHAPE(2, 28, 28, 1)), "[2,28,28,1]"));
    cr_expect(strstr(build_error("cnn3", 10, 0, 0, DN_SHAPE(2, 30, 32, 1)), "multiples of 8"));
    cr_expect(strstr(build_error("mlp", 10, 0, 0, DN_SHAPE(2, 784)), "[2,784]"));
    cr_expect(strstr(build_error("mlp", 0, 0, 0, DN_SHAPE(2, 8, 8, 1)), "0 classes"));
    cr_expect(strstr(build_error("mlp", 3, -1, 0, DN_SHAPE(2, 8, 8, 1)), "width -1"));
    cr_expect(strstr(build_error("toy_convnet", 3, 0, 0, DN_SHAPE(2, 8, 8, 1)), "H and W at least 10"));
    const dn_shape image = DN_SHAPE(2, 32, 32, 3);
    cr_expect(strstr(build_error("resnet20", 3, 0, 21, image), "the depths 8, 14, 20 and so on up to 110, not 21"));
    cr_expect(strstr(build_error("resnet20", 3, 0, 116, image), "not 116"));
    cr_expect(strstr(build_error("wrn_28_10", 3, 0, 4, image), "the depths 10, 16, 22"));
    cr_expect(strstr(build_error("resnet18", 3, 0, 34, image), "the depths 10 and 18, not 34"));
    cr_expect(strstr(build_error("mlp", 3, 0, 2, image), "no depth to choose, not 2"));
    cr_expect(strstr(build_error("keras_resnet", 3, 0, 8, DN_SHAPE(2, 30, 32, 3)), "multiples of 4"));
}

static double sum_of_losses(rig *r, dn_tensor loss)
{
    double losses[2];
    run_rig(r, 1);
    read_rig(r, loss, losses, sizeof losses);
    return losses[0] + losses[1];
}

/* Compares a few elements of one parameter's gradient with central differences. @return the worst relative error */
static double parameter_error(rig *r, dn_tensor loss, dn_tensor w)
{
    const double h = 1e-7; /* small: a network has many kinks */
    const size_t bytes = tensor_bytes(r->p, w), count = bytes / sizeof(double);
    double *values = dn_calloc(bytes, 1), *gradient = dn_calloc(bytes, 1), worst = 0.0, scale = 1e-4;
    sum_of_losses(r, loss);
    read_rig(r, w, values, bytes);
    read_rig(r, dn_gradient(r->p, w), gradient, bytes);
    for (size_t i = 0; i < count; i++) scale = fmax(scale, fabs(gradient[i]));
    for (size_t i = count / 7; i < count; i += count / 2 + 1) {
        const double x = values[i];
        double f[2];
        for (int k = 0; k < 2; k++) {
            values[i] = x + (2 * k - 1) * h;
            write_rig(r, w, values, bytes);
            f[k] = sum_of_losses(r, loss);
        }
        values[i] = x;
        write_rig(r, w, values, bytes);
        worst = fmax(worst, fabs((f[1] - f[0]) / (2 * h) - gradient[i]) / scale);
    }
    dn_free(values);
    dn_free(gradient);
    return worst;
}

/* These take most of the time, with their five halvings of the image: a fifth of their parameters is
 * looked at, of each kind in turn. */
static bool is_deep(const char *model)
{
    return strncmp(model, "vgg16", 5) == 0;
}

/* Either a training pass with dropout and cross entropy, or mutual information by the moving statistics through a gate
 * of 1; plus L2. Not both: no gradient flows through the moving statistics from the one to the other. */
static dn_tensor build_objective(rig *r, const char *name, dn_tensor x, dn_tensor y, bool training)
{
    const dn_model_options options = {
        .name = name, .classes = 3, .dropout = 0.2, .width = 3, .depth = dn_model_find(name)->depth_least};
    dn_forward forward = training ? dn_forward_train : dn_forward_infer;
    if (!training) forward.norm_gate = dn_constant(r->p, "gate", DN_SHAPE(1), true, &(double){1.0});
    const dn_tensor logits = dn_model_build(r->p, &options, x, &forward);
    const dn_tensor loss = training ? dn_cross_entropy(r->p, logits, y)
                                    : dn_spread_members(r->p, dn_loss_mutual_information(r->p, logits));
    return dn_keep(r->p, dn_add(r->p, loss, dn_loss_l2(r->p, 1e-2, dn_weights_and_biases)));
}

/* Away from where they start: at a bias of 0 a unit without inputs stands on relu's kink. */
static void move_parameters(rig *r)
{
    dn_random_sequence random = {.seed = 1};
    for (int i = 0; i < dn_params_count(r->store, DN_BLOCK_VALUES); i++) {
        const dn_tensor w = dn_find(r->p, dn_params_at(r->store, DN_BLOCK_VALUES, i)->name);
        const size_t bytes = tensor_bytes(r->p, w);
        double *values = dn_calloc(bytes, 1);
        read_rig(r, w, values, bytes);
        for (size_t k = 0; k < bytes / sizeof *values; k++) values[k] += 0.1 * (double)dn_random_next_normal(&random);
        write_rig(r, w, values, bytes);
        dn_free(values);
    }
}

static void check_model(const char *model, bool training)
{
    rig r = open_rig(2, DN_F64);
    const bool deep = is_deep(model);
    const int side = deep ? 32 : dn_model_find(model)->depth > 0 ? 8 : 16;
    const dn_tensor x = dn_input(r.p, "x", DN_F64, DN_SHAPE(4, side, side, 2), true);
    const dn_tensor y = dn_input(r.p, "y", DN_I32, DN_SHAPE(4), false);
    const dn_tensor loss = build_objective(&r, model, x, y, training);
    dn_differentiate(r.p, loss);
    start_rig(&r);
    write_random(&r, x, 4);
    write_rig(&r, y, (const int32_t[8]){0, 1, 2, 0, 2, 1, 1, 0}, 8 * sizeof(int32_t));
    move_parameters(&r);
    for (int i = 0; i < dn_params_count(r.store, DN_BLOCK_VALUES); i += deep ? 5 : 1) {
        const char *name = dn_params_at(r.store, DN_BLOCK_VALUES, i)->name;
        const double error = parameter_error(&r, loss, dn_find(r.p, name));
        cr_expect_lt(error, 1e-5, "%s, %s: error %g", model, name, error);
    }
    close_rig(&r);
}

Test(models, gradients)
{
    const dn_model *models;
    const int count = dn_model_list(&models);
    for (int m = 0; m < count; m++) {
        if (m > 0 && models[m].build == models[m - 1].build) continue; /* at another depth */
        check_model(models[m].name, true);
        check_model(models[m].name, false);
    }
}

/* ---- layers ---- */

/* Bounds and spread of what a layer starts with, from 4 members' values. */
static void expect_start(dn_weight_init init, dn_bias bias, double bound, double deviation, double bias_bound)
{
    rig r = open_rig(4, DN_F64);
    const dn_tensor x = dn_input(r.p, "x", DN_F64, DN_SHAPE(1, 4, 4, 8), true);
    dn_keep(r.p, dn_layer_conv2d(r.p, "c", x, (dn_conv_layer){.filters = 32, .kernel = 3, .init = init, .bias = bias}));
    start_rig(&r);
    enum { WEIGHTS = 4 * 32 * 9 * 8, BIASES = 4 * 32 };
    static double weights[WEIGHTS], biases[BIASES];
    double squares = 0.0, largest = 0.0, largest_bias = 0.0;
    read_rig(&r, dn_find(r.p, "c.weight"), weights, sizeof weights);
    for (int i = 0; i < WEIGHTS; i++) {
        squares += weights[i] * weights[i];
        largest = fmax(largest, fabs(weights[i]));
    }
    if (bias != DN_BIAS_NONE) {
        read_rig(&r, dn_find(r.p, "c.bias"), biases, sizeof biases);
        for (int i = 0; i < BIASES; i++) largest_bias = fmax(largest_bias, fabs(biases[i]));
    }
    cr_expect_eq(bias == DN_BIAS_NONE, dn_is_none(dn_find(r.p, "c.bias")));
    cr_expect(largest <= bound && largest >= 0.99 * fmin(bound, 2 * deviation), "init %d: %g", init, largest);
    /* The standard error of a standard deviation is at most deviation / sqrt(2 n); five of them. */
    cr_expect_lt(fabs(sqrt(squares / WEIGHTS) - deviation), 5 * deviation / sqrt(2.0 * WEIGHTS) + 1e-12, "init %d",
                 init);
    cr_expect(largest_bias <= bias_bound && largest_bias >= 0.9 * bias_bound, "bias %d: %g", bias, largest_bias);
    cr_expect(init == DN_WEIGHTS_ZERO || weights[0] != weights[32 * 9 * 8], "members start alike");
    close_rig(&r);
}

Test(layers, initial_values)
{
    const double in = 9 * 8, out = 9 * 32, glorot = sqrt(6 / (in + out)), torch = 1 / sqrt(in);
    expect_start(DN_WEIGHTS_GLOROT, DN_BIAS_GLOROT, glorot, glorot / sqrt(3), sqrt(6.0 / 33));
    expect_start(DN_WEIGHTS_HE, DN_BIAS_ZERO, 6 * sqrt(2 / in), sqrt(2 / in), 0);
    expect_start(DN_WEIGHTS_FAN_OUT, DN_BIAS_NONE, 6 * sqrt(2 / out), sqrt(2 / out), 0);
    expect_start(DN_WEIGHTS_TORCH, DN_BIAS_TORCH, torch, torch / sqrt(3), torch);
    expect_start(DN_WEIGHTS_ZERO, DN_BIAS_NONE, 0, 0, 0);
}

/* Batch norm by name: the training pass moves the statistics that the other pass uses. */
Test(layers, batch_norm_keeps_moving_statistics)
{
    rig r = open_rig(2, DN_F64);
    const dn_norm_options options = {.epsilon = 0.0, .decay = 0.75, .unbiased = true};
    const dn_tensor x = dn_input(r.p, "x", DN_F64, DN_SHAPE(4, 1), false);
    const dn_tensor before = dn_keep(r.p, dn_layer_batch_norm(r.p, "n", x, options, &dn_forward_infer));
    const dn_tensor trained = dn_keep(r.p, dn_layer_batch_norm(r.p, "n", x, options, &dn_forward_train));
    const dn_tensor after = dn_keep(r.p, dn_layer_batch_norm(r.p, "n", x, options, &dn_forward_infer));
    start_rig(&r);
    const double in[8] = {1, 2, 3, 6, -5, 0, 5, 10};
    double y[8], mean[2], variance[2];
    write_rig(&r, x, in, sizeof in);
    run_rig(&r, 1);
    read_rig(&r, before, y, sizeof y);
    for (int i = 0; i < 8; i++) cr_expect_float_eq(y[i], in[i], 1e-14);
    read_rig(&r, trained, y, sizeof y);
    for (int i = 0; i < 8; i++)
        cr_expect_float_eq(y[i], i < 4 ? (in[i] - 3) / sqrt(3.5) : (in[i] - 2.5) / sqrt(31.25), 1e-13);
    read_rig(&r, dn_find(r.p, "n.mean"), mean, sizeof mean);
    read_rig(&r, dn_find(r.p, "n.variance"), variance, sizeof variance);
    cr_expect(fabs(mean[0] - 0.75) < 1e-14 && fabs(mean[1] - 0.625) < 1e-14);
    cr_expect_float_eq(variance[0], 0.75 + 0.25 * 14 / 3, 1e-13);
    cr_expect_float_eq(variance[1], 0.75 + 0.25 * 125 / 3, 1e-13);
    read_rig(&r, after, y, sizeof y);
    for (int i = 0; i < 8; i++) cr_expect_float_eq(y[i], (in[i] - mean[i / 4]) / sqrt(variance[i / 4]), 1e-13);
    close_rig(&r);
}

Test(layers, dropout_belongs_to_the_training_pass)
{
    rig r = open_rig(2, DN_F64);
    const dn_tensor x = dn_scale(r.p, dn_input(r.p, "x", DN_F64, DN_SHAPE(1000), false), 1.0, DN_NONE);
    cr_expect_eq(dn_layer_dropout(r.p, x, 0.5, &dn_forward_infer).id, x.id);
    const dn_tensor y = dn_keep(r.p, dn_layer_dropout(r.p, x, 0.5, &dn_forward_train));
    dn_advance(r.p, dn_step(r.p), DN_NONE);
    start_rig(&r);
    static double ones[2000], first[2000], second[2000];
    for (int i = 0; i < 2000; i++) ones[i] = 1.0;
    write_rig(&r, dn_find(r.p, "x"), ones, sizeof ones);
    run_rig(&r, 1);
    read_rig(&r, y, first, sizeof first);
    run_rig(&r, 1);
    read_rig(&r, y, second, sizeof second);
    int zeros = 0, same_step = 0, same_member = 0;
    for (int i = 0; i < 2000; i++) {
        cr_expect(first[i] == 0.0 || first[i] == 2.0);
        zeros += first[i] == 0.0;
        same_step += first[i] == second[i];
        same_member += first[i] == first[(i + 1000) % 2000];
    }
    /* Binomial with p = 1/2: five standard deviations (of pairs counted twice: 1.4 times as many). */
    cr_expect(abs(zeros - 1000) < 112 && abs(same_step - 1000) < 112 && abs(same_member - 1000) < 160);
    close_rig(&r);
}

/* ---- losses ---- */

static double entropy_of(const double *logits, int classes)
{
    double sum = 0.0, mean = 0.0;
    for (int c = 0; c < classes; c++) sum += exp(logits[c]);
    for (int c = 0; c < classes; c++) mean += exp(logits[c]) / sum * logits[c];
    return log(sum) - mean;
}

Test(losses, entropy_margin)
{
    for (int active = 0; active < 2; active++) {
        rig r = open_rig(2, DN_F64);
        const dn_tensor in = dn_input(r.p, "in", DN_F64, DN_SHAPE(2, 3), false);
        const dn_tensor out = dn_input(r.p, "out", DN_F64, DN_SHAPE(3, 3), false);
        const dn_tensor loss = dn_keep(r.p, dn_loss_entropy_margin(r.p, in, out, 0.2, active ? 0.4 : -5.0));
        start_rig(&r);
        write_random(&r, in, 1);
        write_random(&r, out, 2);
        run_rig(&r, 1);
        double known[12], unknown[18], got[2];
        read_rig(&r, in, known, sizeof known);
        read_rig(&r, out, unknown, sizeof unknown);
        read_rig(&r, loss, got, sizeof got);
        for (int e = 0; e < 2; e++) {
            double margin = active ? 0.4 : -5.0;
            for (int n = 0; n < 2; n++) margin += entropy_of(known + 6 * e + 3 * n, 3) / 2;
            for (int n = 0; n < 3; n++) margin -= entropy_of(unknown + 9 * e + 3 * n, 3) / 3;
            cr_expect_float_eq(got[e], 0.2 * fmax(margin, 0.0), 1e-14);
        }
        close_rig(&r);
    }
}

Test(losses, mutual_information)
{
    rig r = open_rig(3, DN_F64);
    const dn_tensor logits = dn_input(r.p, "z", DN_F64, DN_SHAPE(2, 4), false);
    const dn_tensor loss = dn_keep(r.p, dn_loss_mutual_information(r.p, logits));
    cr_expect(dn_is_shared(r.p, loss));
    start_rig(&r);
    write_random(&r, logits, 1);
    run_rig(&r, 1);
    double z[24], got, want = 0.0;
    read_rig(&r, logits, z, sizeof z);
    read_rig(&r, loss, &got, sizeof got);
    for (int n = 0; n < 2; n++) {
        double log_mean[4], own = 0.0, mean[4] = {0};
        for (int e = 0; e < 3; e++) {
            const double *row = z + 8 * e + 4 * n;
            double sum = 0.0;
            for (int c = 0; c < 4; c++) sum += exp(row[c]);
            for (int c = 0; c < 4; c++) mean[c] += exp(row[c]) / sum / 3;
            own += entropy_of(row, 4) / 3;
        }
        for (int c = 0; c < 4; c++) log_mean[c] = log(mean[c]);
        want += (entropy_of(log_mean, 4) - own) / 2;
    }
    cr_expect_float_eq(got, want, 1e-14);
    close_rig(&r);
}

Test(losses, l2_counts_weights_and_biases_of_this_program)
{
    for (int biases = 0; biases < 2; biases++) {
        rig r = open_rig(1, DN_F64);
        int index = -1;
        const dn_shape other = DN_SHAPE(1);
        cr_assert_eq(dn_params_value(r.store, "x.weight", &other, (dn_init){.value = 100.0}, &index), DN_OK);
        dn_tensor x = dn_input(r.p, "x", DN_F64, DN_SHAPE(1, 2), true);
        x = dn_layer_linear(r.p, "a", x, (dn_linear_layer){.units = 2, .bias = DN_BIAS_TORCH});
        x = dn_layer_batch_norm(r.p, "n", x, (dn_norm_options){.epsilon = 1.0}, &dn_forward_infer);
        dn_layer_linear(r.p, "b", x, (dn_linear_layer){.units = 1});
        const dn_tensor loss = dn_keep(r.p, dn_loss_l2(r.p, 0.5, biases ? dn_weights_and_biases : dn_weights));
        start_rig(&r);
        run_rig(&r, 1);
        double w[8], want = 0.0, got;
        read_rig(&r, dn_find(r.p, "a.weight"), w, 4 * sizeof *w);
        read_rig(&r, dn_find(r.p, "a.bias"), w + 4, 2 * sizeof *w);
        read_rig(&r, dn_find(r.p, "b.weight"), w + 6, 2 * sizeof *w);
        for (int i = 0; i < 8; i++) want += i / 2 == 2 && !biases ? 0.0 : 0.5 * w[i] * w[i];
        read_rig(&r, loss, &got, sizeof got);
        cr_expect_float_eq(got, want, 1e-14);
        close_rig(&r);
    }
    rig r = open_rig(1, DN_F64);
    cr_expect(dn_is_none(dn_loss_l2(r.p, 1.0, dn_weights)));
    cr_expect(strstr(r.p->error, "no parameters"));
    close_rig(&r);
}
