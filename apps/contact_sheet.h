/** A picture of a data set: some images of each class, side by side. */
#ifndef DN_APPS_CONTACT_SHEET_H
#define DN_APPS_CONTACT_SHEET_H

#include "datasets/dataset.h"
#include "datasets/image.h"

enum {
    DN_SHEET_COLUMNS = 10,      /**< images of each class */
    DN_SHEET_MOST_CLASSES = 100 /**< the classes behind these are left out */
};

/** Draws a line of images for each class, with the class's number before it; without classes up to ten lines of all
 *  images. They are evenly spaced among those of their class, and enlarged or shrunk to a size that can be seen. Values
 *  are shown from 0 to 255; floating-point ones from 0 to 1, or from the least to the largest where some lie outside;
 *  images of other than one or three channels by their first.
 *  @param out clear with dn_image_clear(), also after an error */
dn_status dn_contact_sheet(dn_image *out, const dn_dataset *set) DN_NODISCARD;

#endif
