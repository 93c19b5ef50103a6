/** The layers of a Keras file and of a network, side by side. Library-private to the import. */
#ifndef DN_APPS_IMPORT_LAYERS_H
#define DN_APPS_IMPORT_LAYERS_H

#include "core/params.h"
#include "datasets/keras_file.h"

typedef enum dn_import_kind { DN_IMPORT_CONV, DN_IMPORT_NORM, DN_IMPORT_DENSE, DN_IMPORT_KINDS } dn_import_kind;

typedef enum dn_import_part {
    DN_IMPORT_KERNEL,
    DN_IMPORT_BIAS,
    DN_IMPORT_GAMMA,
    DN_IMPORT_BETA,
    DN_IMPORT_MEAN,
    DN_IMPORT_VARIANCE,
    DN_IMPORT_PARTS
} dn_import_part;

/** How a part is called on both sides. */
typedef struct dn_import_names {
    const char *keras;     /**< "kernel", the last word of "conv2d/kernel:0" */
    const char *own;       /**< "weight", the last word of "conv1.weight" */
    dn_params_block block; /**< where it is in the network */
    double absent;         /**< what a file without it means; NaN: it must be there */
} dn_import_names;

extern const dn_import_names dn__import_names[DN_IMPORT_PARTS];

typedef struct dn_import_layer {
    dn_import_kind kind;
    char name[512];
    const dn_npy *arrays[DN_IMPORT_PARTS]; /**< in a file; NULL: absent */
    int entries[DN_IMPORT_PARTS];          /**< in a network: the entry's number; -1: absent */
} dn_import_layer;

typedef struct dn_import_layers {
    int n, count[DN_IMPORT_KINDS];
    dn_import_layer *layers; /**< [n] those of one kind in order, the kinds one after the other */
} dn_import_layers;

/** The layers of a file; they point into it. Those of one kind that are numbered alike (conv2d, conv2d_1...) are
 *  ordered by these numbers, which Keras gives as it creates them; others stay in the file's order.
 *  @param out free with dn_import_layers_clear(), also after an error
 *  @return DN_ERROR_UNSUPPORTED for a layer that Dunlin's networks do not have */
dn_status dn_import_file_layers(dn_import_layers *out, const dn_keras_file *file) DN_NODISCARD;

/** The layers of a network, in the order in which they were recorded. @param params with all entries */
dn_status dn_import_network_layers(dn_import_layers *out, const dn_params *params) DN_NODISCARD;

void dn_import_layers_clear(dn_import_layers *layers);

/** Writes "57 convolutions, 55 batch norms and 1 dense layer". @return text */
const char *dn_import_layers_text(const dn_import_layers *layers, char *text, size_t size);

#endif
