// Convolutions as matrix products: what is a row, a column and a term of the sum, and where its numbers are in memory.
//
// Each of the three kinds is D[line a, line b] = sum over depth of A[line a, depth] B[line b, depth], D in row-major
// order:
//   forward       y [N P Q, K]    lines a: positions (n,p,q)   lines b: filters k      depth: taps (r,s,c)
//   data gradient dx [N H W, C]   lines a: pixels (n,h,w)      lines b: channels c     depth: taps (r,s,k)
//   weight grad.  dw [K, R S C]   lines a: filters k           lines b: taps (r,s,c)   depth: positions (n,p,q)
// A and B are never built. A view (patches_by_position, ... below) gives the place of an element in memory, and says
// where the element is zero: in the padding, and outside of the matrix. linear is the 1x1 convolution of 1x1 images.
//
// With a stride, the data gradient falls into stride^2 products, one per phase: the pixels with (h % stride, w %
// stride) alike are read by the same taps. Each phase is a convolution with stride 1 of its own; pixels that no tap
// reads have depth 0. With stride 1 there is one phase, the whole.
//
// Indices of lines and depth are int: one member's tensors have fewer than 2^31 positions. Offsets are 64 bit.
#ifndef DN_CUDA_CONV_PROBLEM_CUH
#define DN_CUDA_CONV_PROBLEM_CUH

#include "cuda/operand.cuh"
#include "cuda/ptx.cuh"

namespace DN_TARGET
{

// Exact n / d and n % d for 0 <= n < 2^31 by a multiplication.
// With 2^(s-1) < d <= 2^s and m = ceil(2^(31+s) / d): m d - 2^(31+s) < d <= 2^s, so n m / 2^(31+s) exceeds n / d by
// less than 1 / d, and its whole part is right.
struct divider {
    uint32_t divisor, magic, shift;

    __device__ int quotient(int n) const
    {
        return static_cast<int>((static_cast<uint64_t>(static_cast<uint32_t>(n)) * magic) >> shift);
    }
    __device__ int remainder(int n, int quotient_of_n) const
    {
        return n - quotient_of_n * static_cast<int>(divisor);
    }
};

inline divider divide_by(int64_t divisor)
{
    uint32_t s = 0;
    while ((int64_t{1} << s) < divisor) s++;
    const uint64_t d = static_cast<uint64_t>(divisor), power = uint64_t{1} << (31 + s);
    return {static_cast<uint32_t>(divisor), static_cast<uint32_t>((power + d - 1) / d), 31 + s};
}

// The shapes of a conv2d or linear op, or of a gradient of theirs: x [N,H,W,C], w [K,R,S,C], y [N,P,Q,K].
struct conv_problem {
    int members;
    int N, H, W, C;
    int K, R, S;
    int P, Q;
    int stride, padding;
    bool relu;                 // of the forward op only
    const dn_gpu_tile *forced; // nullptr: the plan's
};

// The sizes of one matrix product: D [a, b], `depth` terms each.
struct gemm_shape {
    int a, b, depth;
};

// Which operands of a call are x, w and y (or their gradients).
struct conv_operands {
    const dn_tensor_info *x, *w, *y;
};

inline conv_operands conv_operands_of(const dn_call *call)
{
    switch (call->op->kind) {
    case DN_OP_CONV2D_DATA_GRAD:
    case DN_OP_LINEAR_DATA_GRAD: return {call->out_info[0], call->in_info[1], call->in_info[0]};
    case DN_OP_CONV2D_WEIGHT_GRAD:
    case DN_OP_LINEAR_WEIGHT_GRAD: return {call->in_info[0], call->out_info[0], call->in_info[1]};
    default: return {call->in_info[0], call->in_info[1], call->out_info[0]};
    }
}

// Of conv2d, linear and their gradients.
inline conv_problem problem_of(const dn_call *call)
{
    const conv_operands o = conv_operands_of(call);
    const int64_t *x = o.x->shape.dim, *w = o.w->shape.dim, *y = o.y->shape.dim;
    const dn_op_kind kind = call->op->kind;
    const auto size = [](int64_t n) { return static_cast<int>(n); };
    conv_problem p = {};
    p.members = call->members;
    p.forced = static_cast<const dn_gpu_tile *>(call->prepared);
    p.N = size(x[0]), p.K = size(w[0]);
    if (o.x->shape.rank == 2) {
        p.H = p.W = p.R = p.S = p.P = p.Q = p.stride = 1;
        p.C = size(x[1]);
    } else {
        p.H = size(x[1]), p.W = size(x[2]), p.C = size(x[3]);
        p.R = size(w[1]), p.S = size(w[2]);
        p.P = size(y[1]), p.Q = size(y[2]);
        p.stride = call->op->args.conv.stride, p.padding = call->op->args.conv.padding;
    }
    p.relu = (kind == DN_OP_CONV2D || kind == DN_OP_LINEAR) && call->op->args.conv.relu;
    return p;
}

// The pixels (first_h + i stride, first_w + j stride), i < H, j < W, and the taps that read them, which are the
// (first_r + u stride, first_s + v stride), u < R, v < S. Tap (u, v) reads pixel (i, j) for output (top + i - u, left
// + j - v).
struct conv_phase {
    int first_h, first_w, H, W;
    int first_r, first_s, R, S;
    int top, left;
};

inline int phases_of(const conv_problem &p)
{
    return p.stride * p.stride;
}

// Phase k of a data gradient, k < phases_of(p). H or W may be 0: no such pixels. R or S may be 0: no tap reads them.
inline conv_phase phase_of(const conv_problem &p, int k)
{
    const auto every = [&p](int first, int n) { return first < n ? (n - first + p.stride - 1) / p.stride : 0; };
    conv_phase f = {};
    f.first_h = k / p.stride, f.first_w = k % p.stride;
    f.first_r = (f.first_h + p.padding) % p.stride, f.first_s = (f.first_w + p.padding) % p.stride;
    f.H = every(f.first_h, p.H), f.W = every(f.first_w, p.W);
    f.R = every(f.first_r, p.R), f.S = every(f.first_s, p.S);
    f.top = (f.first_h + p.padding) / p.stride, f.left = (f.first_w + p.padding) / p.stride;
    return f;
}

inline gemm_shape forward_shape(const conv_problem &p)
{
    return {p.N * p.P * p.Q, p.K, p.R * p.S * p.C};
}

inline gemm_shape data_grad_shape(const conv_problem &p, const conv_phase &f)
{
    return {p.N * f.H * f.W, p.C, f.R * f.S * p.K};
}

inline gemm_shape weight_grad_shape(const conv_problem &p)
{
    return {p.K, p.R * p.S * p.C, p.N * p.P * p.Q};
}

// Where an element is; it is zero, and `address` is not to be read, unless `inside`. (An address or nullptr would be
// tested again for each copy, in 64 bits.)
template <class T> struct place_of {
    const T *address;
    bool inside;
};

// A coordinate that stays outside of every image, whatever tap is added; an offset that is none, and keeps the address
// that is made with it at a multiple of 16 bytes, as asynchronous copies ask even of those that are not read.
constexpr int OUTSIDE = -(1 << 30);

// The elements of images [N, height, width, channels] under the taps of filters at a grid of positions.
template <class T> struct patches {
    operand<const T> images;
    const T *image; // this member's, after enter()
    int height, width, channels;
    int positions, taps; // how many (n,p,q) and (r,s,channel)
    int step, top, left; // position (p, q) stands at (top + p step, left + q step)
    int direction;       // tap (r, s) reads `direction` times (r, s) from there
    divider grid, grid_columns, tap_channels, tap_columns;

    struct position {
        int h, w;
        const T *pixel; // where (h, w) is, or would be
    };
    struct tap {
        int h, w, offset;
    };

    __device__ void enter(int e)
    {
        image = held(images.of(e));
    }
    __device__ position position_of(int i) const
    {
        if (i >= positions) return {OUTSIDE, OUTSIDE, image};
        const int n = grid.quotient(i), in_grid = grid.remainder(i, n);
        const int p = grid_columns.quotient(in_grid), q = grid_columns.remainder(in_grid, p);
        const int h = top + p * step, w = left + q * step;
        return {h, w, held(image + ((static_cast<int64_t>(n) * height + h) * width + w) * channels)};
    }
    __device__ tap tap_of(int i) const
    {
        if (i >= taps) return {OUTSIDE, OUTSIDE, 0};
        const int both = tap_channels.quotient(i), c = tap_channels.remainder(i, both);
        const int r = tap_columns.quotient(both), s = tap_columns.remainder(both, r);
        const int h = direction * r, w = direction * s;
        return {h, w, (h * width + w) * channels + c};
    }
    // The element. Its neighbours in the channels follow it in memory.
    __device__ place_of<T> find(const position &at, const tap &of) const
    {
        const bool inside = static_cast<unsigned>(at.h + of.h) < static_cast<unsigned>(height) &&
                            static_cast<unsigned>(at.w + of.w) < static_cast<unsigned>(width);
        return {at.pixel + of.offset, inside};
    }
};

// x under the filters, for the forward and the weight gradient.
template <class T> patches<T> patches_of_x(const conv_problem &p, operand<const T> x)
{
    patches<T> v = {};
    v.images = x;
    v.height = p.H, v.width = p.W, v.channels = p.C;
    v.positions = p.N * p.P * p.Q, v.taps = p.R * p.S * p.C;
    v.step = p.stride, v.top = v.left = -p.padding, v.direction = 1;
    v.grid = divide_by(int64_t{p.P} * p.Q), v.grid_columns = divide_by(p.Q);
    v.tap_channels = divide_by(p.C), v.tap_columns = divide_by(p.S);
    return v;
}

// dy under the taps that read a phase's pixels, for the data gradient. The phase has pixels; it may have no taps.
template <class T> patches<T> patches_of_dy(const conv_problem &p, const conv_phase &f, operand<const T> dy)
{
    patches<T> v = {};
    v.images = dy;
    v.height = p.P, v.width = p.Q, v.channels = p.K;
    v.positions = p.N * f.H * f.W, v.taps = f.R * f.S * p.K;
    v.step = 1, v.top = f.top, v.left = f.left, v.direction = -1;
    v.grid = divide_by(int64_t{f.H} * f.W), v.grid_columns = divide_by(f.W);
    v.tap_channels = divide_by(p.K), v.tap_columns = divide_by(f.S > 0 ? f.S : 1);
    return v;
}

// Views: line(i) and depth(i) take an index apart, once; at(line, depth) is the element's place. Indices past the
// end are allowed and are outside. ALONG_DEPTH: neighbours in memory are neighbours in depth, else
// neighbouring lines. If the view's whole() is a multiple of n, then n neighbours from a multiple of n on are in one
// piece, or all zero.

template <class T> struct patches_by_position : patches<T> { // A of the forward and of the data gradient
    using element = T;
    using line_t = typename patches<T>::position;
    using depth_t = typename patches<T>::tap;
    static constexpr bool ALONG_DEPTH = true;

    explicit patches_by_position(const patches<T> &p) : patches<T>(p)
    {
    }
    int whole() const
    {
        return this->channels;
    }
    __device__ line_t line(int i) const
    {
        return this->position_of(i);
    }
    __device__ depth_t depth(int i) const
    {
        return this->tap_of(i);
    }
    __device__ place_of<T> at(const line_t &l, const depth_t &d) const
    {
        return this->find(l, d);
    }
};

template <class T> struct patches_by_tap : patches<T> { // B of the weight gradient
    using element = T;
    using line_t = typename patches<T>::tap;
    using depth_t = typename patches<T>::position;
    static constexpr bool ALONG_DEPTH = false;

    explicit patches_by_tap(const patches<T> &p) : patches<T>(p)
    {
    }
    int whole() const
    {
        return this->channels;
    }
    __device__ line_t line(int i) const
    {
        return this->tap_of(i);
    }
    __device__ depth_t depth(int i) const
    {
        return this->position_of(i);
    }
    __device__ place_of<T> at(const line_t &l, const depth_t &d) const
    {
        return this->find(d, l);
    }
};

// A plain matrix [rows, columns] whose rows (ROWS_ARE_LINES: w [K, R S C], B of the forward) or columns (dy [N P Q, K],
// A of the weight gradient) are the lines.
template <class T, bool ROWS_ARE_LINES> struct plain_matrix {
    using element = T;
    using line_t = int64_t; // offset, or negative: outside
    using depth_t = int64_t;
    static constexpr bool ALONG_DEPTH = ROWS_ARE_LINES;
    operand<const T> matrix;
    const T *values;
    int rows, columns;

    int whole() const
    {
        return columns;
    }
    __device__ void enter(int e)
    {
        values = held(matrix.of(e));
    }
    __device__ int64_t row(int i) const
    {
        return i < rows ? static_cast<int64_t>(i) * columns : OUTSIDE;
    }
    __device__ int64_t column(int i) const
    {
        return i < columns ? i : OUTSIDE;
    }
    __device__ line_t line(int i) const
    {
        return ROWS_ARE_LINES ? row(i) : column(i);
    }
    __device__ depth_t depth(int i) const
    {
        return ROWS_ARE_LINES ? column(i) : row(i);
    }
    __device__ place_of<T> at(line_t l, depth_t d) const
    {
        return {values + l + d, l >= 0 && d >= 0};
    }
};

// w [K,R,S,C] with channels as lines and a phase's taps (u,v,k) as depth: B of the data gradient.
template <class T> struct filters_by_channel {
    using element = T;
    using line_t = int64_t;
    using depth_t = int64_t;
    static constexpr bool ALONG_DEPTH = false;
    operand<const T> filters;
    const T *filter;
    int R, S, C, taps;
    int stride, first_r, first_s;
    divider tap_filters, tap_columns;

    int whole() const
    {
        return C;
    }
    __device__ void enter(int e)
    {
        filter = held(filters.of(e));
    }
    __device__ line_t line(int i) const
    {
        return i < C ? i : OUTSIDE;
    }
    __device__ depth_t depth(int i) const
    {
        if (i >= taps) return OUTSIDE;
        const int both = tap_filters.quotient(i), k = tap_filters.remainder(i, both);
        const int u = tap_columns.quotient(both), v = tap_columns.remainder(both, u);
        const int r = first_r + u * stride, s = first_s + v * stride;
        return ((static_cast<int64_t>(k) * R + r) * S + s) * C;
    }
    __device__ place_of<T> at(line_t l, depth_t d) const
    {
        return {filter + l + d, l >= 0 && d >= 0};
    }
};

template <class T>
filters_by_channel<T> filters_of_phase(const conv_problem &p, const conv_phase &f, operand<const T> w)
{
    filters_by_channel<T> v = {};
    v.filters = w;
    v.R = p.R, v.S = p.S, v.C = p.C, v.taps = f.R * f.S * p.K;
    v.stride = p.stride, v.first_r = f.first_r, v.first_s = f.first_s;
    v.tap_filters = divide_by(p.K), v.tap_columns = divide_by(f.S > 0 ? f.S : 1);
    return v;
}

// The row of D in which line `a` of a product ends: itself, but the pixels of a phase are spread over the images.
struct result_rows {
    bool spread;
    int H, W, stride, first_h, first_w;
    divider grid, grid_columns;

    __device__ int64_t of(int line) const
    {
        if (!spread) return line;
        const int n = grid.quotient(line), in_grid = grid.remainder(line, n);
        const int i = grid_columns.quotient(in_grid), j = grid_columns.remainder(in_grid, i);
        return (static_cast<int64_t>(n) * H + first_h + i * stride) * W + first_w + j * stride;
    }
};

inline result_rows rows_of_phase(const conv_problem &p, const conv_phase &f)
{
    result_rows v = {};
    v.spread = p.stride > 1;
    v.H = p.H, v.W = p.W, v.stride = p.stride, v.first_h = f.first_h, v.first_w = f.first_w;
    v.grid = divide_by(int64_t{f.H} * f.W), v.grid_columns = divide_by(f.W);
    return v;
}

} // namespace DN_TARGET
#endif
