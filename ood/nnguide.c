#include "core/alloc.h"
#include "ood/methods.h"
#include "ood/neighbours.h"
#include "ood/probability.h"

typedef struct nnguide {
    double *energy; /* [M] LSE(zf) of the bank's rows */
    dn__nearness by;
} nnguide;

static void close_nnguide(void *state)
{
    nnguide *g = state;
    dn__nearness_clear(&g->by);
    dn_free(g->energy);
    dn_free(g);
}

static dn_status add_rows(void *context, const dn_score_rows *rows, size_t first)
{
    double *energy = context;
    for (size_t r = 0; r < rows->rows; r++) {
        energy[first + r] = dn__log_sum_exp(rows->logits + r * rows->columns, rows->columns, 1.0);
    }
    return DN_OK;
}

static dn_status fill(nnguide *g, dn_fit *fit)
{
    g->energy = dn_calloc(dn_fit_rows(fit), sizeof *g->energy);
    if (!g->energy) return DN_ERROR_MEMORY;
    DN_TRY(dn_fit_walk(fit, DN_NEEDS_FIT_LOGITS, add_rows, g->energy));
    const dn__bank *bank = NULL;
    DN_TRY(dn__bank_get(&bank, fit));
    return dn__nearness_init(&g->by, bank, g->energy);
}

/** options: k */
static dn_status fit_nnguide(void **state, dn_fit *fit, const double *option)
{
    DN_TRY(dn__neighbours_check("nnguide", option[0], fit));
    nnguide *g = dn_calloc(1, sizeof *g);
    if (!g) return DN_ERROR_MEMORY;
    const dn_status status = fill(g, fit);
    if (status != DN_OK) {
        close_nnguide(g);
        return status;
    }
    *state = g;
    return DN_OK;
}

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    const nnguide *g = by->state;
    DN_TRY(dn__mean_largest(scores, &g->by, in->features, in->rows, (size_t)by->option[0], space));
    for (size_t r = 0; r < in->rows; r++) {
        scores[r] *= -dn__log_sum_exp(in->logits + r * in->columns, in->columns, 1.0);
    }
    return DN_OK;
}

const dn_method dn__method_nnguide = {
    .name = "nnguide",
    .text = "-LSE(z) times the mean of the k largest cosines to fit rows, each times its LSE(zf)",
    .source = "Park, Jung and Teoh, Nearest Neighbor Guidance for Out-of-Distribution Detection, ICCV 2023",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS | DN_NEEDS_FEATURES | DN_NEEDS_FIT_LOGITS | DN_NEEDS_FIT_FEATURES,
    .option_count = 1,
    .option = {{.name = "k", .text = "neighbours", .standard = 10, .low = 1, .high = 1e9, .integer = true}},
    .fit = fit_nnguide,
    .close = close_nnguide,
    .score.single = score,
};
