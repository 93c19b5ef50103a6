/** What a network says of a data set in memory, while it is being trained: nothing is kept on disk (see outputs.h). */
#ifndef DN_APPS_NETWORK_LOGITS_H
#define DN_APPS_NETWORK_LOGITS_H

#include "apps/network.h"
#include "ood/score.h"

typedef struct dn_logits {
    const dn_network *network; /**< borrowed */
    size_t rows;
    float *values; /**< [E,rows,K] */
} dn_logits;

/** Runs the network over all images. @param out free with dn_logits_close()
 *  @return DN_ERROR_SHAPE for images of another size, DN_ERROR_INTERRUPTED if the user stopped it */
dn_status dn_logits_open(dn_logits *out, const dn_network *network, const dn_dataset *set) DN_NODISCARD;
void dn_logits_close(dn_logits *logits);

/** The logits as the scores of ood/ take them; borrows. @param member -1: of all members; else of this one alone, whose
 *  outputs are then taken for classes of their own */
dn_score_input dn_logits_input(const dn_logits *logits, int member);

/** Scores by an expression, `text`, that needs nothing but logits. @param scores [rows] @param member as above */
dn_status dn_logits_score(double *scores, const dn_logits *logits, int member, const char *text) DN_NODISCARD;

#endif
