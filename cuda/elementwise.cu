// Ops on each element by itself: relu, clamp, add, scale, cast, fill, and their gradients; copy and select.
//
// y[e,i] = f(a[e,i], b[e,i]) for i < n. One thread takes V neighbours of one member: 16 bytes where sizes and
// addresses allow, else one element; blockIdx.z is the member. An op of k inputs moves (k + 1) * n * 4 bytes (2 in
// bf16) and does next to no arithmetic: device memory bounds it. In place is safe, since an element is read and
// written by the same thread, first read, then written. Arithmetic is in f32 with one rounding per operation, as in
// the reference, so that the results have its bits; comparisons are written so that a NaN goes the reference's way.
#include "cuda/pack.cuh"

namespace DN_TARGET
{

// Functors get the elements as float. `enter` is called once by each thread, with its member.
struct for_all_members {
    __device__ void enter(int)
    {
    }
};

struct relu_of : for_all_members {
    __device__ float operator()(float x, float) const
    {
        return x <= 0.0f ? 0.0f : x;
    }
};

struct relu_grad_of : for_all_members {
    __device__ float operator()(float dy, float y) const
    {
        return y > 0.0f ? dy : 0.0f;
    }
};

struct clamp_of : for_all_members {
    float low, high;
    clamp_of(double l, double h) : low(static_cast<float>(l)), high(static_cast<float>(h))
    {
    }
    __device__ float operator()(float x, float) const
    {
        return x < low ? low : x > high ? high : x;
    }
};

struct clamp_grad_of : clamp_of {
    using clamp_of::clamp_of;
    __device__ float operator()(float dy, float x) const
    {
        return low <= x && x <= high ? dy : 0.0f;
    }
};

struct add_of : for_all_members {
    __device__ float operator()(float a, float b) const
    {
        return a + b;
    }
};

struct scale_of {
    operand<const float> scalar; // [1], may be left out
    double factor;
    float product;
    __device__ void enter(int e)
    {
        product = static_cast<float>(factor * (scalar ? scalar.of(e)[0] : 1.0f));
    }
    __device__ float operator()(float x, float) const
    {
        return x * product;
    }
};

struct fill_of : for_all_members {
    float value;
    explicit fill_of(double v) : value(static_cast<float>(v))
    {
    }
    __device__ float operator()(float, float) const
    {
        return value;
    }
};

struct identity_of : for_all_members {
    __device__ float operator()(float x, float) const
    {
        return x;
    }
};

constexpr unsigned THREADS = 256;

static dim3 grid_of(int64_t threads, const dn_call *call)
{
    return dim3(ceil_div(threads, THREADS), 1, static_cast<unsigned>(call->members));
}

// Where there are fewer than two inputs, f gets 0 instead. n is a multiple of V.
template <int V, int INPUTS, class From, class To, class F>
__global__ void map_kernel(F f, operand<const From> a, operand<const From> b, operand<To> y, int64_t n)
{
    const int e = static_cast<int>(blockIdx.z);
    const int64_t i = static_cast<int64_t>(blockIdx.x) * THREADS + threadIdx.x;
    if (i * V >= n) return;
    pack<V> first = {}, second = {}, result;
    f.enter(e);
    if (INPUTS > 0) first = load_pack<V>(a.of(e), i);
    if (INPUTS > 1) second = load_pack<V>(b.of(e), i);
    for (int j = 0; j < V; j++) result.at[j] = f(first.at[j], second.at[j]);
    store_pack(y.of(e), i, result);
}

template <int INPUTS, class From, class To, class F> void map(F f, const dn_call *call, dn_gpu_stream stream)
{
    constexpr int V = WIDEST_ACCESS / (sizeof(From) > sizeof(To) ? sizeof(From) : sizeof(To));
    const int64_t n = dn__count(call->out_info[0]);
    const operand<const From> none = {nullptr, 0}, a = INPUTS > 0 ? input<From>(call, 0) : none;
    const operand<const From> b = INPUTS > 1 ? input<From>(call, 1) : none;
    const operand<To> y = output<To>(call, 0);
    if (n % V == 0 && takes_packs<V>(a) && takes_packs<V>(b) && takes_packs<V>(y))
        DN_LAUNCH((map_kernel<V, INPUTS, From, To, F>), grid_of(n / V, call), dim3(THREADS), 0, stream, f, a, b, y, n);
    else
        DN_LAUNCH((map_kernel<1, INPUTS, From, To, F>), grid_of(n, call), dim3(THREADS), 0, stream, f, a, b, y, n);
}

// Inputs and output have one type.
template <int INPUTS, class F> void map_alike(F f, const dn_call *call, dn_gpu_stream stream)
{
    if (is_bf16(call->out_info[0]))
        map<INPUTS, bf16, bf16>(f, call, stream);
    else
        map<INPUTS, float, float>(f, call, stream);
}

static void launch_relu(const dn_call *call, dn_gpu_stream stream)
{
    map_alike<1>(relu_of{}, call, stream);
}

static void launch_relu_grad(const dn_call *call, dn_gpu_stream stream)
{
    map_alike<2>(relu_grad_of{}, call, stream);
}

static void launch_clamp(const dn_call *call, dn_gpu_stream stream)
{
    map_alike<1>(clamp_of(call->op->args.scalar.low, call->op->args.scalar.high), call, stream);
}

static void launch_clamp_grad(const dn_call *call, dn_gpu_stream stream)
{
    map_alike<2>(clamp_grad_of(call->op->args.scalar.low, call->op->args.scalar.high), call, stream);
}

static void launch_add(const dn_call *call, dn_gpu_stream stream)
{
    map_alike<2>(add_of{}, call, stream);
}

static void launch_scale(const dn_call *call, dn_gpu_stream stream)
{
    map_alike<1>(scale_of{input<float>(call, 1), call->op->args.scalar.factor, 0.0f}, call, stream);
}

static void launch_fill(const dn_call *call, dn_gpu_stream stream)
{
    map_alike<0>(fill_of(call->op->args.scalar.factor), call, stream);
}

static void launch_cast(const dn_call *call, dn_gpu_stream stream)
{
    if (is_bf16(call->in_info[0]) == is_bf16(call->out_info[0]))
        map_alike<1>(identity_of{}, call, stream);
    else if (is_bf16(call->out_info[0]))
        map<1, float, bf16>(identity_of{}, call, stream);
    else
        map<1, bf16, float>(identity_of{}, call, stream);
}

// y = a, or b where the member's choice is above 1/2. Elements move as they are, n words of some type.
template <class Word>
__global__ void move_kernel(operand<const float> choice, operand<const Word> a, operand<const Word> b, operand<Word> y,
                            int64_t n)
{
    const int e = static_cast<int>(blockIdx.z);
    const int64_t i = static_cast<int64_t>(blockIdx.x) * THREADS + threadIdx.x;
    if (i < n) y.of(e)[i] = (choice && choice.of(e)[0] > 0.5f ? b : a).of(e)[i];
}

template <class Word>
void move_words(operand<const float> choice, int a, int b, const dn_call *call, dn_gpu_stream stream)
{
    const int64_t n = static_cast<int64_t>(dn__bytes(call->out_info[0]) / sizeof(Word));
    DN_LAUNCH(move_kernel<Word>, grid_of(n, call), dim3(THREADS), 0, stream, choice, input<Word>(call, a),
              input<Word>(call, b), output<Word>(call, 0), n);
}

// From input a, or input b by choice; the widest words that sizes and addresses allow.
static void move(operand<const float> choice, int a, int b, const dn_call *call, dn_gpu_stream stream)
{
    const size_t bytes = dn__bytes(call->out_info[0]);
    const bool wide = bytes % WIDEST_ACCESS == 0 && aligned(input<unsigned char>(call, a), WIDEST_ACCESS) &&
                      aligned(input<unsigned char>(call, b), WIDEST_ACCESS) &&
                      aligned(output<unsigned char>(call, 0), WIDEST_ACCESS);
    if (wide)
        move_words<uint4>(choice, a, b, call, stream);
    else if (dn_dtype_size(call->out_info[0]->dtype) == sizeof(uint32_t))
        move_words<uint32_t>(choice, a, b, call, stream);
    else
        move_words<uint16_t>(choice, a, b, call, stream);
}

static void launch_copy(const dn_call *call, dn_gpu_stream stream)
{
    move({nullptr, 0}, 0, 0, call, stream);
}

static void launch_select(const dn_call *call, dn_gpu_stream stream)
{
    move(input<float>(call, 0), 1, 2, call, stream);
}

} // namespace DN_TARGET

DN_GPU_KERNEL(relu, launch_relu, nullptr, nullptr);
DN_GPU_KERNEL(relu_grad, launch_relu_grad, nullptr, nullptr);
DN_GPU_KERNEL(clamp, launch_clamp, nullptr, nullptr);
DN_GPU_KERNEL(clamp_grad, launch_clamp_grad, nullptr, nullptr);
DN_GPU_KERNEL(add, launch_add, nullptr, nullptr);
DN_GPU_KERNEL(scale, launch_scale, nullptr, nullptr);
DN_GPU_KERNEL(fill, launch_fill, nullptr, nullptr);
DN_GPU_KERNEL(cast, launch_cast, nullptr, nullptr);
DN_GPU_KERNEL(copy, launch_copy, nullptr, nullptr);
DN_GPU_KERNEL(select, launch_select, nullptr, nullptr);
