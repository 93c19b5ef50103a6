/* Weight files in the layout of Keras 2, written with HDF5 itself. */
#ifndef DN_TESTS_KERAS_WRITER_H
#define DN_TESTS_KERAS_WRITER_H

#include <criterion/criterion.h>
#include <hdf5.h>
#include <stdio.h>
#include <string.h>

enum { KERAS_LAYERS = 256, KERAS_NAME = 64 };

typedef struct keras_writer {
    hid_t file, layer;
    int layers, weights; /* so far; of the layer */
    char layer_names[KERAS_LAYERS][KERAS_NAME], weight_names[8][KERAS_NAME];
} keras_writer;

static inline void keras_put_names(hid_t object, const char *name, char (*names)[KERAS_NAME], int n)
{
    const hsize_t dims[1] = {(hsize_t)n};
    const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, dims, NULL);
    H5Tset_size(type, KERAS_NAME);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert_geq(H5Awrite(attribute, type, names), 0);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
}

static inline void keras_open(keras_writer *w, const char *path)
{
    *w = (keras_writer){.layer = -1};
    w->file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert_geq(w->file, 0, "%s", path);
}

static inline void keras_end_layer(keras_writer *w)
{
    if (w->layer < 0) return;
    keras_put_names(w->layer, "weight_names", w->weight_names, w->weights);
    H5Gclose(w->layer);
    w->layer = -1;
}

static inline void keras_layer(keras_writer *w, const char *name)
{
    keras_end_layer(w);
    w->weights = 0;
    snprintf(w->layer_names[w->layers++], KERAS_NAME, "%s", name);
    w->layer = H5Gcreate2(w->file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert_geq(w->layer, 0, "%s", name);
}

/* @param name "kernel": the array is "kernel:0" in the layer's group */
static inline void keras_weight(keras_writer *w, const char *name, int rank, const int64_t *dims, const float *data)
{
    hsize_t size[8];
    for (int i = 0; i < rank; i++) size[i] = (hsize_t)dims[i];
    char *full = w->weight_names[w->weights++];
    snprintf(full, KERAS_NAME, "%s:0", name);
    const hid_t space = H5Screate_simple(rank, size, NULL);
    const hid_t array = H5Dcreate2(w->layer, full, H5T_NATIVE_FLOAT, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    cr_assert_geq(H5Dwrite(array, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), 0, "%s", name);
    H5Dclose(array);
    H5Sclose(space);
}

static inline void keras_close(keras_writer *w)
{
    keras_end_layer(w);
    keras_put_names(w->file, "layer_names", w->layer_names, w->layers);
    cr_assert_geq(H5Fclose(w->file), 0);
}

#endif
