#include "ood/moments.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "ood/class_list.h"
#include "ood/device_gram.h"
#include "ood/linear_algebra.h"
#include "ood/method.h"

enum {
    STRIPE = 64,              /* columns that one thread sums */
    WORTH_THREADS = 1 << 15,  /* numbers from which on threads pay */
    BUFFER_NUMBERS = 1 << 21, /* centred numbers per product: 16 MiB */
    BUFFER_ROWS_LEAST = 256   /* few rows make slow products */
};

/** What the two walks share. */
typedef struct pass {
    dn__moments *moments;
    double *pivot;           /* [C,D] the first row of each class */
    double *buffer;          /* [capacity,D] centred rows */
    size_t capacity, filled; /* rows */
    dn__device_gram *device; /* computes products for this CPU; NULL: BLAS does */
} pass;

static size_t class_of(const dn__moments *m, const dn_score_rows *in, size_t row)
{
    return m->labelled ? (size_t)in->labels[row] : 0;
}

/* ---- first walk: means ---- */

static dn_status allocate(pass *p, const dn_score_rows *in)
{
    dn__moments *m = p->moments;
    m->labelled = in->labels != NULL;
    m->classes = m->labelled ? in->columns : 1;
    m->number = dn_calloc(m->classes, sizeof *m->number);
    m->count = dn_calloc(m->classes, sizeof *m->count);
    m->class_mean = dn_calloc(m->classes, m->dim * sizeof *m->class_mean);
    m->mean = dn_calloc(m->dim, sizeof *m->mean);
    m->within = dn_calloc(m->dim, m->dim * sizeof *m->within);
    p->pivot = dn_calloc(m->classes, m->dim * sizeof *p->pivot);
    if (!m->number || !m->count || !m->class_mean || !m->mean || !m->within || !p->pivot) return DN_ERROR_MEMORY;
    for (size_t c = 0; c < m->classes; c++) m->number[c] = in->classes ? in->classes[c] : (int32_t)c;
    return DN_OK;
}

/** Sums differences to the class's first row, which stay small and are exactly 0 for a constant feature. */
static dn_status add_to_means(void *context, const dn_score_rows *in, size_t first)
{
    pass *p = context;
    dn__moments *m = p->moments;
    const size_t d = m->dim;
    if (first == 0) DN_TRY(allocate(p, in));
    for (size_t r = 0; r < in->rows; r++) {
        const size_t c = class_of(m, in, r);
        if (m->count[c]++ == 0) memcpy(p->pivot + c * d, in->features + r * d, d * sizeof *p->pivot);
    }
#pragma omp parallel for schedule(static) if (in->rows * d > WORTH_THREADS)
    for (size_t from = 0; from < d; from += STRIPE) {
        const size_t end = d - from < STRIPE ? d : from + STRIPE;
        for (size_t r = 0; r < in->rows; r++) {
            const size_t c = class_of(m, in, r);
            const double *x = in->features + r * d, *pivot = p->pivot + c * d;
            double *sum = m->class_mean + c * d;
            for (size_t j = from; j < end; j++) sum[j] += x[j] - pivot[j];
        }
    }
    return DN_OK;
}

static void finish_means(const pass *p)
{
    dn__moments *m = p->moments;
    const size_t d = m->dim;
    const double *reference = NULL; /* the mean of the first class with rows; differences to it, for the same reason */
    for (size_t c = 0; c < m->classes; c++) {
        double *mean = m->class_mean + c * d;
        if (m->count[c] == 0) continue;
        for (size_t j = 0; j < d; j++) mean[j] = p->pivot[c * d + j] + mean[j] / (double)m->count[c];
        if (!reference) reference = mean;
        const double share = (double)m->count[c] / (double)m->rows;
        for (size_t j = 0; j < d; j++) m->mean[j] += share * (mean[j] - reference[j]);
    }
    for (size_t j = 0; reference && j < d; j++) m->mean[j] += reference[j];
}

/* ---- second walk: covariance ---- */

static dn_status flush(pass *p)
{
    const size_t rows = p->filled;
    p->filled = 0;
    if (p->device) return dn__device_gram_add(p->moments->within, p->device, p->buffer, rows);
    dn__add_gram(p->moments->within, p->buffer, rows, p->moments->dim);
    return DN_OK;
}

static dn_status add_to_covariance(void *context, const dn_score_rows *in, size_t first)
{
    (void)first;
    pass *p = context;
    const dn__moments *m = p->moments;
    const size_t d = m->dim;
    for (size_t done = 0; done < in->rows;) {
        const size_t left = in->rows - done, room = p->capacity - p->filled, some = left < room ? left : room;
        double *to = p->buffer + p->filled * d;
#pragma omp parallel for schedule(static) if (some * d > WORTH_THREADS)
        for (size_t r = 0; r < some; r++) {
            const double *x = in->features + (done + r) * d, *mean = m->class_mean + class_of(m, in, done + r) * d;
            for (size_t j = 0; j < d; j++) to[r * d + j] = x[j] - mean[j];
        }
        done += some;
        p->filled += some;
        if (p->filled == p->capacity) DN_TRY(flush(p));
    }
    return DN_OK;
}

static dn_status compute(pass *p, dn_fit *fit)
{
    dn__moments *m = p->moments;
    const unsigned needs = DN_NEEDS_FIT_FEATURES | DN_NEEDS_FIT_LABELS; /* without labels, there are simply none */
    m->rows = dn_fit_rows(fit);
    m->dim = dn_fit_dim(fit);
    DN_TRY(dn_fit_walk(fit, needs, add_to_means, p));
    finish_means(p);
    p->capacity = BUFFER_NUMBERS / m->dim > BUFFER_ROWS_LEAST ? BUFFER_NUMBERS / m->dim : BUFFER_ROWS_LEAST;
    if (p->capacity > m->rows) p->capacity = m->rows;
    p->buffer = dn_calloc(p->capacity, m->dim * sizeof *p->buffer);
    if (!p->buffer) return DN_ERROR_MEMORY;
    if (dn_fit_device(fit)) DN_TRY(dn__device_gram_open(&p->device, dn_fit_device(fit), p->capacity, m->dim));
    DN_TRY(dn_fit_walk(fit, needs, add_to_covariance, p));
    DN_TRY(flush(p));
    for (size_t i = 0; i < m->dim; i++) {
        for (size_t j = i; j < m->dim; j++) m->within[i * m->dim + j] /= (double)m->rows;
    }
    return DN_OK;
}

/* ---- the shared part ---- */

static void close_moments(void *part)
{
    dn__moments *m = part;
    if (!m) return;
    dn_free(m->number);
    dn_free(m->count);
    dn_free(m->class_mean);
    dn_free(m->mean);
    dn_free(m->within);
    dn_free(m);
}

static dn_status make_moments(void **part, dn_fit *fit)
{
    dn__moments *m = dn_calloc(1, sizeof *m);
    if (!m) return DN_ERROR_MEMORY;
    pass p = {.moments = m};
    const dn_status status = compute(&p, fit);
    dn_free(p.pivot);
    dn_free(p.buffer);
    dn__device_gram_close(p.device);
    if (status == DN_OK)
        *part = m;
    else
        close_moments(m);
    return status;
}

dn_status dn__moments_get(const dn__moments **out, dn_fit *fit)
{
    static const dn_fit_part moments = {"means and covariance", make_moments, close_moments};
    const void *part;
    DN_TRY(dn_fit_get(&part, fit, &moments));
    *out = part;
    return DN_OK;
}

/* ---- what is made of them ---- */

dn_status dn__moments_total(double *to, const dn__moments *m)
{
    const size_t d = m->dim;
    double *between = dn_calloc(m->classes, d * sizeof *between); /* sqrt(n_c / M) (mu_c - m) */
    if (!between) return DN_ERROR_MEMORY;
    for (size_t c = 0; c < m->classes; c++) {
        const double weight = sqrt((double)m->count[c] / (double)m->rows);
        for (size_t j = 0; j < d; j++) between[c * d + j] = weight * (m->class_mean[c * d + j] - m->mean[j]);
    }
    memcpy(to, m->within, d * d * sizeof *to);
    dn__add_gram(to, between, m->classes, d);
    dn_free(between);
    return DN_OK;
}

void dn__moments_note_empty(dn_fit *fit, const dn__moments *m)
{
    char empty[DN__CLASS_LIST];
    const size_t count = dn__class_list(empty, m->number, m->count, m->classes, 1);
    if (count > 0) {
        dn_fit_note(fit, "%s %s no fit rows and %s skipped", empty, count > 1 ? "have" : "has",
                    count > 1 ? "are" : "is");
    }
}
