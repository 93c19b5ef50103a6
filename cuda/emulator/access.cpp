// Every access to memory of a running kernel is checked here. The compiler calls the functions at the end of this file
// (the interface of -fsanitize=thread) before each load and store.
#include "cuda/emulator/arena.h"
#include "cuda/emulator/machine.h"

#include <stdio.h>
#include <string.h>

// Where the program's code and its constants begin, and where its variables begin, from the linker.
extern "C" char __executable_start[], __data_start[];

#define DN_HOT       inline __attribute__((always_inline))
#define DN_UNCHECKED __attribute__((no_sanitize("address", "undefined")))

namespace dn_emu
{
namespace simt
{

namespace
{

struct access {
    machine &m;
    thread &by;
    const void *p;
    size_t bytes;
    const void *code;
    bool shared;
};

// Where a thread was last seen, and which code makes the access, for addr2line.
void describe_thread(const machine &m, unsigned id, char *text, size_t size)
{
    const site &where = m.threads[id].where;
    if (where.line)
        snprintf(text, size, "thread %u (after %s:%d)", id, base_name(where.file), where.line);
    else
        snprintf(text, size, "thread %u", id);
}

void describe_place(const access &a, char *text, size_t size)
{
    char where[160];
    if (a.shared)
        snprintf(where, sizeof where, "byte %zu of %zu of shared memory",
                 static_cast<size_t>(static_cast<const char *>(a.p) - a.m.shared - RED_ZONE), a.m.shared_bytes);
    else
        arena_describe(a.p, where, sizeof where);
    snprintf(text, size, "%s (code at program + 0x%zx, see addr2line)", where,
             static_cast<size_t>(static_cast<const char *>(a.code) - __executable_start));
}

[[noreturn]] void fail(const access &a, const char *what)
{
    char who[160], where[256];
    describe_thread(a.m, a.by.id, who, sizeof who);
    describe_place(a, where, sizeof where);
    fault(a.m, "%s: %s, %zu bytes, %s", what, who, a.bytes, where);
}

[[noreturn]] void fail_race(const access &a, bool write, bool other_wrote, uint32_t record)
{
    const uint32_t kind = record & KIND_BITS;
    const bool other_block = record < a.m.begin_stamp || (!other_wrote && kind == BLOCKS);
    char who[160], other[200], where[256];
    describe_thread(a.m, a.by.id, who, sizeof who);
    describe_place(a, where, sizeof where);
    if (other_block)
        snprintf(other, sizeof other, "another block of the launch");
    else if (!other_wrote && kind != ONE)
        snprintf(other, sizeof other, "several %s", kind == WARPS ? "warps" : "lanes of its warp");
    else
        describe_thread(a.m, record & THREAD_BITS, other, sizeof other);
    fault(a.m, "race in %s memory: %s %s what %s %s without a barrier between, %zu bytes, %s",
          a.shared ? "shared" : "device", who, write ? "writes" : "reads", other, other_wrote ? "wrote" : "read",
          a.bytes, where);
}

// The record of the last write, where the fast checks did not clear it.
DN_UNCHECKED __attribute__((noinline)) void check_last_write(const access &a, const cell &c, bool write)
{
    const machine &m = a.m;
    const uint32_t w = c.write;
    if (w >= LATEST) {
        char who[160], where[256];
        describe_thread(m, w & THREAD_BITS, who, sizeof who);
        describe_place(a, where, sizeof where);
        fault(a.m, "thread %u %s bytes that cp.async still copies, started by %s, which has not called copy_wait, %s",
              a.by.id, write ? "writes" : "reads", who, where);
    }
    if (a.shared && w < m.begin_stamp) {
        if (!write) fail(a, "read of uninitialised shared memory");
        return;
    }
    if (w < m.launch_stamp) return;
    if (w < m.begin_stamp) fail_race(a, write, true, w);
    if (w < m.block_stamp || (w & THREAD_BITS) == a.by.id) return;
    if ((w & THREAD_BITS) / WARP == a.by.id / WARP && w < m.warps[a.by.id / WARP].stamp) return;
    fail_race(a, write, true, w);
}

DN_UNCHECKED inline bool last_write_is_old(const machine &m, const cell &c)
{
    return c.write - m.begin_stamp < m.block_stamp - m.begin_stamp;
}

// What is kept of a read. Earlier reads may be forgotten where the new one tells as much about a later write.
template <bool SHARED> DN_UNCHECKED DN_HOT void note_read(const machine &m, cell &c, uint32_t id)
{
    const uint32_t r = c.read, mine = m.now | id;
    if (r == mine) return;
    if (r < m.block_stamp) {
        const bool blocks = !SHARED && r >= m.launch_stamp && (r < m.begin_stamp || (r & KIND_BITS) == BLOCKS);
        c.read = blocks ? mine | BLOCKS : mine;
    } else if ((r & KIND_BITS) < WARPS) {
        const bool same_lane = r < m.warps[id / WARP].stamp || (r & (KIND_BITS | THREAD_BITS)) == (ONE | id);
        c.read = (r & THREAD_BITS) / WARP != id / WARP ? mine | WARPS : same_lane ? mine : mine | LANES;
    }
}

DN_UNCHECKED inline void read_cell(const access &a, cell &c)
{
    if (!last_write_is_old(a.m, c)) check_last_write(a, c, false);
    if (a.shared)
        note_read<true>(a.m, c, a.by.id);
    else
        note_read<false>(a.m, c, a.by.id);
}

DN_UNCHECKED inline void write_cell(const access &a, cell &c, uint32_t record)
{
    const machine &m = a.m;
    if (!last_write_is_old(m, c)) check_last_write(a, c, true);
    const uint32_t r = c.read, kind = r & KIND_BITS;
    if (r >= m.block_stamp) {
        if (kind >= WARPS || (r & THREAD_BITS) / WARP != a.by.id / WARP) fail_race(a, true, false, r);
        if (r >= m.warps[a.by.id / WARP].stamp && (kind == LANES || (r & THREAD_BITS) != a.by.id))
            fail_race(a, true, false, r);
    } else if (!a.shared && r >= m.launch_stamp && (r < m.begin_stamp || kind == BLOCKS))
        fail_race(a, true, false, r);
    c.write = record;
}

template <bool WRITE> DN_UNCHECKED inline void touch_cell(const access &a, cell &c, uint32_t record)
{
    if (WRITE)
        write_cell(a, c, record);
    else
        read_cell(a, c);
}

// Bytes first..last-1 of a word that is accessed in parts.
template <bool WRITE>
DN_UNCHECKED __attribute__((noinline)) void touch_bytes(const access &a, const shadow &s, size_t first, size_t last,
                                                        uint32_t record)
{
    cell &word = s.words[first / 4], *bytes = &s.bytes[first / 4 * 4];
    if (word.write < SPLIT) {
        for (int i = 0; i < 4; i++) bytes[i] = word;
        word.write = SPLIT;
    }
    for (size_t i = first; i < last; i++) touch_cell<WRITE>(a, s.bytes[i], record);
    if (last - first < 4) return;
    for (int i = 1; i < 4; i++)
        if (bytes[i].write != bytes[0].write || bytes[i].read != bytes[0].read) return;
    word = bytes[0]; // all the same again
}

template <bool WRITE>
DN_UNCHECKED inline void touch(const access &a, const shadow &s, size_t offset, size_t bytes, uint32_t record)
{
    const size_t end = offset + bytes;
    while (offset < end) {
        const size_t next = (offset & ~size_t{3}) + 4, last = next < end ? next : end;
        cell &word = s.words[offset / 4];
        if (last - offset == 4 && word.write < SPLIT)
            touch_cell<WRITE>(a, word, record);
        else
            touch_bytes<WRITE>(a, s, offset, last, record);
        offset = last;
    }
}

// Device memory must be allocated, every byte of it.
DN_UNCHECKED inline bool allocated(size_t offset, size_t bytes)
{
    for (size_t end = offset + bytes; offset < end;) {
        const size_t next = (offset & ~(PAGE - 1)) + PAGE, last = next < end ? next : end;
        if ((last - 1) % PAGE >= arena.valid[offset / PAGE]) return false;
        offset = last;
    }
    return true;
}

// What is neither shared nor device memory: constants of the program may be read, and the launch's arguments.
void check_elsewhere(const access &a, bool write)
{
    const char *p = static_cast<const char *>(a.p);
    const char *arguments = static_cast<const char *>(a.m.call->arguments);
    if (p >= arguments && p < arguments + a.m.call->argument_bytes && !write) return;
    if (p >= __executable_start && p < __data_start && !write) return;
    char text[400];
    const bool stack = p >= a.m.stacks.memory && p < a.m.stacks.memory + a.m.stacks.count * (STACK_BYTES + GUARD_BYTES);
    snprintf(text, sizeof text, "%s of %s", write ? "write" : "read",
             stack ? "another thread's local memory, or behind an array of this thread's"
             : reinterpret_cast<uintptr_t>(p) < PAGE
                 ? "a null pointer"
                 : "memory of the host, which a GPU cannot reach (pass device memory: upload first)");
    fault(a.m, "%s: thread %u, %zu bytes at %p (code at program + 0x%zx, see addr2line)", text, a.by.id, a.bytes, a.p,
          static_cast<size_t>(static_cast<const char *>(a.code) - __executable_start));
}

template <bool WRITE> DN_UNCHECKED inline void check(const access &given, size_t alignment, uint32_t record)
{
    access a = given;
    machine &m = a.m;
    const uintptr_t address = reinterpret_cast<uintptr_t>(a.p);
    if (address - reinterpret_cast<uintptr_t>(a.by.run.stack) < STACK_BYTES) return;
    size_t offset = address - reinterpret_cast<uintptr_t>(m.shared);
    if (offset < SHARED_SPAN) {
        a.shared = true;
        offset -= RED_ZONE; // wraps in front of the memory
        if (offset >= m.shared_bytes || m.shared_bytes - offset < a.bytes)
            fail(a, WRITE ? "write out of bounds of shared memory" : "read out of bounds of shared memory");
        if (address & (alignment - 1)) fail(a, "misaligned access to shared memory");
        touch<WRITE>(a, m.shared_shadow, offset, a.bytes, record);
        return;
    }
    offset = address - reinterpret_cast<uintptr_t>(arena.base);
    if (offset >= arena.bytes) return check_elsewhere(a, WRITE);
    if (!allocated(offset, a.bytes))
        fail(a, WRITE ? "write out of bounds of device memory" : "read out of bounds of device memory");
    if (address & (alignment - 1)) fail(a, "misaligned access to device memory");
    touch<WRITE>(a, arena.marks, offset, a.bytes, record);
}

template <bool WRITE>
DN_UNCHECKED __attribute__((noinline)) void check_fully(machine &m, const void *p, size_t bytes, size_t alignment,
                                                        const void *code)
{
    thread &by = *m.current;
    check<WRITE>({m, by, p, bytes, code, false}, alignment, m.now | by.id);
}

// The cases that make up nearly all accesses, in few instructions; false: look closer. What has been recorded by then
// may be recorded again.
template <bool SHARED> DN_UNCHECKED DN_HOT bool read_fast(const machine &m, cell &c, uint32_t id)
{
    const uint32_t w = c.write;
    const bool old = w - m.begin_stamp < m.block_stamp - m.begin_stamp || (!SHARED && w < m.launch_stamp);
    if (!old && (w < m.begin_stamp || w >= LATEST || (w & THREAD_BITS) != id)) return false;
    note_read<SHARED>(m, c, id);
    return true;
}

template <bool SHARED> DN_UNCHECKED DN_HOT bool write_fast(const machine &m, cell &c, uint32_t id)
{
    const uint32_t w = c.write, r = c.read, mine = m.now | id;
    const bool old = w < m.block_stamp && (SHARED || w < m.launch_stamp || w >= m.begin_stamp);
    if (!old && (w < m.begin_stamp || w >= LATEST || (w & THREAD_BITS) != id)) return false;
    const bool read_before = r < m.block_stamp && (SHARED || r < m.launch_stamp);
    if (!read_before && r != mine) return false;
    c.write = mine;
    return true;
}

template <unsigned N, bool WRITE, bool SHARED>
DN_UNCHECKED DN_HOT bool cells_fast(const machine &m, const shadow &s, size_t offset)
{
    const uint32_t id = m.current->id;
    cell *first = N >= 4 || s.words[offset / 4].write < SPLIT ? &s.words[offset / 4] : &s.bytes[offset];
    if (N < 4 && first != &s.bytes[offset]) return false;
    for (unsigned i = 0; i < (N >= 4 ? N / 4 : N); i++)
        if (!(WRITE ? write_fast<SHARED>(m, first[i], id) : read_fast<SHARED>(m, first[i], id))) return false;
    return true;
}

template <unsigned N, bool WRITE> DN_UNCHECKED DN_HOT void checked(const void *p, const void *code)
{
    machine *m = running;
    if (!m) return;
    const uintptr_t address = reinterpret_cast<uintptr_t>(p);
    if (address - reinterpret_cast<uintptr_t>(m->stack) < STACK_BYTES) return;
    const size_t in_shared = address - reinterpret_cast<uintptr_t>(m->shared) - RED_ZONE;
    bool fine = false;
    if (address % N == 0) {
        if (in_shared < m->shared_bytes)
            fine = in_shared + N <= m->shared_bytes && cells_fast<N, WRITE, true>(*m, m->shared_shadow, in_shared);
        else {
            const size_t offset = address - reinterpret_cast<uintptr_t>(arena.base);
            fine = offset < arena.bytes && offset % PAGE + N <= arena.valid[offset / PAGE] &&
                   cells_fast<N, WRITE, false>(*m, arena.marks, offset);
        }
    }
    if (!fine) check_fully<WRITE>(*m, p, N, N, code);
}

template <bool WRITE> DN_UNCHECKED void checked_range(const void *p, size_t bytes, const void *code)
{
    if (running && bytes) check_fully<WRITE>(*running, p, bytes, 1, code);
}

// A record in the time that begins anew: 1 before the block's last barrier, 2 after it, 3 after the warp's last one.
uint32_t renewed(const machine &m, uint32_t record)
{
    if (record >= LATEST) return record;
    if (record < m.begin_stamp) return 0;
    const uint32_t who = record & (ONE_TICK - 1);
    if (record < m.block_stamp) return ONE_TICK | who;
    return (record >= m.warps[(record & THREAD_BITS) / WARP].stamp ? 3 : 2) * ONE_TICK | who;
}

void renew_cells(const machine &m, cell *cells, size_t n)
{
    for (size_t i = 0; i < n; i++) cells[i] = {renewed(m, cells[i].write), renewed(m, cells[i].read)};
}

} // namespace

void renew_time(machine &m)
{
    renew_cells(m, m.shared_shadow.words, MOST_SHARED / 4);
    renew_cells(m, m.shared_shadow.bytes, MOST_SHARED);
    arena_forget();
    m.launch_stamp = m.begin_stamp = ONE_TICK;
    m.block_stamp = 2 * ONE_TICK;
    m.now = 3 * ONE_TICK;
    for (warp &w : m.warps) w.stamp = m.now;
}

void check_access(machine &m, thread &by, const void *p, size_t bytes, size_t alignment, bool write, const void *code)
{
    if (write)
        check<true>({m, by, p, bytes, code, false}, alignment, m.now | by.id);
    else
        check<false>({m, by, p, bytes, code, false}, alignment, m.now | by.id);
}

void check_copy_target(machine &m, thread &by, const void *p, size_t bytes, const void *code)
{
    check<true>({m, by, p, bytes, code, false}, bytes, PENDING | by.id);
}

void set_written(machine &m, thread &by, const void *p, size_t bytes)
{
    const size_t offset = static_cast<size_t>(static_cast<const char *>(p) - m.shared) - RED_ZONE;
    for (size_t i = offset; i < offset + bytes; i += 4) m.shared_shadow.words[i / 4].write = m.now | by.id;
}

} // namespace simt
} // namespace dn_emu

// The compiler's calls.
#define DN_CODE     (static_cast<const char *>(__builtin_return_address(0)) - 1)
#define DN_CALLBACK extern "C" DN_UNCHECKED __attribute__((weak)) void
#define DN_CALLBACKS(n)                              \
    DN_CALLBACK __tsan_read##n(void *p)              \
    {                                                \
        dn_emu::simt::checked<n, false>(p, DN_CODE); \
    }                                                \
    DN_CALLBACK __tsan_write##n(void *p)             \
    {                                                \
        dn_emu::simt::checked<n, true>(p, DN_CODE);  \
    }
#define DN_UNALIGNED_CALLBACKS(n)                          \
    DN_CALLBACK __tsan_unaligned_read##n(void *p)          \
    {                                                      \
        dn_emu::simt::checked_range<false>(p, n, DN_CODE); \
    }                                                      \
    DN_CALLBACK __tsan_unaligned_write##n(void *p)         \
    {                                                      \
        dn_emu::simt::checked_range<true>(p, n, DN_CODE);  \
    }
DN_CALLBACKS(1)
DN_CALLBACKS(2)
DN_CALLBACKS(4)
DN_CALLBACKS(8)
DN_CALLBACKS(16)
DN_UNALIGNED_CALLBACKS(2)
DN_UNALIGNED_CALLBACKS(4)
DN_UNALIGNED_CALLBACKS(8)
DN_UNALIGNED_CALLBACKS(16)

DN_CALLBACK __tsan_read_range(void *p, size_t bytes)
{
    dn_emu::simt::checked_range<false>(p, bytes, DN_CODE);
}

DN_CALLBACK __tsan_write_range(void *p, size_t bytes)
{
    dn_emu::simt::checked_range<true>(p, bytes, DN_CODE);
}

extern "C" __attribute__((weak)) void *__tsan_memcpy(void *to, const void *from, size_t bytes)
{
    dn_emu::simt::checked_range<false>(from, bytes, DN_CODE);
    dn_emu::simt::checked_range<true>(to, bytes, DN_CODE);
    return memcpy(to, from, bytes);
}

extern "C" __attribute__((weak)) void *__tsan_memmove(void *to, const void *from, size_t bytes)
{
    dn_emu::simt::checked_range<false>(from, bytes, DN_CODE);
    dn_emu::simt::checked_range<true>(to, bytes, DN_CODE);
    return memmove(to, from, bytes);
}

extern "C" __attribute__((weak)) void *__tsan_memset(void *to, int value, size_t bytes)
{
    dn_emu::simt::checked_range<true>(to, bytes, DN_CODE);
    return memset(to, value, bytes);
}

DN_CALLBACK __tsan_init()
{
}

DN_CALLBACK __tsan_func_entry(void *)
{
}

DN_CALLBACK __tsan_func_exit(void *)
{
}

DN_CALLBACK __tsan_vptr_update(void **, void *)
{
}

DN_CALLBACK __tsan_vptr_read(void **)
{
}
