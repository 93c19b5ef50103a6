/** Weights in the HDF5 files of Keras 2: model.save_weights("x.h5") and model.save("x.h5").
 *
 * Layers are groups below the file, or below its group "model_weights"; attributes name them in order (layer_names, and
 * weight_names for each), cut in pieces (layer_names0, layer_names1...) where they are long. The rest of what
 * model.save() writes, the network's description and the optimizer's state, is not looked at.
 */
#ifndef DN_DATASETS_KERAS_FILE_H
#define DN_DATASETS_KERAS_FILE_H

#include "datasets/npy.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_keras_weight {
    char *layer; /**< "conv2d_1" */
    char *name;  /**< "conv2d_1/kernel:0" */
    dn_npy *array;
} dn_keras_weight;

typedef struct dn_keras_file {
    char *path;
    int n;
    dn_keras_weight *weights; /**< [n] in the order of the file */
} dn_keras_file;

/** Reads all weights, in child processes, where a file that crashes the HDF5 library does no harm.
 *  @param out receives them; free with dn_keras_close()
 *  @return as dn_array_file_open(); DN_ERROR_FORMAT if the file has no list of layers, or no weights */
dn_status dn_keras_open(dn_keras_file **out, const char *path) DN_NODISCARD;

/** NULL is allowed. */
void dn_keras_close(dn_keras_file *file);

#ifdef __cplusplus
}
#endif
#endif
