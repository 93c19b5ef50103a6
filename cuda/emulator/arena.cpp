#include "cuda/emulator/arena.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "core/alloc.h"

// AddressSanitizer's, where the program has it: host code, too, shall not read behind an allocation.
extern "C" void __asan_poison_memory_region(void const volatile *p, size_t bytes) __attribute__((weak));
extern "C" void __asan_unpoison_memory_region(void const volatile *p, size_t bytes) __attribute__((weak));

namespace dn_emu
{
namespace simt
{

device_memory arena;

namespace
{

struct allocation {
    size_t page, n_pages; // the last page is left free, as a guard
    size_t bytes;
};

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
allocation *allocations; // by address
size_t n_allocations, capacity;

void *reserve(size_t bytes, int protection)
{
    void *p = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? nullptr : p;
}

// Takes addresses, but no memory: that comes with the first touch. Less where the process may not have so many.
dn_status open_arena()
{
    for (size_t bytes = size_t{64} << 30; bytes >= size_t{256} << 20; bytes /= 2) {
        void *base = reserve(bytes, PROT_NONE);
        void *words = reserve(bytes / 4 * sizeof(cell), PROT_READ | PROT_WRITE);
        void *cells = reserve(bytes * sizeof(cell), PROT_READ | PROT_WRITE);
        void *valid = reserve(bytes / PAGE * sizeof(uint16_t), PROT_READ | PROT_WRITE);
        if (base && words && cells && valid) {
            arena.bytes = bytes;
            arena.valid = static_cast<uint16_t *>(valid);
            arena.marks = {static_cast<cell *>(words), static_cast<cell *>(cells), false};
            arena.base = static_cast<char *>(base);
            return DN_OK;
        }
        if (base) munmap(base, bytes);
        if (words) munmap(words, bytes / 4 * sizeof(cell));
        if (cells) munmap(cells, bytes * sizeof(cell));
        if (valid) munmap(valid, bytes / PAGE * sizeof(uint16_t));
    }
    return dn_fail(DN_ERROR_MEMORY, "cuda-emu: no address space for device memory (see ulimit -v)");
}

// Finds the first gap of n pages. Returns the place in the list, or -1.
ptrdiff_t find_gap(size_t n, size_t *page)
{
    *page = 1; // before the first allocation, too, there is a guard
    for (size_t i = 0; i < n_allocations; i++) {
        if (allocations[i].page - *page >= n) return static_cast<ptrdiff_t>(i);
        *page = allocations[i].page + allocations[i].n_pages;
    }
    return arena.bytes / PAGE - *page >= n ? static_cast<ptrdiff_t>(n_allocations) : -1;
}

// Bytes that are a NaN in bf16, f32 and f64, and as an integer no index that anyone could use.
void fill_with_nan(char *p, size_t bytes)
{
    static const unsigned char pattern[2] = {0xd5, 0xff};
    for (size_t i = 0; i < bytes; i++) p[i] = static_cast<char>(pattern[i % 2]);
}

void set_valid(const allocation &a, bool allocated)
{
    for (size_t i = 0; i < a.n_pages; i++) {
        const size_t left = a.bytes > i * PAGE ? a.bytes - i * PAGE : 0;
        arena.valid[a.page + i] = static_cast<uint16_t>(!allocated ? 0 : left < PAGE ? left : PAGE);
    }
}

dn_status allocate_locked(size_t bytes, void **data)
{
    if (!arena.base) DN_TRY(open_arena());
    DN_TRY(dn_grow(reinterpret_cast<void **>(&allocations), &capacity, n_allocations, sizeof *allocations));
    allocation a = {0, bytes / PAGE + 2, bytes};
    const ptrdiff_t place = bytes < arena.bytes ? find_gap(a.n_pages, &a.page) : -1;
    char *p = arena.base + a.page * PAGE;
    if (place < 0 || mprotect(p, (a.n_pages - 1) * PAGE, PROT_READ | PROT_WRITE) != 0)
        return dn_fail(DN_ERROR_MEMORY, "cuda-emu: no room for %zu bytes of device memory", bytes);
    memmove(allocations + place + 1, allocations + place,
            (n_allocations - static_cast<size_t>(place)) * sizeof *allocations);
    allocations[place] = a;
    n_allocations++;
    set_valid(a, true);
    fill_with_nan(p, bytes);
    if (__asan_poison_memory_region) __asan_poison_memory_region(p + bytes, (a.n_pages - 1) * PAGE - bytes);
    *data = p;
    return DN_OK;
}

void release_locked(void *data)
{
    const size_t page = static_cast<size_t>(static_cast<char *>(data) - arena.base) / PAGE;
    size_t i = 0;
    while (i < n_allocations && allocations[i].page != page) i++;
    if (i == n_allocations) return;
    const allocation a = allocations[i];
    const size_t first = a.page * PAGE, bytes = (a.n_pages - 1) * PAGE;
    set_valid(a, false);
    if (__asan_unpoison_memory_region) __asan_unpoison_memory_region(arena.base + first, bytes);
    madvise(arena.base + first, bytes, MADV_DONTNEED);
    mprotect(arena.base + first, bytes, PROT_NONE);
    madvise(arena.marks.words + first / 4, bytes / 4 * sizeof(cell), MADV_DONTNEED);
    madvise(arena.marks.bytes + first, bytes * sizeof(cell), MADV_DONTNEED);
    n_allocations--;
    memmove(allocations + i, allocations + i + 1, (n_allocations - i) * sizeof *allocations);
}

} // namespace

dn_status arena_allocate(size_t bytes, void **data)
{
    pthread_mutex_lock(&lock);
    const dn_status status = allocate_locked(bytes, data);
    pthread_mutex_unlock(&lock);
    return status;
}

void arena_release(void *data)
{
    pthread_mutex_lock(&lock);
    if (data) release_locked(data);
    if (n_allocations == 0) {
        dn_free(allocations);
        allocations = nullptr;
        capacity = 0;
    }
    pthread_mutex_unlock(&lock);
}

void arena_forget()
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n_allocations; i++) {
        const size_t first = allocations[i].page * PAGE, bytes = (allocations[i].n_pages - 1) * PAGE;
        madvise(arena.marks.words + first / 4, bytes / 4 * sizeof(cell), MADV_DONTNEED);
        madvise(arena.marks.bytes + first, bytes * sizeof(cell), MADV_DONTNEED);
    }
    pthread_mutex_unlock(&lock);
}

void arena_describe(const void *p, char *text, size_t size)
{
    const size_t offset = static_cast<size_t>(static_cast<const char *>(p) - arena.base);
    pthread_mutex_lock(&lock);
    const allocation *nearest = nullptr;
    for (size_t i = 0; i < n_allocations && allocations[i].page * PAGE <= offset; i++) nearest = &allocations[i];
    if (!nearest)
        snprintf(text, size, "outside of all allocations");
    else if (offset - nearest->page * PAGE < nearest->bytes)
        snprintf(text, size, "byte %zu of an allocation of %zu bytes", offset - nearest->page * PAGE, nearest->bytes);
    else
        snprintf(text, size, "%zu bytes behind the end of an allocation of %zu bytes",
                 offset - nearest->page * PAGE - nearest->bytes, nearest->bytes);
    pthread_mutex_unlock(&lock);
}

} // namespace simt
} // namespace dn_emu
