/* Dropout: sixteen Philox blocks at a time, one in each vector lane; the same bits as core/random.h gives. */
#include "core/cpu/tuned.h"
#include "core/random.h"

enum { LANES = 16, WORDS = 4, GROUP = LANES * WORDS * 2 }; /* elements that one group of blocks decides */

typedef struct key {
    uint32_t purpose, step, member, seed[2];
} key;

/* Philox4x32-10 of blocks first .. first + LANES - 1; the counter's words are (block, member, step, purpose).
 * Constants and rounds: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
static inline void draw(uint32_t words[LANES * WORDS], const key *k, uint32_t first)
{
    uint32_t a[LANES], b[LANES], c[LANES], d[LANES], key0 = k->seed[0], key1 = k->seed[1];
    for (uint32_t lane = 0; lane < LANES; lane++) {
        a[lane] = first + lane;
        b[lane] = k->member;
        c[lane] = k->step;
        d[lane] = k->purpose;
    }
    for (int round = 0; round < 10; round++) {
        for (int lane = 0; lane < LANES; lane++) {
            const uint64_t left = (uint64_t)0xD2511F53u * a[lane], right = (uint64_t)0xCD9E8D57u * c[lane];
            a[lane] = (uint32_t)(right >> 32) ^ b[lane] ^ key0;
            b[lane] = (uint32_t)right;
            c[lane] = (uint32_t)(left >> 32) ^ d[lane] ^ key1;
            d[lane] = (uint32_t)left;
        }
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    for (int lane = 0; lane < LANES; lane++) {
        words[lane * WORDS] = a[lane];
        words[lane * WORDS + 1] = b[lane];
        words[lane * WORDS + 2] = c[lane];
        words[lane * WORDS + 3] = d[lane];
    }
}

/* Elements 0..n-1 from block `first` on. */
DN_CLONES static void drop(float *y, const float *x, int64_t n, const key *k, uint32_t first, uint32_t threshold,
                           float scale)
{
    uint32_t words[LANES * WORDS], half_words[GROUP];
    for (int64_t start = 0; start < n; start += GROUP) {
        draw(words, k, first + (uint32_t)(start / 8));
        for (int i = 0; i < LANES * WORDS; i++) {
            half_words[2 * i] = words[i] & 0xffff;
            half_words[2 * i + 1] = words[i] >> 16;
        }
        const int64_t count = n - start < GROUP ? n - start : GROUP;
#pragma omp simd
        for (int64_t i = 0; i < count; i++) y[start + i] = half_words[i] < threshold ? 0 : x[start + i] * scale;
    }
}

static void dropout_part(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)part;
    const key k = {call->op->args.random.stream,
                   (uint32_t) * (const int32_t *)call->in[1],
                   (uint32_t)call->member,
                   {(uint32_t)call->seed, (uint32_t)(call->seed >> 32)}};
    const uint32_t threshold = (uint32_t)(call->op->args.random.rate * 65536 + .5f);
    const float scale = (float)(65536.0 / (65536.0 - threshold));
    const int64_t n = *(const int64_t *)context, start = first * GROUP, end = last * GROUP < n ? last * GROUP : n;
    drop((float *)call->out[0] + start, (const float *)call->in[0] + start, end - start, &k, (uint32_t)(start / 8),
         threshold, scale);
}

void dn__tuned_dropout(const dn_call *call)
{
    int64_t n = dn__count(call->out_info[0]);
    dn__split(call, (n + GROUP - 1) / GROUP, GROUP, dropout_part, &n);
}
