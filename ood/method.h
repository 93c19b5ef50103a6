/** The score methods: one table that drives the command line, its help and the documentation.
 *
 * A method scores blocks of rows, so that memory stays bounded and blocks can run on several cores. To add one: write
 * its function, add a row to the table in method.c.
 */
#ifndef DN_OOD_METHOD_H
#define DN_OOD_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DN_METHOD_OPTIONS_MAX = 4 };

/** A number that a method takes, as in `gen:gamma=.1`. */
typedef struct dn_method_option {
    const char *name, *text;
    double standard; /**< taken if it is not given */
    double low, high;
    bool above_low; /**< the value must be greater than `low`; otherwise `low` itself is allowed */
    bool integer;
} dn_method_option;

/** What a method reads, as bits. */
typedef enum dn_method_need { DN_NEEDS_LOGITS = 1 } dn_method_need;

typedef enum dn_method_kind {
    DN_METHOD_SINGLE,  /**< scores one model's rows; an ensemble goes through a reduction */
    DN_METHOD_ENSEMBLE /**< combines the members itself */
} dn_method_kind;

/** Rows of one model. */
typedef struct dn_score_rows {
    size_t rows, columns;
    const double *logits;   /**< [rows, columns] */
    const int32_t *classes; /**< [columns] class of each column, ascending */
} dn_score_rows;

/** The same rows of all members. */
typedef struct dn_score_block {
    size_t members, rows, classes;
    const dn_score_rows *member; /**< [members] each with its own columns */
} dn_score_block;

/** @param scores [rows] @param options values in the order of the table
 *  @param scratch dn_method_scratch() doubles of this thread */
typedef void dn_score_single_fn(double *scores, const dn_score_rows *in, const double *options, double *scratch);
typedef void dn_score_ensemble_fn(double *scores, const dn_score_block *in, const double *options, double *scratch);

typedef struct dn_method {
    const char *name;
    const char *text;   /**< one line for help and documentation: the outlier score */
    const char *source; /**< the publication */
    dn_method_kind kind;
    unsigned needs; /**< dn_method_need bits */
    size_t option_count;
    dn_method_option option[DN_METHOD_OPTIONS_MAX];
    union {
        dn_score_single_fn *single;     /**< DN_METHOD_SINGLE */
        dn_score_ensemble_fn *ensemble; /**< DN_METHOD_ENSEMBLE */
    } score;
} dn_method;

/** A method with its options' values: what an expression means. */
typedef struct dn_method_call {
    const dn_method *method;
    double option[DN_METHOD_OPTIONS_MAX]; /**< [method->option_count] */
} dn_method_call;

/** @return the table, in the order of the documentation; `*count` receives its length */
const dn_method *dn_methods(size_t *count);

/** @return the method of that name, or NULL */
const dn_method *dn_method_find(const char *name);

/** Reads `name` or `name:key=value,key=value`.
 *  @return DN_OK or DN_ERROR_ARGUMENT; the text names what is wrong, the nearest known name, or the allowed range */
DN_NODISCARD dn_status dn_method_parse(dn_method_call *out, const char *expression);

/** @return doubles of scratch that a score function may use */
static inline size_t dn_method_scratch(size_t members, size_t classes)
{
    return (members + 2) * classes + members;
}

#ifdef __cplusplus
}
#endif
#endif
