/** Selection by digits. The numbers are gone through four times; each time, 16 bits more of the numbers looked for
 *  become known, from a histogram of the numbers that begin with the bits known already. Memory: 512 KiB for every
 *  number looked for, of which two make a quantile, and neighbours nearly always share theirs. */
#include "ood/quantile.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "ood/method.h"
#include "ood/order_key.h"

enum { DIGIT_BITS = 16, DIGIT_VALUES = 1 << DIGIT_BITS, KEY_BITS = 64, RANKS_MAX = 2 * DN__QUANTILES_MAX };

typedef struct search {
    size_t ranks;             /* numbers looked for */
    uint64_t rank[RANKS_MAX]; /* place in ascending order among those of the group */
    size_t group[RANKS_MAX];  /* which histogram */
    size_t groups;
    uint64_t prefix[RANKS_MAX]; /* [groups] the bits known so far, all different */
    int unknown;                /* bits */
    uint64_t *histogram;        /* [RANKS_MAX, DIGIT_VALUES] */
} search;

static void count_entries(search *s, const double *x, size_t n)
{
    const int shift = s->unknown - DIGIT_BITS;
    for (size_t i = 0; i < n; i++) {
        /* Digit and prefix by one shift, since a shift by all 64 bits is not defined. */
        const uint64_t key = dn__order_key(x[i]) >> shift, prefix = key >> DIGIT_BITS;
        for (size_t g = 0; g < s->groups; g++) {
            if (prefix != s->prefix[g]) continue;
            s->histogram[g * DIGIT_VALUES + (key & (DIGIT_VALUES - 1))]++;
            break;
        }
    }
}

/** Learns the next digit of each number looked for. */
static dn_status learn_digits(search *s)
{
    uint64_t prefix[RANKS_MAX];
    size_t groups = 0;
    for (size_t i = 0; i < s->ranks; i++) {
        const uint64_t *count = s->histogram + s->group[i] * DIGIT_VALUES;
        uint64_t digit = 0;
        while (digit < DIGIT_VALUES && count[digit] <= s->rank[i]) s->rank[i] -= count[digit++];
        if (digit == DIGIT_VALUES) return dn_fail(DN_ERROR_INTERNAL, "quantile: the numbers changed between walks");
        const uint64_t found = s->prefix[s->group[i]] << DIGIT_BITS | digit;
        size_t g = 0;
        while (g < groups && prefix[g] != found) g++;
        prefix[g] = found;
        if (g == groups) groups++;
        s->group[i] = g;
    }
    memcpy(s->prefix, prefix, groups * sizeof *prefix);
    s->groups = groups;
    s->unknown -= DIGIT_BITS;
    memset(s->histogram, 0, groups * DIGIT_VALUES * sizeof *s->histogram);
    return DN_OK;
}

static double between(double a, double b, double t)
{
    const double step = b - a;
    if (!isfinite(step)) return a * (1.0 - t) + b * t;
    return t < 0.5 ? a + step * t : b - step * (1.0 - t); /* exact at both ends */
}

typedef dn_status walk_fn(search *s, void *of);

static dn_status find_quantiles(double *value, const double *q, size_t count, size_t n, walk_fn *walk, void *of)
{
    search s = {.ranks = 2 * count, .groups = 1, .unknown = KEY_BITS};
    for (size_t i = 0; i < count; i++) {
        const size_t below = (size_t)floor(q[i] * (double)(n - 1));
        s.rank[2 * i] = below;
        s.rank[2 * i + 1] = below + 1 < n ? below + 1 : n - 1;
    }
    s.histogram = dn_calloc((size_t)RANKS_MAX * DIGIT_VALUES, sizeof *s.histogram);
    if (!s.histogram) return DN_ERROR_MEMORY;
    dn_status status = DN_OK;
    while (status == DN_OK && s.unknown > 0) {
        status = walk(&s, of);
        if (status == DN_OK) status = learn_digits(&s);
    }
    for (size_t i = 0; status == DN_OK && i < count; i++) {
        const double at = q[i] * (double)(n - 1);
        value[i] = between(dn__order_value(s.prefix[s.group[2 * i]]), dn__order_value(s.prefix[s.group[2 * i + 1]]),
                           at - floor(at));
    }
    dn_free(s.histogram);
    return status;
}

static dn_status visit(void *context, const dn_score_rows *rows, size_t first)
{
    (void)first;
    count_entries(context, rows->features, rows->rows * rows->dim);
    return DN_OK;
}

static dn_status walk_fit(search *s, void *of)
{
    return dn_fit_walk(of, DN_NEEDS_FIT_FEATURES, visit, s);
}

dn_status dn__fit_quantiles(double *value, const double *q, size_t count, dn_fit *fit)
{
    return find_quantiles(value, q, count, dn_fit_rows(fit) * dn_fit_dim(fit), walk_fit, fit);
}

typedef struct numbers {
    const double *x; /* [n] */
    size_t n;
} numbers;

static dn_status walk_numbers(search *s, void *of)
{
    const numbers *all = of;
    count_entries(s, all->x, all->n);
    return DN_OK;
}

dn_status dn__quantiles(double *value, const double *q, size_t count, const double *x, size_t n)
{
    numbers all = {x, n};
    return find_quantiles(value, q, count, n, walk_numbers, &all);
}
