// Channels put together and taken apart: concat, slice, embed, over rows of the last dimension.
//
// All three fill rows of y from two pieces that stand side by side in it: y[e,row,c] = a[e,row,c - a.first] where
// piece a reaches, else b[e,row,c - b.first] where piece b reaches, else 0.
//   concat: a from 0, b from a's width on.  slice: x from -first, its ends lie outside of y.  embed: dy from `first`.
// Elements move as words of 16, 4 or 2 bytes, the widest that divides all widths, offsets and addresses; the bits are
// the same with any. Threads form rows of `across` lanes (a power of two) over the words of a row of y, 256 / across
// rows to a block, so that nothing is divided; blockIdx.z is the member. Moves two times the output's bytes: device
// memory bounds it.
#include "cuda/pack.cuh"

namespace DN_TARGET
{

constexpr unsigned THREADS = 256, MOST_BLOCKS = 1u << 30;

template <class Word> struct piece {
    operand<const Word> from; // [rows,width]; may be left out
    int64_t first, width;     // words of a row of y: where the piece starts, how long it is
    __device__ bool reaches(int64_t c) const
    {
        return from && c >= first && c - first < width;
    }
    __device__ Word of(int e, int64_t row, int64_t c) const
    {
        return from.of(e)[row * width + c - first];
    }
};

template <class Word>
__global__ void arrange_kernel(piece<Word> a, piece<Word> b, operand<Word> y, int64_t rows, int64_t width)
{
    const int e = static_cast<int>(blockIdx.z);
    const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.y;
    for (int64_t row = static_cast<int64_t>(blockIdx.x) * blockDim.y + threadIdx.y; row < rows; row += step)
        for (int64_t c = threadIdx.x; c < width; c += blockDim.x) {
            Word word = {};
            if (a.reaches(c))
                word = a.of(e, row, c);
            else if (b.reaches(c))
                word = b.of(e, row, c);
            y.of(e)[row * width + c] = word;
        }
}

// The pieces in elements; input -1: no such piece.
struct layout {
    int64_t first[2];
    int input[2];
};

template <class Word> piece<Word> piece_of(const layout &l, int k, const dn_call *call, int64_t element)
{
    if (l.input[k] < 0) return {{nullptr, 0}, 0, 0};
    const int64_t bytes = static_cast<int64_t>(sizeof(Word));
    return {input<Word>(call, l.input[k]), l.first[k] * element / bytes,
            dn__last(call->in_info[l.input[k]]) * element / bytes};
}

template <class Word> void arrange_words(const layout &l, const dn_call *call, int64_t element, dn_gpu_stream stream)
{
    const int64_t rows = dn__rows(call->out_info[0]);
    const int64_t width = dn__last(call->out_info[0]) * element / static_cast<int64_t>(sizeof(Word));
    unsigned across = 1;
    while (across < THREADS && across < width) across *= 2;
    const dim3 block(across, THREADS / across);
    const int64_t wanted = (rows + block.y - 1) / block.y;
    const dim3 grid(wanted < MOST_BLOCKS ? static_cast<unsigned>(wanted) : MOST_BLOCKS, 1,
                    static_cast<unsigned>(call->members));
    DN_LAUNCH(arrange_kernel<Word>, grid, block, 0, stream, piece_of<Word>(l, 0, call, element),
              piece_of<Word>(l, 1, call, element), output<Word>(call, 0), rows, width);
}

// Whether everything is a multiple of 16 bytes.
static bool all_wide(const layout &l, const dn_call *call, int64_t element)
{
    const int64_t wide = WIDEST_ACCESS;
    bool all =
        aligned(output<unsigned char>(call, 0), WIDEST_ACCESS) && dn__last(call->out_info[0]) * element % wide == 0;
    for (int k = 0; k < 2; k++)
        if (l.input[k] >= 0)
            all = all && aligned(input<unsigned char>(call, l.input[k]), WIDEST_ACCESS) &&
                  l.first[k] * element % wide == 0 && dn__last(call->in_info[l.input[k]]) * element % wide == 0;
    return all;
}

static void arrange(const layout &l, const dn_call *call, dn_gpu_stream stream)
{
    const int64_t element = static_cast<int64_t>(dn_dtype_size(call->out_info[0]->dtype));
    if (all_wide(l, call, element))
        arrange_words<uint4>(l, call, element, stream);
    else if (element == sizeof(uint32_t))
        arrange_words<uint32_t>(l, call, element, stream);
    else
        arrange_words<uint16_t>(l, call, element, stream);
}

static void launch_concat(const dn_call *call, dn_gpu_stream stream)
{
    arrange({{0, dn__last(call->in_info[0])}, {0, 1}}, call, stream);
}

static void launch_slice(const dn_call *call, dn_gpu_stream stream)
{
    arrange({{-call->op->args.slice.first, 0}, {0, -1}}, call, stream);
}

static void launch_embed(const dn_call *call, dn_gpu_stream stream)
{
    arrange({{call->op->args.slice.first, 0}, {0, -1}}, call, stream);
}

} // namespace DN_TARGET

DN_GPU_KERNEL(concat, launch_concat, nullptr, nullptr);
DN_GPU_KERNEL(slice, launch_slice, nullptr, nullptr);
DN_GPU_KERNEL(embed, launch_embed, nullptr, nullptr);
