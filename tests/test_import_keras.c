/* Keras' weight files: their logits by NumPy (fixtures/keras/make.py), a network of full size there and back, and what
 * is said of files that do not fit or are damaged. */
#include <float.h>
#include <math.h>

#include "apps/import_keras.h"
#include "apps/network_logits.h"
#include "change_bytes.h"
#include "core/alloc.h"
#include "datasets/array_file.h"
#include "keras_writer.h"
#include "run_command.h"

static dn_device *device;

static void open_all(void)
{
    open_work();
    cr_assert_eq(dn_device_open(&device, "cpu", &(dn_device_options){.threads = 2}), DN_OK);
}

static void close_all(void)
{
    dn_device_close(device);
    close_work();
}

TestSuite(import_keras, .init = open_all, .fini = close_all);

static const char *fixture(const char *name)
{
    static char path[512];
    const char *slash = strrchr(__FILE__, '/');
    snprintf(path, sizeof path, "%.*s/fixtures/keras/%s.h5", (int)(slash - __FILE__), __FILE__, name);
    return path;
}

/* ---- logits ---- */

static dn_npy *read_beside(const char *name, const char *array)
{
    char path[600];
    dn_npy *a = NULL;
    snprintf(path, sizeof path, "%s:%s", fixture(name), array);
    cr_assert_eq(dn_array_file_open(&a, path), DN_OK, "%s", dn_error_last());
    return a;
}

/* The model is found by itself, and says what NumPy says. Products of at most 144 numbers, nine layers deep: some dozen
 * roundings of the largest logit. */
static void expect_logits(const char *name, const char *model, int depth, int width)
{
    dn_npy *images = read_beside(name, "images"), *logits = read_beside(name, "logits");
    const int64_t *size = images->dims;
    const dn_import_options options = {.size = {(int)size[1], (int)size[2], (int)size[3]}, .data_dir = work};
    dn_dataset set = {.name = (char *)"images",
                      .n = size[0],
                      .height = (int)size[1],
                      .width = (int)size[2],
                      .channels = (int)size[3],
                      .type = DN_F32,
                      .images = images->data};
    dn_network *n = NULL;
    dn_logits got;
    cr_assert_eq(dn_import_keras(&n, fixture(name), &options, device), DN_OK, "%s", dn_error_last());
    cr_expect_str_eq(n->recipe->model.name, model);
    cr_expect(n->recipe->model.depth == depth && n->recipe->model.width == width, "%s: depth %d, width %d", name,
              n->recipe->model.depth, n->recipe->model.width);
    cr_assert_eq(n->classes, logits->dims[1]);
    cr_assert_eq(dn_logits_open(&got, n, &set), DN_OK, "%s", dn_error_last());
    double most = 0, worst = 0;
    for (int64_t i = 0; i < logits->count; i++) {
        const double wanted = ((const double *)logits->data)[i];
        most = fmax(most, fabs(wanted));
        worst = fmax(worst, fabs(wanted - (double)got.values[i]));
    }
    cr_expect_leq(worst, 64 * FLT_EPSILON * most, "%s: error %g of %g", name, worst, most);
    cr_expect_gt(most, 0.1);
    dn_logits_close(&got);
    dn_network_close(n);
    dn_npy_close(images);
    dn_npy_close(logits);
}

Test(import_keras, toy_convnet_has_numpys_logits)
{
    expect_logits("toy_convnet", "toy_convnet", 0, 4);
}

Test(import_keras, mlp_has_numpys_logits) /* doubles, a layer without bias, names of varying length */
{
    expect_logits("mlp", "mlp", 0, 8);
}

Test(import_keras, keras_resnet_has_numpys_logits) /* layers out of order, lists in pieces, a norm without gamma */
{
    expect_logits("keras_resnet", "keras_resnet", 8, 4);
}

/* ---- there and back ---- */

static dn_network *new_network(const char *model, int depth, uint64_t seed)
{
    char text[400];
    dn_recipe *recipe = NULL;
    dn_network *n = NULL;
    int32_t some = 0;
    const dn_dataset like = {
        .name = (char *)"x", .height = 32, .width = 32, .channels = 3, .classes = 10, .labels = &some};
    snprintf(text, sizeof text,
             "data: {train: 'cifar10:train', test: 'cifar10:test'}\nmodel: {name: %s, depth: %d}\n"
             "train: {seed: %d, epochs: 1}\n",
             model, depth, (int)seed);
    cr_assert_eq(dn_recipe_parse(&recipe, text, "test", NULL, 0), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_network_new(&n, recipe, device, &like), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_network_place(n), DN_OK, "%s", dn_error_last());
    return n;
}

/* @return the entry's values; free with dn_free() */
static float *download(const dn_params *params, dn_params_block block, const dn_params_entry *e)
{
    const size_t bytes = (size_t)dn_shape_count(&e->shape) * sizeof(float);
    float *values = dn_calloc(bytes, 1);
    cr_assert_eq(dn_buffer_download(dn_params_buffer(params, block, 0), e->offset * sizeof(float), values, bytes),
                 DN_OK);
    return values;
}

/* Writes the entry in Keras' order of axes. */
static void write_entry(keras_writer *w, const dn_params *params, dn_params_block block, const char *entry,
                        const char *keras)
{
    for (int i = 0; i < dn_params_count(params, block); i++) {
        const dn_params_entry *e = dn_params_at(params, block, i);
        if (strcmp(e->name, entry) != 0) continue;
        const int64_t count = dn_shape_count(&e->shape), units = e->shape.dim[0], inner = count / units;
        int64_t dims[8] = {0};
        for (int a = 0; a < e->shape.rank; a++) dims[a] = e->shape.dim[(a + 1) % e->shape.rank];
        float *ours = download(params, block, e), *theirs = dn_calloc((size_t)count, sizeof *theirs);
        for (int64_t j = 0; j < count; j++) theirs[j % inner * units + j / inner] = ours[j];
        keras_weight(w, keras, e->shape.rank, dims, theirs);
        dn_free(ours);
        dn_free(theirs);
        return;
    }
    cr_assert_fail("no entry %s", entry);
}

static void write_part(keras_writer *w, const dn_params *params, const char *layer, const char *own, const char *keras,
                       bool state)
{
    char entry[128];
    snprintf(entry, sizeof entry, "%s.%s", layer, own);
    write_entry(w, params, state ? DN_BLOCK_STATES : DN_BLOCK_VALUES, entry, keras);
}

/* All layers of keras_resnet; those of a kind from the last to the first, so that their numbers must be looked at. */
static void write_network(const char *path, const dn_params *params, int convs, int norms)
{
    static keras_writer w;
    char name[KERAS_NAME];
    keras_open(&w, path);
    for (int i = convs - 1; i >= 0; i--) {
        snprintf(name, sizeof name, i ? "conv2d_%d" : "conv2d", i);
        keras_layer(&w, name);
        write_part(&w, params, name, "weight", "kernel", false);
        write_part(&w, params, name, "bias", "bias", false);
    }
    for (int i = norms - 1; i >= 0; i--) {
        snprintf(name, sizeof name, i ? "batch_normalization_%d" : "batch_normalization", i);
        keras_layer(&w, name);
        write_part(&w, params, name, "scale", "gamma", false);
        write_part(&w, params, name, "shift", "beta", false);
        write_part(&w, params, name, "mean", "moving_mean", true);
        write_part(&w, params, name, "variance", "moving_variance", true);
    }
    keras_layer(&w, "dense");
    write_part(&w, params, "head", "weight", "kernel", false);
    write_part(&w, params, "head", "bias", "bias", false);
    keras_close(&w);
}

Test(import_keras, depth_56_goes_there_and_back)
{
    const char *path = at("resnet56.h5");
    dn_network *one = new_network("keras_resnet", 56, 3), *other = NULL;
    write_network(path, one->params, 57, 55);
    cr_assert_eq(dn_import_keras(&other, path, &(dn_import_options){.data_dir = work}, device), DN_OK, "%s",
                 dn_error_last());
    cr_expect_str_eq(other->recipe->model.name, "keras_resnet");
    cr_expect_eq(other->recipe->model.depth, 56);
    cr_expect(other->height == 32 && other->channels == 3 && other->recipe->model.width == 0);
    cr_assert_eq(dn_params_slice(one->params, DN_BLOCK_VALUES), dn_params_slice(other->params, DN_BLOCK_VALUES));
    for (int i = 0; i < dn_params_count(one->params, DN_BLOCK_VALUES); i++) {
        const dn_params_entry *e = dn_params_at(one->params, DN_BLOCK_VALUES, i);
        float *a = download(one->params, DN_BLOCK_VALUES, e), *b = download(other->params, DN_BLOCK_VALUES, e);
        cr_expect_eq(memcmp(a, b, (size_t)dn_shape_count(&e->shape) * sizeof *a), 0, "%s", e->name);
        dn_free(a);
        dn_free(b);
    }
    dn_network_close(one);
    dn_network_close(other);
}

/* ---- what does not fit ---- */

static void expect_refusal(const char *path, const dn_import_options *options, dn_status status, const char *text)
{
    dn_network *n = NULL;
    const dn_status got = dn_import_keras(&n, path, options, device);
    cr_expect_eq(got, status, "status %d, expected %d: %s", got, status, dn_error_last());
    cr_expect_null(n);
    cr_expect(strstr(dn_error_last(), text), "error '%s', expected '%s' in it", dn_error_last(), text);
}

static const dn_import_options usual = {0};

Test(import_keras, other_networks_are_refused)
{
    static const char *const wide[] = {"model.width=16"}, *const many[] = {"ensemble.members=2"};
    expect_refusal(fixture("toy_convnet"), &(dn_import_options){.model = "mlp"}, DN_ERROR_SHAPE,
                   "toy_convnet.h5: there are 2 convolutions, 0 batch norms and 1 dense layer, but mlp has 0 "
                   "convolutions, 0 batch norms and 3 dense layers");
    expect_refusal(fixture("toy_convnet"), &usual, DN_ERROR_SHAPE,
                   "layer 'dense': found kernel [32,5], expected [200,5] for 'head' of toy_convnet");
    expect_refusal(fixture("toy_convnet"),
                   &(dn_import_options){.size = {14, 14, 1}, .overrides = wide, .n_overrides = 1}, DN_ERROR_SHAPE,
                   "layer 'conv2d': found kernel [3,3,1,4], expected [3,3,1,16] for 'conv1' of toy_convnet");
    expect_refusal(fixture("toy_convnet"),
                   &(dn_import_options){.size = {14, 14, 1}, .overrides = many, .n_overrides = 1}, DN_ERROR_ARGUMENT,
                   "ensemble.members 1");
    expect_refusal(fixture("mlp"), &(dn_import_options){.model = "mpl"}, DN_ERROR_ARGUMENT, "did you mean 'mlp'");
    static const char *const glyphs[] = {"data.train=glyphs:train"}; /* 32x32x1 */
    expect_refusal(fixture("toy_convnet"),
                   &(dn_import_options){.size = {14, 14, 1}, .overrides = glyphs, .n_overrides = 1}, DN_ERROR_SHAPE,
                   "end it in @14x14x1");
    expect_refusal(fixture("mlp"), &(dn_import_options){.model = "cnn3"}, DN_ERROR_ARGUMENT, "--size HxWxC");
}

Test(import_keras, other_files_are_refused)
{
    expect_refusal(at("nothing.h5"), &usual, DN_ERROR_FILE, "nothing.h5: cannot open");
    expect_refusal(work, &usual, DN_ERROR_FILE, "not a regular file");
    expect_refusal(at("test.npy"), &usual, DN_ERROR_FORMAT, "test.npy: ");
    FILE *zip = fopen(at("model.keras"), "wb");
    fputs("PK\3\4 and so on", zip);
    fclose(zip);
    expect_refusal(at("model.keras"), &usual, DN_ERROR_FORMAT, "a zip archive (.keras files are such), expected HDF5");
    dn_store *store = NULL;
    cr_assert_eq(dn_store_create(&store, at("store.h5")), DN_OK);
    cr_assert_eq(dn_store_set_int(store, "/", "epoch", 1), DN_OK);
    cr_assert_eq(dn_store_commit(store), DN_OK);
    dn_store_close(store);
    expect_refusal(at("store.h5"), &usual, DN_ERROR_FORMAT, "there is no list of layers (attribute layer_names)");
}

/* One dense layer with one more weight. @return its path */
static const char *write_dense(const char *extra, int rank, const float *kernel)
{
    static keras_writer w;
    static const float zeros[16];
    const int64_t dims[5] = {2, 2, 1, 1, 1};
    keras_open(&w, at("dense.h5"));
    keras_layer(&w, "dense");
    if (kernel) keras_weight(&w, "kernel", rank, dims, kernel);
    if (extra) keras_weight(&w, extra, 1, dims, zeros);
    keras_close(&w);
    return at("dense.h5");
}

Test(import_keras, layers_of_other_kinds_and_numbers_are_refused)
{
    static const float good[4] = {1, 2, 3, 4};
    expect_refusal(write_dense("recurrent_kernel", 2, good), &usual, DN_ERROR_UNSUPPORTED,
                   "layer 'dense' has a weight 'recurrent_kernel:0', expected kernel, bias, gamma");
    expect_refusal(write_dense("bias", 0, NULL), &usual, DN_ERROR_FORMAT, "layer 'dense' has a bias");
    expect_refusal(write_dense("gamma", 2, good), &usual, DN_ERROR_FORMAT, "layer 'dense' has a gamma");
    expect_refusal(write_dense(NULL, 5, good), &usual, DN_ERROR_UNSUPPORTED, "has 5 dimensions, expected 4");
    expect_refusal(write_dense(NULL, 4, good), &usual, DN_ERROR_SHAPE, "there is no dense layer");
    expect_refusal(write_dense(NULL, 2, good), &usual, DN_ERROR_SHAPE,
                   "there are 0 convolutions, 0 batch norms and 1 dense layer, which is none of toy_convnet, mlp, "
                   "keras_resnet in any depth");
}

Test(import_keras, numbers_that_cannot_be_are_refused)
{
    static const float good[4] = {1, 2, 3, 4}, bad[4] = {1, NAN, 3, 4};
    static const int64_t dims[3][2] = {{2, 2}, {2, 1}, {1, 2}};
    static keras_writer w;
    const dn_import_options small = {.size = {1, 2, 1}, .data_dir = work};
    for (int wrong = 0; wrong < 2; wrong++) {
        keras_open(&w, at("mlp.h5"));
        for (int i = 0; i < 3; i++) {
            char name[KERAS_NAME];
            snprintf(name, sizeof name, "dense_%d", i + 1);
            keras_layer(&w, name);
            keras_weight(&w, "kernel", 2, wrong && i == 1 ? dims[0] : dims[i], i == 1 ? bad : good);
        }
        keras_close(&w);
        expect_refusal(at("mlp.h5"), &small, wrong ? DN_ERROR_SHAPE : DN_ERROR_NUMERIC,
                       wrong ? "layer 'dense_2': found kernel [2,2], expected [2,1] for 'dense2' of mlp"
                             : "layer 'dense_2': kernel has nan at place 1, expected a finite float32");
    }
}

/* ---- damage, and the command ---- */

static size_t read_fixture(const char *name, unsigned char *bytes, size_t room)
{
    FILE *file = fopen(fixture(name), "rb");
    cr_assert_not_null(file);
    const size_t n = fread(bytes, 1, room, file);
    fclose(file);
    return n;
}

static void write_bytes(const char *path, const unsigned char *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, n, file), n);
    fclose(file);
}

Test(import_keras, damaged_files_are_errors)
{
    static unsigned char bytes[40000], changed[40000];
    const size_t n = read_fixture("toy_convnet", bytes, sizeof bytes);
    const dn_import_options options = {.size = {14, 14, 1}, .data_dir = work};
    signal(SIGSEGV, SIG_DFL); /* of the children */
    int refused = 0;
    for (uint32_t mutant = 0; mutant < 60; mutant++) {
        dn_network *network = NULL;
        memcpy(changed, bytes, n);
        change_bytes(changed, n, mutant);
        write_bytes(at("damaged.h5"), changed, mutant % 3 ? n : n * mutant / 60);
        if (dn_import_keras(&network, at("damaged.h5"), &options, device) != DN_OK) {
            refused++;
            cr_expect(strstr(dn_error_last(), "damaged.h5"), "%s", dn_error_last());
        }
        dn_network_close(network);
    }
    cr_expect_gt(refused, 20);
}

Test(import_keras, command_makes_a_run_or_nothing)
{
    static unsigned char bytes[40000];
    char file[600], set[200], labels[300];
    write_set("tiny", 20, 4, 5);
    snprintf(file, sizeof file, "%s", fixture("mlp"));
    snprintf(set, sizeof set, "npy:%s", at("tiny.npy"));
    snprintf(labels, sizeof labels, "data.train=%s,%s", set, at("tiny-labels.npy"));
    char run[128];
    snprintf(run, sizeof run, "%s", at("imported"));
    const char *const good[] = {"import", "keras", file, "--size", "4x4x1", "--out", run, NULL};
    cr_assert_eq(run_command(good), 0, "%s", err);
    cr_expect(strstr(out, "mlp, 197 parameters, images 4x4x1, 5 classes"), "%s", out);
    const char *const evaluate[] = {"evaluate", run, "--id", set, "--ood", set, NULL};
    cr_expect_eq(run_command(evaluate), 0, "%s", err);
    cr_expect(strstr(out, "0.5000"), "%s", out); /* a set against itself */
    cr_expect_eq(run_command(good), 2);
    cr_expect(strstr(err, "holds a run already"), "%s", err);
    /* Ten classes of labels for five outputs. */
    snprintf(run, sizeof run, "%s", at("new/imported"));
    const char *const ten[] = {"import", "keras", file, "--size", "4x4x1", "--out", run, labels, NULL};
    cr_expect_eq(run_command(ten), 2, "%s", err);
    cr_expect(strstr(err, "model.outputs is 5, but data.train"), "%s", err);
    const size_t n = read_fixture("mlp", bytes, sizeof bytes);
    write_bytes(at("cut.h5"), bytes, n - 100);
    const char *const cut[] = {"import", "keras", at("cut.h5"), "--out", run, NULL};
    cr_expect_eq(run_command(cut), 1);
    cr_expect(strstr(err, "cut.h5: the file is cut off or damaged"), "%s", err);
    cr_expect(!exists(at("new")));
    const char *const other[] = {"import", "torch", file, "--out", run, NULL};
    cr_expect_eq(run_command(other), 2);
    const char *const shape[] = {"import", "keras", file, "--out", run, "--size", "4x4", NULL};
    cr_expect_eq(run_command(shape), 2);
    cr_expect(strstr(err, "--size '4x4', expected HxWxC"), "%s", err);
}
