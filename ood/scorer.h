/** Inside a scorer: library-private. */
#ifndef DN_OOD_SCORER_H
#define DN_OOD_SCORER_H

#include "ood/model.h"

/** One expression, fitted. */
typedef struct dn__score_item {
    dn_score_expression expression;
    dn_reduce reduce;           /* resolved: never DN_REDUCE_DEFAULT; of no meaning for ensemble methods */
    size_t models;              /* that score on their own: members, or 1 if they are reduced before */
    dn__model **model;          /* [models] borrowed */
    size_t first_layer, layers; /* that are read */
    void **state;               /* [models, layers] */
    double *spread;             /* [models, layers] DN_COMBINE_STD: standard deviation over the fit set */
    double **sorted;            /* [models, layers] DN_COMBINE_FISHER: the fit set's scores, ascending */
    size_t *sorted_count;       /* [models, layers] */
} dn__score_item;

struct dn_scorer {
    dn__columns columns;
    size_t layers, dim[DN_SCORE_LAYERS_MAX]; /* of the form */
    bool has_logits;
    size_t count;
    dn__score_item *item; /* [count] */
    dn__model *models;    /* owned, newest first */
    dn__fit_source source;
};

/** A member behind the first `shapings` shapings of an expression: an existing model or a new, fitted one.
 *  @param out borrowed from the scorer, as all models are */
dn_status dn__scorer_member(dn__model **out, dn_scorer *scorer, size_t member, const dn_score_expression *expression,
                            size_t shapings) DN_NODISCARD;

/** All members behind the expression's shapings, reduced to one model. */
dn_status dn__scorer_reduced(dn__model **out, dn_scorer *scorer, dn_reduce reduce,
                             const dn_score_expression *expression) DN_NODISCARD;

/** What DN_COMBINE_STD and DN_COMBINE_FISHER need of the fit set. */
dn_status dn__item_fit_layers(dn__score_item *item, dn_scorer *scorer) DN_NODISCARD;

/** One model's scores of a block, layers combined. @param scores [rows] */
dn_status dn__item_model_scores(double *scores, const dn__score_item *item, size_t model,
                                dn__block *block) DN_NODISCARD;

/** Is the input as the scorer expects it? */
dn_status dn__input_check(const dn_score_input *input, bool logits_may_be_absent, const char *kind) DN_NODISCARD;

/** @return E, by whichever array there is */
size_t dn__input_members(const dn_score_input *input);

#endif
