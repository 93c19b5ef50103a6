/** What the commands that read arrays make of them: numbers, classes, and the error of a wrong shape. */
#ifndef DN_APPS_ARRAY_VALUES_H
#define DN_APPS_ARRAY_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datasets/npy.h"

/** @return element i as a double, exactly */
double dn_array_number(const dn_npy *array, size_t i);

/** A copy of all elements. @param out free with dn_free() */
dn_status dn_array_doubles(double **out, const dn_npy *array) DN_NODISCARD;

/** A copy of all elements, classes of rows or columns. @param out free with dn_free()
 *  @return DN_ERROR_FORMAT naming the first one that is no whole number of 32 bits */
dn_status dn_array_classes(int32_t **out, const dn_npy *array, const char *name) DN_NODISCARD;

/** @return whether there is one value a row and at least one row: [N] or [N,1] */
bool dn_array_is_column(const dn_npy *array);

/** @param name of the array's file @param expected printf style @return DN_ERROR_SHAPE */
dn_status dn_array_wrong_shape(const dn_npy *array, const char *name, const char *expected, ...) DN_PRINTF(3, 4);

/** The class map that stands beside the logits of a leave-out run: for "FILE.h5:logits" the array "FILE.h5:class_map".
 *  @param map receives [E,C], or NULL if there is none of this shape; free with dn_free()
 *  @param classes receives the number of all classes, its largest entry + 1 @param shape E, C of the logits */
dn_status dn_array_class_map_beside(int32_t **map, size_t *classes, const char *logits,
                                    const size_t shape[2]) DN_NODISCARD;

/** @return the largest entry of a class map [count] + 1 */
size_t dn_array_classes_of_map(const int32_t *map, size_t count);

#endif
