/** Randomness without state: Philox4x32-10 as a function of (seed, purpose, step, member, block).
 *
 * Nothing is ever advanced, so that a value depends on what it is for and on nothing else: the same bits on every
 * backend, for any number of threads, and after a resume. The functions use integer arithmetic, or only correctly
 * rounded floating-point operations (no libm), so that a GPU computes the same bits too.
 *
 * Source of Philox: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011 (Random123).
 */
#ifndef DN_CORE_RANDOM_H
#define DN_CORE_RANDOM_H

#include <stdint.h>

#include <Random123/philox.h>

#if defined(__CUDACC__)
#define DN_RANDOM static inline __host__ __device__
#else
#define DN_RANDOM static inline
#endif

/** 128 random bits. `step` counts training steps (0 where nothing steps), `member` counts from the ensemble's first
 *  member (0 where members share), `block` counts blocks of four words within one (step, member). */
DN_RANDOM void dn_random_block(uint32_t bits[4], uint64_t seed, uint32_t purpose, uint32_t step, uint32_t member,
                               uint32_t block)
{
    const philox4x32_ctr_t counter = {{block, member, step, purpose}};
    const philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    const philox4x32_ctr_t result = philox4x32_R(10, counter, key);
    for (int i = 0; i < 4; i++) bits[i] = result.v[i];
}

/** @return a float in [0, 1) with 24 random bits */
DN_RANDOM float dn_random_to_uniform(uint32_t bits)
{
    return (float)(bits >> 8) * 0x1p-24f;
}

/** @return an integer in [0, n), n >= 1; the bias is below n / 2^32 */
DN_RANDOM uint32_t dn_random_to_below(uint32_t bits, uint32_t n)
{
    return (uint32_t)(((uint64_t)bits * n) >> 32);
}

/** @return ln x for x in [2^-40, 1]; relative error below 1e-14, from additions, multiplications and divisions only */
DN_RANDOM double dn_random_log(double x)
{
    int halvings = 0;
    for (; x < 0.70710678118654757; halvings++) x *= 2.0;
    const double s = (x - 1.0) / (x + 1.0), s2 = s * s; /* ln x = 2 atanh(s), |s| < 0.172 */
    double sum = 0.0;
    for (int k = 19; k >= 1; k -= 2) sum = sum * s2 + 1.0 / k;
    return 2.0 * s * sum - halvings * 0.69314718055994531;
}

/** Two independent values of the standard normal distribution from 64 random bits (Box and Muller). Compile without
 *  contraction of a * b + c (-ffp-contract=off, -fmad=false) for the same bits everywhere. */
DN_RANDOM void dn_random_to_normals(float normals[2], uint32_t radius_bits, uint32_t angle_bits)
{
    const double radius = __builtin_sqrt(-2.0 * dn_random_log((radius_bits + 1.0) * 0x1p-32));
    /* The angle's top two bits choose the quarter, the others a place in (-pi/4, pi/4) within it. */
    const double x = ((double)(angle_bits & 0x3fffffffu) * 0x1p-30 - 0.5) * 1.5707963267948966, x2 = x * x;
    /* Taylor series in Horner's form, error below 1e-12. */
    double sine = 1.0, cosine = 1.0;
    for (int k = 12; k >= 2; k -= 2) {
        sine = 1.0 - sine * x2 / (k * (k + 1.0));
        cosine = 1.0 - cosine * x2 / (k * (k - 1.0));
    }
    sine *= x;
    const uint32_t quarter = angle_bits >> 30;
    const double c = (quarter & 1u) ? sine : cosine, s = (quarter & 1u) ? cosine : sine;
    normals[0] = (float)(radius * ((quarter == 1u || quarter == 2u) ? -c : c));
    normals[1] = (float)(radius * ((quarter & 2u) ? -s : s));
}

/** @return the place of `index` in a random permutation of 0..n-1 that is chosen by (seed, purpose, epoch, member),
 *  computed on its own, without a table: eight Feistel rounds over the smallest even number of bits that holds n,
 *  walked until the value falls below n (fewer than four walks on average). n is at most 2^31. */
DN_RANDOM uint32_t dn_random_permute(uint32_t index, uint32_t n, uint64_t seed, uint32_t purpose, uint32_t epoch,
                                     uint32_t member)
{
    uint32_t half = 1;
    while (half < 16 && (1ull << (2 * half)) < n) half++;
    const uint32_t mask = (1u << half) - 1u;
    do {
        uint32_t left = index >> half, right = index & mask;
        for (uint32_t round = 0; round < 8; round++) {
            uint32_t bits[4];
            dn_random_block(bits, seed, purpose, epoch, member, (round << 16) | right);
            const uint32_t next = left ^ (bits[0] & mask);
            left = right;
            right = next;
        }
        index = (left << half) | right;
    } while (index >= n);
    return index;
}

/** @return which of `choices` things, 0..choices-1, stands at place `i` of a batch of n at a step: drawn with
 *  replacement, or from one random permutation after the other */
DN_RANDOM uint32_t dn_random_item(int64_t i, int64_t n, int64_t step, uint32_t choices, int replace, uint64_t seed,
                                  uint32_t purpose, uint32_t member)
{
    if (replace) {
        uint32_t bits[4];
        dn_random_block(bits, seed, purpose, (uint32_t)step, member, (uint32_t)(i / 4));
        return dn_random_to_below(bits[i % 4], choices);
    }
    const int64_t position = step * n + i;
    return dn_random_permute((uint32_t)(position % choices), choices, seed, purpose, (uint32_t)(position / choices),
                             member);
}

/** A sequence for code that runs on the host only and draws one value after another (initialisers, drawn data). */
typedef struct dn_random_sequence {
    uint64_t seed;
    uint32_t purpose, step, member; /**< set these; the rest starts at 0 */
    uint32_t block, left;
    uint32_t bits[4];
} dn_random_sequence;

static inline uint32_t dn_random_next(dn_random_sequence *r)
{
    if (r->left == 0) {
        dn_random_block(r->bits, r->seed, r->purpose, r->step, r->member, r->block++);
        r->left = 4;
    }
    return r->bits[--r->left];
}

/** @return a float in [low, high) */
static inline float dn_random_next_uniform(dn_random_sequence *r, float low, float high)
{
    return low + (high - low) * dn_random_to_uniform(dn_random_next(r));
}

/** @return an integer in [0, n), n >= 1 */
static inline uint32_t dn_random_next_below(dn_random_sequence *r, uint32_t n)
{
    return dn_random_to_below(dn_random_next(r), n);
}

/** @return a value of the standard normal distribution */
static inline float dn_random_next_normal(dn_random_sequence *r)
{
    float normals[2];
    const uint32_t radius_bits = dn_random_next(r);
    dn_random_to_normals(normals, radius_bits, dn_random_next(r));
    return normals[0];
}

#endif
