// Device memory: one range of addresses for the whole process, so that any address tells at once whether it is device
// memory, whether it is allocated, and where its shadow is.
#ifndef DN_CUDA_EMULATOR_ARENA_H
#define DN_CUDA_EMULATOR_ARENA_H

#include "cuda/emulator/shadow.h"

#include "core/status.h"

namespace dn_emu
{
namespace simt
{

constexpr size_t PAGE = 4096;

struct device_memory {
    char *base; // null before the first allocation
    size_t bytes;
    uint16_t *valid; // per page: how many of its bytes are allocated; they are the first ones
    shadow marks;
};
extern device_memory arena;

dn_status arena_allocate(size_t bytes, void **data);
void arena_release(void *data);
// Forgets all records of accesses.
void arena_forget();
// Describes where an address lies among the allocations, for messages.
void arena_describe(const void *p, char *text, size_t size);

} // namespace simt
} // namespace dn_emu

#endif
