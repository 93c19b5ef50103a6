#include "ood/class_list.h"

#include <stdio.h>

enum { NAMED = 8 };

size_t dn__class_list(char *text, const int32_t *number, const size_t *count, size_t classes, size_t least)
{
    size_t few = 0, length = 0;
    for (size_t c = 0; c < classes; c++) few += count[c] < least;
    length = (size_t)snprintf(text, DN__CLASS_LIST, few == 1 ? "class" : "classes");
    for (size_t c = 0, named = 0; c < classes && named < NAMED; c++) {
        if (count[c] >= least) continue;
        length += (size_t)snprintf(text + length, DN__CLASS_LIST - length, named++ ? ", %d" : " %d", number[c]);
    }
    if (few > NAMED) snprintf(text + length, DN__CLASS_LIST - length, " and %zu more", few - NAMED);
    return few;
}
