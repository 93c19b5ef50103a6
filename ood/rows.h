/** What a method sees: blocks of rows, as doubles. */
#ifndef DN_OOD_ROWS_H
#define DN_OOD_ROWS_H

#include <stddef.h>
#include <stdint.h>

/** Rows of one model. */
typedef struct dn_score_rows {
    size_t rows, columns;   /**< n, C; logits stand in class order */
    const double *logits;   /**< [n,C]; NULL where the method does not need them */
    const int32_t *classes; /**< [C] class of each column, ascending */
    size_t dim;             /**< D */
    const double *features; /**< [n,D] of the layer in question; NULL where the method does not need them */
    const int32_t *labels;  /**< [n] column of each row's class, fit sets only; NULL where there are none */
} dn_score_rows;

/** The same rows of all members. */
typedef struct dn_score_block {
    size_t members, rows, classes;
    const dn_score_rows *member; /**< [members] each with its own columns */
} dn_score_block;

#endif
