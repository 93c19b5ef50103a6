#include "apps/grid_threshold.h"

static size_t count_below(const double *scores, size_t n, double threshold)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += scores[i] < threshold;
    return count;
}

double dn_grid_threshold(const double *id, size_t n_id, const double *ood, size_t n_ood, size_t points)
{
    const double step = 1.0 / (double)(points - 1);
    double best = 0.0;
    size_t most = 0;
    for (size_t i = 0; i < points; i++) {
        const double threshold = i == points - 1 ? 1.0 : (double)i * step; /* as numpy.linspace rounds them */
        const size_t right = count_below(id, n_id, threshold) + n_ood - count_below(ood, n_ood, threshold);
        if (right < most) continue;
        most = right;
        best = threshold;
    }
    return best;
}
