#include "ood/curve.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>

#include "core/alloc.h"
#include "ood/curve_private.h"
#include "ood/order_key.h"

/* Eight passes of 8 bits sort 64-bit keys. Fewer and wider ones write to more places at once than the caches of memory
 * and of page addresses hold, and were slower. */
enum { DIGIT_BITS = 8, DIGITS = 8, BUCKETS = 1 << DIGIT_BITS, WORTH_A_THREAD = 1 << 15 };

/** One set on its way from scores to sorted keys. */
typedef struct sorting {
    const double *scores; /* [n] */
    size_t n;
    uint64_t *keys, *spare; /* [n] */
    uint32_t *counts;       /* [DIGITS * BUCKETS], zero */
    size_t bad_row;         /* n if there is none */
} sorting;

/** Notes the keys and how often each digit takes each value. */
static void make_keys(sorting *s)
{
    uint32_t *counts = s->counts;
    for (size_t i = 0; i < s->n; i++) {
        if (!isfinite(s->scores[i])) {
            s->bad_row = i;
            return;
        }
        const uint64_t key = dn__order_key(s->scores[i]);
        s->keys[i] = key;
        for (int d = 0; d < DIGITS; d++) counts[d * BUCKETS + (key >> (d * DIGIT_BITS)) % BUCKETS]++;
    }
    s->bad_row = s->n;
}

/** Sorts ascending, least significant digit first; passes in which all keys agree are left out, so that the sorted keys
 *  may end up in either place: hence the copy at the end. */
static void sort_set(sorting *s)
{
    make_keys(s);
    if (s->bad_row < s->n) return;
    uint64_t *from = s->keys, *to = s->spare;
    for (int d = 0; d < DIGITS; d++) {
        uint32_t *next = s->counts + d * BUCKETS, sum = 0;
        if (s->n == 0 || next[(from[0] >> (d * DIGIT_BITS)) % BUCKETS] == s->n) continue;
        for (int b = 0; b < BUCKETS; b++) {
            const uint32_t count = next[b];
            next[b] = sum;
            sum += count;
        }
        for (size_t i = 0; i < s->n; i++) to[next[(from[i] >> (d * DIGIT_BITS)) % BUCKETS]++] = from[i];
        uint64_t *swapped = from;
        from = to;
        to = swapped;
    }
    if (from != s->keys) memcpy(s->keys, from, sizeof *from * s->n);
}

/** Walks both sorted lists down from the largest key and notes the counts at each distinct one. */
static void count_points(dn_curve *curve, const uint64_t *id, const uint64_t *ood)
{
    size_t i = curve->n_id, o = curve->n_ood;
    while (i > 0 || o > 0) {
        const uint64_t top_id = i ? id[i - 1] : 0, top_ood = o ? ood[o - 1] : 0;
        const uint64_t top = top_id > top_ood ? top_id : top_ood; /* a finite score's key is never 0 */
        while (i > 0 && id[i - 1] == top) i--;
        while (o > 0 && ood[o - 1] == top) o--;
        curve->threshold[curve->points] = dn__order_value(top);
        curve->id_flagged[curve->points] = (uint32_t)(curve->n_id - i);
        curve->ood_flagged[curve->points] = (uint32_t)(curve->n_ood - o);
        curve->points++;
    }
}

static dn_status fail_row(const sorting *s, const char *set)
{
    return dn_fail(
        DN_ERROR_NUMERIC,
        "%s scores: row %zu (counted from 0) is %g, but every score must be a finite number; drop the row or "
        "repair the scores",
        set, s->bad_row, s->scores[s->bad_row]);
}

/** @param keys [n_id + n_ood] @param counts [2 * DIGITS * BUCKETS] */
static dn_status fill(dn_curve *curve, const double *id, const double *ood, uint64_t *keys, uint32_t *counts)
{
    const size_t n_id = curve->n_id, n_ood = curve->n_ood;
    uint64_t *spare = (void *)curve->threshold; /* whose turn comes when all is sorted: fewer pages to touch */
    sorting sets[2] = {{id, n_id, keys, spare, counts, 0},
                       {ood, n_ood, keys + n_id, spare + n_id, counts + (size_t)DIGITS * BUCKETS, 0}};
#pragma omp parallel for num_threads(2) schedule(static, 1) if (n_id + n_ood > WORTH_A_THREAD)
    for (int i = 0; i < 2; i++) sort_set(&sets[i]);
    if (sets[0].bad_row < n_id) return fail_row(&sets[0], "ID");
    if (sets[1].bad_row < n_ood) return fail_row(&sets[1], "OOD");
    count_points(curve, sets[0].keys, sets[1].keys);
    return DN_OK;
}

static dn_status check_size(const double *scores, size_t n, const char *set)
{
    if (n == 0 || !scores) {
        return dn_fail(DN_ERROR_ARGUMENT, "%s scores: the set is empty, but at least one score is needed", set);
    }
    if (n > INT32_MAX) {
        return dn_fail(DN_ERROR_ARGUMENT, "%s scores: %zu scores, but at most %d are counted; score a sample", set, n,
                       INT32_MAX);
    }
    return DN_OK;
}

/** Asks for large pages, where the system has them for the asking: with small ones, a quarter of the time goes into
 *  getting them, one by one. Only advice, so that failure does not matter. */
static void *calloc_on_large_pages(size_t count, size_t size)
{
    void *memory = dn_calloc(count, size);
#ifdef MADV_HUGEPAGE
    const uintptr_t page = (uintptr_t)1 << 21, begin = (uintptr_t)memory;
    const uintptr_t first = (begin + page - 1) / page * page, end = (begin + count * size) / page * page;
    if (memory && end > first) (void)madvise((char *)memory + (first - begin), end - first, MADV_HUGEPAGE);
#endif
    return memory;
}

/** @return a curve without points that has room for `most` of them, or NULL */
static dn_curve *open_empty(size_t n_id, size_t n_ood, size_t most)
{
    dn_curve *curve = dn_calloc(1, sizeof *curve);
    if (!curve) return NULL;
    curve->n_id = n_id;
    curve->n_ood = n_ood;
    curve->threshold = calloc_on_large_pages(most, sizeof *curve->threshold);
    curve->id_flagged = calloc_on_large_pages(most, sizeof *curve->id_flagged);
    curve->ood_flagged = calloc_on_large_pages(most, sizeof *curve->ood_flagged);
    if (curve->threshold && curve->id_flagged && curve->ood_flagged) return curve;
    dn_curve_close(curve);
    return NULL;
}

dn_status dn__curve_count(dn_curve **out, const double *id, size_t n_id, const double *ood, size_t n_ood)
{
    *out = NULL;
    dn_curve *curve = open_empty(n_id, n_ood, n_id + n_ood);
    uint64_t *keys = calloc_on_large_pages(n_id + n_ood, sizeof *keys);
    uint32_t *counts = dn_calloc((size_t)2 * DIGITS * BUCKETS, sizeof *counts);
    dn_status status = DN_ERROR_MEMORY;
    if (curve && keys && counts) status = fill(curve, id, ood, keys, counts);
    dn_free(keys);
    dn_free(counts);
    if (status == DN_OK) {
        *out = curve;
    } else {
        dn_curve_close(curve);
    }
    return status;
}

dn_status dn_curve_open(dn_curve **out, const double *id, size_t n_id, const double *ood, size_t n_ood)
{
    *out = NULL;
    DN_TRY(check_size(id, n_id, "ID"));
    DN_TRY(check_size(ood, n_ood, "OOD"));
    return dn__curve_count(out, id, n_id, ood, n_ood);
}

dn_status dn__curve_open_like(dn_curve **out, const dn_curve *curve)
{
    *out = open_empty(curve->n_id, curve->n_ood, curve->points);
    return *out ? DN_OK : DN_ERROR_MEMORY;
}

void dn_curve_close(dn_curve *curve)
{
    if (!curve) return;
    dn_free(curve->threshold);
    dn_free(curve->id_flagged);
    dn_free(curve->ood_flagged);
    dn_free(curve);
}
