/* Mutual information between prediction and member, images over threads. The reference takes every ln p from its logits
 * again; here ln p of one image's members lies in scratch memory, so that the work is E C and not E C^2 for an image.
 */
#include <math.h>

#include "core/cpu/tuned.h"

size_t dn__tuned_information_workspace(const dn_call *shapes)
{
    const int logits = shapes->op->kind == DN_OP_MUTUAL_INFORMATION ? 0 : 1;
    const size_t classes = (size_t)dn__last(shapes->in_info[logits]);
    return (size_t)shapes->threads * ((size_t)shapes->members + 1) * classes * sizeof(double);
}

/* This part's scratch memory: ln p [E,C], then ln m [C]. */
static double *scratch_of(const dn_call *call, int64_t classes, int part)
{
    return (double *)call->workspace + (int64_t)part * (call->members + 1) * classes;
}

static void log_softmax(double *out, const float *z, int64_t classes)
{
    double largest = z[0], sum = 0;
    for (int64_t c = 1; c < classes; c++) largest = z[c] > largest ? z[c] : largest;
    for (int64_t c = 0; c < classes; c++) sum += exp(z[c] - largest);
    const double total = largest + log(sum);
    for (int64_t c = 0; c < classes; c++) out[c] = z[c] - total;
}

/* Fills ln p and ln m of image n; the mean is taken from logarithms, so that a small p does not become 0 on the way. */
static void fill(const dn_call *call, int input, int64_t n, int64_t classes, double *log_p)
{
    double *log_mean = log_p + call->members * classes;
    for (int e = 0; e < call->members; e++) {
        const char *logits = (const char *)call->in[input] + (size_t)e * call->in_stride[input];
        log_softmax(log_p + e * classes, (const float *)(const void *)logits + n * classes, classes);
    }
    for (int64_t c = 0; c < classes; c++) {
        double largest = -INFINITY, sum = 0;
        for (int e = 0; e < call->members; e++)
            if (!(log_p[e * classes + c] <= largest)) largest = log_p[e * classes + c];
        for (int e = 0; e < call->members; e++) sum += exp(log_p[e * classes + c] - largest);
        log_mean[c] = largest + log(sum / call->members);
    }
}

static void information_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)context;
    const int64_t classes = dn__last(call->in_info[0]), terms = classes * call->members;
    double *log_p = scratch_of(call, classes, part), *log_mean = log_p + terms;
    for (int64_t n = first; n < last; n++) {
        fill(call, 0, n, classes, log_p);
        double sum = 0;
        for (int64_t i = 0; i < terms; i++) {
            const double p = exp(log_p[i]);
            if (p != 0) sum += p * (log_p[i] - log_mean[i % classes]);
        }
        ((float *)call->out[0])[n] = (float)(sum <= 0 ? 0 : sum / call->members);
    }
}

void dn__tuned_mutual_information(const dn_call *call)
{
    const int64_t rows = dn__count(call->out_info[0]);
    dn__split(call, rows, 32 * dn__last(call->in_info[0]) * call->members, information_part, NULL);
}

/* With g_ec = (ln p_ec - ln m_c) / E: dz_ec = dMI p_ec (g_ec - sum_k p_ek g_ek). */
static void gradient_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)context;
    const int64_t classes = dn__last(call->in_info[1]);
    double *all = scratch_of(call, classes, part), *log_mean = all + call->members * classes;
    for (int64_t n = first; n < last; n++) {
        const double gradient = ((const float *)call->in[0])[n] / (double)call->members;
        fill(call, 1, n, classes, all);
        for (int e = 0; e < call->members; e++) {
            const double *log_p = all + e * classes;
            char *out = (char *)call->out[0] + (size_t)e * call->out_stride[0];
            float *dz = (float *)(void *)out + n * classes; /* [C] */
            double dot = 0;
            for (int64_t c = 0; c < classes; c++) dot += exp(log_p[c]) * (log_p[c] - log_mean[c]);
            for (int64_t c = 0; c < classes; c++)
                dz[c] = (float)(gradient * exp(log_p[c]) * (log_p[c] - log_mean[c] - dot));
        }
    }
}

void dn__tuned_mutual_information_grad(const dn_call *call)
{
    const int64_t rows = dn__count(call->in_info[0]);
    dn__split(call, rows, 32 * dn__last(call->in_info[1]) * call->members, gradient_part, NULL);
}
