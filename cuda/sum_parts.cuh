// Where a matrix product in f32 ends, and how the parts of a split one come together.
#ifndef DN_CUDA_SUM_PARTS_CUH
#define DN_CUDA_SUM_PARTS_CUH

#include "cuda/conv_problem.cuh"

namespace DN_TARGET
{

// D [a, b] of all members, and what is done to its elements at last.
struct f32_result {
    operand<float> out; // [rows, b]
    result_rows rows;
    operand<const float> bias; // [b]; may be left out
    bool relu;
    bool packed; // rows are multiples of 4 and 16-byte aligned
    int a, b;

    __device__ float finish(float sum, const float *bias_of_member, int column) const
    {
        if (bias_of_member) sum += bias_of_member[column];
        return relu && sum <= 0.0f ? 0.0f : sum; // a NaN stays
    }
};

// The same place for a product without bias and relu, in rows of their own order.
f32_result plain_result(operand<float> out, int a, int b);

// A product's parts as a result of their own: parts [splits, members, a, b], slice = part * members + member.
f32_result result_in_parts(const f32_result &whole, float *parts);

// result = finish(sum over s of parts[s, member, a, b]), in order of s. Reads all parts once: bound by memory.
void sum_parts(const float *parts, int splits, int members, const f32_result &result, dn_gpu_stream stream);

} // namespace DN_TARGET
#endif
