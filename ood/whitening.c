#include "ood/whitening.h"

#include <string.h>

#include "core/alloc.h"
#include "ood/linear_algebra.h"
#include "ood/moments.h"
#include "ood/projection.h"

static void close_whitening(void *part)
{
    dn__whitening *w = part;
    if (!w) return;
    dn_free(w->factor);
    dn_free(w->mean);
    dn_free(w->square);
    dn_free(w);
}

/** Puts the means of the classes that have rows in a row. @return how many there are */
static size_t gather_means(double *to, const dn__moments *m)
{
    size_t count = 0;
    for (size_t c = 0; c < m->classes; c++) {
        if (m->count[c] == 0) continue;
        memcpy(to + count++ * m->dim, m->class_mean + c * m->dim, m->dim * sizeof *to);
    }
    return count;
}

static dn_status whiten_means(dn__whitening *w, const dn__moments *m)
{
    double *means = dn_calloc(m->classes, m->dim * sizeof *means);
    if (!means) return DN_ERROR_MEMORY;
    w->classes = gather_means(means, m);
    w->mean = dn_calloc(w->classes, w->rank * sizeof *w->mean);
    w->square = dn_calloc(w->classes, sizeof *w->square);
    if (w->mean && w->square) {
        dn__centre(means, means, w->classes, m->dim, m->mean, NULL);
        dn__multiply_transposed(w->mean, means, w->factor, w->classes, w->rank, m->dim, 1.0, 0.0);
        for (size_t c = 0; c < w->classes; c++) w->square[c] = dn__square(w->mean + c * w->rank, w->rank);
    }
    dn_free(means);
    return w->mean && w->square ? DN_OK : DN_ERROR_MEMORY;
}

static dn_status compute(dn__whitening *w, dn_fit *fit)
{
    const dn__moments *m;
    DN_TRY(dn__moments_get(&m, fit));
    if (!m->labelled) return dn_fail(DN_ERROR_ARGUMENT, "class means need the fit set's labels, and there are none");
    dn__moments_note_empty(fit, m);
    w->dim = m->dim;
    w->centre = m->mean;
    w->factor = dn_calloc(m->dim, m->dim * sizeof *w->factor);
    if (!w->factor) return DN_ERROR_MEMORY;
    memcpy(w->factor, m->within, m->dim * m->dim * sizeof *w->factor);
    DN_TRY(dn__pseudo_inverse_factor(&w->rank, w->factor, m->dim));
    return whiten_means(w, m);
}

static dn_status make_whitening(void **part, dn_fit *fit)
{
    dn__whitening *w = dn_calloc(1, sizeof *w);
    if (!w) return DN_ERROR_MEMORY;
    const dn_status status = compute(w, fit);
    if (status == DN_OK)
        *part = w;
    else
        close_whitening(w);
    return status;
}

dn_status dn__whitening_get(const dn__whitening **out, dn_fit *fit)
{
    static const dn_fit_part whitening = {"inverse covariance within classes", make_whitening, close_whitening};
    const void *part;
    DN_TRY(dn_fit_get(&part, fit, &whitening));
    *out = part;
    return DN_OK;
}

/** @param product [classes] -2 g . mean_c @return the class with the least -2 g . mean_c + |mean_c|^2, the first of
 *  equals */
static size_t nearest(const double *product, const double *square, size_t classes)
{
    size_t best = 0;
    for (size_t c = 1; c < classes; c++) {
        if (product[c] + square[c] < product[best] + square[best]) best = c;
    }
    return best;
}

/* One matrix product finds the nearest class, by |g - mean|^2 = |g|^2 - 2 g . mean + |mean|^2. Its distance is computed
 * once more as it stands, without that form's cancellation. */
dn_status dn__whitening_nearest(double *distance, double **offset, const dn_score_rows *in, const dn__whitening *w,
                                dn_workspace *space)
{
    const size_t rank = w->rank, classes = w->classes;
    double *g = dn_workspace_doubles(space, in->rows * rank);
    double *product = dn_workspace_doubles(space, in->rows * classes);
    if (!g || !product) return DN_ERROR_MEMORY;
    DN_TRY(dn__project(g, in->features, in->rows, w->dim, w->centre, w->factor, rank, space));
    dn__multiply_transposed(product, g, w->mean, in->rows, classes, rank, -2.0, 0.0);
    for (size_t r = 0; r < in->rows; r++) {
        const double *mean = w->mean + nearest(product + r * classes, w->square, classes) * rank;
        double *row = g + r * rank;
        for (size_t j = 0; j < rank; j++) row[j] -= mean[j];
        distance[r] = dn__square(row, rank);
    }
    if (offset) *offset = g;
    return DN_OK;
}
