/** SCALE: each row times exp(s1 / s2), s1 = sum of its entries, s2 = sum of those that ash would keep. */
#include "ood/largest_entries.h"
#include "ood/methods.h"

/** options: p */
static dn_status shape(double *features, size_t rows, size_t dim, const dn_fitted *by, dn_workspace *space)
{
    const size_t mark = dn_workspace_mark(space), kept = dn__entries_kept(dim, by->option[0]);
    double *scratch = dn_workspace_doubles(space, dim);
    if (!scratch) return DN_ERROR_MEMORY;
    for (size_t r = 0; r < rows; r++) {
        double *f = features + r * dim;
        const dn__largest largest = dn__largest_entries(f, dim, kept, scratch);
        const double factor = dn__largest_factor(&largest);
        for (size_t d = 0; d < dim; d++) f[d] *= factor;
    }
    dn_workspace_release(space, mark);
    return DN_OK;
}

const dn_method dn__method_scale = {
    .name = "scale",
    .text = "features times exp(s1 / s2), s1 the sum of a row, s2 the sum without the share p of its smallest",
    .source = "Xu et al., Scaling for Training Time and Post-hoc Out-of-distribution Detection Enhancement, ICLR 2024",
    .kind = DN_METHOD_SHAPING,
    .needs = DN_NEEDS_FEATURES | DN_NEEDS_HEAD,
    .option_count = 1,
    .option = {{.name = "p", .text = "share of entries left out of s2", .standard = .85, .low = 0, .high = 1}},
    .score.shape = shape,
};
