// Scalars that steer training: hold, schedule, record, advance.
//
// One thread a member (blockIdx.z) reads a few numbers and writes one. They are launches only because a captured step
// must not ask the host: what these ops write, the step counter above all, is what the other kernels read. Bound by the
// launch itself, some microseconds inside a graph.
#include "cuda/operand.cuh"

namespace DN_TARGET
{
namespace
{

dim3 one_each(const dn_call *call)
{
    return dim3(1, 1, static_cast<unsigned>(call->members));
}

__global__ void hold_kernel(operand<const int32_t> step, operand<int32_t> out, int every)
{
    const int e = static_cast<int>(blockIdx.z);
    out.of(e)[0] = step.of(e)[0] / every * every;
}

void launch_hold(const dn_call *call, dn_gpu_stream stream)
{
    DN_LAUNCH(hold_kernel, one_each(call), dim3(1), 0, stream, input<int32_t>(call, 0), output<int32_t>(call, 0),
              call->op->args.hold.every);
}

// Row r of the table is (start, value, kind): kind 0 holds the value, 1 goes straight and 2 on half a cosine wave to
// the next row's. In double, as rates are small and steps are many.
__global__ void schedule_kernel(operand<const int32_t> steps, operand<const float> table, operand<float> out,
                                int64_t rows)
{
    const int e = static_cast<int>(blockIdx.z);
    const double step = steps.of(e)[0];
    const float *row = table.of(e); // [3], and the rows after it
    int64_t r = 0;
    for (; r + 1 < rows && row[3] <= step; r++) row += 3;
    double value = row[1];
    if (r + 1 < rows && row[2] != 0.0f) {
        const double t = (step - row[0]) / (row[3] - row[0]), next = row[4], pi = 3.14159265358979323846;
        if (row[2] == 1.0f)
            value += (next - value) * t;
        else
            value = next + (value - next) * (1.0 + cos(pi * t)) / 2.0;
    }
    out.of(e)[0] = static_cast<float>(value);
}

void launch_schedule(const dn_call *call, dn_gpu_stream stream)
{
    DN_LAUNCH(schedule_kernel, one_each(call), dim3(1), 0, stream, input<int32_t>(call, 0), input<float>(call, 1),
              output<float>(call, 0), call->in_info[1]->shape.dim[0]);
}

// history [length] is output and input at once.
__global__ void record_kernel(operand<float> history, operand<const float> x, operand<const int32_t> step,
                              int64_t length)
{
    const int e = static_cast<int>(blockIdx.z);
    history.of(e)[step.of(e)[0] % length] = x.of(e)[0];
}

void launch_record(const dn_call *call, dn_gpu_stream stream)
{
    DN_LAUNCH(record_kernel, one_each(call), dim3(1), 0, stream, output<float>(call, 0), input<float>(call, 1),
              input<int32_t>(call, 2), dn__count(call->out_info[0]));
}

__global__ void advance_kernel(operand<const int32_t> step, operand<const int32_t> ok, operand<int32_t> out)
{
    const int e = static_cast<int>(blockIdx.z);
    out.of(e)[0] = step.of(e)[0] + (!ok || ok.of(e)[0] ? 1 : 0);
}

void launch_advance(const dn_call *call, dn_gpu_stream stream)
{
    DN_LAUNCH(advance_kernel, one_each(call), dim3(1), 0, stream, input<int32_t>(call, 0), input<int32_t>(call, 1),
              output<int32_t>(call, 0));
}

} // namespace
} // namespace DN_TARGET

DN_GPU_KERNEL(hold, launch_hold, nullptr, nullptr);
DN_GPU_KERNEL(schedule, launch_schedule, nullptr, nullptr);
DN_GPU_KERNEL(record, launch_record, nullptr, nullptr);
DN_GPU_KERNEL(advance, launch_advance, nullptr, nullptr);
