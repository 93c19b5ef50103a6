#include "core/cpu/simd.h"

#include <string.h>

int dn__parts(const dn_call *call, int64_t items, int64_t elements)
{
    enum { WORTH_A_THREAD = 8192 }; /* elements; waking a thread costs a few microseconds */
    const int64_t most = items * elements / WORTH_A_THREAD;
    const int64_t parts = call->threads < most ? call->threads : most;
    return (int)(parts > items ? items : parts < 1 ? 1 : parts);
}

void dn__split(const dn_call *call, int64_t items, int64_t elements, dn_part *part, void *context)
{
    const int parts = dn__parts(call, items, elements);
    if (parts == 1) {
        part(call, context, 0, 0, items);
        return;
    }
#pragma omp parallel for num_threads(parts) schedule(static, 1)
    for (int i = 0; i < parts; i++) part(call, context, i, items * i / parts, items * (i + 1) / parts);
}

/* Columns in pieces that stay in registers; rows in blocks, whose sums are added up in double. */
enum { PIECE = 64, BLOCK = 64 };

DN_CLONES static void sum_piece(double *totals, const float *x, int64_t rows, int64_t stride, int64_t width)
{
    for (int64_t first = 0; first < rows; first += BLOCK) {
        float sums[PIECE] = {0};
        const int64_t end = first + BLOCK < rows ? first + BLOCK : rows;
        for (int64_t i = first; i < end; i++)
            for (int64_t c = 0; c < width; c++) sums[c] += x[i * stride + c];
        for (int64_t c = 0; c < width; c++) totals[c] += sums[c];
    }
}

typedef struct columns {
    const float *x;
    float *sums;
    int64_t rows, width;
} columns;

static void sum_pieces(const dn_call *call, void *context, int part, int64_t first, int64_t last)
{
    (void)call;
    (void)part;
    const columns *c = context;
    for (int64_t piece = first; piece < last; piece++) {
        const int64_t from = piece * PIECE, width = c->width - from < PIECE ? c->width - from : PIECE;
        double totals[PIECE] = {0};
        sum_piece(totals, c->x + from, c->rows, c->width, width);
        for (int64_t k = 0; k < width; k++) c->sums[from + k] = (float)totals[k];
    }
}

void dn__sum_rows(const dn_call *call, const float *x, const dn_tensor_info *info, float *sums)
{
    const int64_t width = dn__last(info);
    columns c = {x, sums, dn__count(info) / width, width};
    dn__split(call, (width + PIECE - 1) / PIECE, c.rows * PIECE, sum_pieces, &c);
}
