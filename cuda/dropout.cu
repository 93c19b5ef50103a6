// Dropout, which is its own gradient: the zeros are drawn again from what the op is for, and never stored.
//
// y[e,i] = bits[e,i] < threshold ? 0 : x[e,i] * 65536 / (65536 - threshold), where bits[e,i] is half-word i % 8 of
// Philox block i / 8 of (seed, stream, step, member). One thread takes one block of the generator and the 8 elements
// that it decides (32 bytes in f32, 16 in bf16: wide accesses where addresses allow); blockIdx.z is the member. Moves
// 8 bytes an element (4 in bf16). By count (not measured), ten rounds of Philox are 20 wide multiplications and
// some 60 simpler instructions for 8 elements: below what device memory takes for them, so memory bounds it, narrowly
// in bf16. In place is safe.
#include "cuda/pack.cuh"

namespace DN_TARGET
{

constexpr int DRAWN = 8; // elements that one block of the generator decides
constexpr unsigned THREADS = 256;

struct rule {
    uint64_t seed;
    uint32_t stream, first_member, threshold;
    float scale; // of what is kept: the expectation stays exact
};

static __device__ float keep(const uint32_t bits[4], int j, float x, const rule &r)
{
    const uint32_t half_word = bits[j / 2] >> (16 * (j % 2)) & 0xffffu;
    return half_word < r.threshold ? 0.0f : x * r.scale;
}

template <class T, bool WIDE>
__global__ void dropout_kernel(rule r, operand<const int32_t> step, operand<const T> x, operand<T> y, int64_t n)
{
    const int e = static_cast<int>(blockIdx.z);
    const uint32_t now = static_cast<uint32_t>(step.of(e)[0]), member = r.first_member + blockIdx.z;
    const int64_t block = static_cast<int64_t>(blockIdx.x) * THREADS + threadIdx.x, first = block * DRAWN;
    if (first >= n) return;
    uint32_t bits[4];
    dn_random_block(bits, r.seed, r.stream, now, member, static_cast<uint32_t>(block));
    if (WIDE && first + DRAWN <= n) {
        pack<DRAWN> values = load_pack<DRAWN>(x.of(e), block);
        for (int j = 0; j < DRAWN; j++) values.at[j] = keep(bits, j, values.at[j], r);
        store_pack(y.of(e), block, values);
    } else {
        for (int j = 0; j < DRAWN; j++)
            if (first + j < n) y.of(e)[first + j] = from_float<T>(keep(bits, j, to_float(x.of(e)[first + j]), r));
    }
}

template <class T> void drop(const dn_call *call, dn_gpu_stream stream)
{
    const uint32_t threshold = static_cast<uint32_t>(call->op->args.random.rate * 65536 + .5f);
    const rule r = {call->seed, call->op->args.random.stream, static_cast<uint32_t>(call->member), threshold,
                    static_cast<float>(65536.0 / (65536.0 - threshold))};
    const int64_t n = dn__count(call->out_info[0]);
    const dim3 grid(ceil_div(n, DRAWN * THREADS), 1, static_cast<unsigned>(call->members));
    const operand<const int32_t> step = input<int32_t>(call, 1);
    const operand<const T> x = input<T>(call, 0);
    const operand<T> y = output<T>(call, 0);
    if (takes_packs<DRAWN>(x) && takes_packs<DRAWN>(y))
        DN_LAUNCH((dropout_kernel<T, true>), grid, dim3(THREADS), 0, stream, r, step, x, y, n);
    else
        DN_LAUNCH((dropout_kernel<T, false>), grid, dim3(THREADS), 0, stream, r, step, x, y, n);
}

static void launch_dropout(const dn_call *call, dn_gpu_stream stream)
{
    if (is_bf16(call->out_info[0]))
        drop<bf16>(call, stream);
    else
        drop<float>(call, stream);
}

} // namespace DN_TARGET

DN_GPU_KERNEL(dropout, launch_dropout, nullptr, nullptr);
