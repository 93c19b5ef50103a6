// cp.async: copies that run beside the thread. Here they move as late as a GPU may move them: when the thread waits for
// their group. Until then the target's bytes are marked, and whoever touches them is at fault.
#include <string.h>

#include "core/alloc.h"
#include "cuda/emulator/machine.h"

namespace dn_emu
{
namespace simt
{

void copy_async(void *to, const void *from, unsigned bytes, bool valid, site where)
{
    machine &m = *running;
    thread &t = *m.current;
    const void *code = __builtin_return_address(0);
    if (static_cast<size_t>(static_cast<char *>(to) - m.shared) >= SHARED_SPAN)
        fault(m, "thread %u: copy_async in line %d writes to %p, which is not shared memory", t.id, where.line, to);
    check_copy_target(m, t, to, bytes, code);
    if (valid) check_access(m, t, from, bytes, bytes, false, code);
    if (dn_grow(reinterpret_cast<void **>(&t.copies), &t.copy_capacity, t.n_copies, sizeof *t.copies) != DN_OK)
        fault(m, "%s", dn_error_last());
    t.copies[t.n_copies++] = {to, from, bytes, valid, t.group};
}

void copy_commit()
{
    running->current->group++;
}

// Moves the bytes of the oldest n copies.
static void perform_copies(machine &m, thread &t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const pending_copy &c = t.copies[i];
        if (c.valid)
            memcpy(c.to, c.from, c.bytes);
        else
            memset(c.to, 0, c.bytes);
        set_written(m, t, c.to, c.bytes);
    }
    t.n_copies -= n;
    memmove(t.copies, t.copies + n, t.n_copies * sizeof *t.copies);
}

void copy_wait(unsigned groups)
{
    machine &m = *running;
    thread &t = *m.current;
    size_t n = 0;
    while (n < t.n_copies && t.copies[n].group + groups < t.group) n++;
    if (n) perform_copies(m, t, n);
}

void finish_copies(machine &m, thread &t)
{
    if (t.n_copies) perform_copies(m, t, t.n_copies);
    t.group = 0;
}

} // namespace simt
} // namespace dn_emu
