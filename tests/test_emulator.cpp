// Kernels that are right must run on the emulator, with right results, whatever the order of their threads.
#include "tests/emulator_rig.h"

namespace DN_TARGET
{

constexpr int N = 70; // not a multiple of anything

// --- a block's sum, in every way that a block has to exchange values ---

__global__ void block_sum(const float *x, float *y, int n)
{
    DN_SHARED(float, part);
    float sum = 0.0f;
    for (int i = static_cast<int>(threadIdx.x); i < n; i += static_cast<int>(blockDim.x))
        sum += x[static_cast<int>(blockIdx.x) * n + i];
    for (int o = 16; o > 0; o /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, o);
    if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x >= 32) return;
    sum = threadIdx.x < blockDim.x / 32 ? part[threadIdx.x] : 0.0f;
    for (int o = 16; o > 0; o /= 2) sum += __shfl_down_sync(0xffffffffu, sum, static_cast<unsigned>(o));
    if (threadIdx.x == 0) y[blockIdx.x] = sum;
}

Test(emulator, sums_of_blocks)
{
    static float host[50 * N], sums[50];
    fill_small(host, 50 * N, 1);
    for (unsigned threads = 32; threads <= 1024; threads *= 2) {
        rig r;
        float *x = r.device(host, 50 * N), *y = r.device<float>(nullptr, 50);
        DN_LAUNCH(block_sum, 50, threads, 128, r.stream, x, y, N);
        r.download(sums, y, 50);
        for (int b = 0; b < 50; b++) {
            float sum = 0.0f;
            for (int i = 0; i < N; i++) sum += host[b * N + i];
            cr_assert_eq(sums[b], sum, "block %d of %u threads: %g instead of %g", b, threads, sums[b], sum);
        }
    }
}

// --- C[M,N] = A[M,K] B[K,N], tiles of 32 x 32 in shared memory ---

__global__ void gemm(const float *a, const float *b, float *c, int m, int n, int k)
{
    DN_SHARED(float, tile);
    float *const left = tile, *const right = tile + 32 * 33;
    const int x = static_cast<int>(threadIdx.x), row0 = static_cast<int>(blockIdx.y) * 32;
    const int column = static_cast<int>(blockIdx.x) * 32 + x;
    float sum[4] = {};
    for (int k0 = 0; k0 < k; k0 += 32) {
        for (int y = static_cast<int>(threadIdx.y); y < 32; y += 8) {
            left[y * 33 + x] = row0 + y < m && k0 + x < k ? a[(row0 + y) * k + k0 + x] : 0.0f;
            right[y * 33 + x] = k0 + y < k && column < n ? b[(k0 + y) * n + column] : 0.0f;
        }
        __syncthreads();
        for (int i = 0; i < 4; i++)
            for (int q = 0; q < 32; q++)
                sum[i] = fmaf(left[(static_cast<int>(threadIdx.y) + 8 * i) * 33 + q], right[q * 33 + x], sum[i]);
        __syncthreads();
    }
    for (int i = 0; i < 4; i++) {
        const int row = row0 + static_cast<int>(threadIdx.y) + 8 * i;
        if (row < m && column < n) c[row * n + column] = sum[i];
    }
}

static void multiply(const float *a, const float *b, float *c, int m, int n, int k)
{
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            float sum = 0.0f;
            for (int q = 0; q < k; q++) sum += a[i * k + q] * b[q * n + j];
            c[i * n + j] = sum;
        }
}

Test(emulator, product_of_matrices)
{
    static float a[N * 45], b[45 * 33], c[N * 33], expected[N * 33];
    fill_small(a, N * 45, 2);
    fill_small(b, 45 * 33, 3);
    multiply(a, b, expected, N, 33, 45);
    for (uint64_t seed = 0; seed < 4; seed++) {
        rig r;
        dn__emu_set_seed(r.gpu, seed);
        float *da = r.device(a, N * 45), *db = r.device(b, 45 * 33), *dc = r.device<float>(nullptr, N * 33);
        DN_LAUNCH(gemm, dim3(2, 3), dim3(32, 8), 2 * 32 * 33 * 4, r.stream, da, db, dc, N, 33, 45);
        r.download(c, dc, N * 33);
        cr_assert(memcmp(c, expected, sizeof c) == 0);
    }
}

// --- the order of threads ---

// A wrong kernel: whose write is found to be the second one tells who came before.
__global__ void all_write(int *y)
{
    y[0] = static_cast<int>(threadIdx.x);
}

static int second_writer(uint64_t seed, int launches_before)
{
    rig r;
    dn__emu_set_seed(r.gpu, seed);
    int *y = r.device<int>(nullptr, 1);
    for (int i = 0; i < launches_before; i++) DN_LAUNCH(all_write, 1, 1, 0, r.stream, y);
    DN_LAUNCH(all_write, 1, 256, 0, r.stream, y);
    cr_assert_eq(r.runtime->wait(r.gpu), DN_ERROR_INTERNAL);
    const char *thread = strstr(dn_error_last(), "thread ");
    cr_assert(thread);
    return static_cast<int>(strtol(thread + 7, nullptr, 10));
}

Test(emulator, order_of_threads_is_shuffled_and_repeatable)
{
    int by_seed = 0, by_launch = 0;
    const int first = second_writer(0, 0);
    for (int i = 1; i < 6; i++) {
        by_seed += second_writer(static_cast<uint64_t>(i), 0) != first;
        by_launch += second_writer(0, i) != first;
    }
    cr_expect_geq(by_seed, 3);
    cr_expect_geq(by_launch, 3);
    cr_expect_eq(second_writer(0, 0), first);
}

__global__ void places(int *y)
{
    const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
    const unsigned size = blockDim.x * blockDim.y * blockDim.z;
    y[block * size + thread] += static_cast<int>(block * 1000 + thread);
}

Test(emulator, every_thread_of_every_block_runs_once)
{
    rig r;
    static int host[24 * 30], zeros[24 * 30];
    int *y = r.device(zeros, 24 * 30);
    DN_LAUNCH(places, dim3(2, 3, 4), dim3(5, 3, 2), 0, r.stream, y);
    r.download(host, y, 24 * 30);
    for (int i = 0; i < 24 * 30; i++) cr_assert_eq(host[i], i / 30 * 1000 + i % 30);
}

// --- exchange within a warp ---

__global__ void exchange(int64_t *y)
{
    const int l = static_cast<int>(threadIdx.x);
    int64_t *const mine = y + l * 16;
    mine[0] = __shfl_sync(0xffffffffu, l * 10, 5);
    mine[1] = __shfl_sync(0xffffffffu, l * 10, l + 1);
    mine[2] = __shfl_up_sync(0xffffffffu, l * 10, 3);
    mine[3] = __shfl_down_sync(0xffffffffu, l * 10, 3);
    mine[4] = __shfl_xor_sync(0xffffffffu, l * 10, 17);
    mine[5] = __shfl_sync(0xffffffffu, l * 10, 9, 8);
    mine[6] = __shfl_up_sync(0xffffffffu, l * 10, 2u, 8);
    mine[7] = __shfl_down_sync(0xffffffffu, l * 10, 2u, 8);
    mine[8] = __shfl_sync(0xffffffffu, 0x123456789abcll + l, 31);
    mine[9] = static_cast<int64_t>(__shfl_xor_sync(0xffffffffu, 0.5 + l, 1) * 2.0);
    mine[10] = __ballot_sync(0xffffffffu, l % 3 == 0);
    mine[11] = __all_sync(0xffffffffu, l < 32) * 2 + __any_sync(0xffffffffu, l == 31);
    mine[12] = __reduce_add_sync(0xffffffffu, l - 16);
    mine[13] = __reduce_max_sync(0xffffffffu, static_cast<unsigned>(l) + 0x80000000u);
    mine[14] = l < 8 ? __shfl_sync(0xffu, l, 7 - l) : __reduce_min_sync(0xffffff00u, -l);
    mine[15] = __syncthreads_count(l % 5 == 0) * 100 + __syncthreads_or(l == 40) * 10 + __syncthreads_and(l < 32);
}

Test(emulator, exchange_within_a_warp)
{
    rig r;
    int64_t *y = r.device<int64_t>(nullptr, 512), host[512];
    DN_LAUNCH(exchange, 1, 32, 0, r.stream, y);
    r.download(host, y, 512);
    for (int l = 0; l < 32; l++) {
        const int64_t expected[16] = {50,
                                      (l + 1) % 32 * 10,
                                      (l < 3 ? l : l - 3) * 10,
                                      (l > 28 ? l : l + 3) * 10,
                                      (l ^ 17) * 10,
                                      (l / 8 * 8 + 1) * 10,
                                      (l % 8 < 2 ? l : l - 2) * 10,
                                      (l % 8 > 5 ? l : l + 2) * 10,
                                      0x123456789abcll + 31,
                                      (l ^ 1) * 2 + 1,
                                      0x49249249,
                                      3,
                                      -16,
                                      0x8000001fll,
                                      l < 8 ? 7 - l : -31,
                                      701};
        for (int i = 0; i < 16; i++)
            cr_expect_eq(host[l * 16 + i], expected[i], "lane %d, value %d: %lld instead of %lld", l, i,
                         static_cast<long long>(host[l * 16 + i]), static_cast<long long>(expected[i]));
    }
}

// --- bits and numbers ---

__global__ void bits(const unsigned *x, unsigned *y)
{
    const unsigned v = x[threadIdx.x];
    unsigned *const mine = y + threadIdx.x * 8;
    mine[0] = static_cast<unsigned>(__popc(v));
    mine[1] = static_cast<unsigned>(__ffs(static_cast<int>(v)));
    mine[2] = static_cast<unsigned>(__clz(static_cast<int>(v)));
    mine[3] = __brev(v);
    mine[4] = __umulhi(v, 0x87654321u);
    mine[5] = __float_as_uint(__uint_as_float(v & 0x7f7fffffu));
    mine[6] = __byte_perm(v, 0x03020100u, 0x4170u);
    mine[7] = min(max(v, 5u), 1000u);
}

Test(emulator, bits_and_numbers)
{
    rig r;
    const unsigned host[4] = {0, 1, 0x80000000u, 0x12345678u};
    unsigned got[32];
    unsigned *x = r.device(host, 4), *y = r.device<unsigned>(nullptr, 32);
    DN_LAUNCH(bits, 1, 4, 0, r.stream, x, y);
    r.download(got, y, 32);
    for (int i = 0; i < 4; i++) {
        const unsigned v = host[i];
        unsigned ones = 0, first = 0, leading = 32, reversed = 0;
        for (unsigned b = 0; b < 32; b++)
            if (v >> b & 1u) {
                ones++;
                first = first ? first : b + 1;
                leading = 31 - b;
                reversed |= 1u << (31 - b);
            }
        const unsigned high = static_cast<unsigned>(static_cast<uint64_t>(v) * 0x87654321u >> 32);
        cr_expect_eq(got[i * 8], ones);
        cr_expect_eq(got[i * 8 + 1], first);
        cr_expect_eq(got[i * 8 + 2], leading);
        cr_expect_eq(got[i * 8 + 3], reversed);
        cr_expect_eq(got[i * 8 + 4], high);
        cr_expect_eq(got[i * 8 + 5], v & 0x7f7fffffu);
        cr_expect_eq(got[i * 8 + 6], (v & 0xffu) | 0x0300u | (v >> 8 & 0xffu) << 16);
        cr_expect_eq(got[i * 8 + 7], v < 5 ? 5u : v > 1000 ? 1000u : v);
    }
}

// --- streams and graphs ---

struct pair {
    float first;
    int second;
};

__global__ void add_to(float *y, pair p, float factor)
{
    y[threadIdx.x] += p.first * factor + static_cast<float>(p.second);
}

Test(emulator, captured_launches_keep_their_arguments)
{
    rig r;
    const dn_gpu_runtime &runtime = *r.runtime;
    float *y = r.device<float>(nullptr, 4), host[4];
    void *pinned = nullptr;
    cr_assert_eq(runtime.allocate_pinned(r.gpu, 16, &pinned), DN_OK);
    cr_assert_eq(runtime.clear(r.gpu, y, 16), DN_OK);
    dn_gpu_graph *graph = nullptr;
    cr_assert_eq(runtime.begin_capture(r.gpu), DN_OK);
    pair p = {2.0f, 1};
    DN_LAUNCH(add_to, 1, 4, 0, r.stream, y, p, 10); // an int becomes the kernel's float here
    p.first = 100.0f;                               // too late
    cr_assert_eq(runtime.post(r.gpu, pinned, y, 16, 0), DN_OK);
    cr_assert_eq(runtime.end_capture(r.gpu, &graph), DN_OK);
    r.download(host, y, 4);
    cr_assert_eq(host[3], 0.0f, "a recorded launch has run");
    for (int i = 0; i < 3; i++) cr_assert_eq(runtime.replay(r.gpu, graph), DN_OK);
    cr_assert_eq(runtime.arrived(r.gpu, 0), DN_OK);
    memcpy(host, pinned, sizeof host);
    cr_assert_eq(host[3], 63.0f);
    runtime.drop(r.gpu, graph);
    runtime.release_pinned(r.gpu, pinned);
}

Test(emulator, memory_begins_as_nan)
{
    rig r;
    float *y = r.device<float>(nullptr, 5), host[5];
    cr_assert_eq(reinterpret_cast<uintptr_t>(y) % 256, 0u);
    r.download(host, y, 5);
    for (float v : host) cr_assert(isnan(v));
    cr_assert_eq(r.runtime->clear(r.gpu, y, 8), DN_OK);
    r.download(host, y, 5);
    cr_assert(host[0] == 0.0f && host[1] == 0.0f && isnan(host[2]));
    dn_device_info row;
    cr_assert_eq(r.runtime->list(&row, 1), 1);
    cr_assert_str_eq(row.name, "cuda-emu");
    cr_assert_gt(r.runtime->available(r.gpu), 1000000u);
    dn_gpu *second = nullptr;
    cr_assert_eq(r.runtime->open(&second, 1), DN_ERROR_UNSUPPORTED);
}

} // namespace DN_TARGET
