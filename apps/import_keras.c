#include "apps/import_keras.h"

#include <stdio.h>
#include <string.h>

#include "apps/cli.h"
#include "apps/import_layers.h"
#include "apps/import_weights.h"
#include "core/alloc.h"
#include "layers/models/models.h"

/* What networks are looked for, and what they usually saw: the data of the notebooks that their files come from. */
typedef struct usual {
    const char *model;
    int size[3];      /* H, W, C */
    const char *data; /* as in a recipe */
} usual;

static const usual usuals[] = {
    {"toy_convnet", {28, 28, 1}, "{train: 'mnist[0-4]:train', test: 'mnist[0-4]:test', ood: ['mnist[5-9]:test']}"},
    {"mlp", {28, 28, 1}, "{train: 'mnist[0-4]:train', test: 'mnist[0-4]:test', ood: ['mnist[5-9]:test']}"},
    {"keras_resnet", {32, 32, 3}, "{train: 'cifar10:train', test: 'cifar10:test', ood: ['svhn:test']}"},
};
enum { USUALS = sizeof usuals / sizeof *usuals, LAYERS_TEXT = 96 };

/* What is known of the network that is to be made. */
typedef struct plan {
    const dn_import_options *options;
    const char *path;
    dn_import_layers file;
    const char *model, *data;
    int depth, size[3], classes;
    int first; /* filters or units of the file's first layer */
} plan;

/* ---- which network ---- */

/* Records the model and lists its layers. @param out clear with dn_import_layers_clear(), also after an error
 * @param first receives the filters or units of the first layer */
static dn_status list_layers(dn_import_layers *out, int *first, const plan *p, const char *model, int depth)
{
    const dn_model_options options = {.name = model, .classes = p->classes, .dropout = -1.0, .depth = depth};
    dn_params *params = NULL;
    *out = (dn_import_layers){0};
    DN_TRY(dn_params_new(&params, &(dn_params_options){.members = 1, .dtype = DN_F32}));
    dn_program *program = dn_program_new(params, &(dn_program_options){.name = model});
    dn_status status = program ? DN_OK : DN_ERROR_MEMORY;
    if (program) {
        const dn_shape shape = DN_SHAPE(1, p->size[0], p->size[1], p->size[2]);
        dn_model_build(program, &options, dn_input(program, "images", DN_F32, shape, true), &dn_forward_infer);
        status = dn_program_seal(program);
    }
    if (status == DN_OK) status = dn_import_network_layers(out, params);
    if (status == DN_OK && first)
        *first = (int)dn_params_at(params, DN_BLOCK_VALUES, out->layers[0].entries[DN_IMPORT_KERNEL])->shape.dim[0];
    dn_program_close(program);
    dn_params_close(params);
    return status;
}

static bool same_counts(const dn_import_layers *a, const dn_import_layers *b)
{
    return memcmp(a->count, b->count, sizeof a->count) == 0;
}

/* Looks for the depth at which the model has the layers of the file. @param found receives whether there is one */
static dn_status try_model(plan *p, const dn_model *model, bool *found)
{
    *found = false;
    for (int depth = model->depth_least; !*found && depth <= model->depth_most; depth += model->depth_step) {
        dn_import_layers layers;
        const dn_status status = list_layers(&layers, NULL, p, model->name, depth);
        *found = status == DN_OK && same_counts(&layers, &p->file);
        dn_import_layers_clear(&layers);
        DN_TRY(status);
        if (*found) p->depth = depth;
        if (model->depth_step == 0) break;
    }
    if (*found) p->model = model->name;
    return DN_OK;
}

/* The images' size: as asked for, or the usual one. @return whether there is one */
static bool set_size(plan *p, const usual *u)
{
    for (int i = 0; i < 3; i++) p->size[i] = p->options->size[i] ? p->options->size[i] : u ? u->size[i] : 0;
    p->data = u ? u->data : "{train: 'cifar10:train', test: 'cifar10:test'}";
    return p->size[0] > 0;
}

static dn_status find_model(plan *p)
{
    char text[LAYERS_TEXT], names[128] = "";
    bool found = false;
    for (int i = 0; i < USUALS && !found; i++) {
        const size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", usuals[i].model);
        for (int side = 0; side < 3; side++) p->size[side] = usuals[i].size[side]; /* it does not change the count */
        DN_TRY(try_model(p, dn_model_find(usuals[i].model), &found));
        if (found) set_size(p, &usuals[i]);
    }
    if (found) return DN_OK;
    return dn_fail(DN_ERROR_SHAPE,
                   "%s: there are %s, which is none of %s in any depth; if it is another network of "
                   "Dunlin's, say --model NAME --size HxWxC",
                   p->path, dn_import_layers_text(&p->file, text, sizeof text), names);
}

static dn_status unknown_model(const char *name)
{
    const dn_model *rows = NULL;
    const char *names[64];
    size_t index = 0, n = (size_t)dn_model_list(&rows);
    if (n > sizeof names / sizeof *names) n = sizeof names / sizeof *names;
    for (size_t i = 0; i < n; i++) names[i] = rows[i].name;
    return dn_cli_choose("--model", name, names, n, &index);
}

/* The user has said which. */
static dn_status check_model(plan *p)
{
    const char *name = p->options->model;
    const dn_model *model = dn_model_find(name);
    const usual *u = NULL;
    bool found = false;
    dn_import_layers layers;
    char text[LAYERS_TEXT], other[LAYERS_TEXT];
    for (int i = 0; i < USUALS; i++)
        if (strcmp(usuals[i].model, name) == 0) u = &usuals[i];
    if (!model) return unknown_model(name);
    if (!set_size(p, u))
        return dn_fail(DN_ERROR_ARGUMENT, "--model %s: the size of its images is needed: --size HxWxC", name);
    DN_TRY(try_model(p, model, &found));
    if (found) return DN_OK;
    const dn_status status = list_layers(&layers, NULL, p, name, 0);
    if (status == DN_OK)
        dn_fail(DN_ERROR_SHAPE, "%s: there are %s, but %s has %s", p->path,
                dn_import_layers_text(&p->file, text, sizeof text), name,
                dn_import_layers_text(&layers, other, sizeof other));
    dn_import_layers_clear(&layers);
    return status == DN_OK ? DN_ERROR_SHAPE : status;
}

/* ---- its recipe ---- */

static dn_status make_recipe(dn_recipe **out, const plan *p)
{
    dn_import_layers own;
    int first = 0;
    const dn_status listed = list_layers(&own, &first, p, p->model, p->depth);
    dn_import_layers_clear(&own);
    DN_TRY(listed);
    char *text = dn_format("name: keras-%s\ndescription: weights imported from Keras\ndata: %s\n"
                           "model: {name: %s, depth: %d, width: %d, outputs: %d}\nensemble: {kind: deep, members: 1}\n"
                           "optimizer: {kind: adam, rate: 0.001}\ntrain: {batch: 128, epochs: 1}\n",
                           p->model, p->data, p->model, p->depth, first == p->first ? 0 : p->first, p->classes);
    if (!text) return DN_ERROR_MEMORY;
    dn_status status = dn_recipe_parse(out, text, "import keras", p->options->overrides, p->options->n_overrides);
    dn_free(text);
    DN_TRY(status);
    const dn_recipe *r = *out;
    if (r->ensemble.kind == DN_ENSEMBLE_DEEP && r->ensemble.members == 1) return DN_OK;
    dn_recipe_close(*out);
    *out = NULL;
    return dn_fail(DN_ERROR_ARGUMENT, "a Keras file is one network: ensemble.kind must be deep and ensemble.members 1");
}

/* One image of the training set, for its classes. @return NULL if it is not there or has no labels */
static dn_dataset *open_train(const dn_recipe *recipe, const plan *p)
{
    const dn_dataset_options one = {.data_dir = p->options->data_dir, .limit = 1};
    dn_dataset *d = NULL;
    if (dn_dataset_open(&d, recipe->data.train, &one) == DN_OK && d->labels) return d;
    dn_dataset_close(d);
    return NULL;
}

static dn_status check_size(const dn_dataset *train, const int size[3])
{
    if (!train || (train->height == size[0] && train->width == size[1] && train->channels == size[2])) return DN_OK;
    return dn_fail(DN_ERROR_SHAPE,
                   "data.train '%s' has images of %dx%dx%d, the network takes %dx%dx%d: end it in @%dx%dx%d, or say "
                   "--size %dx%dx%d",
                   train->name, train->height, train->width, train->channels, size[0], size[1], size[2], size[0],
                   size[1], size[2], train->height, train->width, train->channels);
}

/* The network may have more outputs than the training set has classes: one for each digit, of which it saw five. */
static dn_status make_network(dn_network **out, const plan *p, dn_device *device)
{
    dn_recipe *recipe = NULL;
    int32_t some = 0;
    DN_TRY(make_recipe(&recipe, p));
    dn_dataset *train = open_train(recipe, p);
    const dn_status fits = check_size(train, p->size);
    if (fits != DN_OK) {
        dn_dataset_close(train);
        dn_recipe_close(recipe);
        return fits;
    }
    if (train && train->classes == p->classes) recipe->model.outputs = 0;
    const dn_dataset like = {.name = recipe->data.train,
                             .height = p->size[0],
                             .width = p->size[1],
                             .channels = p->size[2],
                             .classes = train ? train->classes : p->classes,
                             .labels = &some,
                             .class_names = train ? train->class_names : NULL};
    dn_status status = dn_network_new(out, recipe, device, &like);
    if (status == DN_OK && !train) { /* not known, which is not the same as that there are none */
        dn_free((*out)->class_names);
        (*out)->class_names = NULL;
    }
    dn_dataset_close(train);
    if (status == DN_OK) status = dn_network_place(*out);
    return status;
}

/* ---- all of it ---- */

static dn_status import(dn_network **out, plan *p, dn_device *device)
{
    const dn_import_layers *f = &p->file;
    const dn_import_layer *last = f->count[DN_IMPORT_DENSE] ? &f->layers[f->n - 1] : NULL;
    if (!last) return dn_fail(DN_ERROR_SHAPE, "%s: there is no dense layer, which would be the last one", p->path);
    p->classes = (int)last->arrays[DN_IMPORT_KERNEL]->dims[1];
    const dn_npy *kernel = f->layers[0].arrays[DN_IMPORT_KERNEL];
    p->first = kernel ? (int)kernel->dims[kernel->rank - 1] : 0;
    DN_TRY(p->options->model ? check_model(p) : find_model(p));
    DN_TRY(make_network(out, p, device));
    return dn_import_weights(*out, f, p->path);
}

dn_status dn_import_keras(dn_network **out, const char *path, const dn_import_options *options, dn_device *device)
{
    *out = NULL;
    dn_keras_file *file = NULL;
    plan p = {.options = options, .path = path};
    DN_TRY(dn_keras_open(&file, path));
    dn_status status = dn_import_file_layers(&p.file, file);
    if (status == DN_OK) status = import(out, &p, device);
    dn_import_layers_clear(&p.file);
    dn_keras_close(file);
    if (status == DN_OK) return DN_OK;
    dn_network_close(*out);
    *out = NULL;
    return status;
}
