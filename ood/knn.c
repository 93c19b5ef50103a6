#include "core/alloc.h"
#include "ood/methods.h"
#include "ood/neighbours.h"

static void close_knn(void *state)
{
    dn__nearness_clear(state);
    dn_free(state);
}

/** options: k */
static dn_status fit_knn(void **state, dn_fit *fit, const double *option)
{
    DN_TRY(dn__neighbours_check("knn", option[0], fit));
    const dn__bank *bank = NULL;
    DN_TRY(dn__bank_get(&bank, fit));
    dn__nearness *by = dn_calloc(1, sizeof *by);
    if (!by) return DN_ERROR_MEMORY;
    const dn_status status = dn__nearness_init(by, bank, NULL);
    if (status != DN_OK) {
        dn_free(by);
        return status;
    }
    *state = by;
    return DN_OK;
}

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    return dn__kth_distances(scores, by->state, in->features, in->rows, (size_t)by->option[0], space);
}

const dn_method dn__method_knn = {
    .name = "knn",
    .text = "distance to the k-th nearest fit row, features divided by their norms",
    .source = "Sun, Ming, Zhu and Li, Out-of-Distribution Detection with Deep Nearest Neighbors, ICML 2022",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_FEATURES | DN_NEEDS_FIT_FEATURES,
    .layered = true,
    .option_count = 1,
    .option = {{.name = "k", .text = "which neighbour", .standard = 50, .low = 1, .high = 1e9, .integer = true}},
    .fit = fit_knn,
    .close = close_knn,
    .score.single = score,
};
