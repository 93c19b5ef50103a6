#include "ood/curve.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"

/* Six passes of 11 bits sort 64-bit keys; one pass's counters (8 KiB of uint32) stay in the first-level cache. */
enum { DIGIT_BITS = 11, DIGITS = 6, BUCKETS = 1 << DIGIT_BITS };

#define SIGN_BIT (UINT64_C(1) << 63)

/** An unsigned integer that orders like the double: positive numbers get the sign bit, negative ones are inverted. */
static uint64_t key_of(double score)
{
    const double value = score == 0.0 ? 0.0 : score; /* -0 and 0 are one threshold */
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & SIGN_BIT ? ~bits : bits | SIGN_BIT;
}

static double score_of(uint64_t key)
{
    const uint64_t bits = key & SIGN_BIT ? key ^ SIGN_BIT : ~key;
    double score;
    memcpy(&score, &bits, sizeof score);
    return score;
}

/** Sorts ascending, least significant digit first; passes in which all keys agree are left out. DIGITS is even, but
 *  passes may be left out, hence the copy at the end. @param counts [DIGITS * BUCKETS] */
static void radix_sort(uint64_t *keys, uint64_t *spare, size_t n, uint32_t *counts)
{
    memset(counts, 0, sizeof *counts * DIGITS * BUCKETS);
    for (size_t i = 0; i < n; i++) {
        for (int d = 0; d < DIGITS; d++) counts[d * BUCKETS + (keys[i] >> (d * DIGIT_BITS)) % BUCKETS]++;
    }
    uint64_t *from = keys, *to = spare;
    for (int d = 0; d < DIGITS; d++) {
        uint32_t *next = counts + d * BUCKETS, sum = 0;
        if (next[(from[0] >> (d * DIGIT_BITS)) % BUCKETS] == n) continue;
        for (int b = 0; b < BUCKETS; b++) {
            const uint32_t count = next[b];
            next[b] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++) to[next[(from[i] >> (d * DIGIT_BITS)) % BUCKETS]++] = from[i];
        uint64_t *swapped = from;
        from = to;
        to = swapped;
    }
    if (from != keys) memcpy(keys, from, sizeof *keys * n);
}

static dn_status make_keys(uint64_t *keys, const double *scores, size_t n, const char *set)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(scores[i])) {
            return dn_fail(
                DN_ERROR_NUMERIC,
                "%s scores: row %zu (counted from 0) is %g, but every score must be a finite number; drop the "
                "row or repair the scores",
                set, i, scores[i]);
        }
        keys[i] = key_of(scores[i]);
    }
    return DN_OK;
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
        curve->threshold[curve->points] = score_of(top);
        curve->id_flagged[curve->points] = (uint32_t)(curve->n_id - i);
        curve->ood_flagged[curve->points] = (uint32_t)(curve->n_ood - o);
        curve->points++;
    }
}

static dn_status fill(dn_curve *curve, const double *id, const double *ood, uint64_t *keys, uint32_t *counts)
{
    const size_t n_id = curve->n_id, n_ood = curve->n_ood;
    uint64_t *ood_keys = keys + n_id, *spare = ood_keys + n_ood;
    DN_TRY(make_keys(keys, id, n_id, "ID"));
    DN_TRY(make_keys(ood_keys, ood, n_ood, "OOD"));
    radix_sort(keys, spare, n_id, counts);
    radix_sort(ood_keys, spare, n_ood, counts);
    count_points(curve, keys, ood_keys);
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

dn_status dn_curve_open(dn_curve **out, const double *id, size_t n_id, const double *ood, size_t n_ood)
{
    *out = NULL;
    DN_TRY(check_size(id, n_id, "ID"));
    DN_TRY(check_size(ood, n_ood, "OOD"));
    const size_t n = n_id + n_ood, longer = n_id > n_ood ? n_id : n_ood;
    dn_curve *curve = dn_calloc(1, sizeof *curve);
    uint64_t *keys = dn_calloc(n + longer, sizeof *keys); /* ID keys, OOD keys, room to sort either */
    uint32_t *counts = dn_calloc((size_t)DIGITS * BUCKETS, sizeof *counts);
    dn_status status = DN_ERROR_MEMORY;
    if (curve && keys && counts) {
        curve->n_id = n_id;
        curve->n_ood = n_ood;
        curve->threshold = dn_calloc(n, sizeof *curve->threshold);
        curve->id_flagged = dn_calloc(n, sizeof *curve->id_flagged);
        curve->ood_flagged = dn_calloc(n, sizeof *curve->ood_flagged);
        if (curve->threshold && curve->id_flagged && curve->ood_flagged) status = fill(curve, id, ood, keys, counts);
    }
    dn_free(keys);
    dn_free(counts);
    if (status == DN_OK) {
        *out = curve;
    } else {
        dn_curve_close(curve);
    }
    return status;
}

void dn_curve_close(dn_curve *curve)
{
    if (!curve) return;
    dn_free(curve->threshold);
    dn_free(curve->id_flagged);
    dn_free(curve->ood_flagged);
    dn_free(curve);
}
