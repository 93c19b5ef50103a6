// Runs a launch: blocks one after another, the threads of a block as fibers that change at barriers.
//
// A fiber that has to wait switches straight to one that can go on; the last to arrive at a barrier never waits. A
// thread that ends hands its stack to the next thread that has not started: without barriers there are no switches.
#include "cuda/emulator/machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/alloc.h"
#include "core/random.h"
#include "cuda/emulator/arena.h"

namespace dn_emu
{
namespace simt
{

__thread machine *running;

unsigned thread_x() noexcept
{
    return running->current->x;
}

unsigned thread_y() noexcept
{
    return running->current->y;
}

unsigned thread_z() noexcept
{
    return running->current->z;
}

unsigned block_x() noexcept
{
    return running->block.x;
}

unsigned block_y() noexcept
{
    return running->block.y;
}

unsigned block_z() noexcept
{
    return running->block.z;
}

unsigned block_size_x() noexcept
{
    return running->call->block.x;
}

unsigned block_size_y() noexcept
{
    return running->call->block.y;
}

unsigned block_size_z() noexcept
{
    return running->call->block.z;
}

unsigned grid_x() noexcept
{
    return running->call->grid.x;
}

unsigned grid_y() noexcept
{
    return running->call->grid.y;
}

unsigned grid_z() noexcept
{
    return running->call->grid.z;
}

void *shared_memory() noexcept
{
    return running->shared + RED_ZONE;
}

int lane()
{
    return static_cast<int>(running->current->id % WARP);
}

const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool same_site(const site &a, const site &b)
{
    return a.line == b.line && (a.file == b.file || strcmp(a.file, b.file) == 0);
}

static void record_fault_list(machine &m, const char *format, va_list arguments)
{
    if (m.faulted) return;
    m.faulted = true;
    const char *name = m.call->kernel[0] == '(' ? m.call->kernel + 1 : m.call->kernel;
    const size_t length = strlen(name) - (name != m.call->kernel);
    const int used = snprintf(m.fault, sizeof m.fault, "kernel %.*s, block (%u,%u,%u): ", static_cast<int>(length),
                              name, m.block.x, m.block.y, m.block.z);
    if (used > 0 && static_cast<size_t>(used) < sizeof m.fault)
        vsnprintf(m.fault + used, sizeof m.fault - static_cast<size_t>(used), format, arguments);
}

void record_fault(machine &m, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    record_fault_list(m, format, arguments);
    va_end(arguments);
}

void fault(machine &m, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    record_fault_list(m, format, arguments);
    va_end(arguments);
    fiber_return(&m.stacks, &m.current->run, &m.scheduler);
    __builtin_unreachable();
}

void make_ready(machine &m, thread &t)
{
    t.state = wait::READY;
    m.ready[m.n_ready++] = static_cast<uint16_t>(t.id);
}

uint32_t tick(machine &m)
{
    if (m.now >= LATEST - ONE_TICK) renew_time(m);
    m.now += ONE_TICK;
    return m.now;
}

// Nobody can go on: which threads wait for what?
[[noreturn]] static void stuck(machine &m)
{
    const thread *at_block = nullptr, *at_warp = nullptr, *done = nullptr;
    for (unsigned i = m.n_threads; i-- > 0;) {
        const thread &t = m.threads[i];
        (t.state == wait::AT_BLOCK ? at_block : t.state == wait::AT_WARP ? at_warp : done) = &t;
    }
    if (at_block && at_warp)
        fault(m, "threads wait at different barriers: thread %u at %s (%s:%d), thread %u for its warp (%s:%d)",
              at_block->id, m.barrier_name, base_name(at_block->where.file), at_block->where.line, at_warp->id,
              base_name(at_warp->where.file), at_warp->where.line);
    if (at_block)
        fault(m, "thread %u has exited without reaching %s (%s:%d), where thread %u waits", done ? done->id : 0,
              m.barrier_name, base_name(at_block->where.file), at_block->where.line, at_block->id);
    fault(m, "deadlock: thread %u waits for other lanes of its warp at %s:%d, which never come", at_warp->id,
          base_name(at_warp->where.file), at_warp->where.line);
}

static void fiber_entry();

static thread *next_thread(machine &m)
{
    if (m.n_ready) return &m.threads[m.ready[--m.n_ready]];
    return m.n_started < m.n_threads ? &m.threads[m.order[m.n_started++]] : nullptr;
}

static void begin(machine &m, thread &t, char *stack)
{
    t.run.stack = stack;
    t.state = wait::READY;
    m.current = &t;
    m.stack = stack;
}

static void go_on(machine &m, thread &t)
{
    m.current = &t;
    m.stack = t.run.stack;
}

void suspend(machine &m, wait why)
{
    thread &from = *m.current;
    from.state = why;
    thread *next = next_thread(m);
    if (!next) stuck(m);
    if (next->state == wait::NOT_STARTED) {
        begin(m, *next, stack_take(&m.stacks));
        fiber_prepare(&next->run, fiber_entry);
    }
    go_on(m, *next);
    fiber_switch(&m.stacks, &from.run, &next->run);
}

// A thread has come to its end; returns if its stack goes on with a new thread.
static void finish(machine &m)
{
    thread &t = *m.current;
    t.state = wait::DONE;
    m.live--;
    finish_copies(m, t);
    lane_exited(m, t);
    thread *next = next_thread(m);
    if (next && next->state == wait::NOT_STARTED) return begin(m, *next, t.run.stack);
    if (!next && m.live) stuck(m);
    stack_give(&m.stacks, t.run.stack);
    if (!next) fiber_return(&m.stacks, &t.run, &m.scheduler);
    go_on(m, *next);
    fiber_leave(&m.stacks, &t.run, &next->run);
}

static void fiber_entry()
{
    machine &m = *running;
    fiber_started(&m.stacks);
    for (;;) {
        m.call->run(m.call->arguments);
        finish(m);
    }
}

int barrier(const char *name, bool value, site where)
{
    machine &m = *running;
    thread &t = *m.current;
    t.where = where;
    if (m.arrived == 0) {
        m.barrier_name = name;
        m.barrier_where = where;
    } else if (!same_site(where, m.barrier_where))
        fault(m, "threads wait at different barriers: thread %u at %s in line %d, others at %s in line %d", t.id, name,
              where.line, m.barrier_name, m.barrier_where.line);
    m.arrived_true += value;
    if (++m.arrived < m.n_threads) {
        suspend(m, wait::AT_BLOCK);
        return m.last_true;
    }
    m.last_true = static_cast<int>(m.arrived_true);
    m.arrived = m.arrived_true = 0;
    m.block_stamp = tick(m);
    for (unsigned w = 0; w * WARP < m.n_threads; w++) m.warps[w].stamp = m.block_stamp;
    for (unsigned i = 0; i < m.n_threads; i++)
        if (m.order[i] != t.id) make_ready(m, m.threads[m.order[i]]);
    return m.last_true;
}

// Fills shared memory with bytes that are a NaN in bf16, f32 and f64.
static void poison(char *p, size_t bytes)
{
    for (size_t i = 0; i + 1 < bytes; i += 2) {
        p[i] = static_cast<char>(0xd5);
        p[i + 1] = static_cast<char>(0xff);
    }
}

static void prepare_block(machine &m)
{
    m.live = m.n_threads;
    m.n_ready = m.n_started = 0;
    m.arrived = m.arrived_true = 0;
    m.begin_stamp = m.block_stamp = tick(m);
    poison(m.shared + RED_ZONE, m.shared_bytes);
    const dim3 &size = m.call->block;
    unsigned x = 0, y = 0, z = 0;
    for (unsigned i = 0; i < m.n_threads; i++) {
        thread &t = m.threads[i];
        t.x = x, t.y = y, t.z = z;
        t.state = wait::NOT_STARTED;
        t.where = {nullptr, 0};
        if (++x == size.x) x = 0, y++;
        if (y == size.y) y = 0, z++;
    }
    for (unsigned w = 0; w * WARP < m.n_threads; w++) {
        const unsigned left = m.n_threads - w * WARP;
        m.warps[w].stamp = m.now;
        m.warps[w].n_meetings = 0;
        m.warps[w].live = left < WARP ? (1u << left) - 1u : 0xffffffffu;
        memset(m.warps[w].meetings, 0, sizeof m.warps[w].meetings);
    }
}

static void run_block(machine &m)
{
    prepare_block(m);
    thread &first = *next_thread(m);
    begin(m, first, stack_take(&m.stacks));
    fiber_prepare(&first.run, fiber_entry);
    fiber_enter(&m.scheduler, &first.run);
}

static void shuffle_order(machine &m)
{
    for (unsigned i = 0; i < m.n_threads; i++) m.order[i] = static_cast<uint16_t>(i);
    for (unsigned i = m.n_threads; i > 1; i--) {
        uint32_t bits[4];
        dn_random_block(bits, m.seed, 0, static_cast<uint32_t>(m.launches), 0, i);
        const uint32_t other = dn_random_to_below(bits[0], i);
        const uint16_t kept = m.order[i - 1];
        m.order[i - 1] = m.order[other];
        m.order[other] = kept;
    }
}

static bool possible(machine &m, const launch_call &call)
{
    const uint64_t threads = static_cast<uint64_t>(call.block.x) * call.block.y * call.block.z;
    if (threads == 0 || threads > MOST_THREADS || call.block.z > 64)
        record_fault(m, "blocks of %ux%ux%u threads; a block has 1 to %u threads, at most 64 in z", call.block.x,
                     call.block.y, call.block.z, MOST_THREADS);
    else if (!call.grid.x || !call.grid.y || !call.grid.z || call.grid.x > 0x7fffffffu || call.grid.y > 65535 ||
             call.grid.z > 65535)
        record_fault(m, "a grid of %ux%ux%u blocks; possible are 1..2^31-1, 1..65535, 1..65535", call.grid.x,
                     call.grid.y, call.grid.z);
    else if (call.shared_bytes > MOST_SHARED)
        record_fault(m, "%zu bytes of shared memory; a block can have %zu", call.shared_bytes, MOST_SHARED);
    return !m.faulted;
}

void machine_run(machine &m, const launch_call &call)
{
    m.call = &call;
    m.block = dim3(0, 0, 0);
    if (!possible(m, call)) return;
    m.n_threads = call.block.x * call.block.y * call.block.z;
    m.shared_bytes = call.shared_bytes;
    m.launches++;
    shuffle_order(m);
    m.launch_stamp = tick(m);
    machine *const outer = running;
    running = &m;
    for (m.block.z = 0; m.block.z < call.grid.z && !m.faulted; m.block.z++)
        for (m.block.y = 0; m.block.y < call.grid.y && !m.faulted; m.block.y++)
            for (m.block.x = 0; m.block.x < call.grid.x && !m.faulted; m.block.x++) run_block(m);
    running = outer;
    if (m.faulted) stacks_reset(&m.stacks);
}

static dn_status prepare_machine(machine *m)
{
    m->threads = static_cast<thread *>(dn_calloc(MOST_THREADS, sizeof *m->threads));
    if (!m->threads) return DN_ERROR_MEMORY;
    for (unsigned i = 0; i < MOST_THREADS; i++) m->threads[i].id = i;
    for (unsigned w = 0; w < MOST_WARPS; w++) m->warps[w].lanes = m->threads + w * WARP;
    m->shared_shadow.shared = true;
    m->shared_shadow.words = static_cast<cell *>(dn_calloc(MOST_SHARED / 4 + 1, sizeof(cell)));
    m->shared_shadow.bytes = static_cast<cell *>(dn_calloc(MOST_SHARED + 4, sizeof(cell)));
    if (!m->shared_shadow.words || !m->shared_shadow.bytes) return DN_ERROR_MEMORY;
    void *shared = mmap(nullptr, SHARED_SPAN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return dn_fail(DN_ERROR_MEMORY, "cuda-emu: no room for shared memory");
    m->shared = static_cast<char *>(shared);
    m->now = ONE_TICK;
    const char *seed = getenv("DN_EMULATOR_SEED");
    m->seed = seed ? strtoull(seed, nullptr, 0) : 0;
    return stacks_open(&m->stacks, MOST_THREADS);
}

dn_status machine_open(machine **out)
{
    machine *m = static_cast<machine *>(dn_calloc(1, sizeof *m));
    if (!m) return DN_ERROR_MEMORY;
    const dn_status status = prepare_machine(m);
    if (status != DN_OK)
        machine_close(m);
    else
        *out = m;
    return status;
}

void machine_close(machine *m)
{
    if (!m) return;
    stacks_close(&m->stacks);
    if (m->shared) munmap(m->shared, SHARED_SPAN);
    dn_free(m->shared_shadow.bytes);
    dn_free(m->shared_shadow.words);
    for (unsigned i = 0; m->threads && i < MOST_THREADS; i++) dn_free(m->threads[i].copies);
    dn_free(m->threads);
    dn_free(m);
}

} // namespace simt
} // namespace dn_emu
