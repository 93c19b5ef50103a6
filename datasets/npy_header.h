/** The header of a .npy file: a magic text, a version, and a Python dictionary as text. Library-private. */
#ifndef DN_DATASETS_NPY_HEADER_H
#define DN_DATASETS_NPY_HEADER_H

#include <stdbool.h>

#include "datasets/element.h"
#include "datasets/npy.h"
#include "datasets/stream.h"

typedef struct dn__npy_header {
    dn__element element;
    bool fortran_order;
    int rank;
    int64_t dims[DN_NPY_MOST_RANK];
    int64_t count;
} dn__npy_header;

/** Reads up to the first element. Trusts nothing: magic, version, length, grammar, types, overflowing products. */
dn_status dn__npy_header_read(dn__npy_header *h, dn__stream *s) DN_NODISCARD;

#endif
