// What the lanes of a warp do together: barriers, shuffles, ballots, matrix loads and products.
//
// Every lane brings its part and waits; the last one to arrive performs the operation for all of them at once, and each
// takes its own result. Lanes that have exited are not waited for, as on a GPU.
#include <string.h>

#include "cuda/emulator/machine.h"

namespace dn_emu
{
namespace simt
{

namespace
{

constexpr uint32_t ALL = 0xffffffffu;

void complete(machine &m, warp &w, meeting &meet, uint32_t but)
{
    const uint32_t lanes = meet.arrived;
    meet.arrived = 0;
    w.n_meetings--;
    meet.what->perform(m, w, lanes);
    for (uint32_t left = lanes & ~but; left; left &= left - 1) make_ready(m, w.lanes[__builtin_ctz(left)]);
}

// The current thread joins the lanes of `mask`; returns when they have all come and the operation is done.
void meet(machine &m, uint32_t mask, const operation &what, site where)
{
    thread &t = *m.current;
    warp &w = m.warps[t.id / WARP];
    const uint32_t self = 1u << t.id % WARP;
    t.where = where;
    if (!(mask & self))
        fault(m, "thread %u calls %s with the mask 0x%08x, which lacks its own lane", t.id, what.name, mask);
    meeting &at = w.meetings[__builtin_ctz(mask)];
    if (at.arrived == 0) {
        at.mask = mask;
        at.what = &what;
        at.where = where;
        w.n_meetings++;
    } else if (at.mask != mask || at.what != &what || !same_site(at.where, where))
        fault(m,
              "lanes of a warp call different functions: thread %u %s at %s:%d with mask 0x%08x, thread %u %s at %s:%d "
              "with mask 0x%08x",
              t.id, what.name, base_name(where.file), where.line, mask,
              t.id / WARP * WARP + static_cast<unsigned>(__builtin_ctz(at.arrived)), at.what->name,
              base_name(at.where.file), at.where.line, at.mask);
    at.arrived |= self;
    if (at.arrived == (mask & w.live))
        complete(m, w, at, self);
    else
        suspend(m, wait::AT_WARP);
}

void perform_barrier(machine &m, warp &w, uint32_t lanes)
{
    if (lanes == w.live) w.stamp = tick(m);
}

void perform_shuffle(machine &m, warp &w, uint32_t lanes)
{
    for (uint32_t left = lanes; left; left &= left - 1) {
        thread &t = w.lanes[__builtin_ctz(left)];
        if (!(lanes >> t.source & 1u))
            fault(m, "shuffle at %s:%d: thread %u reads from lane %d, which does not take part",
                  base_name(t.where.file), t.where.line, t.id, t.source);
        t.out.value = w.lanes[t.source].in.value;
    }
}

void perform_ballot(machine &, warp &w, uint32_t lanes)
{
    uint64_t bits = 0;
    for (uint32_t left = lanes; left; left &= left - 1) {
        const int l = __builtin_ctz(left);
        bits |= w.lanes[l].in.value << l;
    }
    for (uint32_t left = lanes; left; left &= left - 1) w.lanes[__builtin_ctz(left)].out.value = bits;
}

int64_t combine(int64_t a, int64_t b, int how)
{
    switch (how) {
    case REDUCE_ADD: return a + b;
    case REDUCE_MIN: return a < b ? a : b;
    case REDUCE_MAX: return a < b ? b : a;
    case REDUCE_AND: return a & b;
    case REDUCE_OR: return a | b;
    default: return a ^ b;
    }
}

void perform_reduction(machine &, warp &w, uint32_t lanes)
{
    const thread &first = w.lanes[__builtin_ctz(lanes)];
    int64_t result = static_cast<int64_t>(first.in.value);
    for (uint32_t left = lanes & (lanes - 1); left; left &= left - 1)
        result = combine(result, static_cast<int64_t>(w.lanes[__builtin_ctz(left)].in.value), first.source);
    for (uint32_t left = lanes; left; left &= left - 1)
        w.lanes[__builtin_ctz(left)].out.value = static_cast<uint64_t>(result);
}

void need_all(machine &m, const warp &w, uint32_t lanes, const char *name)
{
    if (lanes != ALL)
        fault(m, "%s at %s:%d needs all 32 lanes, but only 0x%08x are there", name, base_name(w.lanes->where.file),
              w.lanes->where.line, lanes);
}

uint32_t half(uint32_t word, int which)
{
    return which ? word >> 16 : word & 0xffffu;
}

void gather_matrices(machine &m, warp &w, uint32_t lanes, bool transposed)
{
    need_all(m, w, lanes, "ldmatrix");
    uint32_t rows[32][4];
    for (int l = 0; l < 32; l++) {
        const size_t offset = static_cast<size_t>(static_cast<const char *>(w.lanes[l].row) - m.shared);
        if (offset >= SHARED_SPAN)
            fault(m, "load_matrices: thread %u gives a row at %p, which is not shared memory", w.lanes[l].id,
                  w.lanes[l].row);
        check_access(m, w.lanes[l], w.lanes[l].row, 16, 16, false, __builtin_return_address(0));
        memcpy(rows[l], w.lanes[l].row, 16);
    }
    for (int l = 0; l < 32; l++)
        for (int matrix = 0; matrix < 4; matrix++) {
            const int g = l / 4, t = l % 4;
            const uint32_t(*r)[4] = rows + matrix * 8;
            w.lanes[l].out.words.x[matrix] =
                transposed ? half(r[2 * t][g / 2], g % 2) | half(r[2 * t + 1][g / 2], g % 2) << 16 : r[g][t];
        }
}

void perform_load(machine &m, warp &w, uint32_t lanes)
{
    gather_matrices(m, w, lanes, false);
}

void perform_load_transposed(machine &m, warp &w, uint32_t lanes)
{
    gather_matrices(m, w, lanes, true);
}

float as_float(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// d[16x8] = c + a[16xK] b[Kx8], sums over k from 0 up.
template <int K> void multiply(warp &w, const float (&a)[16][K], const float (&b)[K][8])
{
    float d[16][8];
    for (int l = 0; l < 32; l++)
        for (int i = 0; i < 4; i++) d[l / 4 + i / 2 * 8][l % 4 * 2 + i % 2] = w.lanes[l].c.x[i];
    for (int row = 0; row < 16; row++)
        for (int k = 0; k < K; k++)
            for (int column = 0; column < 8; column++) d[row][column] += a[row][k] * b[k][column];
    for (int l = 0; l < 32; l++)
        for (int i = 0; i < 4; i++) w.lanes[l].out.floats.x[i] = d[l / 4 + i / 2 * 8][l % 4 * 2 + i % 2];
}

void perform_mma_bf16(machine &m, warp &w, uint32_t lanes)
{
    need_all(m, w, lanes, "mma_bf16");
    float a[16][16], b[16][8];
    for (int l = 0; l < 32; l++) {
        const int g = l / 4, t = l % 4;
        const thread &from = w.lanes[l];
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 2; j++)
                a[g + i % 2 * 8][i / 2 * 8 + 2 * t + j] = as_float(half(from.in.words.x[i], j) << 16);
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 2; j++) b[i * 8 + 2 * t + j][g] = as_float(half(from.b[i], j) << 16);
    }
    multiply<16>(w, a, b);
}

// The lower 13 bits of a tf32 do not count.
void perform_mma_tf32(machine &m, warp &w, uint32_t lanes)
{
    need_all(m, w, lanes, "mma_tf32");
    float a[16][8], b[8][8];
    for (int l = 0; l < 32; l++) {
        const int g = l / 4, t = l % 4;
        const thread &from = w.lanes[l];
        for (int i = 0; i < 4; i++) a[g + i % 2 * 8][t + i / 2 * 4] = as_float(from.in.words.x[i] & 0xffffe000u);
        for (int i = 0; i < 2; i++) b[t + i * 4][g] = as_float(from.b[i] & 0xffffe000u);
    }
    multiply<8>(w, a, b);
}

const operation BARRIER = {"__syncwarp", perform_barrier}, SHUFFLE = {"a shuffle", perform_shuffle},
                BALLOT = {"a vote", perform_ballot}, REDUCTION = {"a reduction", perform_reduction},
                LOAD = {"load_matrices", perform_load},
                LOAD_TRANSPOSED = {"load_matrices_transposed", perform_load_transposed},
                MMA_BF16 = {"mma_bf16", perform_mma_bf16}, MMA_TF32 = {"mma_tf32", perform_mma_tf32};

} // namespace

void lane_exited(machine &m, thread &t)
{
    warp &w = m.warps[t.id / WARP];
    w.live &= ~(1u << t.id % WARP);
    if (w.n_meetings == 0) return;
    for (meeting &at : w.meetings)
        if (at.arrived && at.arrived == (at.mask & w.live)) complete(m, w, at, 0);
}

void warp_barrier(uint32_t mask, site where)
{
    meet(*running, mask, BARRIER, where);
}

uint64_t shuffle(uint32_t mask, uint64_t value, int source, site where)
{
    machine &m = *running;
    thread &t = *m.current;
    t.in.value = value;
    t.source = source & 31;
    meet(m, mask, SHUFFLE, where);
    return t.out.value;
}

uint32_t ballot(uint32_t mask, bool value, site where)
{
    machine &m = *running;
    thread &t = *m.current;
    t.in.value = value;
    meet(m, mask, BALLOT, where);
    return static_cast<uint32_t>(t.out.value);
}

int64_t reduce(uint32_t mask, int64_t value, reduction how, site where)
{
    machine &m = *running;
    thread &t = *m.current;
    t.in.value = static_cast<uint64_t>(value);
    t.source = how;
    meet(m, mask, REDUCTION, where);
    return static_cast<int64_t>(t.out.value);
}

words4 load_matrices(const void *row, bool transposed, site where)
{
    machine &m = *running;
    thread &t = *m.current;
    t.row = row;
    meet(m, ALL, transposed ? LOAD_TRANSPOSED : LOAD, where);
    return t.out.words;
}

static floats4 multiply_with(const operation &what, words4 a, uint32_t b0, uint32_t b1, floats4 c, site where)
{
    machine &m = *running;
    thread &t = *m.current;
    t.in.words = a;
    t.b[0] = b0;
    t.b[1] = b1;
    t.c = c;
    meet(m, ALL, what, where);
    return t.out.floats;
}

floats4 mma_bf16(words4 a, uint32_t b0, uint32_t b1, floats4 c, site where)
{
    return multiply_with(MMA_BF16, a, b0, b1, c, where);
}

floats4 mma_tf32(words4 a, uint32_t b0, uint32_t b1, floats4 c, site where)
{
    return multiply_with(MMA_TF32, a, b0, b1, c, where);
}

} // namespace simt
} // namespace dn_emu
