#include "core/alloc.h"
#include "ood/correct_means.h"
#include "ood/methods.h"
#include "ood/probability.h"
#include "ood/row.h"

enum { RULE, EPS, OPTIONS }; /* option numbers */
enum { RULE_PREDICTED, RULE_MAX };
static const char *const rules[] = {"predicted", "max", NULL};

static void close_she(void *state)
{
    dn__correct_means_clear(state);
    dn_free(state);
}

static dn_status fit_she(void **state, dn_fit *fit, const double *option)
{
    (void)option;
    dn__correct_means *means = dn_calloc(1, sizeof *means);
    if (!means) return DN_ERROR_MEMORY;
    const dn_status status = dn__correct_means_init(means, fit, false);
    if (status != DN_OK) {
        dn_free(means);
        return status;
    }
    dn__correct_means_note(fit, means, 1, "she takes 0 for the mean");
    *state = means;
    return DN_OK;
}

/** @return the class whose mean the row is compared with; `inner` receives their inner product */
static size_t partner(double *inner, const dn_score_rows *in, size_t r, const dn_fitted *by)
{
    const dn__correct_means *means = by->state;
    const double *f = in->features + r * in->dim;
    if (by->option[RULE] == RULE_PREDICTED) {
        const size_t c = dn__argmax(in->logits + r * in->columns, in->columns);
        *inner = dn__dot(f, means->mean + c * in->dim, in->dim);
        return c;
    }
    size_t best = 0;
    for (size_t c = 0; c < in->columns; c++) {
        const double product = dn__dot(f, means->mean + c * in->dim, in->dim);
        if (c > 0 && product <= *inner) continue;
        *inner = product;
        best = c;
    }
    return best;
}

static double unit(const dn_score_rows *in, const dn_fitted *by)
{
    return by->option[RULE] == RULE_MAX ? (double)in->dim : 1.0;
}

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    (void)space;
    for (size_t r = 0; r < in->rows; r++) {
        double inner = 0.0;
        partner(&inner, in, r, by);
        scores[r] = -inner / unit(in, by);
    }
    return DN_OK;
}

/** That of the class chosen: where the choice changes there is no gradient. */
static dn_status gradient(double *to, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    (void)space;
    const dn__correct_means *means = by->state;
    for (size_t r = 0; r < in->rows; r++) {
        double inner = 0.0;
        const double *mean = means->mean + partner(&inner, in, r, by) * in->dim;
        for (size_t d = 0; d < in->dim; d++) to[r * in->dim + d] = -mean[d] / unit(in, by);
    }
    return DN_OK;
}

const dn_method dn__method_she = {
    .name = "she",
    .text = "minus the inner product with the predicted class's mean over correct fit rows, or the largest one / D",
    .source = "Zhang et al., Out-of-Distribution Detection based on In-Distribution Data Patterns Memorization with "
              "Modern Hopfield Energy, ICLR 2023",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS | DN_NEEDS_FEATURES | DN_NEEDS_FIT_LOGITS | DN_NEEDS_FIT_FEATURES | DN_NEEDS_FIT_LABELS,
    .pass = DN_PASS_SCORE,
    .layered = true,
    .option_count = OPTIONS,
    .option = {[RULE] = {.name = "rule", .text = "which class's mean", .standard = RULE_PREDICTED, .word = rules},
               [EPS] = {.name = "eps",
                        .text = "images are moved so far against the score's gradient, below 0 along it",
                        .low = -1,
                        .high = 1}},
    .fit = fit_she,
    .close = close_she,
    .score.single = score,
    .gradient = gradient,
};
