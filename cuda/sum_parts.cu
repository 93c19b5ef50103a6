// The second half of split sums: out[i] = finish(sum over s of parts[s, e, i]), in order of s, for i < a b.
//
// One thread per element; blockIdx.z is the member. Neighbouring threads read neighbouring floats of the same part.
// (splits + 1) 4 bytes per element, no arithmetic to speak of: bound by memory, mostly L2, where the parts just came
// from.
#include "cuda/sum_parts.cuh"

namespace DN_TARGET
{

f32_result plain_result(operand<float> out, int a, int b)
{
    f32_result result = {};
    result.out = out;
    result.a = a, result.b = b;
    result.packed = b % 4 == 0 && aligned(out, 16);
    return result;
}

f32_result result_in_parts(const f32_result &whole, float *parts)
{
    return plain_result({parts, static_cast<int64_t>(whole.a) * whole.b}, whole.a, whole.b);
}

static __global__ void sum_parts_kernel(const float *parts, int splits, f32_result result, int64_t count)
{
    const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= count) return;
    const int e = static_cast<int>(blockIdx.z), line = static_cast<int>(i / result.b);
    const int column = static_cast<int>(i - static_cast<int64_t>(line) * result.b);
    const int64_t part = count * gridDim.z;
    const float *from = parts + e * count + i;
    float sum = 0.0f;
#pragma unroll 8
    for (int s = 0; s < splits; s++) sum += from[s * part];
    const float *bias = result.bias ? result.bias.of(e) : nullptr;
    result.out.of(e)[result.rows.of(line) * result.b + column] = result.finish(sum, bias, column);
}

void sum_parts(const float *parts, int splits, int members, const f32_result &result, dn_gpu_stream stream)
{
    const int64_t count = static_cast<int64_t>(result.a) * result.b;
    const dim3 grid(ceil_div(count, 256), 1, static_cast<unsigned>(members));
    DN_LAUNCH(sum_parts_kernel, grid, dim3(256), 0, stream, parts, splits, result, count);
}

} // namespace DN_TARGET
