/** Networks from Keras' weight files. */
#ifndef DN_APPS_IMPORT_KERAS_H
#define DN_APPS_IMPORT_KERAS_H

#include "apps/network.h"

typedef struct dn_import_options {
    const char *model;            /**< NULL: found by the numbers of layers */
    const char *const *overrides; /**< [n_overrides] of the recipe: key=value */
    int n_overrides;
    int size[3];          /**< H, W, C of the images; 0: the model's usual ones */
    const char *data_dir; /**< where to look for the names of the classes */
} dn_import_options;

/** Reads a weight file of Keras 2 into the network that fits it: convolutions, batch norms and dense layers of the file
 *  in the order of their creation are those of the network in its order. A layer without bias, gamma or beta gets 0, 1
 *  and 0. @param device must outlive the network @param out free with dn_network_close()
 *  @return DN_ERROR_SHAPE if no model fits, or a layer does not: the text names it, its shape and the expected one;
 *  DN_ERROR_NUMERIC for weights that are no finite numbers; and errors of dn_keras_open() */
dn_status dn_import_keras(dn_network **out, const char *path, const dn_import_options *options,
                          dn_device *device) DN_NODISCARD;

#endif
