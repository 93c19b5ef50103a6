// Tiles of an operand in shared memory, how threads fill them, and how warps take fragments for tensor cores from
// them.
//
// A tile holds LINES lines of an operand over a slice of the depth, 64 bytes of it: 32 bf16, 16 f32. It lies as
// memory does, so that 16 bytes (a chunk) at a time can be copied: a view that runs along the depth gives tile rows
// of one line each, the others rows of one depth each, which ldmatrix transposes on the way if they are bf16. It
// moves 16 bits, so f32 that lie along lines are read word by word: four depths and eight lines at once.
//
// All these accesses fall into different banks of shared memory: where a row is 64 bytes, its four chunks change
// places by XOR with two bits of the row's number; longer rows are followed by one chunk (bf16) or two (f32) that
// are not used.
#ifndef DN_CUDA_MMA_TILE_CUH
#define DN_CUDA_MMA_TILE_CUH

#include "cuda/bf16.cuh"
#include "cuda/mma_order.cuh"

namespace DN_TARGET
{

constexpr int MMA_THREADS = 128, MMA_CHUNK = 16, MMA_SLICE = 64;

template <class T, int LINES, bool ALONG_DEPTH> struct mma_tile {
    static constexpr int ELEMENTS = MMA_CHUNK / sizeof(T), DEPTH = MMA_SLICE / sizeof(T);
    static constexpr int ROWS = ALONG_DEPTH ? LINES : DEPTH, CHUNKS = (ALONG_DEPTH ? DEPTH : LINES) / ELEMENTS;
    static constexpr bool BY_WORDS = !ALONG_DEPTH && sizeof(T) == 4;
    static constexpr int PITCH = CHUNKS + (CHUNKS == 4 ? 0 : BY_WORDS ? 2 : 1); // chunks from row to row
    static constexpr int BYTES = ROWS * PITCH * MMA_CHUNK;
    static_assert(CHUNKS >= 4 && MMA_THREADS % CHUNKS == 0 && ROWS * CHUNKS % MMA_THREADS == 0,
                  "no thread is left out");

    // Where a chunk is, in bytes from the tile's start.
    __device__ static int place(int row, int chunk)
    {
        return (row * PITCH + (CHUNKS == 4 ? chunk ^ (row >> 1 & 3) : chunk)) * MMA_CHUNK;
    }

    // 16 lines over 32 bytes of depth: four 8 x 16-byte parts, in the order of a left operand of mma (lines before
    // depth) or of two right operands of 8 lines each (depth before lines).
    template <bool LEFT> __device__ static void fragment(uint32_t r[4], const unsigned char *tile, int line, int step)
    {
        const int lane = static_cast<int>(threadIdx.x) % 32, part = lane / 8;
        const int line_half = LEFT ? part % 2 : part / 2, depth_half = LEFT ? part / 2 : part % 2;
        if constexpr (ALONG_DEPTH) {
            load_matrices(r, tile + place(line + lane % 8 + 8 * line_half, 2 * step + depth_half));
        } else if constexpr (sizeof(T) == 2) {
            const int row = 16 * step + lane % 8 + 8 * depth_half;
            load_matrices_transposed(r, tile + place(row, line / ELEMENTS + line_half));
        } else {
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const int row = 8 * step + lane % 4 + 4 * (LEFT ? i / 2 : i % 2);
                const int column = line + lane / 4 + 8 * (LEFT ? i % 2 : i / 2);
                const unsigned char *at = tile + place(row, column / ELEMENTS) + column % ELEMENTS * sizeof(T);
                r[i] = *reinterpret_cast<const uint32_t *>(at);
            }
        }
        if constexpr (sizeof(T) == 4) {
#pragma unroll
            for (int i = 0; i < 4; i++) r[i] = round_to_tf32(__uint_as_float(r[i]));
        }
    }
};

// Copies BYTES to shared memory, zeros from outside. Two bytes are too few for an asynchronous copy.
template <int BYTES, class T> __device__ __forceinline__ void copy_piece(unsigned char *to, const place_of<T> &from)
{
    if constexpr (BYTES >= 4)
        copy_async<BYTES>(to, from.address, from.inside);
    else
        *reinterpret_cast<uint16_t *>(to) =
            from.inside ? *reinterpret_cast<const uint16_t *>(in_device_memory(from.address)) : 0;
}

// One thread's part in filling tiles with a view's elements: the same chunk of every STEPth row. VECTOR: whole
// chunks are copied; else pieces, whose size (in elements) is known at run time.
template <class VIEW, int LINES, bool VECTOR> struct mma_filler {
    using T = typename VIEW::element;
    using tile = mma_tile<T, LINES, VIEW::ALONG_DEPTH>;
    static constexpr int STEP = MMA_THREADS / tile::CHUNKS, OWN = tile::ROWS / STEP, ELEMENTS = tile::ELEMENTS;
    static constexpr int KEPT = VIEW::ALONG_DEPTH ? OWN : VECTOR ? 1 : ELEMENTS;

    VIEW view;
    mma_order order;
    int row, chunk;
    typename VIEW::line_t lines[KEPT];

    // `lines_of` and `depths` are the orders of lines and depth.
    __device__ mma_filler(const VIEW &of, int member, int first_line, const mma_order &lines_of,
                          const mma_order &depths)
        : view(of), order(depths)
    {
        view.enter(member);
        row = static_cast<int>(threadIdx.x) / tile::CHUNKS, chunk = static_cast<int>(threadIdx.x) % tile::CHUNKS;
#pragma unroll
        for (int i = 0; i < KEPT; i++)
            lines[i] =
                view.line(lines_of.position(first_line + (VIEW::ALONG_DEPTH ? row + i * STEP : chunk * ELEMENTS + i)));
    }

    template <int PIECE> __device__ void fill_pieces(unsigned char *to, int depth) const
    {
        unsigned char *const start = to + tile::place(row, chunk); // STEP rows on, the permutation is the same
        static_assert(tile::CHUNKS > 4 || STEP % 8 == 0, "see place()");
        if constexpr (VIEW::ALONG_DEPTH) {
#pragma unroll
            for (int j = 0; j < ELEMENTS; j += PIECE) {
                const typename VIEW::depth_t at = view.depth(depth + chunk * ELEMENTS + j);
#pragma unroll
                for (int i = 0; i < OWN; i++)
                    copy_piece<PIECE * sizeof(T)>(start + i * STEP * tile::PITCH * MMA_CHUNK + j * sizeof(T),
                                                  view.at(lines[i], at));
            }
        } else {
#pragma unroll
            for (int i = 0; i < OWN; i++) {
                const typename VIEW::depth_t at = view.depth(order.position(depth + row + i * STEP));
#pragma unroll
                for (int j = 0; j < ELEMENTS; j += PIECE)
                    copy_piece<PIECE * sizeof(T)>(start + i * STEP * tile::PITCH * MMA_CHUNK + j * sizeof(T),
                                                  view.at(lines[j], at));
            }
        }
    }

    // Starts copying the slice from `depth` on.
    __device__ void fill(unsigned char *to, int depth, int piece) const
    {
        if constexpr (VECTOR) {
            fill_pieces<ELEMENTS>(to, depth);
        } else {
            if (piece == ELEMENTS)
                fill_pieces<ELEMENTS>(to, depth);
            else if (piece == ELEMENTS / 2)
                fill_pieces<ELEMENTS / 2>(to, depth);
            else if (sizeof(T) == 2 && piece == 2)
                fill_pieces<2>(to, depth);
            else
                fill_pieces<1>(to, depth);
        }
    }
};

} // namespace DN_TARGET
#endif
