/** Which columns of each member's logits are used, and what class each stands for: library-private. */
#ifndef DN_OOD_COLUMNS_H
#define DN_OOD_COLUMNS_H

#include "ood/score.h"

typedef struct dn__columns {
    size_t members, columns, classes; /* E, C as in the arrays, all classes together */
    size_t *used;                     /* [E] columns in use */
    int32_t *column;                  /* [E,C] the used columns, in ascending order of their classes */
    int32_t *class_of;                /* [E,C] their classes */
    int32_t *column_of; /* [E,classes] place of the class among the used columns; -1: the member leaves it out */
    bool mapped;        /* there is a class map */
} dn__columns;

/** Checks the class map. @param out zeroed first; dn__columns_close() it in any case */
dn_status dn__columns_open(dn__columns *out, size_t members, size_t columns, const int32_t *class_map,
                           size_t classes) DN_NODISCARD;
void dn__columns_close(dn__columns *columns);

#endif
