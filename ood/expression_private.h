/** Shared by the files that read, write and list expressions: library-private. */
#ifndef DN_OOD_EXPRESSION_PRIVATE_H
#define DN_OOD_EXPRESSION_PRIVATE_H

#include "ood/expression.h"

/** Options that every layered method has beside its own: `layers`, then `combine`. */
enum { DN__LAYER_OPTIONS = 2, DN__OPTIONS_MAX = DN_METHOD_OPTIONS_MAX + DN__LAYER_OPTIONS };
extern const dn_method_option dn__layer_option[DN__LAYER_OPTIONS];

/** @return how many options an expression may give the method: its own, then those of layers if it has them */
size_t dn__option_count(const dn_method *method);

/** @param index below dn__option_count() */
const dn_method_option *dn__option(const dn_method *method, size_t index);

/** @return the option's value as long as it is not given */
double dn__option_default(const dn_method *method, size_t index);

/** @return may the method follow shapings: a score of one model's logits alone */
bool dn__is_base(const dn_method *method);

bool dn__call_same(const dn_method_call *a, const dn_method_call *b);
bool dn__expression_same(const dn_score_expression *a, const dn_score_expression *b);

/** @return does the '+' at `plus` belong to a number, as in T=1e+3? Otherwise it joins names. */
bool dn__plus_of_number(const char *text, const char *plus);

#endif
