/* The figures of "Predictive Uncertainty via Degeneralization": the notebook of the combined system, and the training
 * log of the degeneralised ensemble (after 78,000 iterations, where nothing else is said). */
#include <math.h>

#include "apps/published_ensembles.h"

#define NO_LOG(x) \
    {             \
        x, NAN    \
    }
#define BOTH(x, in_log) \
    {                   \
        x, in_log       \
    }
#define ONLY_LOG(in_log) \
    {                    \
        NAN, in_log      \
    }

/* Rows of one set and score. */
#define SCORED(set, score, auroc, aupr, fpr)                  \
    {set, score, "AUROC", auroc}, {set, score, "AUPR", aupr}, \
    {                                                         \
        set, score, "FPR95", fpr                              \
    }

#define NOTHING(x) \
    {              \
        NAN, NAN   \
    }

/* Named by the system and by how its threshold is chosen. */
#define SYSTEM(set, rule, COLUMNS, threshold, detection, accepted, precision, recall, f1)         \
    {set, rule, "threshold", COLUMNS(threshold)}, {set, rule, "ID or OOD", COLUMNS(detection)},   \
        {set, rule, "accepted", COLUMNS(accepted)}, {set, rule, "precision", COLUMNS(precision)}, \
        {set, rule, "recall", COLUMNS(recall)},                                                   \
    {                                                                                             \
        set, rule, "F1", COLUMNS(f1)                                                              \
    }
#define GRID(set, ...) SYSTEM(set, "grid on test rows", NO_LOG, __VA_ARGS__)
#define HELD_OUT(set)  SYSTEM(set, "held-out half", NOTHING, 0, 0, 0, 0, 0, 0)

/* A block is 1000 iterations; those after blocks 3, 10 and 66 come right after the training images had their turn. */
#define LOG(ROW)                        \
    ROW(1, .524, .9426, .8158, .4042)   \
    ROW(2, .738, .9181, .8783, .5406)   \
    ROW(3, .298, .0007, .2975, .1500)   \
    ROW(9, .9065, .9916, .9568, .7566)  \
    ROW(10, .483, .0014, .4896, .1550)  \
    ROW(12, .928, .9796, .9660, .8785)  \
    ROW(22, .9345, .9950, .9574, .9288) \
    ROW(44, .9335, .9982, .9512, .9496) \
    ROW(66, .9173, .6516, .8410, .5974)
#define LOG_ROWS(block, accuracy, gaussian, tim, svhn)                                         \
    {"degeneralised, block " #block, "-", "accuracy", ONLY_LOG(accuracy)},                     \
        {"degeneralised, block " #block ", Gaussian", "entropy", "AUROC", ONLY_LOG(gaussian)}, \
        {"degeneralised, block " #block ", TIM", "entropy", "AUROC", ONLY_LOG(tim)},           \
        {"degeneralised, block " #block ", SVHN", "entropy", "AUROC", ONLY_LOG(svhn)},

const dn_published dn__published_mi[DN_MI_PUBLISHED] = {
    {"plain", "-", "accuracy", NO_LOG(.9415)},
    {"plain", "-", "members' mean accuracy", NO_LOG(.92127)},
    {"plain", "-", "worst member", NO_LOG(.9182)},
    {"plain", "-", "best member", NO_LOG(.9244)},
    SCORED("plain, TIM", "p", NO_LOG(.9266), NO_LOG(.9073), NO_LOG(.2497)),
    SCORED("plain, TIM", "entropy", NO_LOG(.9359), NO_LOG(.9227), NO_LOG(.2477)),
    SCORED("plain, TIM", "MI", NO_LOG(.9326), NO_LOG(.9177), NO_LOG(.2496)),
    {"plain, ID", "p", "mean", NO_LOG(.94906837)},
    {"plain, TIM", "p", "mean", NO_LOG(.6330205)},
    {"plain, ID", "entropy", "mean", NO_LOG(.12493621)},
    {"plain, TIM", "entropy", "mean", NO_LOG(.8959903)},
    {"plain, ID", "MI", "mean", NO_LOG(.096149355)},
    {"plain, TIM", "MI", "mean", NO_LOG(.6842741)},
    {"degeneralised", "-", "accuracy", BOTH(.9274, .9279)},
    {"degeneralised", "-", "members' mean accuracy", BOTH(.87754, .87337)},
    {"degeneralised", "-", "worst member", BOTH(.8327, .8354)},
    {"degeneralised", "-", "best member", BOTH(.9094, .9070)},
    SCORED("degeneralised, TIM", "p", BOTH(.9339, .9406), BOTH(.9258, .9340), BOTH(.2446, .2249)),
    SCORED("degeneralised, TIM", "entropy", BOTH(.9488, .9540), BOTH(.9448, .9510), BOTH(.2239, .2039)),
    SCORED("degeneralised, TIM", "MI", BOTH(.9482, .9521), BOTH(.9460, .9504), BOTH(.2393, .2190)),
    {"degeneralised, SVHN", "p", "AUROC", ONLY_LOG(.9373)},
    {"degeneralised, SVHN", "p", "FPR95", ONLY_LOG(.2021)},
    {"degeneralised, SVHN", "entropy", "AUROC", ONLY_LOG(.9476)},
    {"degeneralised, SVHN", "entropy", "FPR95", ONLY_LOG(.1891)},
    {"degeneralised, SVHN", "MI", "AUROC", ONLY_LOG(.9571)},
    {"degeneralised, SVHN", "MI", "FPR95", ONLY_LOG(.1968)},
    {"degeneralised, Gaussian", "entropy", "AUROC", ONLY_LOG(.9922)},
    {"degeneralised, ID", "p", "mean", BOTH(.8900021, .885)},
    {"degeneralised, TIM", "p", "mean", BOTH(.476109, .451)},
    {"degeneralised, ID", "entropy", "mean", BOTH(.3204154, .340)},
    {"degeneralised, TIM", "entropy", "mean", BOTH(1.40956, 1.481)},
    {"degeneralised, ID", "MI", "mean", BOTH(.16668713, .180)},
    {"degeneralised, TIM", "MI", "mean", BOTH(.8702489, .925)},
    GRID("plain alone, TIM", .24024024, .86035, 9007, .89241701, .8038, .84579369),
    GRID("degeneralised alone, TIM", .77977978, .87885, 9345, .88271803, .8249, .85283017),
    GRID("combined, TIM", .77977978, .87885, 9345, .88689139, .8288, .85686223),
    HELD_OUT("plain alone, TIM"),
    HELD_OUT("degeneralised alone, TIM"),
    HELD_OUT("combined, TIM"),
    LOG(LOG_ROWS)};

#define LOG_POINT(block, accuracy, gaussian, tim, svhn) {block, accuracy, gaussian, tim, svhn},
const dn_logged dn__logged_mi[DN_MI_LOGGED] = {LOG(LOG_POINT)};
