/** One model as methods see it: a member, a member behind shapings, or all members reduced to one: library-private.
 *
 * Models form chains: `react+scale` of member 2 is the model that scale makes of what react makes of member 2.
 * Expressions with the same beginning share it, and with it the fits.
 */
#ifndef DN_OOD_MODEL_H
#define DN_OOD_MODEL_H

#include "ood/block.h"

typedef struct dn__model dn__model;

struct dn__model {
    const dn__columns *all;
    size_t layers;   /* of the set; 0: no features */
    dn__model *next; /* of the scorer that owns them all */

    /* Which model it is. */
    dn__model *parent;      /* before the shaping; NULL: no shaping */
    dn_method_call shaping; /* if there is a parent */
    dn_reduce reduce;       /* DN_REDUCE_PROB, DN_REDUCE_LOGIT: of the models `of`; else: of one member */
    dn__model **of;         /* [E] */
    size_t member;

    /* What it is like. */
    size_t columns;         /* C */
    const int32_t *classes; /* [C] */
    const double *weight;   /* [C,D] or NULL */
    const double *bias;     /* [C] */
    size_t head_dim;        /* D */
    double *own_weight, *own_bias;
    int32_t *own_classes;
    void *state;  /* of the shaping */
    dn_fit **fit; /* [layers or 1], NULL where nothing was fitted yet */
};

/** The fit set and what is common to all fits; outlives the models. */
typedef struct dn__fit_source {
    const dn_score_fit *from; /* NULL once the scorer is open: walking is over */
    char *notes;              /* one a line, "" for none */
    dn_workspace *space;
} dn__fit_source;

/** A fit of a model on one layer, made at the first call; borrowed. */
dn_status dn__model_fit(dn_fit **out, dn__model *model, size_t layer, dn__fit_source *source) DN_NODISCARD;

/** Frees a model, not its parent. */
void dn__model_close(dn__model *model);

/** The rows of a block as the model's methods see them. @param needs DN_NEEDS_LOGITS, DN_NEEDS_FEATURES
 *  @param out pointers into the block or the workspace; labels are left NULL */
dn_status dn__model_rows(dn_score_rows *out, const dn__model *model, dn__block *block, size_t layer,
                         unsigned needs) DN_NODISCARD;

/* ---- fits, for model.c ---- */

dn_status dn__fit_open(dn_fit **out, dn__model *model, size_t layer, dn__fit_source *source) DN_NODISCARD;
void dn__fit_close(dn_fit *fit);

/** @return rows of a set by whichever array there is */
size_t dn__input_rows(const dn_score_input *input);

#endif
