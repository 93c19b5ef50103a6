// Optimizer updates over the whole flat block of parameters [E,P], in place: one launch, however many layers there are.
//
// adam   g' = g + decay w;  m = b1 m + (1 - b1) g';  v = b2 v + (1 - b2) g'^2
//        w -= rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon), t = step + 1
// sgd    g' = g + decay w;  u = momentum u + g';  w -= rate u, or rate (g' + momentum u) by Nesterov
//
// A thread takes four neighbours (16-byte loads and stores) at every round, blockIdx.z is the member. Bytes a
// parameter: adam 28 (w g m v read, w m v written), sgd with momentum 20, without 12; some ten operations on them:
// device memory bounds it. Rate, step and the permission `ok` are read from device memory; where ok is 0 nothing is
// touched. The powers of b1 and b2 are taken once a block, in double. Elements do not depend on each other, so the
// mapping does not matter.
#include "cuda/pack.cuh"

namespace DN_TARGET
{
namespace
{

constexpr unsigned THREADS = 256, MOST_BLOCKS = 1024;

template <int V> struct width {
};

// Calls update(e, i, width<V>) for all packs i of V parameters of member e = blockIdx.z: packs of four where `vector`,
// then of one.
template <class U> __device__ void for_all(const U &update, int64_t n, bool vector)
{
    const int e = static_cast<int>(blockIdx.z);
    const int64_t step = static_cast<int64_t>(gridDim.x) * THREADS;
    const int64_t first = static_cast<int64_t>(blockIdx.x) * THREADS + threadIdx.x, packs = vector ? n / 4 : 0;
    for (int64_t i = first; i < packs; i += step) update(e, i, width<4>{});
    for (int64_t i = 4 * packs + first; i < n; i += step) update(e, i, width<1>{});
}

dim3 grid_of(const dn_call *call, int64_t n)
{
    const unsigned wanted = ceil_div(n, 4 * THREADS);
    return dim3(wanted < MOST_BLOCKS ? wanted : MOST_BLOCKS, 1, static_cast<unsigned>(call->members));
}

__device__ inline bool allowed(const operand<const int32_t> &ok)
{
    return !ok || ok.of(static_cast<int>(blockIdx.z))[0];
}

// ---- Adam: Kingma and Ba, ICLR 2015; weight decay is added to the gradient ----

struct adam {
    operand<float> w, m, v; // [P]
    operand<const float> g; // [P]
    float b1, c1, b2, c2;   // c = 1 - b
    float decay, epsilon;
    float rate, grow1, grow2; // of this member and step: grow = 1 / (1 - b^t)

    template <int V> __device__ void operator()(int e, int64_t i, width<V>) const
    {
        pack<V> weight = load_pack<V>(w.of(e), i), first = load_pack<V>(m.of(e), i), second = load_pack<V>(v.of(e), i);
        const pack<V> gradient = load_pack<V>(g.of(e), i);
        for (int k = 0; k < V; k++) {
            const float d = gradient.at[k] + decay * weight.at[k];
            first.at[k] = b1 * first.at[k] + c1 * d;
            second.at[k] = b2 * second.at[k] + c2 * d * d;
            weight.at[k] -= rate * (first.at[k] * grow1) / (sqrtf(second.at[k] * grow2) + epsilon);
        }
        store_pack(w.of(e), i, weight);
        store_pack(m.of(e), i, first);
        store_pack(v.of(e), i, second);
    }
};

__global__ void adam_kernel(adam a, double b1, double b2, operand<const float> rate, operand<const int32_t> step,
                            operand<const int32_t> ok, int64_t n, bool vector)
{
    DN_SHARED(float, grow); // [2]
    if (!allowed(ok)) return;
    const int e = static_cast<int>(blockIdx.z);
    if (threadIdx.x < 2)
        grow[threadIdx.x] = static_cast<float>(1.0 / (1.0 - pow(threadIdx.x ? b2 : b1, 1.0 + step.of(e)[0])));
    __syncthreads();
    a.rate = rate.of(e)[0];
    a.grow1 = grow[0];
    a.grow2 = grow[1];
    for_all(a, n, vector);
}

void launch_adam(const dn_call *call, dn_gpu_stream stream)
{
    const double b1 = call->op->args.update.beta1, b2 = call->op->args.update.beta2;
    adam a = {};
    a.w = output<float>(call, 0), a.m = output<float>(call, 1), a.v = output<float>(call, 2);
    a.g = input<float>(call, 1);
    a.b1 = static_cast<float>(b1), a.c1 = static_cast<float>(1.0 - b1);
    a.b2 = static_cast<float>(b2), a.c2 = static_cast<float>(1.0 - b2);
    a.decay = static_cast<float>(call->op->args.update.decay);
    a.epsilon = static_cast<float>(call->op->args.update.epsilon);
    const bool vector = takes_packs<4>(a.w) && takes_packs<4>(a.m) && takes_packs<4>(a.v) && takes_packs<4>(a.g);
    const int64_t n = dn__count(call->in_info[0]);
    DN_LAUNCH(adam_kernel, grid_of(call, n), dim3(THREADS), 2 * sizeof(float), stream, a, b1, b2, input<float>(call, 4),
              input<int32_t>(call, 5), input<int32_t>(call, 6), n, vector);
}

// ---- SGD ----

struct sgd {
    operand<float> w, u;    // [P]; u: velocity, may be left out
    operand<const float> g; // [P]
    float momentum, decay;
    float own, carried; // the direction is own * g' + carried * u
    float rate;         // of this member

    template <int V> __device__ void operator()(int e, int64_t i, width<V>) const
    {
        pack<V> weight = load_pack<V>(w.of(e), i), direction = load_pack<V>(g.of(e), i);
        for (int k = 0; k < V; k++) direction.at[k] += decay * weight.at[k];
        if (u) {
            pack<V> velocity = load_pack<V>(u.of(e), i);
            for (int k = 0; k < V; k++) {
                velocity.at[k] = momentum * velocity.at[k] + direction.at[k];
                direction.at[k] = own * direction.at[k] + carried * velocity.at[k];
            }
            store_pack(u.of(e), i, velocity);
        }
        for (int k = 0; k < V; k++) weight.at[k] -= rate * direction.at[k];
        store_pack(w.of(e), i, weight);
    }
};

__global__ void sgd_kernel(sgd s, operand<const float> rate, operand<const int32_t> ok, int64_t n, bool vector)
{
    if (!allowed(ok)) return;
    s.rate = rate.of(static_cast<int>(blockIdx.z))[0];
    for_all(s, n, vector);
}

void launch_sgd(const dn_call *call, dn_gpu_stream stream)
{
    const bool nesterov = call->op->args.update.nesterov;
    sgd s = {};
    s.w = output<float>(call, 0), s.u = output<float>(call, 1), s.g = input<float>(call, 1);
    s.momentum = static_cast<float>(call->op->args.update.momentum);
    s.decay = static_cast<float>(call->op->args.update.decay);
    s.own = nesterov ? 1.0f : 0.0f, s.carried = nesterov ? s.momentum : 1.0f;
    const bool vector = takes_packs<4>(s.w) && takes_packs<4>(s.u) && takes_packs<4>(s.g);
    const int64_t n = dn__count(call->in_info[0]);
    DN_LAUNCH(sgd_kernel, grid_of(call, n), dim3(THREADS), 0, stream, s, input<float>(call, 3), input<int32_t>(call, 4),
              n, vector);
}

} // namespace
} // namespace DN_TARGET

DN_GPU_KERNEL(adam, launch_adam, nullptr, nullptr);
DN_GPU_KERNEL(sgd, launch_sgd, nullptr, nullptr);
