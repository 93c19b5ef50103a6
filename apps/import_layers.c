#include "apps/import_layers.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"

const dn_import_names dn__import_names[DN_IMPORT_PARTS] = {
    [DN_IMPORT_KERNEL] = {"kernel", "weight", DN_BLOCK_VALUES, NAN},
    [DN_IMPORT_BIAS] = {"bias", "bias", DN_BLOCK_VALUES, 0.0},
    [DN_IMPORT_GAMMA] = {"gamma", "scale", DN_BLOCK_VALUES, 1.0},
    [DN_IMPORT_BETA] = {"beta", "shift", DN_BLOCK_VALUES, 0.0},
    [DN_IMPORT_MEAN] = {"moving_mean", "mean", DN_BLOCK_STATES, NAN},
    [DN_IMPORT_VARIANCE] = {"moving_variance", "variance", DN_BLOCK_STATES, NAN},
};

/* ---- a list of layers ---- */

/** Finds the layer of this name behind the last one that has it, or adds it. */
static dn_import_layer *layer_of(dn_import_layers *l, const char *name, size_t length)
{
    for (int i = l->n - 1; i >= 0; i--)
        if (strlen(l->layers[i].name) == length && strncmp(l->layers[i].name, name, length) == 0) return &l->layers[i];
    dn_import_layer *new = &l->layers[l->n++];
    snprintf(new->name, sizeof new->name, "%.*s", (int)length, name);
    for (int p = 0; p < DN_IMPORT_PARTS; p++) new->entries[p] = -1;
    return new;
}

static int part_of(const char *word, size_t length, bool own)
{
    for (int p = 0; p < DN_IMPORT_PARTS; p++) {
        const char *known = own ? dn__import_names[p].own : dn__import_names[p].keras;
        if (strlen(known) == length && strncmp(known, word, length) == 0) return p;
    }
    return -1;
}

/** Puts the layers of each kind together; their order within a kind stays. */
static dn_status sort_by_kind(dn_import_layers *l)
{
    dn_import_layer *sorted = dn_calloc((size_t)l->n, sizeof *sorted);
    if (!sorted) return DN_ERROR_MEMORY;
    int to = 0;
    for (int kind = 0; kind < DN_IMPORT_KINDS; kind++)
        for (int i = 0; i < l->n; i++)
            if ((int)l->layers[i].kind == kind) sorted[to++] = l->layers[i], l->count[kind]++;
    dn_free(l->layers);
    l->layers = sorted;
    return DN_OK;
}

void dn_import_layers_clear(dn_import_layers *l)
{
    dn_free(l->layers);
    *l = (dn_import_layers){0};
}

const char *dn_import_layers_text(const dn_import_layers *l, char *text, size_t size)
{
    const int *n = l->count;
    snprintf(text, size, "%d convolution%s, %d batch norm%s and %d dense layer%s", n[DN_IMPORT_CONV],
             n[DN_IMPORT_CONV] == 1 ? "" : "s", n[DN_IMPORT_NORM], n[DN_IMPORT_NORM] == 1 ? "" : "s",
             n[DN_IMPORT_DENSE], n[DN_IMPORT_DENSE] == 1 ? "" : "s");
    return text;
}

/* ---- of a file ---- */

/** Adds a weight "conv2d/kernel:0" of the layer "conv2d" to what is called "conv2d/conv2d" here: a model within a model
 *  is one layer of the file with the weights of many. */
static dn_status add_weight(dn_import_layers *l, const dn_keras_file *f, const dn_keras_weight *w)
{
    char full[512];
    snprintf(full, sizeof full, "%s/%s", w->layer, w->name);
    const char *slash = strrchr(full, '/'), *word = slash + 1;
    const int part = part_of(word, strcspn(word, ":"), false);
    if (part < 0)
        return dn_fail(DN_ERROR_UNSUPPORTED,
                       "%s: layer '%s' has a weight '%s', expected kernel, bias, gamma, beta, moving_mean or "
                       "moving_variance: of convolutions, batch norms and dense layers",
                       f->path, w->layer, w->name);
    dn_import_layer *layer = layer_of(l, full, (size_t)(slash - full));
    if (layer->arrays[part])
        return dn_fail(DN_ERROR_FORMAT, "%s: layer '%s' has the weight '%s' twice", f->path, w->layer, w->name);
    layer->arrays[part] = w->array;
    return DN_OK;
}

/** From here on the layer has its short name: the last part of its path. */
static dn_status settle(dn_import_layer *layer, const dn_keras_file *f)
{
    char path[sizeof layer->name];
    memcpy(path, layer->name, sizeof path);
    snprintf(layer->name, sizeof layer->name, "%s", strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
    const dn_npy *kernel = layer->arrays[DN_IMPORT_KERNEL];
    layer->kind = !kernel ? DN_IMPORT_NORM : kernel->rank == 4 ? DN_IMPORT_CONV : DN_IMPORT_DENSE;
    if (kernel && kernel->rank != 4 && kernel->rank != 2)
        return dn_fail(DN_ERROR_UNSUPPORTED,
                       "%s: the kernel of layer '%s' has %d dimensions, expected 4 (a convolution of images) or 2 (a "
                       "dense layer)",
                       f->path, layer->name, kernel->rank);
    for (int p = 0; p < DN_IMPORT_PARTS; p++) {
        const bool own = kernel ? p <= DN_IMPORT_BIAS : p > DN_IMPORT_BIAS;
        if (own ? layer->arrays[p] || !isnan(dn__import_names[p].absent) : !layer->arrays[p]) continue;
        return dn_fail(DN_ERROR_FORMAT,
                       "%s: layer '%s' has %s %s: a convolution or dense layer has kernel and bias, a "
                       "batch norm gamma, beta, moving_mean and moving_variance",
                       f->path, layer->name, own ? "no" : "a", dn__import_names[p].keras);
    }
    return DN_OK;
}

/** @return where the number at the end of "conv2d_12" begins, its "_" included; the end where there is none */
static const char *number_of(const char *name)
{
    const char *end = name + strlen(name), *at = end;
    while (at > name && isdigit((unsigned char)at[-1])) at--;
    return at < end && at > name && at[-1] == '_' && end - at < 9 ? at - 1 : end;
}

static bool are_numbered(const dn_import_layer *layers, int n)
{
    const size_t stem = n > 0 ? (size_t)(number_of(layers[0].name) - layers[0].name) : 0;
    for (int i = 1; i < n; i++)
        if ((size_t)(number_of(layers[i].name) - layers[i].name) != stem ||
            strncmp(layers[0].name, layers[i].name, stem) != 0)
            return false;
    return true;
}

static int by_number(const void *a, const void *b)
{
    const char *one = number_of(((const dn_import_layer *)a)->name),
               *other = number_of(((const dn_import_layer *)b)->name);
    const long x = *one ? strtol(one + 1, NULL, 10) : 0, y = *other ? strtol(other + 1, NULL, 10) : 0;
    return x < y ? -1 : x > y;
}

dn_status dn_import_file_layers(dn_import_layers *out, const dn_keras_file *file)
{
    *out = (dn_import_layers){.layers = dn_calloc((size_t)file->n, sizeof *out->layers)};
    if (!out->layers) return DN_ERROR_MEMORY;
    for (int i = 0; i < file->n; i++) DN_TRY(add_weight(out, file, &file->weights[i]));
    for (int i = 0; i < out->n; i++) DN_TRY(settle(&out->layers[i], file));
    DN_TRY(sort_by_kind(out));
    for (int kind = 0, first = 0; kind < DN_IMPORT_KINDS; first += out->count[kind++])
        if (are_numbered(out->layers + first, out->count[kind]))
            qsort(out->layers + first, (size_t)out->count[kind], sizeof *out->layers, by_number);
    return DN_OK;
}

/* ---- of a network ---- */

static dn_status add_entry(dn_import_layers *l, const dn_params *params, dn_params_block block, int index)
{
    const dn_params_entry *entry = dn_params_at(params, block, index);
    const char *dot = strrchr(entry->name, '.');
    const int part = dot ? part_of(dot + 1, strlen(dot + 1), true) : -1;
    if (part < 0 || dn__import_names[part].block != block)
        return dn_fail(DN_ERROR_UNSUPPORTED, "the network's '%s' is of no layer that Keras has", entry->name);
    dn_import_layer *layer = layer_of(l, entry->name, (size_t)(dot - entry->name));
    layer->entries[part] = index;
    if (part == DN_IMPORT_KERNEL) layer->kind = entry->shape.rank == 4 ? DN_IMPORT_CONV : DN_IMPORT_DENSE;
    if (part >= DN_IMPORT_GAMMA) layer->kind = DN_IMPORT_NORM;
    return DN_OK;
}

dn_status dn_import_network_layers(dn_import_layers *out, const dn_params *params)
{
    const int values = dn_params_count(params, DN_BLOCK_VALUES), states = dn_params_count(params, DN_BLOCK_STATES);
    const size_t most = (size_t)values + (size_t)states;
    *out = (dn_import_layers){.layers = dn_calloc(most, sizeof *out->layers)};
    if (!out->layers) return DN_ERROR_MEMORY;
    for (int i = 0; i < values; i++) DN_TRY(add_entry(out, params, DN_BLOCK_VALUES, i));
    for (int i = 0; i < states; i++) DN_TRY(add_entry(out, params, DN_BLOCK_STATES, i));
    return sort_by_kind(out);
}
