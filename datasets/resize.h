/** Bilinear resizing by the convention of the Python Imaging Library: half-pixel centres, and a triangle that widens
 *  when shrinking, so that every pixel counts. 8-bit images are rounded after each of the two passes, as there. */
#ifndef DN_DATASETS_RESIZE_H
#define DN_DATASETS_RESIZE_H

#include "datasets/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Resizes all images of a set, in place of the old ones, and fits their channels: 1 -> 3 repeats the channel, 3 -> 1
 *  takes the luma of ITU-R BT.601. Channels are reduced before resizing and repeated after it.
 *  @return DN_ERROR_SHAPE for channels that cannot be fitted */
dn_status dn_dataset_resize(dn_dataset *d, int height, int width, int channels);

#ifdef __cplusplus
}
#endif
#endif
