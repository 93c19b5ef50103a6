#include "cuda/emulator/fiber.h"

#include <string.h>
#include <sys/mman.h>

#include "core/alloc.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DN_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define DN_ASAN 1
#endif
#if defined(DN_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace dn_emu
{
namespace simt
{

// AddressSanitizer must be told before and after every change of the stack.
#if defined(DN_ASAN)
static void leaving(void **fake, const void *stack, size_t bytes)
{
    __sanitizer_start_switch_fiber(fake, stack, bytes);
}

static void arrived(void *fake, const void **from, size_t *bytes)
{
    __sanitizer_finish_switch_fiber(fake, from, bytes);
}

static void forget(void *memory, size_t bytes)
{
    __asan_unpoison_memory_region(memory, bytes);
}
#else
static inline void leaving(void **, const void *, size_t)
{
}

static inline void arrived(void *, const void **, size_t *)
{
}

static void forget(void *, size_t)
{
}
#endif

#if defined(DN_EMULATOR_UCONTEXT)

static void swap(context *from, context *to)
{
    swapcontext(&from->registers, &to->registers);
}

void fiber_prepare(fiber *f, void (*entry)())
{
    getcontext(&f->saved.registers);
    f->saved.registers.uc_stack.ss_sp = f->stack;
    f->saved.registers.uc_stack.ss_size = STACK_BYTES;
    f->saved.registers.uc_link = nullptr;
    makecontext(&f->saved.registers, entry, 0);
    f->saved.fake_stack = nullptr;
}

#else

// System V ABI: a function must keep rbx, rbp, r12-r15 and the stack pointer. The control words of the floating-point
// units are the same on all fibers.
extern "C" void dn__emu_swap(void **from_top, void *to_top);
asm(R"(
.text
.p2align 4
.globl dn__emu_swap
.hidden dn__emu_swap
.type dn__emu_swap, @function
dn__emu_swap:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret
.size dn__emu_swap, . - dn__emu_swap
)");

static inline void swap(context *from, context *to)
{
    dn__emu_swap(&from->top, to->top);
}

void fiber_prepare(fiber *f, void (*entry)())
{
    // Stacks begin at different distances from a page: their hot ends would all compete for the same lines of a cache.
    const size_t colour = reinterpret_cast<uintptr_t>(f->stack) / (STACK_BYTES + GUARD_BYTES) % 61 * 320;
    void **top = reinterpret_cast<void **>(f->stack + STACK_BYTES - colour - 64);
    top = reinterpret_cast<void **>(reinterpret_cast<uintptr_t>(top) & ~static_cast<uintptr_t>(15));
    *--top = nullptr; // the return address of `entry`, which also makes its stack as aligned as after a call
    *--top = reinterpret_cast<void *>(entry);
    for (int i = 0; i < 6; i++) *--top = nullptr;
    f->saved.top = top;
    f->saved.fake_stack = nullptr;
}

#endif

dn_status stacks_open(stack_pool *pool, size_t count)
{
    const size_t bytes = count * (STACK_BYTES + GUARD_BYTES);
    void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return dn_fail(DN_ERROR_MEMORY, "cuda-emu: no room for %zu stacks", count);
    pool->memory = static_cast<char *>(memory);
    pool->count = count;
    pool->unused = static_cast<uint16_t *>(dn_calloc(count, sizeof *pool->unused));
    if (!pool->unused) return DN_ERROR_MEMORY;
    stacks_reset(pool);
    return DN_OK;
}

void stacks_close(stack_pool *pool)
{
    if (pool->memory) munmap(pool->memory, pool->count * (STACK_BYTES + GUARD_BYTES));
    dn_free(pool->unused);
}

char *stack_take(stack_pool *pool)
{
    const size_t index = pool->unused[--pool->n_unused];
    for (; pool->guarded <= index; pool->guarded++)
        mprotect(pool->memory + pool->guarded * (STACK_BYTES + GUARD_BYTES), GUARD_BYTES, PROT_NONE);
    return pool->memory + index * (STACK_BYTES + GUARD_BYTES) + GUARD_BYTES;
}

void stack_give(stack_pool *pool, char *stack)
{
    const size_t index = static_cast<size_t>(stack - pool->memory) / (STACK_BYTES + GUARD_BYTES);
    pool->unused[pool->n_unused++] = static_cast<uint16_t>(index);
}

void stacks_reset(stack_pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        pool->unused[i] = static_cast<uint16_t>(pool->count - 1 - i);
        if (i < pool->guarded) forget(pool->memory + i * (STACK_BYTES + GUARD_BYTES) + GUARD_BYTES, STACK_BYTES);
    }
    pool->n_unused = pool->count;
}

void fiber_switch(stack_pool *, fiber *from, fiber *to)
{
    leaving(&from->saved.fake_stack, to->stack, STACK_BYTES);
    swap(&from->saved, &to->saved);
    arrived(from->saved.fake_stack, nullptr, nullptr);
}

void fiber_leave(stack_pool *, fiber *from, fiber *to)
{
    leaving(nullptr, to->stack, STACK_BYTES);
    swap(&from->saved, &to->saved);
}

void fiber_enter(context *host, fiber *to)
{
    leaving(&host->fake_stack, to->stack, STACK_BYTES);
    swap(host, &to->saved);
    arrived(host->fake_stack, nullptr, nullptr);
}

void fiber_return(stack_pool *pool, fiber *from, context *host)
{
    leaving(nullptr, pool->host_stack, pool->host_bytes);
    swap(&from->saved, host);
}

void fiber_started(stack_pool *pool)
{
    const void *from = nullptr;
    size_t bytes = 0;
    arrived(nullptr, &from, &bytes);
    // The first fiber of a launch comes from the host's stack, the others from one of ours.
    const char *low = static_cast<const char *>(from);
    if (low && (low < pool->memory || low >= pool->memory + pool->count * (STACK_BYTES + GUARD_BYTES))) {
        pool->host_stack = from;
        pool->host_bytes = bytes;
    }
}

} // namespace simt
} // namespace dn_emu
