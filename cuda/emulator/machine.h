// The emulator's inside: one machine per stream, which runs one block at a time, one fiber per thread.
#ifndef DN_CUDA_EMULATOR_MACHINE_H
#define DN_CUDA_EMULATOR_MACHINE_H

#include "cuda/emulator/fiber.h"
#include "cuda/emulator/ptx.h"
#include "cuda/emulator/shadow.h"

namespace dn_emu
{
namespace simt
{

constexpr unsigned WARP = 32, MOST_THREADS = 1024, MOST_WARPS = MOST_THREADS / WARP;
constexpr size_t MOST_SHARED = 227 * 1024; // what a block can have on sm_90
constexpr size_t RED_ZONE = 16 * 1024;     // on both sides of shared memory
constexpr size_t SHARED_SPAN = RED_ZONE + MOST_SHARED + RED_ZONE;

enum class wait : uint8_t { NOT_STARTED, READY, AT_BLOCK, AT_WARP, DONE };

// A copy that was started by cp.async: the bytes move when the thread waits for its group.
struct pending_copy {
    void *to;
    const void *from;
    unsigned bytes;
    bool valid;
    uint32_t group;
};

// What a lane brings to a function of the whole warp, and what it takes away.
union exchanged {
    uint64_t value;
    words4 words;
    floats4 floats;
};

struct thread {
    unsigned x, y, z;
    unsigned id; // place in the block
    wait state;
    site where; // the last barrier or exchange
    fiber run;
    int source;           // shuffles: whose value; reductions: which
    const void *row;      // ldmatrix
    exchanged in, out;    // mma: a; d
    uint32_t b[2];        // mma
    floats4 c;            // mma
    pending_copy *copies; // [n_copies], oldest first
    size_t n_copies, copy_capacity;
    uint32_t group; // groups closed so far
};

struct machine;
struct warp;

// A function that all lanes of a mask call together; the last one to arrive performs it.
struct operation {
    const char *name;
    void (*perform)(machine &m, warp &w, uint32_t lanes);
};

// Lanes that wait for others of their mask, filed under the mask's lowest lane.
struct meeting {
    uint32_t arrived, mask;
    const operation *what;
    site where;
};

struct warp {
    uint32_t stamp; // time of the last barrier that all its lanes passed
    uint32_t live;  // lanes that exist and have not exited
    thread *lanes;  // [32]
    int n_meetings; // where someone waits
    meeting meetings[WARP];
};

// Lives as long as its stream. Threads and stacks are made at the first launch.
struct machine {
    // The current launch and block.
    const launch_call *call;
    dim3 block;
    unsigned n_threads, live;
    thread *current;
    char *stack; // the current thread's

    // Time counts barriers. Stamps of the current time, the last barrier of the block, its beginning, the launch's.
    uint32_t now, block_stamp, begin_stamp, launch_stamp;

    char *shared; // [SHARED_SPAN], with the red zones
    size_t shared_bytes;
    shadow shared_shadow;

    unsigned arrived, arrived_true; // at the block's barrier
    int last_true;
    const char *barrier_name;
    site barrier_where;

    uint16_t ready[MOST_THREADS]; // stack of threads to go on with
    unsigned n_ready;
    uint16_t order[MOST_THREADS]; // in which threads start
    unsigned n_started;

    thread *threads; // [MOST_THREADS]
    warp warps[MOST_WARPS];
    stack_pool stacks;
    context scheduler;

    uint64_t seed, launches;
    bool faulted;
    char fault[1024];
};

// Whether two calls stand in the same line of the same file.
bool same_site(const site &a, const site &b);
// A file's name without its folders.
const char *base_name(const char *path);

// The machine that runs a kernel on this host thread right now, or null.
extern __thread machine *running;
dn_status machine_open(machine **out);
void machine_close(machine *m);
// Runs a launch to its end or its first fault. Not to be called after a fault.
void machine_run(machine &m, const launch_call &call);

// Keeps the text as the machine's fault, if it is the first, and returns.
void record_fault(machine &m, const char *format, ...) DN_PRINTF(2, 3);
// The same from within a kernel: the launch is abandoned, so this does not return.
[[noreturn]] void fault(machine &m, const char *format, ...) DN_PRINTF(2, 3);

// Goes on with another thread; returns when the current one is ready again.
void suspend(machine &m, wait why);
void make_ready(machine &m, thread &t);
// Lets a barrier pass: what comes later is ordered after what came before. Returns the new time's stamp.
uint32_t tick(machine &m);
// Begins time anew before its stamps run out; what the records say about the current block stays true.
void renew_time(machine &m);
// A lane has exited: may others of its warp go on?
void lane_exited(machine &m, thread &t);
// A thread's copies come to their end with the thread at the latest.
void finish_copies(machine &m, thread &t);

// Marks shared memory as the target of a copy by `by`, after the checks of a write; and as written by it.
void check_copy_target(machine &m, thread &by, const void *p, size_t bytes, const void *code);
void set_written(machine &m, thread &by, const void *p, size_t bytes);

// Checks an access by the current thread (or, for ldmatrix, in the name of `by`); `code` is where in the program.
void check_access(machine &m, thread &by, const void *p, size_t bytes, size_t alignment, bool write, const void *code);

} // namespace simt
} // namespace dn_emu

#endif
