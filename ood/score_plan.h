/** Walks checked logits in blocks of rows, each member's used columns in class order, as doubles: library-private. */
#ifndef DN_OOD_SCORE_PLAN_H
#define DN_OOD_SCORE_PLAN_H

#include "ood/score.h"

typedef struct dn__score_plan {
    const dn_score_input *input;
    size_t classes;
    size_t block_rows; /* rows of all blocks but the last */
    size_t blocks;
    size_t *used;      /* [E] columns in use */
    int32_t *column;   /* [E, C] the used columns, in ascending order of their classes */
    int32_t *class_of; /* [E, C] their classes */
} dn__score_plan;

/** Checks sizes, class map and every used logit. @param plan is zeroed first; dn__score_plan_close() it in any case */
dn_status dn__score_plan_open(dn__score_plan *plan, const dn_score_input *input);
void dn__score_plan_close(dn__score_plan *plan);

/** Checks sizes and types, not the values. */
dn_status dn__score_input_check(const dn_score_input *input);

/** Called for each block, on several threads. @param in the block @param first_row of the block within the input
 *  @param scratch doubles of this thread, as many as asked for */
typedef void dn__score_block_fn(void *context, const dn_score_block *in, size_t first_row, double *scratch);

/** Calls `function` once for each block; blocks are independent, so that the result does not depend on the threads. */
dn_status dn__score_plan_run(const dn__score_plan *plan, dn__score_block_fn *function, void *context,
                             size_t scratch_doubles);

#endif
