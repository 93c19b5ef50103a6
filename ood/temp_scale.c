#include <math.h>

#include "core/alloc.h"
#include "ood/methods.h"
#include "ood/planes.h"

/* The inverse temperature b = 1/T minimises f(b) = mean over fit rows of ln sum exp(b z) - b z_y. f is convex: its
 * slope, mean of E_p[z] - z_y under p = softmax(b z), grows with b, and the root of the slope is bracketed. */
static const double b_low = 1e-3, b_high = 1e3, precision = 1e-10;

/** f's slope and curvature at 1 / temperature, summed over the rows seen. */
typedef struct slope_at {
    double temperature, slope, curvature;
    dn_workspace *space;
} slope_at;

static dn_status add_rows(void *context, const dn_score_rows *rows, size_t first)
{
    (void)first;
    slope_at *at = context;
    dn__softmax_planes p;
    DN_TRY(dn__softmax_of(&p, rows, at->temperature, at->space));
    const size_t n = rows->rows, columns = rows->columns;
    for (size_t r = 0; r < n; r++) {
        /* Of z - top: the largest logits cancel before they are multiplied by anything. */
        const double own = rows->logits[r * columns + (size_t)rows->labels[r]] - p.top[r], sum = 1.0 + p.others[r];
        double mean = 0.0, square = 0.0;
        for (size_t c = 0; c < columns; c++) {
            const double z = rows->logits[r * columns + c] - p.top[r], weight = p.e[c * n + r] / sum;
            if (weight > 0.0) mean += weight * z;
            if (weight > 0.0) square += weight * z * z;
        }
        at->slope += mean - own;
        at->curvature += square - mean * mean;
    }
    dn_workspace_release(at->space, 0);
    return DN_OK;
}

static dn_status find_slope(slope_at *at, dn_fit *fit, double b)
{
    at->temperature = 1.0 / b;
    at->slope = at->curvature = 0.0;
    return dn_fit_walk(fit, DN_NEEDS_FIT_LOGITS | DN_NEEDS_FIT_LABELS, add_rows, at);
}

/** Newton's method inside a bracket; a step that leaves it becomes a bisection of the exponents.
 *  @param b receives the inverse temperature */
static dn_status search(double *b, dn_fit *fit, dn_workspace *space)
{
    slope_at at = {.space = space};
    double low = b_low, high = b_high;
    *b = high;
    DN_TRY(find_slope(&at, fit, high));
    if (at.slope <= 0.0) return DN_OK;
    *b = low;
    DN_TRY(find_slope(&at, fit, low));
    if (at.slope >= 0.0) return DN_OK;
    *b = 1.0;
    while (high - low > precision * low) {
        DN_TRY(find_slope(&at, fit, *b));
        if (at.slope == 0.0) return DN_OK;
        *(at.slope < 0.0 ? &low : &high) = *b;
        const double step = at.slope / at.curvature, next = *b - step;
        if (fabs(step) <= precision * *b) return DN_OK;
        *b = next > low && next < high ? next : sqrt(low * high);
    }
    return DN_OK;
}

static dn_status fit_temperature(void **state, dn_fit *fit, const double *option)
{
    (void)option;
    double *temperature = dn_calloc(1, sizeof *temperature), b = 1.0;
    dn_workspace *space = NULL;
    *state = temperature;
    if (!temperature) return DN_ERROR_MEMORY;
    dn_status status = dn_workspace_open(&space);
    if (status == DN_OK) status = search(&b, fit, space);
    dn_workspace_close(space);
    *temperature = 1.0 / b;
    return status;
}

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    const double *temperature = by->state;
    dn__softmax_planes p;
    DN_TRY(dn__softmax_of(&p, in, *temperature, space));
    dn__softmax_rest(scores, &p);
    return DN_OK;
}

const dn_method dn__method_temp_scale = {
    .name = "temp_scale",
    .text = "1 - max softmax(z / T), T fitted to the labels: least mean -ln p_y, 1/T from 1e-3 to 1e3",
    .source = "Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural Networks, ICML 2017",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS | DN_NEEDS_FIT_LOGITS | DN_NEEDS_FIT_LABELS,
    .fit = fit_temperature,
    .close = dn_free,
    .score.single = score,
};
