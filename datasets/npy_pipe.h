/** Arrays that a child process read for its parent (core/child.h). Library-private. */
#ifndef DN_DATASETS_NPY_PIPE_H
#define DN_DATASETS_NPY_PIPE_H

#include "datasets/npy.h"

/** For the parent: fills the array with what the child sends, first the array without its data, then these in pieces
 *  of any size. The child may be what a hostile file made of it: nothing it sends is trusted.
 *  @param array receives type, shape and data; what is in it after an error is freed by dn_npy_close()
 *  @return DN_ERROR_FORMAT for a shape that makes no sense, DN_ERROR_FILE if the child ends early */
dn_status dn__npy_receive(dn_npy *array, int pipe) DN_NODISCARD;

#endif
