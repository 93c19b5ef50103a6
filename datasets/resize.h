/** Images of another size, by the conventions of the Python Imaging Library: half-pixel centres, and a filter that
 *  widens when shrinking, so that every pixel counts. 8-bit images are rounded after each of the two passes, as
 *  there. */
#ifndef DN_DATASETS_RESIZE_H
#define DN_DATASETS_RESIZE_H

#include "datasets/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum dn_filter {
    DN_FILTER_BILINEAR, /**< the triangle */
    DN_FILTER_BICUBIC   /**< the cubic of Keys (1981) with a = -0.5, over four pixels */
} dn_filter;

typedef enum dn_fit {
    DN_FIT_STRETCH, /**< height and width each by its own factor */
    DN_FIT_CROP,    /**< the shorter side is made to fit, then the middle is taken */
    DN_FIT_CUT      /**< the middle is taken; nothing is scaled */
} dn_fit;

/** What @HxWxC[/bicubic][/crop|/cut] asks for. */
typedef struct dn_size {
    int height, width, channels; /**< height 0: as the images are */
    dn_filter filter;
    dn_fit fit;
} dn_size;

/** Brings all images of a set to a size, in place of the old ones, and fits their channels: 1 -> 3 repeats the channel,
 *  3 -> 1 takes the luma of ITU-R BT.601. Channels are reduced before resizing and repeated after it.
 *  @return DN_ERROR_SHAPE for channels that cannot be fitted, or images that are too small to be cut */
dn_status dn_dataset_resize(dn_dataset *d, const dn_size *size);

#ifdef __cplusplus
}
#endif
#endif
