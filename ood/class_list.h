/** Names of classes that have too few fit rows, for notes: library-private. */
#ifndef DN_OOD_CLASS_LIST_H
#define DN_OOD_CLASS_LIST_H

#include <stddef.h>
#include <stdint.h>

enum { DN__CLASS_LIST = 192 /**< room for a list */ };

/** Writes which classes have fewer than `least` rows: "class 3", "classes 1, 2", and from the ninth on how many more.
 *  @param text [DN__CLASS_LIST] @param number, count [classes] of each class: what it is called, its rows
 *  @return how many there are */
size_t dn__class_list(char *text, const int32_t *number, const size_t *count, size_t classes, size_t least);

#endif
