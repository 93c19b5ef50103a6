#include "apps/network.h"

#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/executor.h"
#include "core/ops.h"
#include "core/params_file.h"
#include "datasets/folds.h"
#include "layers/models/models.h"

/* ---- classes ---- */

/* One name a line, "" without names. @return NULL where there is no memory */
static char *join_names(const dn_dataset *set)
{
    size_t size = 1;
    for (int c = 0; set->class_names && c < set->classes; c++) size += strlen(set->class_names[c]) + 1;
    char *text = dn_calloc(size, 1), *at = text;
    for (int c = 0; text && set->class_names && c < set->classes; c++)
        at += snprintf(at, size - (size_t)(at - text), "%s\n", set->class_names[c]);
    return text;
}

bool dn_network_knows(const dn_network *n, const dn_dataset *set)
{
    /* Outputs without a class of the training set have no name. */
    const bool some_unnamed = n->recipe->model.outputs > 0;
    if (!set->labels || (some_unnamed ? set->classes > n->classes : set->classes != n->classes)) return false;
    if (!n->class_names) return true;
    char *names = join_names(set);
    const bool same = names && strcmp(names, n->class_names) == 0;
    dn_free(names);
    return same;
}

/* Whether the map is one of the network's classes; finds out whether it is ragged. */
static bool check_class_map(dn_network *n)
{
    n->ragged = false;
    for (int i = 0; i < n->members * n->columns; i++) {
        if (n->class_map[i] < -1 || n->class_map[i] >= n->classes) return false;
        n->ragged |= n->class_map[i] < 0;
    }
    return true;
}

/* The folds' classes become the members' class maps. */
static dn_status make_class_map(dn_network *n)
{
    dn_folds *folds = NULL;
    DN_TRY(dn_folds_open(&folds, n->classes, n->members, (uint32_t)n->recipe->leave_out.split_seed));
    n->columns = 0;
    for (int e = 0; e < n->members; e++)
        if (folds->id_count[e] > n->columns) n->columns = folds->id_count[e];
    n->class_map = dn_calloc((size_t)n->members * (size_t)n->columns, sizeof *n->class_map);
    for (int e = 0; e < n->members && n->class_map; e++) {
        int count = 0;
        const int *own = dn_folds_id(folds, e, &count);
        for (int c = 0; c < n->columns; c++) n->class_map[e * n->columns + c] = c < count ? own[c] : -1;
    }
    dn_folds_close(folds);
    if (!n->class_map) return DN_ERROR_MEMORY;
    check_class_map(n);
    return DN_OK;
}

/* ---- new networks ---- */

static dn_status count_classes(dn_network *n, const dn_dataset *train)
{
    const int outputs = n->recipe->model.outputs;
    if (train->classes < 2 || !train->labels)
        return dn_fail(DN_ERROR_ARGUMENT, "data.train '%s' has %d classes: training needs labels of 2 or more",
                       train->name, train->classes);
    if (outputs > 0 && outputs < train->classes)
        return dn_fail(DN_ERROR_ARGUMENT, "model.outputs is %d, but data.train '%s' has %d classes", outputs,
                       train->name, train->classes);
    n->classes = n->columns = outputs > 0 ? outputs : train->classes;
    return DN_OK;
}

static dn_status new_params(dn_network *n)
{
    const dn_params_options options = {.members = n->members, .dtype = DN_F32, .seed = n->recipe->train.seed};
    return dn_params_new(&n->params, &options);
}

dn_status dn_network_new(dn_network **out, dn_recipe *recipe, dn_device *device, const dn_dataset *train)
{
    *out = NULL;
    dn_network *n = dn_calloc(1, sizeof *n);
    if (!n) {
        dn_recipe_close(recipe);
        return DN_ERROR_MEMORY;
    }
    n->recipe = recipe;
    n->device = device;
    n->members = recipe->ensemble.members;
    n->height = train->height;
    n->width = train->width;
    n->channels = train->channels;
    dn_status status = count_classes(n, train);
    if (status == DN_OK && !(n->class_names = join_names(train))) status = DN_ERROR_MEMORY;
    if (status == DN_OK && recipe->ensemble.kind == DN_ENSEMBLE_LEAVE_OUT) status = make_class_map(n);
    if (status == DN_OK) status = new_params(n);
    if (status != DN_OK) {
        dn_network_close(n);
        return status;
    }
    *out = n;
    return DN_OK;
}

void dn_network_close(dn_network *n)
{
    if (!n) return;
    dn_params_close(n->params);
    dn_recipe_close(n->recipe);
    dn_free(n->class_map);
    dn_free(n->class_names);
    dn_free(n);
}

dn_tensor dn_network_build(const dn_network *n, dn_program *program, dn_tensor images, const dn_forward *forward)
{
    const dn_model_options options = {.name = n->recipe->model.name,
                                      .classes = n->columns,
                                      .dropout = n->recipe->model.dropout,
                                      .width = n->recipe->model.width,
                                      .depth = n->recipe->model.depth};
    return dn_model_build(program, &options, images, forward);
}

dn_status dn_network_place(dn_network *n)
{
    dn_program *program = dn_program_new(n->params, &(dn_program_options){.name = n->recipe->model.name});
    if (!program) return DN_ERROR_MEMORY;
    const dn_tensor x = dn_input(program, "images", DN_F32, DN_SHAPE(1, n->height, n->width, n->channels), true);
    dn_network_build(n, program, x, &dn_forward_infer);
    dn_status status = dn_program_seal(program);
    if (status == DN_OK) status = dn_params_place(n->params, n->device);
    dn_program_close(program);
    return status;
}

/* ---- in checkpoints ---- */

dn_status dn_network_describe(const dn_network *n, dn_store *to)
{
    char *text = dn_recipe_text(n->recipe);
    if (!text) return DN_ERROR_MEMORY;
    const dn_status status = dn_store_set_text(to, "/", "recipe", text);
    dn_free(text);
    DN_TRY(status);
    DN_TRY(dn_store_set_int(to, "/", "height", n->height));
    DN_TRY(dn_store_set_int(to, "/", "width", n->width));
    DN_TRY(dn_store_set_int(to, "/", "channels", n->channels));
    DN_TRY(dn_store_set_int(to, "/", "classes", n->classes));
    if (n->class_names) DN_TRY(dn_store_set_text(to, "/", "class_names", n->class_names));
    const int64_t dim[2] = {n->members, n->columns};
    return n->class_map ? dn_store_write(to, "class_map", DN_I32, 2, dim, n->class_map) : DN_OK;
}

static dn_status read_size(dn_store *from, const char *name, int *size)
{
    int64_t value = 0;
    DN_TRY(dn_store_get_int(from, "/", name, &value));
    if (value < 1 || value > 1 << 20)
        return dn_fail(DN_ERROR_FORMAT, "%s: '%s' is %lld", dn_store_path(from), name, (long long)value);
    *size = (int)value;
    return DN_OK;
}

static dn_status read_class_map(dn_network *n, dn_store *from)
{
    n->columns = n->classes;
    if (!dn_store_exists(from, "class_map")) return DN_OK;
    dn_store_info info;
    DN_TRY(dn_store_array_info(from, "class_map", &info));
    if (info.rank != 2 || info.dim[0] != n->members || info.dim[1] < 2 || info.dim[1] > n->classes)
        return dn_fail(DN_ERROR_FORMAT, "%s: 'class_map' does not fit %d members and %d classes", dn_store_path(from),
                       n->members, n->classes);
    n->columns = (int)info.dim[1];
    n->class_map = dn_calloc((size_t)info.count, sizeof *n->class_map);
    if (!n->class_map) return DN_ERROR_MEMORY;
    DN_TRY(dn_store_read(from, "class_map", DN_I32, info.count, n->class_map));
    if (check_class_map(n)) return DN_OK;
    return dn_fail(DN_ERROR_FORMAT, "%s: 'class_map' holds other numbers than -1 and classes 0 to %d",
                   dn_store_path(from), n->classes - 1);
}

static dn_status load(dn_network *n, dn_store *from)
{
    char *text = NULL;
    DN_TRY(dn_store_expect_kind(from, "dunlin checkpoint", 1, NULL));
    DN_TRY(dn_store_get_text(from, "/", "recipe", &text));
    const dn_status status = dn_recipe_parse(&n->recipe, text, dn_store_path(from), NULL, 0);
    dn_free(text);
    DN_TRY(status);
    n->members = n->recipe->ensemble.members;
    DN_TRY(read_size(from, "height", &n->height));
    DN_TRY(read_size(from, "width", &n->width));
    DN_TRY(read_size(from, "channels", &n->channels));
    DN_TRY(read_size(from, "classes", &n->classes));
    DN_TRY(read_class_map(n, from));
    if (dn_store_has_attribute(from, "/", "class_names"))
        DN_TRY(dn_store_get_text(from, "/", "class_names", &n->class_names));
    DN_TRY(new_params(n));
    DN_TRY(dn_network_place(n));
    return dn_params_load(n->params, from, false);
}

dn_status dn_network_load(dn_network **out, const char *path, dn_device *device)
{
    *out = NULL;
    dn_store *store = NULL;
    DN_TRY(dn_store_open(&store, path));
    dn_network *n = dn_calloc(1, sizeof *n);
    dn_status status = n ? DN_OK : DN_ERROR_MEMORY;
    if (n) n->device = device;
    if (status == DN_OK) status = load(n, store);
    dn_store_close(store);
    if (status != DN_OK) {
        dn_network_close(n);
        return status;
    }
    *out = n;
    return DN_OK;
}
