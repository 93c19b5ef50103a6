/** The grammar of data set expressions: name[classes][:split][@HxWxC[/METHOD]...]. Library-private. */
#ifndef DN_DATASETS_EXPRESSION_H
#define DN_DATASETS_EXPRESSION_H

#include "datasets/resize.h"

enum { DN__LONGEST_SIDE = 4096 };

/** The parts as texts; what they mean depends on the set. */
typedef struct dn__expression {
    char *name;
    char *classes; /**< what stands between the brackets; NULL without brackets */
    char *split;   /**< NULL if not given; for own files the paths */
    dn_size size;  /**< height 0 if no size is given */
} dn__expression;

/** @param out is to be cleared with dn__expression_clear(), also after an error */
dn_status dn__expression_parse(dn__expression *out, const char *text);
void dn__expression_clear(dn__expression *e);

/** Reads a list of classes such as "0-4,7,dog". A list is strictly one of classes that exist, each at most once.
 *  @param chosen receives their old numbers in the order listed, [*count]; free with dn_free()
 *  @param names [classes], or NULL if classes have no names */
dn_status dn__classes_parse(int **chosen, int *count, const char *list, int classes, char *const *names);

#endif
