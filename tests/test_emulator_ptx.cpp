// The second bodies of ptx.cuh: asynchronous copies, matrix loads and products, conversions, right and wrong.
#include "tests/emulator_rig.h"

namespace DN_TARGET
{

// --- cp.async ---

// How the double-buffered sum below may go wrong.
enum fault_kind { RIGHT, NO_WAIT, WAITS_FOR_TOO_FEW, NO_BARRIER, WRITES_TOO_EARLY };

// y[i] = sum over tiles of x[tile * 128 + (i ^ 4)], tiles of 128 floats through two buffers.
template <fault_kind F> __global__ void sum_tiles(const float *x, float *y, int tiles, int n)
{
    DN_SHARED(float, buffers);
    const int i = static_cast<int>(threadIdx.x) * 4;
    const auto start = [&](int tile) {
        if (tile < tiles) {
            const bool inside = tile * 128 + i < n;
            copy_async<16>(buffers + tile % 2 * 128 + i, inside ? x + tile * 128 + i : x, inside);
        }
        copy_commit();
    };
    float sum[4] = {};
    start(0);
    for (int tile = 0; tile < tiles; tile++) {
        start(tile + 1);
        if (F != NO_WAIT) copy_wait<F == WAITS_FOR_TOO_FEW ? 2 : 1>();
        if (F != NO_BARRIER) __syncthreads();
        for (int j = 0; j < 4; j++) sum[j] += buffers[tile % 2 * 128 + (i ^ 4) + j];
        if (F != WRITES_TOO_EARLY) __syncthreads();
    }
    *reinterpret_cast<float4 *>(y + i) = make_float4(sum[0], sum[1], sum[2], sum[3]);
}

template <fault_kind F> static void run_tiles(rig &r, const float *host, float *sums)
{
    float *x = r.device(host, 600), *y = r.device<float>(nullptr, 128);
    DN_LAUNCH(sum_tiles<F>, 1, 32, 1024, r.stream, x, y, 5, 600);
    if (sums) r.download(sums, y, 128);
}

Test(emulator_ptx, double_buffering)
{
    float host[600], sums[128];
    fill_small(host, 600, 1);
    {
        rig r;
        run_tiles<RIGHT>(r, host, sums);
        for (int i = 0; i < 128; i++) {
            float sum = 0.0f;
            for (int tile = 0; tile < 5; tile++) sum += tile * 128 + (i ^ 4) < 600 ? host[tile * 128 + (i ^ 4)] : 0.0f;
            cr_assert_eq(sums[i], sum, "%d: %g instead of %g", i, sums[i], sum);
        }
    }
    {
        rig r;
        run_tiles<NO_WAIT>(r, host, nullptr);
        expect_fault(r, "cp.async", "has not called copy_wait");
    }
    {
        rig r;
        run_tiles<WAITS_FOR_TOO_FEW>(r, host, nullptr);
        expect_fault(r, "cp.async", "has not called copy_wait");
    }
    {
        rig r;
        run_tiles<NO_BARRIER>(r, host, nullptr);
        expect_fault(r, "shared memory");
    }
    rig r;
    run_tiles<WRITES_TOO_EARLY>(r, host, nullptr); // found as a race or as a read of what is being copied
    expect_fault(r, "of shared memory");
}

__global__ void copy_from(const float *x, int to, int from, bool valid)
{
    DN_SHARED(float, s);
    copy_async<16>(s + to, x + from, valid);
    copy_commit();
    copy_wait<0>();
}

// Copies that nobody waits for are no fault, nor do they leave anything to the next block.
__global__ void leave_copies(const float *x, float *y)
{
    DN_SHARED(float, s);
    if (blockIdx.x == 0) copy_async<16>(s, x, true);
    if (blockIdx.x == 0) return;
    s[0] = 1.0f;
    y[0] = s[0];
}

__global__ void copy_to(const float *x, float *y)
{
    copy_async<4>(y, x, true);
}

__global__ void copy_twice(const float *x)
{
    DN_SHARED(float, s);
    copy_async<4>(s, x, true);
    copy_async<4>(s, x, true);
}

Test(emulator_ptx, copies_are_checked)
{
    const struct {
        int to, from;
        bool valid;
        const char *word;
    } cases[] = {{0, 0, true, nullptr},
                 {4, 0, false, nullptr},
                 {4, 1000, false, nullptr}, // not read
                 {1, 0, true, "misaligned access to shared memory"},
                 {0, 2, true, "misaligned access to device memory"},
                 {8, 0, true, "write out of bounds of shared memory"},
                 {0, 8, true, "read out of bounds of device memory"}};
    for (const auto &c : cases) {
        rig r;
        DN_LAUNCH(copy_from, 1, 1, 32, r.stream, r.device<float>(nullptr, 8), c.to, c.from, c.valid);
        if (c.word)
            expect_fault(r, c.word);
        else
            expect_fine(r);
    }
    {
        rig r;
        DN_LAUNCH(leave_copies, 2, 1, 32, r.stream, r.device<float>(nullptr, 8), r.device<float>(nullptr, 1));
        expect_fine(r);
    }
    {
        rig r;
        DN_LAUNCH(copy_to, 1, 1, 32, r.stream, r.device<float>(nullptr, 8), r.device<float>(nullptr, 8));
        expect_fault(r, "not shared memory");
    }
    rig r;
    DN_LAUNCH(copy_twice, 1, 1, 32, r.stream, r.device<float>(nullptr, 8));
    expect_fault(r, "cp.async still copies");
}

// --- ldmatrix ---

__global__ void load_four(uint32_t *y, bool transposed, int shift, unsigned written)
{
    DN_SHARED(uint16_t, s);
    const unsigned lane = threadIdx.x;
    for (unsigned i = lane; i < written; i += 32) s[i] = static_cast<uint16_t>(i);
    __syncwarp();
    uint32_t r[4];
    if (transposed)
        load_matrices_transposed(r, s + lane * 8 + shift);
    else
        load_matrices(r, s + lane * 8 + shift);
    for (unsigned i = 0; i < 4; i++) y[lane * 4 + i] = r[i];
}

Test(emulator_ptx, loads_of_matrices)
{
    rig r;
    uint32_t *y = r.device<uint32_t>(nullptr, 128), host[128];
    for (int transposed = 0; transposed < 2; transposed++) {
        DN_LAUNCH(load_four, 1, 32, 1024, r.stream, y, transposed != 0, 0, 256u);
        r.download(host, y, 128);
        for (unsigned l = 0; l < 32; l++)
            for (unsigned i = 0; i < 4; i++) {
                const unsigned g = l / 4, t = l % 4; // element (row, column) of matrix i is i * 64 + row * 8 + column
                const unsigned low = i * 64 + (transposed ? 2 * t * 8 + g : g * 8 + 2 * t);
                const unsigned high = transposed ? low + 8 : low + 1;
                cr_assert_eq(host[l * 4 + i], high << 16 | low);
            }
    }
    DN_LAUNCH(load_four, 1, 32, 1024, r.stream, y, false, 4, 512u);
    expect_fault(r, "misaligned access to shared memory");
    rig q;
    y = q.device<uint32_t>(nullptr, 128);
    DN_LAUNCH(load_four, 1, 32, 1024, q.stream, y, false, 0, 255u);
    expect_fault(q, "uninitialised", "thread 31 ");
    rig p;
    DN_LAUNCH(load_four, 1, 31, 1024, p.stream, p.device<uint32_t>(nullptr, 128), false, 0, 256u);
    expect_fault(p, "needs all 32 lanes");
}

// --- products: C[M,N] = A[M,K] B[K,N] for M, N, K multiples of 16, 8, 16, through shared memory and ldmatrix ---

__global__ void gemm_bf16(const float *a, const float *b, float *c, int n, int k)
{
    DN_SHARED(uint16_t, left); // [16,16], then [16,8]
    uint16_t *const right = left + 256;
    const int lane = static_cast<int>(threadIdx.x), g = lane / 4, t = lane % 4;
    const int row = static_cast<int>(blockIdx.y) * 16, column = static_cast<int>(blockIdx.x) * 8;
    float d[4] = {};
    for (int k0 = 0; k0 < k; k0 += 16) {
        for (int i = lane; i < 256; i += 32) left[i] = round_to_bf16(a[(row + i / 16) * k + k0 + i % 16]);
        for (int i = lane; i < 128; i += 32) right[i] = round_to_bf16(b[(k0 + i / 8) * n + column + i % 8]);
        __syncwarp();
        uint32_t fa[4], fb[4];
        load_matrices(fa, left + lane % 16 * 16 + lane / 16 * 8);
        load_matrices_transposed(fb, right + lane % 16 * 8); // the last two are not used
        mma_bf16(d, fa, fb);
        __syncwarp();
    }
    for (int i = 0; i < 4; i++) c[(row + g + i / 2 * 8) * n + column + 2 * t + i % 2] = d[i];
}

__global__ void gemm_tf32(const float *a, const float *b, float *c, int n, int k)
{
    const int lane = static_cast<int>(threadIdx.x), g = lane / 4, t = lane % 4;
    const int row = static_cast<int>(blockIdx.y) * 16, column = static_cast<int>(blockIdx.x) * 8;
    float d[4] = {};
    for (int k0 = 0; k0 < k; k0 += 8) {
        uint32_t fa[4], fb[2];
        for (int i = 0; i < 4; i++) // with something in the bits that do not count
            fa[i] = round_to_tf32(a[(row + g + i % 2 * 8) * k + k0 + t + i / 2 * 4]) | 0x1fffu;
        for (int i = 0; i < 2; i++) fb[i] = round_to_tf32(b[(k0 + t + 4 * i) * n + column + g]) | 0x1234u;
        mma_tf32(d, fa, fb);
    }
    for (int i = 0; i < 4; i++) c[(row + g + i / 2 * 8) * n + column + 2 * t + i % 2] = d[i];
}

Test(emulator_ptx, products_of_matrices)
{
    static float a[48 * 32], b[32 * 24], c[48 * 24];
    fill_small(a, 48 * 32, 1);
    fill_small(b, 32 * 24, 2);
    for (int bf16_type = 0; bf16_type < 2; bf16_type++) {
        rig r;
        float *da = r.device(a, 48 * 32), *db = r.device(b, 32 * 24), *dc = r.device<float>(nullptr, 48 * 24);
        if (bf16_type)
            DN_LAUNCH(gemm_bf16, dim3(3, 3), 32, 768, r.stream, da, db, dc, 24, 32);
        else
            DN_LAUNCH(gemm_tf32, dim3(3, 3), 32, 0, r.stream, da, db, dc, 24, 32);
        r.download(c, dc, 48 * 24);
        for (int i = 0; i < 48; i++)
            for (int j = 0; j < 24; j++) {
                float sum = 0.0f;
                for (int k = 0; k < 32; k++) sum += a[i * 32 + k] * b[k * 24 + j];
                cr_assert_eq(c[i * 24 + j], sum, "(%d,%d): %g instead of %g", i, j, c[i * 24 + j], sum);
            }
    }
}

__global__ void product_of_some(float *y)
{
    float d[4] = {};
    const uint32_t a[4] = {}, b[2] = {};
    if (threadIdx.x != 7) mma_tf32(d, a, b);
    y[threadIdx.x] = d[0];
}

Test(emulator_ptx, products_need_all_lanes)
{
    rig r;
    DN_LAUNCH(product_of_some, 1, 32, 0, r.stream, r.device<float>(nullptr, 32));
    expect_fault(r, "mma_tf32", "needs all 32 lanes");
}

// --- conversions ---

// The nearest multiple of 2^e by the definition, in double: exact, as a float has fewer bits.
static double nearest(double x, int e, bool ties_to_even)
{
    const double unit = ldexp(1.0, e), q = floor(fabs(x) / unit), rest = fabs(x) / unit - q;
    const bool up = rest > 0.5 || (rest == 0.5 && (!ties_to_even || fmod(q, 2.0) == 1.0));
    return copysign((up ? q + 1.0 : q) * unit, x);
}

// The value of x in a format with the exponents of a float and `fraction` bits behind the leading one.
static float expected_rounding(float x, int fraction, bool ties_to_even)
{
    int e = 0;
    frexp(static_cast<double>(x), &e); // x = m 2^e, 1/2 <= |m| < 1
    const int last = (x == 0.0f || e - 1 < -126 ? -126 : e - 1) - fraction;
    const double y = nearest(static_cast<double>(x), last, ties_to_even);
    return fabs(y) >= ldexp(1.0, 128) ? copysignf(INFINITY, x) : static_cast<float>(y);
}

static void check_rounding(uint32_t bits)
{
    const float x = __uint_as_float(bits);
    const uint16_t bf16 = round_to_bf16(x);
    const uint32_t tf32 = round_to_tf32(x);
    if (isnan(x)) {
        cr_assert_eq(bf16, 0x7fff);
        cr_assert_eq(tf32, 0x7fffffffu);
        return;
    }
    cr_assert_eq(tf32 & 0x1fffu, 0u);
    const float b = isinf(x) ? x : expected_rounding(x, 7, true), t = isinf(x) ? x : expected_rounding(x, 10, false);
    cr_assert_eq(static_cast<uint32_t>(bf16) << 16, __float_as_uint(b), "bf16 of %08x: %04x", bits, bf16);
    cr_assert_eq(tf32, __float_as_uint(t), "tf32 of %08x: %08x", bits, tf32);
}

Test(emulator_ptx, conversions_of_all_upper_halves)
{
    static const uint32_t lower[] = {0, 1, 0x0fff, 0x1000, 0x1001, 0x1fff, 0x3000, 0x7fff, 0x8000, 0x8001, 0xffff};
    for (uint32_t upper = 0; upper < 65536; upper++)
        for (uint32_t low : lower) check_rounding(upper << 16 | low);
    for (uint32_t i = 0; i < 50000; i++) {
        uint32_t bits[4];
        dn_random_block(bits, 3, 0, 0, 0, i);
        for (uint32_t b : bits) check_rounding(b);
    }
    cr_assert_eq(pack_bf16(1.0f, -2.0f), 0xc0003f80u);
}

// What is not finite goes through products as in any arithmetic.
__global__ void product_with(float *y, float v, float w)
{
    float d[4] = {};
    uint32_t a[4] = {}, b[2] = {};
    if (threadIdx.x == 0) {
        a[0] = round_to_tf32(v); // (0,0)
        b[0] = round_to_tf32(w); // (0,0)
    }
    mma_tf32(d, a, b);
    if (threadIdx.x == 0) y[0] = d[0];
}

Test(emulator_ptx, products_of_what_is_not_finite)
{
    const float tiny = 0x1p-130f,
                cases[][3] = {{INFINITY, 2.0f, INFINITY}, {INFINITY, 0.0f, NAN},      {NAN, 1.0f, NAN},
                              {0x1p127f, 4.0f, INFINITY}, {tiny, 0x1p20f, 0x1p-110f}, {tiny, 1.0f, tiny}};
    rig r;
    float *y = r.device<float>(nullptr, 1), got;
    for (const auto &c : cases) {
        DN_LAUNCH(product_with, 1, 32, 0, r.stream, y, c[0], c[1]);
        r.download(&got, y, 1);
        cr_expect(got == c[2] || (isnan(got) && isnan(c[2])), "%g * %g: %g instead of %g", c[0], c[1], got, c[2]);
    }
}

} // namespace DN_TARGET
