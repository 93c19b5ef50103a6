// Switching between the stacks of a block's threads.
#ifndef DN_CUDA_EMULATOR_FIBER_H
#define DN_CUDA_EMULATOR_FIBER_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#if !defined(__x86_64__) && !defined(DN_EMULATOR_UCONTEXT)
#define DN_EMULATOR_UCONTEXT
#endif
#if defined(DN_EMULATOR_UCONTEXT)
#include <ucontext.h>
#endif

namespace dn_emu
{
namespace simt
{

constexpr size_t STACK_BYTES = 256 * 1024, GUARD_BYTES = 4096;

// A suspended computation.
struct context {
#if defined(DN_EMULATOR_UCONTEXT)
    ucontext_t registers;
#else
    void *top; // of the stack, where the registers are
#endif
    void *fake_stack; // AddressSanitizer's
};

struct fiber {
    context saved;
    char *stack; // lowest address; null while the fiber has none
};

// Stacks with a guard page below each; a block takes as many as it has threads that wait at a time.
struct stack_pool {
    char *memory;
    size_t count, guarded; // the first `guarded` stacks have their guard pages
    uint16_t *unused;
    size_t n_unused;
    // The stack of the host thread that runs the kernels; known to AddressSanitizer only.
    const void *host_stack;
    size_t host_bytes;
};

dn_status stacks_open(stack_pool *pool, size_t count);
void stacks_close(stack_pool *pool);
char *stack_take(stack_pool *pool);
void stack_give(stack_pool *pool, char *stack);
// All stacks are unused again, whatever was on them.
void stacks_reset(stack_pool *pool);

// Lets `f` start with `entry`, which must never return, when it is switched to.
void fiber_prepare(fiber *f, void (*entry)());
// From fiber to fiber; the second leaves `from` for good, its stack may be used again.
void fiber_switch(stack_pool *pool, fiber *from, fiber *to);
void fiber_leave(stack_pool *pool, fiber *from, fiber *to);
// From and to the host thread's own stack.
void fiber_enter(context *host, fiber *to);
void fiber_return(stack_pool *pool, fiber *from, context *host);
// To be called first thing by `entry`; tells AddressSanitizer, and learns from it where the host's stack is.
void fiber_started(stack_pool *pool);

} // namespace simt
} // namespace dn_emu

#endif
