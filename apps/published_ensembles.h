/** The published figures of the two ensembles, as `dunlin reproduce` shows them: fractions, not percent. */
#ifndef DN_APPS_PUBLISHED_ENSEMBLES_H
#define DN_APPS_PUBLISHED_ENSEMBLES_H

#include "apps/reproduce.h"

enum {
    DN_MI_PUBLISHED = 117,
    DN_LEAVE_OUT_PUBLISHED = 60 /* of each network and known set */
};

/** "Predictive Uncertainty via Degeneralization". Columns: notebook, training log. */
extern const dn_published dn__published_mi[DN_MI_PUBLISHED];

/** The training log after so many thousand iterations. Columns: the same. */
typedef struct dn_logged {
    double block;                         /**< of a thousand iterations */
    double accuracy, gaussian, tim, svhn; /**< of the ensemble; AUROC by entropy */
} dn_logged;
enum { DN_MI_LOGGED = 9 };
extern const dn_logged dn__logged_mi[DN_MI_LOGGED];

/** Leave-out classifiers: DenseNet-BC-100-12 and WRN-28-10, CIFAR-10 and CIFAR-100. Columns: paper, implementation. */
extern const dn_published dn__published_dn10[DN_LEAVE_OUT_PUBLISHED], dn__published_dn100[DN_LEAVE_OUT_PUBLISHED],
    dn__published_wrn10[DN_LEAVE_OUT_PUBLISHED], dn__published_wrn100[DN_LEAVE_OUT_PUBLISHED];

#endif
