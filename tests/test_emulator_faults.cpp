// Every kind of mistake that the emulator claims to find, made on purpose, each in a kernel of a few lines. Beside most
// of them stands the right way to write it, which must pass.
#include "tests/emulator_rig.h"

namespace DN_TARGET
{

// --- shared memory ---

template <int BARRIERS> __global__ void neighbours(float *y)
{
    DN_SHARED(float, s);
    s[threadIdx.x] = static_cast<float>(threadIdx.x);
    if (BARRIERS > 0) __syncthreads();
    const float next = s[(threadIdx.x + 1) % blockDim.x];
    if (BARRIERS > 1) __syncthreads();
    s[threadIdx.x] = next;
    y[threadIdx.x] = next;
}

Test(emulator_faults, races_in_shared_memory)
{
    {
        rig r;
        float *y = r.device<float>(nullptr, 64);
        DN_LAUNCH(neighbours<2>, 1, 64, 256, r.stream, y);
        expect_fine(r);
        DN_LAUNCH(neighbours<1>, 1, 64, 256, r.stream, y);
        expect_fault(r, "race in shared memory", "neighbours<1>");
    }
    rig r;
    DN_LAUNCH(neighbours<0>, 1, 64, 256, r.stream, r.device<float>(nullptr, 64));
    expect_fault(r, "shared memory"); // whichever comes first: nobody has written it yet, or a race
}

__global__ void two_write(float *)
{
    DN_SHARED(float, s);
    s[threadIdx.x / 2] = 1.0f;
}

template <bool BARRIER> __global__ void within_a_warp(float *y)
{
    DN_SHARED(float, s);
    s[threadIdx.x] = 1.0f;
    if (BARRIER)
        __syncwarp();
    else
        __shfl_xor_sync(0xffffffffu, 0, 1); // a shuffle orders no memory
    y[threadIdx.x] = s[threadIdx.x ^ 1];
}

__global__ void across_warps(float *y)
{
    DN_SHARED(float, s);
    s[threadIdx.x] = 1.0f;
    __syncthreads();
    s[threadIdx.x] = 2.0f;
    __syncwarp();
    y[threadIdx.x] = s[threadIdx.x ^ 32];
}

Test(emulator_faults, barriers_of_a_warp_order_its_lanes_only)
{
    {
        rig r;
        float *y = r.device<float>(nullptr, 64);
        DN_LAUNCH(within_a_warp<true>, 1, 64, 256, r.stream, y);
        expect_fine(r);
        DN_LAUNCH(within_a_warp<false>, 1, 64, 256, r.stream, y);
        expect_fault(r, "race in shared memory", "wrote");
    }
    {
        rig r;
        DN_LAUNCH(across_warps, 1, 64, 256, r.stream, r.device<float>(nullptr, 64));
        expect_fault(r, "race in shared memory");
    }
    rig r;
    DN_LAUNCH(two_write, 1, 64, 256, r.stream, nullptr);
    expect_fault(r, "race in shared memory", "writes what");
}

// Reads by many, then a write by one of them: also by the first or the last that read.
__global__ void write_after_reads(float *y, unsigned writer)
{
    DN_SHARED(float, s);
    if (threadIdx.x == 0) s[0] = 1.0f;
    __syncthreads();
    y[threadIdx.x] = s[0];
    if (threadIdx.x == writer) s[0] = 2.0f;
}

Test(emulator_faults, any_of_the_readers_may_write_too_early)
{
    for (unsigned threads = 32; threads <= 256; threads *= 8) // lanes of a warp, then warps
        for (unsigned writer = 0; writer < threads; writer++) {
            rig r;
            DN_LAUNCH(write_after_reads, 1, threads, 4, r.stream, r.device<float>(nullptr, 256), writer);
            expect_fault(r, "race in shared memory");
        }
}

// --- the clock of the records runs out at any of these barriers ---

// Writes, then barriers (of the block, then of the warps), then reads of what another warp or another lane has written.
template <unsigned OTHER> __global__ void long_before(float *y, int of_block, int of_warp)
{
    DN_SHARED(float, s);
    s[threadIdx.x] = 1.0f;
    __syncthreads();
    s[threadIdx.x] = 2.0f;
    for (int i = 0; i < of_block; i++) __syncthreads();
    for (int i = 0; i < of_warp; i++) __syncwarp();
    y[threadIdx.x] = s[threadIdx.x ^ OTHER];
}

// The warps pass their barriers one by one; lane 1 reads what lane 0 wrote before or after the barrier.
__global__ void one_by_one(float *y, bool right)
{
    DN_SHARED(float, s);
    s[threadIdx.x] = 1.0f;
    if (right) __syncwarp();
    if (right || threadIdx.x >= 32)
        for (int i = 0; i < 6; i++) __shfl_sync(0xffffffffu, i, i), __syncwarp();
    y[threadIdx.x] = s[threadIdx.x ^ (right || threadIdx.x < 32 ? 1u : 0u)];
}

__global__ void from_the_block_before(float *y)
{
    DN_SHARED(float, s);
    if (blockIdx.x == 0 && threadIdx.x == 0) s[0] = 1.0f;
    for (int i = 0; i < 4; i++) __syncthreads();
    if (blockIdx.x == 1 && threadIdx.x == 0) y[0] = s[0];
}

template <class F> static void at_any_time(F run)
{
    for (uint32_t left = 1; left < 40; left++) {
        rig r;
        dn__emu_set_time(r.gpu, left);
        dn__emu_set_seed(r.gpu, left);
        run(r, r.device<float>(nullptr, 256));
    }
}

Test(emulator_faults, time_may_run_out)
{
    at_any_time([](rig &r, float *y) {
        DN_LAUNCH(long_before<32>, 1, 256, 1024, r.stream, y, 2, 2);
        DN_LAUNCH(long_before<1>, 1, 256, 1024, r.stream, y, 0, 4);
        DN_LAUNCH(one_by_one, 1, 256, 1024, r.stream, y, true);
        expect_fine(r);
    });
    at_any_time([](rig &r, float *y) {
        DN_LAUNCH(long_before<32>, 1, 256, 1024, r.stream, y, 0, 2);
        expect_fault(r, "race in shared memory");
    });
    at_any_time([](rig &r, float *y) {
        DN_LAUNCH(one_by_one, 1, 256, 1024, r.stream, y, false);
        expect_fault(r, "shared memory"); // a race, or what has not been written yet
    });
    at_any_time([](rig &r, float *y) {
        DN_LAUNCH(from_the_block_before, 2, 32, 4, r.stream, y);
        expect_fault(r, "uninitialised");
    });
}

__global__ void reads_first(float *y)
{
    DN_SHARED(float, s);
    if (threadIdx.x < 31) s[threadIdx.x] = 1.0f;
    __syncthreads();
    y[threadIdx.x] = s[threadIdx.x];
}

template <class T> __global__ void smaller_than_a_word(T *y)
{
    DN_SHARED(T, s);
    s[threadIdx.x] = static_cast<T>(threadIdx.x);
    __syncthreads();
    y[threadIdx.x] = s[threadIdx.x ^ 1];
}

template <class T> __global__ void half_of_a_word(uint32_t *y)
{
    DN_SHARED(T, s);
    if (threadIdx.x != 1) s[threadIdx.x] = static_cast<T>(threadIdx.x);
    __syncthreads();
    y[threadIdx.x] = reinterpret_cast<uint32_t *>(s)[0];
}

Test(emulator_faults, uninitialised_shared_memory)
{
    {
        rig r;
        DN_LAUNCH(reads_first, 1, 32, 128, r.stream, r.device<float>(nullptr, 32));
        expect_fault(r, "uninitialised", "thread 31 ");
    }
    rig r;
    DN_LAUNCH(half_of_a_word<uint16_t>, 1, 4, 16, r.stream, r.device<uint32_t>(nullptr, 4));
    expect_fault(r, "uninitialised");
}

Test(emulator_faults, bytes_of_a_word_may_belong_to_different_threads)
{
    rig r;
    uint16_t *y = r.device<uint16_t>(nullptr, 64);
    DN_LAUNCH(smaller_than_a_word<uint16_t>, 1, 64, 128, r.stream, y);
    uint16_t got[64];
    r.download(got, y, 64);
    for (int i = 0; i < 64; i++) cr_assert_eq(got[i], i ^ 1);
    DN_LAUNCH(smaller_than_a_word<uint8_t>, 1, 64, 64, r.stream, r.device<uint8_t>(nullptr, 64));
    expect_fine(r);
}

// Thread 1 owns the upper half of a word and may read all of it; thread 40 may not read that half.
__global__ void own_half(uint16_t *y, bool right)
{
    DN_SHARED(uint16_t, s);
    if (threadIdx.x == 0) s[0] = s[1] = 0;
    __syncthreads();
    if (threadIdx.x == 1) {
        s[1] = 1;
        reinterpret_cast<uint32_t *>(y)[1] = *reinterpret_cast<uint32_t *>(s);
    }
    if (threadIdx.x == 40) y[0] = s[right ? 0 : 1];
}

Test(emulator_faults, halves_of_a_word_are_kept_apart)
{
    for (uint64_t seed = 0; seed < 8; seed++) {
        rig r;
        uint16_t *y = r.device<uint16_t>(nullptr, 4);
        dn__emu_set_seed(r.gpu, seed);
        DN_LAUNCH(own_half, 1, 64, 4, r.stream, y, true);
        expect_fine(r);
        DN_LAUNCH(own_half, 1, 64, 4, r.stream, y, false);
        expect_fault(r, "race in shared memory");
    }
}

// --- addresses ---

template <class T> __global__ void load(const float *x, T *y, int at)
{
    y[threadIdx.x] = *reinterpret_cast<const T *>(x + at);
}

__global__ void load_shared(float4 *y, int at)
{
    DN_SHARED(float, s);
    for (int i = 0; i < 16; i++) s[i] = 1.0f;
    float4 v = *reinterpret_cast<float4 *>(s + at);
    v.x += v.y;
    y[0] = v;
}

__global__ void store_shared(int at)
{
    DN_SHARED(float, s);
    s[at] = 1.0f;
}

Test(emulator_faults, misaligned_vectors)
{
    rig r;
    float4 *y = r.device<float4>(nullptr, 2);
    DN_LAUNCH(load_shared, 1, 1, 64, r.stream, y, 4);
    expect_fine(r);
#if !defined(__clang__) // which shows a vector's fields one by one
    DN_LAUNCH(load_shared, 1, 1, 64, r.stream, y, 2);
    expect_fault(r, "misaligned access to shared memory", "16 bytes");
#endif
    rig q;
    DN_LAUNCH(load<float2>, 1, 1, 0, q.stream, q.device<float>(nullptr, 8), q.device<float2>(nullptr, 1), 1);
    expect_fault(q, "misaligned access to device memory", "8 bytes");
}

Test(emulator_faults, out_of_bounds_of_shared_memory)
{
    const int places[] = {16, -1, 2000, -2000};
    for (int at : places) {
        rig r;
        DN_LAUNCH(store_shared, 1, 1, 64, r.stream, at);
        expect_fault(r, "write out of bounds of shared memory", "of 64 of shared memory");
    }
}

Test(emulator_faults, out_of_bounds_of_device_memory)
{
    const int places[] = {7, -1, 1023, 5000};
    for (int at : places) {
        rig r;
        DN_LAUNCH(load<float>, 1, 1, 0, r.stream, r.device<float>(nullptr, 7), r.device<float>(nullptr, 1), at);
        expect_fault(r, "read out of bounds of device memory", at == 7 ? "0 bytes behind the end" : "");
    }
    rig r;
    char *odd = r.device<char>(nullptr, 30); // the last word is there only in part
    DN_LAUNCH(load<float>, 1, 1, 0, r.stream, reinterpret_cast<float *>(odd), r.device<float>(nullptr, 1), 7);
    expect_fault(r, "read out of bounds of device memory");
}

Test(emulator_faults, memory_that_a_gpu_cannot_reach)
{
    float host[4] = {};
    {
        rig r;
        DN_LAUNCH(load<float>, 1, 1, 0, r.stream, host, r.device<float>(nullptr, 1), 0);
        expect_fault(r, "memory of the host");
    }
    {
        rig r;
        DN_LAUNCH(load<float>, 1, 1, 0, r.stream, nullptr, r.device<float>(nullptr, 1), 0);
        expect_fault(r, "null pointer");
    }
    rig r;
    float *y = r.device<float>(nullptr, 1);
    void *released = nullptr;
    cr_assert_eq(r.runtime->allocate(r.gpu, 16, &released), DN_OK);
    r.runtime->release(r.gpu, released);
    DN_LAUNCH(load<float>, 1, 1, 0, r.stream, static_cast<float *>(released), y, 0);
    expect_fault(r, "read out of bounds of device memory");
}

__global__ void through_a_local(float *y)
{
    DN_SHARED(float *, pointers);
    float own[4] = {1.0f, 2.0f, 3.0f, 4.0f};
    pointers[threadIdx.x] = own;
    __syncthreads();
    y[threadIdx.x] = pointers[threadIdx.x ^ 1][threadIdx.x & 3];
}

Test(emulator_faults, local_memory_is_private)
{
    rig r;
    DN_LAUNCH(through_a_local, 1, 32, 32 * sizeof(float *), r.stream, r.device<float>(nullptr, 32));
    expect_fault(r, "another thread's local memory");
}

// --- races in device memory ---

__global__ void one_word(float *y, bool by_block)
{
    if (threadIdx.x == 0 || !by_block) y[0] = 1.0f;
}

__global__ void read_and_write(const float *x, float *y, int to)
{
    const float v = x[blockIdx.x];
    y[static_cast<int>(blockIdx.x) + to] = v;
}

__global__ void last_block_writes(float *x, float *y)
{
    y[blockIdx.x] = x[0];
    if (blockIdx.x == gridDim.x - 1) x[0] = 1.0f;
}

Test(emulator_faults, races_in_device_memory)
{
    {
        rig r;
        DN_LAUNCH(last_block_writes, 4, 1, 0, r.stream, r.device<float>(nullptr, 1), r.device<float>(nullptr, 4));
        expect_fault(r, "race in device memory", "another block of the launch read");
    }
    {
        rig r;
        DN_LAUNCH(one_word, 2, 32, 0, r.stream, r.device<float>(nullptr, 1), true);
        expect_fault(r, "race in device memory", "another block");
    }
    {
        rig r;
        DN_LAUNCH(one_word, 1, 64, 0, r.stream, r.device<float>(nullptr, 1), false);
        expect_fault(r, "race in device memory", "writes what");
    }
    for (int step = -1; step <= 1; step += 2) { // whichever block runs first
        rig r;
        float *x = r.device<float>(nullptr, 16);
        DN_LAUNCH(read_and_write, 8, 1, 0, r.stream, x + 1, x + 1, 0);
        expect_fine(r);
        DN_LAUNCH(read_and_write, 8, 1, 0, r.stream, x + 1, x + 1, step);
        expect_fault(r, "race in device memory", "another block");
    }
}

// One launch may use what the one before has written.
Test(emulator_faults, launches_are_ordered)
{
    rig r;
    float *y = r.device<float>(nullptr, 1);
    for (int i = 0; i < 3; i++) DN_LAUNCH(one_word, 1, 32, 0, r.stream, y, true);
    expect_fine(r);
}

// --- barriers ---

__global__ void two_places()
{
    if (threadIdx.x < 32)
        __syncthreads();
    else
        __syncthreads();
}

__global__ void block_and_warp()
{
    if (threadIdx.x % 32 < 16)
        __syncthreads();
    else
        __syncwarp();
}

__global__ void some_leave()
{
    if (threadIdx.x == 5) return;
    __syncthreads();
}

__global__ void never_comes()
{
    __syncwarp(threadIdx.x < 16 ? 0xffffffffu : 0xfffffffeu);
}

__global__ void leave_before_a_warp_barrier(int *y)
{
    if (threadIdx.x >= 20) return;
    __syncwarp();
    y[threadIdx.x] = __any_sync(0xffffffffu, threadIdx.x == 3);
}

Test(emulator_faults, barriers_that_do_not_meet)
{
    {
        rig r;
        DN_LAUNCH(two_places, 1, 64, 0, r.stream, );
        expect_fault(r, "different barriers", "__syncthreads");
    }
    {
        rig r;
        DN_LAUNCH(block_and_warp, 1, 64, 0, r.stream, );
        expect_fault(r, "different barriers", "for its warp");
    }
    {
        rig r;
        DN_LAUNCH(some_leave, 1, 64, 0, r.stream, );
        expect_fault(r, "thread 5 has exited", "test_emulator_faults.cpp");
    }
    {
        rig r;
        DN_LAUNCH(never_comes, 1, 32, 0, r.stream, );
        expect_fault(r, "deadlock");
    }
    rig r;
    DN_LAUNCH(leave_before_a_warp_barrier, 1, 32, 0, r.stream, r.device<int>(nullptr, 32));
    expect_fine(r);
}

// --- exchange within a warp ---

__global__ void shuffle_from(unsigned mask, int source)
{
    if (mask >> threadIdx.x & 1u) __shfl_sync(mask, 1.0f, source);
}

__global__ void without_its_own_lane()
{
    __shfl_sync(0x7fffffffu, 1.0f, 0);
}

__global__ void two_shuffles()
{
    if (threadIdx.x & 1)
        __shfl_sync(0xffffffffu, 1.0f, 0);
    else
        __shfl_sync(0xffffffffu, 1.0f, 0);
}

Test(emulator_faults, shuffles)
{
    {
        rig r;
        DN_LAUNCH(shuffle_from, 1, 32, 0, r.stream, 0xffffu, 15);
        expect_fine(r);
        DN_LAUNCH(shuffle_from, 1, 32, 0, r.stream, 0xffffu, 16);
        expect_fault(r, "reads from lane 16, which does not take part");
    }
    {
        rig r;
        DN_LAUNCH(without_its_own_lane, 1, 32, 0, r.stream, );
        expect_fault(r, "lacks its own lane");
    }
    rig r;
    DN_LAUNCH(two_shuffles, 1, 32, 0, r.stream, );
    expect_fault(r, "call different functions");
}

// --- launches ---

__global__ void nothing()
{
}

Test(emulator_faults, impossible_launches)
{
    const struct {
        dim3 grid, block;
        size_t bytes;
        const char *word;
    } cases[] = {
        {dim3(1, 65536), dim3(1), 0, "a grid of 1x65536x1"},
        {dim3(1, 1, 65536), dim3(1), 0, "a grid of"},
        {dim3(0), dim3(1), 0, "a grid of 0x1x1"},
        {dim3(1), dim3(1025), 0, "1025x1x1 threads"},
        {dim3(1), dim3(0), 0, "0x1x1 threads"},
        {dim3(1), dim3(1), 227 * 1024 + 1, "shared memory"},
    };
    for (const auto &c : cases) {
        rig r;
        DN_LAUNCH(nothing, c.grid, c.block, c.bytes, r.stream, );
        expect_fault(r, c.word);
    }
    rig r;
    DN_LAUNCH(nothing, dim3(3, 2, 2), dim3(1024), 227 * 1024, r.stream, );
    expect_fine(r);
}

// After a fault nothing runs and everything fails with its text; another GPU is not touched.
Test(emulator_faults, a_fault_stays)
{
    rig r, other;
    float *y = r.device<float>(nullptr, 64), host[64];
    DN_LAUNCH(store_shared, 1, 1, 64, r.stream, 99);
    const dn_gpu_runtime &runtime = *r.runtime;
    void *p = nullptr;
    cr_expect_eq(runtime.check(r.gpu), DN_ERROR_INTERNAL);
    cr_expect_eq(runtime.wait(r.gpu), DN_ERROR_INTERNAL);
    cr_expect_eq(runtime.download(r.gpu, host, y, sizeof host), DN_ERROR_INTERNAL);
    cr_expect_eq(runtime.upload(r.gpu, y, host, sizeof host), DN_ERROR_INTERNAL);
    cr_expect_eq(runtime.clear(r.gpu, y, sizeof host), DN_ERROR_INTERNAL);
    cr_expect_eq(runtime.allocate(r.gpu, 4, &p), DN_ERROR_INTERNAL);
    cr_expect_eq(runtime.begin_capture(r.gpu), DN_ERROR_INTERNAL);
    DN_LAUNCH(two_places, 1, 64, 0, r.stream, );
    expect_fault(r, "out of bounds", "store_shared");
    DN_LAUNCH(neighbours<2>, 1, 64, 256, other.stream, other.device<float>(nullptr, 64));
    expect_fine(other);
}

} // namespace DN_TARGET
