/** A GPU that is none, for tests of the host's side of the CUDA backend: the device "fake" and its dn_gpu_runtime.
 *
 * It puts everything off for as long as it may: work is queued, and done by the reference kernels when somebody waits.
 * Its addresses cannot be read by the host. What is asked of it is counted, and it can be told to fail.
 */
#ifndef DN_TESTS_FAKE_GPU_H
#define DN_TESTS_FAKE_GPU_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/cpu/kernel.h"
#include "cuda/host.h"

typedef enum fake_task_kind { FAKE_LAUNCH, FAKE_POST, FAKE_CLEAR } fake_task_kind;

typedef struct fake_task {
    fake_task_kind kind;
    dn_call call;
    void *to;
    const void *from;
    size_t bytes;
    int ticket;
} fake_task;

typedef struct fake_queue {
    fake_task *tasks;
    size_t count, capacity;
} fake_queue;

struct dn_gpu_graph {
    fake_queue queue;
};

/** What has been asked of the device, and what it shall do. */
static struct fake_gpu {
    fake_queue queue;
    dn_gpu_graph *recording; /* NULL: launches are queued */

    int launches, replays, captures, waits, done; /* done: ops that have run */
    int idle_letters;                             /* times that mail was waited for with nothing queued behind it */
    int blocks, letters;                          /* allocations that have not been released */
    size_t bytes, peak;                           /* of blocks */
    dn_call last[DN_OP_COUNT];                    /* the last call of each op */

    size_t memory;         /* how much it has */
    bool lies;             /* available() says that there is more */
    dn_op_kind fault;      /* ops of this kind end in a fault; DN_OP_COUNT: none do */
    dn_op_kind refused;    /* these cannot be launched */
    bool faulted, refusal; /* what happened */
} fake;

static const ptrdiff_t fake_bias = (ptrdiff_t)1 << 60;

static inline void *fake_real(const void *there)
{
    return there ? (char *)there - fake_bias : NULL;
}

/* ---- the queue ---- */

static inline void fake_add(fake_queue *queue, const fake_task *task)
{
    cr_assert_eq(dn_grow((void **)&queue->tasks, &queue->capacity, queue->count, sizeof *task), DN_OK);
    queue->tasks[queue->count++] = *task;
}

static inline void fake_execute(const dn_call *all)
{
    const bool joins = dn_op_flags(all->op->kind) & DN_OP_JOINS;
    if (all->workspace) memset(fake_real(all->workspace), 0xab, 1000 * (size_t)all->members);
    for (int e = 0; e < (joins ? 1 : all->members); e++) {
        dn_call call = *all;
        call.member = all->member + e;
        for (int k = 0; k < DN_OP_MAX_IN; k++)
            if (call.in[k]) call.in[k] = (char *)fake_real(call.in[k]) + call.in_stride[k] * (size_t)e;
        for (int k = 0; k < DN_OP_MAX_OUT; k++)
            if (call.out[k]) call.out[k] = (char *)fake_real(call.out[k]) + call.out_stride[k] * (size_t)e;
        dn__ref_kernels_f32[call.op->kind](&call);
    }
    fake.done++;
    if (all->op->kind == fake.fault) fake.faulted = true;
}

/** Does the first `count` queued tasks. */
static inline void fake_do(size_t count)
{
    for (size_t i = 0; i < count && !fake.faulted; i++) {
        const fake_task *task = &fake.queue.tasks[i];
        switch (task->kind) {
        case FAKE_LAUNCH: fake_execute(&task->call); break;
        case FAKE_POST: memcpy(task->to, fake_real(task->from), task->bytes); break;
        case FAKE_CLEAR: memset(fake_real(task->to), 0, task->bytes); break;
        }
    }
    fake.queue.count -= count;
    if (fake.queue.count > 0)
        memmove(fake.queue.tasks, fake.queue.tasks + count, fake.queue.count * sizeof *fake.queue.tasks);
}

static inline dn_status fake_state(void)
{
    return fake.faulted ? dn_fail(DN_ERROR_INTERNAL, "an illegal memory access was encountered") : DN_OK;
}

/* ---- kernels ---- */

static void fake_launch(const dn_call *call, dn_gpu_stream stream)
{
    cr_assert_eq((void *)stream, (void *)&fake);
    fake.last[call->op->kind] = *call;
    if (call->op->kind == fake.refused) {
        fake.refusal = true;
        return;
    }
    fake.launches++;
    fake_add(fake.recording ? &fake.recording->queue : &fake.queue, &(fake_task){.kind = FAKE_LAUNCH, .call = *call});
}

static size_t fake_workspace(const dn_call *shapes)
{
    return 1000 * (size_t)shapes->members;
}

static void fake_describe(const dn_call *shapes, char *text, size_t size)
{
    snprintf(text, size, "fake of %d", shapes->members);
}

static const dn_gpu_kernel fake_kernel = {fake_launch, NULL, NULL},
                           fake_conv = {fake_launch, fake_workspace, fake_describe};
static const dn_gpu_kernel *fake_kernels[DN_OP_COUNT];

/* ---- the runtime ---- */

static dn_status fake_open(dn_gpu **out, int ordinal)
{
    if (ordinal > 0) return dn_fail(DN_ERROR_UNSUPPORTED, "there is one");
    for (int k = 0; k < DN_OP_COUNT; k++) fake_kernels[k] = dn__ref_kernels_f32[k] ? &fake_kernel : NULL;
    fake_kernels[DN_OP_CONV2D] = &fake_conv;
    *out = (dn_gpu *)&fake;
    return DN_OK;
}

static void fake_close(dn_gpu *gpu)
{
    (void)gpu;
    dn_free(fake.queue.tasks);
    fake.queue = (fake_queue){0};
    cr_expect_eq(fake.blocks, 0, "%d blocks were not released", fake.blocks);
    cr_expect_eq(fake.letters, 0, "%d letters were not released", fake.letters);
}

static size_t fake_available(const dn_gpu *gpu)
{
    (void)gpu;
    return fake.lies ? SIZE_MAX / 2 : fake.memory - fake.bytes;
}

/* What stands before a block. */
typedef struct fake_head {
    void *memory;
    size_t bytes;
} fake_head;

static dn_status fake_allocate(dn_gpu *gpu, size_t bytes, void **data)
{
    (void)gpu;
    enum { ALIGNMENT = 256 };
    if (bytes > fake.memory - fake.bytes) return dn_fail(DN_ERROR_MEMORY, "the fake cannot give %zu bytes", bytes);
    char *memory = dn_calloc_aligned(2 * ALIGNMENT + bytes);
    cr_assert_not_null(memory);
    char *block = memory + 2 * ALIGNMENT - (uintptr_t)memory % ALIGNMENT;
    const fake_head head = {memory, bytes};
    memcpy(block - sizeof head, &head, sizeof head);
    memset(block, 0xff, bytes);
    fake.blocks++;
    fake.bytes += bytes;
    if (fake.bytes > fake.peak) fake.peak = fake.bytes;
    *data = block + fake_bias;
    return DN_OK;
}

static void fake_release(dn_gpu *gpu, void *data)
{
    (void)gpu;
    fake_head head;
    memcpy(&head, (char *)fake_real(data) - sizeof head, sizeof head);
    fake.blocks--;
    fake.bytes -= head.bytes;
    dn_free(head.memory);
}

static dn_status fake_clear(dn_gpu *gpu, void *data, size_t bytes)
{
    (void)gpu;
    cr_assert_null(fake.recording);
    fake_add(&fake.queue, &(fake_task){.kind = FAKE_CLEAR, .to = data, .bytes = bytes});
    return fake_state();
}

static dn_status fake_wait(dn_gpu *gpu)
{
    (void)gpu;
    fake.waits++;
    fake_do(fake.queue.count);
    return fake_state();
}

static dn_status fake_upload(dn_gpu *gpu, void *to, const void *from, size_t bytes)
{
    const dn_status status = fake_wait(gpu);
    if (status == DN_OK) memcpy(fake_real(to), from, bytes);
    return status;
}

static dn_status fake_download(dn_gpu *gpu, void *to, const void *from, size_t bytes)
{
    const dn_status status = fake_wait(gpu);
    if (status == DN_OK) memcpy(to, fake_real(from), bytes);
    return status;
}

static dn_status fake_allocate_pinned(dn_gpu *gpu, size_t bytes, void **data)
{
    (void)gpu;
    *data = dn_calloc(bytes, 1);
    fake.letters++;
    return DN_OK;
}

static void fake_release_pinned(dn_gpu *gpu, void *data)
{
    (void)gpu;
    fake.letters--;
    for (size_t i = 0; i < fake.queue.count; i++)
        cr_assert_neq(fake.queue.tasks[i].kind, FAKE_POST, "a letter is still on its way");
    dn_free(data);
}

static dn_status fake_post(dn_gpu *gpu, void *pinned, const void *from, size_t bytes, int ticket)
{
    (void)gpu;
    cr_assert_null(fake.recording);
    cr_assert(ticket >= 0 && ticket < DN_GPU_TICKETS);
    fake_add(&fake.queue,
             &(fake_task){.kind = FAKE_POST, .to = pinned, .from = from, .bytes = bytes, .ticket = ticket});
    return fake_state();
}

static dn_status fake_arrived(dn_gpu *gpu, int ticket)
{
    (void)gpu;
    size_t count = 0;
    for (size_t i = 0; i < fake.queue.count; i++)
        if (fake.queue.tasks[i].kind == FAKE_POST && fake.queue.tasks[i].ticket == ticket) count = i + 1;
    fake.idle_letters += count == fake.queue.count;
    fake_do(count);
    return fake_state();
}

static dn_gpu_stream fake_stream(dn_gpu *gpu)
{
    return (dn_gpu_stream)(void *)gpu;
}

static dn_status fake_begin_capture(dn_gpu *gpu)
{
    (void)gpu;
    cr_assert_null(fake.recording);
    fake.recording = dn_calloc(1, sizeof *fake.recording);
    return fake_state();
}

static dn_status fake_end_capture(dn_gpu *gpu, dn_gpu_graph **out)
{
    (void)gpu;
    cr_assert_not_null(fake.recording);
    *out = fake.recording;
    fake.recording = NULL;
    fake.captures++;
    return fake_state();
}

static dn_status fake_replay(dn_gpu *gpu, dn_gpu_graph *graph)
{
    (void)gpu;
    fake.replays++;
    for (size_t i = 0; i < graph->queue.count; i++) fake_add(&fake.queue, &graph->queue.tasks[i]);
    return fake_state();
}

static void fake_drop(dn_gpu *gpu, dn_gpu_graph *graph)
{
    (void)gpu;
    dn_free(graph->queue.tasks);
    dn_free(graph);
}

static dn_status fake_check(dn_gpu *gpu)
{
    (void)gpu;
    if (!fake.refusal) return fake_state();
    fake.refusal = false;
    return dn_fail(DN_ERROR_INTERNAL, "invalid configuration argument");
}

static const dn_gpu_runtime fake_runtime = {
    .name = "fake",
    .kernels = fake_kernels,
    .open = fake_open,
    .close = fake_close,
    .available = fake_available,
    .allocate = fake_allocate,
    .release = fake_release,
    .clear = fake_clear,
    .upload = fake_upload,
    .download = fake_download,
    .allocate_pinned = fake_allocate_pinned,
    .release_pinned = fake_release_pinned,
    .post = fake_post,
    .arrived = fake_arrived,
    .stream = fake_stream,
    .begin_capture = fake_begin_capture,
    .end_capture = fake_end_capture,
    .replay = fake_replay,
    .drop = fake_drop,
    .check = fake_check,
    .wait = fake_wait,
};

/* ---- the device ---- */

static const dn_backend fake_backend = {.name = "fake", DN__GPU_BACKEND};

/** A device in the state in which nothing has happened yet. @param spec "" or ",sync" */
static inline dn_device *open_fake(const char *spec)
{
    dn_device *device = NULL;
    fake = (struct fake_gpu){.memory = (size_t)1 << 30, .fault = DN_OP_COUNT, .refused = DN_OP_COUNT};
    cr_assert_eq(dn__gpu_open(&device, &fake_backend, &fake_runtime, spec), DN_OK, "%s", dn_error_last());
    return device;
}

#endif
