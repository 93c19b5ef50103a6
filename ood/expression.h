/** Score expressions: `name`, `name:key=value,key=value`, and stacks such as `react:q=.95+scale+gen:gamma=.05`.
 *
 * Shapings come first, in the order in which they are applied; the last name is the score (a score of logits, if there
 * are shapings; energy, if the last name is a shaping). Values joined by | make a sweep: `knn:k=1|5|10` is three
 * expressions.
 */
#ifndef DN_OOD_EXPRESSION_H
#define DN_OOD_EXPRESSION_H

#include "ood/method.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DN_SHAPINGS_MAX = 8 };

/** Which layers a layered method reads. */
typedef enum dn_score_layers {
    DN_LAYERS_LAST, /**< the penultimate features */
    DN_LAYERS_ALL   /**< every layer there is; the layers' scores are combined */
} dn_score_layers;

/** How the scores of several layers become one. */
typedef enum dn_score_combine {
    DN_COMBINE_SUM,
    DN_COMBINE_STD,   /**< each divided by its standard deviation over the fit set (population), then the mean */
    DN_COMBINE_FISHER /**< -2 sum ln p, p = (1 + fit rows with a score at least as large) / (1 + fit rows) */
} dn_score_combine;

typedef struct dn_score_expression {
    size_t shapings;
    dn_method_call shaping[DN_SHAPINGS_MAX];
    dn_method_call base; /**< a single or an ensemble method */
    dn_score_layers layers;
    dn_score_combine combine;
} dn_score_expression;

/** Reads an expression without sweeps.
 *  @return DN_OK or DN_ERROR_ARGUMENT; the text names what is wrong, the nearest known name, or the allowed range */
dn_status dn_expression_parse(dn_score_expression *out, const char *text) DN_NODISCARD;

/** @return dn_method_need bits of the whole expression: a stack makes its logits from features and the head, of fit
 *  sets too */
unsigned dn_expression_needs(const dn_score_expression *expression);

/** Writes the expression's shortest form: options at their default values are left out. @return text */
const char *dn_expression_text(const dn_score_expression *expression, char *text, size_t size);

/** A list of expressions. */
typedef struct dn_expression_list {
    size_t count;
    char **text;                     /**< [count] as it was asked for, sweeps expanded */
    dn_score_expression *expression; /**< [count] */
    bool *optional;                  /**< [count] only `all` asked for it: what cannot be given may be left out */
} dn_expression_list;

/** Appends what a list such as `msp,knn:k=1|5,react+energy` or `all` names; what is there already is not added again.
 *  `all` is every method with its default options, shapings on energy. @param list zero at first; after an error it is
 *  as before. Free with dn_expression_list_close() */
dn_status dn_expression_list_add(dn_expression_list *list, const char *text) DN_NODISCARD;
void dn_expression_list_close(dn_expression_list *list);

#ifdef __cplusplus
}
#endif
#endif
