// Leaving out the taps that lie in the padding, and with them whole slices of a product's depth.
//
// At 2 x 2 pixels, a 3 x 3 filter with padding 1 finds 16 of its 36 pairs of place and tap inside of the image:
// more than half of the products would be with zeros. In the order (n, p, q) every tile holds all places, so
// nothing can be left out. Grouped, in the order (p, q, n), a tile of the forward or data gradient holds one place,
// or few, of many images, and walks only the taps that are inside there. In the weight gradient the depth is
// grouped instead: a tile holds one tap, or few, and walks only the places where it is inside. Both are a rectangle
// of cells, each a whole number of slices.
#ifndef DN_CUDA_MMA_ORDER_CUH
#define DN_CUDA_MMA_ORDER_CUH

#include "cuda/conv_problem.cuh"

namespace DN_TARGET
{

// The order in which a product takes the positions (n, p, q).
struct mma_order {
    bool grouped; // (p, q, n), else (n, p, q)
    int places;   // P Q
    divider images;

    // The position that comes as number i. Past the end, a number past the end.
    __device__ int position(int i) const
    {
        if (!grouped) return i;
        const int place = images.quotient(i);
        return place < places ? images.remainder(i, place) * places + place : i;
    }
};

// first <= i < end; empty if end <= first
struct mma_span {
    int first, end;
};

__device__ inline mma_span both(mma_span a, mma_span b)
{
    if (a.end <= a.first) return b;
    if (b.end <= b.first) return a;
    return {a.first < b.first ? a.first : b.first, a.end > b.end ? a.end : b.end};
}

// The 0 <= i < count with 0 <= start + i step < size.
__device__ inline mma_span inside(int start, int step, int count, int size)
{
    const int up = step > 0 ? step : -step, below = step > 0 ? -start : start - size + 1;
    const int room = step > 0 ? size - 1 - start : start;
    const int first = below > 0 ? (below + up - 1) / up : 0, end = room >= 0 ? room / up + 1 : 0;
    return {first, end < count ? end : count};
}

// The cells that a tile walks, row by row, and how they lie in the depth.
struct mma_cells {
    mma_span rows, columns;
    int pitch, each; // cells from row to row; slices of a cell

    __device__ int slices() const
    {
        const int height = rows.end - rows.first, width = columns.end - columns.first;
        return height > 0 && width > 0 ? height * width * each : 0;
    }
};

// All of the depth, as one cell.
__device__ inline mma_cells whole_depth(int slices)
{
    return {{0, 1}, {0, 1}, 1, slices};
}

// The taps that are inside of the image at the places of lines first..last.
template <class T>
__device__ mma_cells cells_of_lines(const patches<T> &v, const mma_order &order, int first, int last, int slice)
{
    const int S = static_cast<int>(v.tap_columns.divisor), R = v.taps / v.channels / S;
    mma_cells cells = {{0, 0}, {0, 0}, S, v.channels / slice};
    for (int place = order.images.quotient(first), end = order.images.quotient(last); place <= end; place++) {
        const int p = v.grid_columns.quotient(place), q = v.grid_columns.remainder(place, p);
        cells.rows = both(cells.rows, inside(v.top + p * v.step, v.direction, R, v.height));
        cells.columns = both(cells.columns, inside(v.left + q * v.step, v.direction, S, v.width));
    }
    return cells;
}

// The places where the taps of lines first..last are inside of the image.
template <class T>
__device__ mma_cells cells_of_taps(const patches<T> &v, const mma_order &order, int first, int last, int slice)
{
    const int Q = static_cast<int>(v.grid_columns.divisor), P = order.places / Q;
    mma_cells cells = {{0, 0}, {0, 0}, Q, static_cast<int>(order.images.divisor) / slice};
    for (int tap = v.tap_channels.quotient(first), end = v.tap_channels.quotient(last); tap <= end; tap++) {
        const int r = v.tap_columns.quotient(tap), s = v.tap_columns.remainder(tap, r);
        cells.rows = both(cells.rows, inside(v.top + v.direction * r, v.step, P, v.height));
        cells.columns = both(cells.columns, inside(v.left + v.direction * s, v.step, Q, v.width));
    }
    return cells;
}

// A walk through the slices of cells, from the one with number `index` on.
struct mma_walk {
    int depth, left_in_row, row, jump, slice;

    __device__ mma_walk(const mma_cells &cells, int index, int slice_depth) : slice(slice_depth)
    {
        const int width = cells.columns.end - cells.columns.first;
        row = width > 0 && cells.each > 0 ? width * cells.each : 1;
        const int rows = index / row, in_row = index - rows * row;
        const int first = (cells.rows.first + rows) * cells.pitch + cells.columns.first;
        depth = (first * cells.each + in_row) * slice;
        left_in_row = row - in_row;
        jump = (cells.pitch - width) * cells.each * slice;
    }
    __device__ void advance()
    {
        depth += slice;
        if (--left_in_row > 0) return;
        left_in_row = row;
        depth += jump;
    }
};

} // namespace DN_TARGET
#endif
