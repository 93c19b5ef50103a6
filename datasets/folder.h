/** Folders of PNG and JPEG files: listed once, then decoded block by block, so that a folder may be larger than memory.
 *
 *     PATH/cat/1.png, PATH/dog/x/2.jpg   a class for each sub-folder, numbered in the order of their names' bytes; what
 *                                        lies deeper belongs to the first folder below PATH
 *     PATH/1.png, PATH/2.jpg             no sub-folders: images without labels
 *     1.png                              PATH may also be one image
 *
 * Hidden files and folders (.name) are not looked at. Links are followed. What a file is, its first bytes say: other
 * files are skipped and counted, but one that is named like an image and is none is an error.
 */
#ifndef DN_DATASETS_FOLDER_H
#define DN_DATASETS_FOLDER_H

#include "datasets/resize.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Which images: a file's place in the two parts depends on its own path below PATH alone, whatever else is there. */
typedef enum dn_folder_part {
    DN_FOLDER_ALL,
    DN_FOLDER_TRAIN, /**< about four fifths */
    DN_FOLDER_TEST   /**< the others */
} dn_folder_part;

typedef struct dn_folder_options {
    dn_size size; /**< height 0: as they are, which must be one size for all */
    dn_folder_part part;
    const char *classes; /**< such as "dog,cat" or "0-4", numbered in this order; NULL: all */
    int64_t limit;       /**< 0: all; else so many, evenly spaced: the files are in the order of the classes */
} dn_folder_options;

typedef struct dn_folder {
    char *path;
    int64_t n;
    char **files;        /**< [N] below path, in the order of their bytes */
    int32_t *labels;     /**< [N] in 0..classes-1; NULL: unlabelled */
    int classes;         /**< 0: unlabelled */
    char **class_names;  /**< [classes]; NULL: unlabelled */
    dn_size size;        /**< of what dn_folder_read() gives; always stated */
    int64_t skipped;     /**< files that are no images */
    char *first_skipped; /**< one of them; NULL: none */
} dn_folder;

/** Lists a folder. @param options NULL: all images as they are @param out free with dn_folder_close()
 *  @return DN_ERROR_FILE for a folder that cannot be read, DN_ERROR_FORMAT for one without images, with images beside
 *  sub-folders, with an empty class or a file that only is named like an image, DN_ERROR_SHAPE for images of several
 *  sizes where none is asked for, DN_ERROR_ARGUMENT for classes that it does not have */
dn_status dn_folder_open(dn_folder **out, const char *path, const dn_folder_options *options);

/** NULL is allowed. */
void dn_folder_close(dn_folder *folder);

/** Decodes images first..first+n-1, with all threads; the result does not depend on how many there are.
 *  @param images [n,H,W,C] of folder->size
 *  @return DN_ERROR_FORMAT for a damaged image, DN_ERROR_SHAPE for one that cannot be brought to the size; both texts
 *  name it */
dn_status dn_folder_read(const dn_folder *folder, uint8_t *images, int64_t first, int64_t n);

/** The same for the images of these numbers, in this order. @param items [n] */
dn_status dn_folder_gather(const dn_folder *folder, uint8_t *images, const int64_t *items, int64_t n);

#ifdef __cplusplus
}
#endif
#endif
