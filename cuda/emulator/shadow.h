// Shadow memory: for every word of shared or device memory, who wrote it last and who has read it since.
//
// Time is counted in barriers, and every barrier begins a new stamp. Two accesses are ordered if one thread makes both,
// or a barrier of the block lies between, or, within a warp, a barrier of the warp. So it is enough to compare the
// stamp of a record with the stamps of the last barriers. A record is stamp << 12 | kind << 10 | thread.
//
// A word has one cell as long as it is accessed as a whole, and four (one per byte) from the first smaller access on.
#ifndef DN_CUDA_EMULATOR_SHADOW_H
#define DN_CUDA_EMULATOR_SHADOW_H

#include <stddef.h>
#include <stdint.h>

namespace dn_emu
{
namespace simt
{

struct cell {
    uint32_t write, read;
};

constexpr unsigned STAMP_SHIFT = 12;
constexpr uint32_t ONE_TICK = 1u << STAMP_SHIFT, THREAD_BITS = 1023u, KIND_BITS = 3u << 10;
// Kinds of reads: by one thread, by several lanes of a warp, by several warps, by several blocks.
constexpr uint32_t ONE = 0u << 10, LANES = 1u << 10, WARPS = 2u << 10, BLOCKS = 3u << 10;
// Writes later than any time: by a copy that its thread has not waited for; of a word with cells for its bytes.
constexpr uint32_t PENDING = 0xffffe000u, SPLIT = 0xfffff000u;
constexpr uint32_t LATEST = 0xffff0000u; // no time comes so far

struct shadow {
    cell *words; // one per 4 bytes
    cell *bytes; // one per byte, of words that are split
    bool shared; // shared memory: reading what this block has not written is a fault
};

} // namespace simt
} // namespace dn_emu

#endif
