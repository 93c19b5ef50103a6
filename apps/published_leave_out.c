/* The figures of leave-out classifiers: Vyas et al., ECCV 2018, and the public implementation's README. The paper moves
 * images against the gradient of the entropy, the implementation against that of the cross entropy, so that each has
 * rows of its own. */
#include <math.h>

#include "apps/published_ensembles.h"

#define PERCENT(x) ((x) / 100.0)
#define FIVE(set, gradient, fpr, error, auroc, in, out, COLUMNS)                                \
    {set, gradient, "FPR95", COLUMNS(fpr)}, {set, gradient, "detection error", COLUMNS(error)}, \
        {set, gradient, "AUROC", COLUMNS(auroc)}, {set, gradient, "AUPR in", COLUMNS(in)},      \
    {                                                                                           \
        set, gradient, "AUPR out", COLUMNS(out)                                                 \
    }
#define BY_PAPER(x)     \
    {                   \
        PERCENT(x), NAN \
    }
#define BY_CODE(x)      \
    {                   \
        NAN, PERCENT(x) \
    }
#define PAPER(set, ...) FIVE(set, "entropy gradient", __VA_ARGS__, BY_PAPER)
#define CODE(set, ...)  FIVE(set, "CE gradient", __VA_ARGS__, BY_CODE)

/* Images that stand in for the published ones: rows beside them, with nothing published. */
#define NOTHING(x) \
    {              \
        NAN, NAN   \
    }
#define OTHER(set)                                                     \
    FIVE(set ", other images", "CE gradient", 0, 0, 0, 0, 0, NOTHING), \
        FIVE(set ", other images", "entropy gradient", 0, 0, 0, 0, 0, NOTHING)

/* FPR95, detection error, AUROC, AUPR in, AUPR out, in percent. */
const dn_published dn__published_dn10[DN_LEAVE_OUT_PUBLISHED] = {
    CODE("TIN crop", 1.48, 2.79, 99.66, 99.67, 99.66),
    PAPER("TIN crop", 1.23, 2.63, 99.65, 99.68, 99.64),
    OTHER("TIN crop"),
    CODE("TIN resize", 2.58, 3.63, 99.45, 99.48, 99.46),
    PAPER("TIN resize", 2.93, 3.84, 99.34, 99.37, 99.32),
    OTHER("TIN resize"),
    CODE("LSUN crop", 3.70, 4.32, 99.27, 99.32, 99.26),
    PAPER("LSUN crop", 3.42, 4.12, 99.25, 99.29, 99.24),
    CODE("LSUN resize", 1.58, 2.69, 99.67, 99.68, 99.68),
    PAPER("LSUN resize", 0.77, 2.1, 99.75, 99.77, 99.73),
};

const dn_published dn__published_dn100[DN_LEAVE_OUT_PUBLISHED] = {
    CODE("TIN crop", 4.78, 4.86, 99.00, 99.05, 99.00),
    PAPER("TIN crop", 8.29, 6.27, 98.43, 98.58, 98.3),
    OTHER("TIN crop"),
    CODE("TIN resize", 12.09, 7.63, 97.80, 98.01, 97.66),
    PAPER("TIN resize", 20.52, 9.98, 96.27, 96.66, 95.82),
    OTHER("TIN resize"),
    CODE("LSUN crop", 11.67, 7.58, 97.87, 98.00, 97.81),
    PAPER("LSUN crop", 14.69, 8.46, 97.37, 97.62, 97.18),
    CODE("LSUN resize", 9.30, 6.44, 98.21, 98.42, 97.96),
    PAPER("LSUN resize", 16.23, 8.77, 97.03, 97.37, 96.6),
};

const dn_published dn__published_wrn10[DN_LEAVE_OUT_PUBLISHED] = {
    CODE("TIN crop", 2.08, 3.48, 99.55, 99.57, 99.54),
    PAPER("TIN crop", 0.82, 2.24, 99.75, 99.77, 99.75),
    OTHER("TIN crop"),
    CODE("TIN resize", 4.29, 4.62, 99.15, 99.17, 99.17),
    PAPER("TIN resize", 2.94, 3.83, 99.36, 99.4, 99.36),
    OTHER("TIN resize"),
    CODE("LSUN crop", 4.65, 4.71, 99.07, 99.17, 99.02),
    PAPER("LSUN crop", 1.93, 3.24, 99.55, 99.57, 99.55),
    CODE("LSUN resize", 3.25, 3.92, 99.39, 99.37, 99.43),
    PAPER("LSUN resize", 0.88, 2.52, 99.7, 99.72, 99.68),
};

const dn_published dn__published_wrn100[DN_LEAVE_OUT_PUBLISHED] = {
    CODE("TIN crop", 8.75, 6.51, 98.30, 98.48, 98.11),
    PAPER("TIN crop", 9.17, 6.67, 98.22, 98.39, 98.07),
    OTHER("TIN crop"),
    CODE("TIN resize", 21.09, 10.00, 96.13, 96.63, 95.27),
    PAPER("TIN resize", 24.53, 11.64, 95.18, 95.5, 94.78),
    OTHER("TIN resize"),
    CODE("LSUN crop", 15.55, 8.51, 97.25, 97.49, 97.09),
    PAPER("LSUN crop", 14.22, 8.2, 97.38, 97.62, 97.16),
    CODE("LSUN resize", 15.16, 7.95, 97.19, 97.64, 96.35),
    PAPER("LSUN resize", 16.53, 9.14, 96.77, 97.03, 96.41),
};
