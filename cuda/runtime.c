/* GPUs, through the CUDA runtime: memory, one stream, graphs, mail.
 *
 * Everything goes through one non-blocking stream, so that "in the order of asking" is the order on the device. Errors
 * of CUDA are sticky: after a kernel's fault every call fails with its text.
 */
#include <cuda_runtime_api.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "cuda/gpu.h"
#include "cuda/reason.h"

struct dn_gpu {
    int ordinal;
    cudaStream_t stream;
    cudaEvent_t tickets[DN_GPU_TICKETS];
};

struct dn_gpu_graph {
    cudaGraphExec_t exec;
};

/* ---- errors ---- */

static dn_status fail(const dn_gpu *gpu, cudaError_t error, const char *what)
{
    const dn_status status = error == cudaErrorMemoryAllocation ? DN_ERROR_MEMORY : DN_ERROR_INTERNAL;
    (void)cudaGetLastError(); /* one that is not sticky has been told now */
    return dn_fail(status, "GPU %d, %s: %s (%s)", gpu->ordinal, what, cudaGetErrorString(error),
                   cudaGetErrorName(error));
}

#define CUDA_TRY(call, what)                                                       \
    do {                                                                           \
        const cudaError_t cuda_try_error = (call);                                 \
        if (cuda_try_error != cudaSuccess) return fail(gpu, cuda_try_error, what); \
    } while (0)

/* Another GPU may have been this thread's current one. */
static dn_status select_gpu(const dn_gpu *gpu)
{
    CUDA_TRY(cudaSetDevice(gpu->ordinal), "choosing the device");
    return DN_OK;
}

/* ---- what there is ---- */

static dn_gpu_facts find_facts(void)
{
    dn_gpu_facts facts = {.visible = getenv("CUDA_VISIBLE_DEVICES")};
    (void)cudaRuntimeGetVersion(&facts.toolkit);
    if (cudaDriverGetVersion(&facts.driver) != cudaSuccess) facts.driver = 0;
    const cudaError_t error = cudaGetDeviceCount(&facts.devices);
    if (error != cudaSuccess) {
        facts.devices = 0;
        facts.error = cudaGetErrorString(error);
        (void)cudaGetLastError();
    }
    return facts;
}

static void describe(dn_device_info *row, int ordinal)
{
    dn_gpu_properties properties = {0};
    struct cudaDeviceProp found;
    int mode = cudaComputeModeDefault;
    const cudaError_t error = cudaGetDeviceProperties(&found, ordinal);
    if (error != cudaSuccess) {
        (void)cudaGetLastError();
        *row = (dn_device_info){0};
        snprintf(row->name, sizeof row->name, "cuda:%d", ordinal);
        snprintf(row->unavailable, sizeof row->unavailable, "%s", cudaGetErrorString(error));
        return;
    }
    (void)cudaDeviceGetAttribute(&mode, cudaDevAttrComputeMode, ordinal);
    snprintf(properties.name, sizeof properties.name, "%.60s", found.name);
    properties.major = found.major;
    properties.minor = found.minor;
    properties.multiprocessors = found.multiProcessorCount;
    properties.bytes = found.totalGlobalMem;
    properties.prohibited = mode == cudaComputeModeProhibited;
    dn__gpu_row(row, ordinal, &properties);
}

static int list(dn_device_info *rows, int capacity)
{
    char reason[sizeof rows->unavailable];
    const dn_gpu_facts facts = find_facts();
    if (dn__gpu_no_device(&facts, reason, sizeof reason)[0] != '\0') {
        if (capacity < 1) return 1;
        rows[0] = (dn_device_info){.name = "cuda", .description = "NVIDIA GPUs"};
        snprintf(rows[0].unavailable, sizeof rows[0].unavailable, "%s", reason);
        return 1;
    }
    for (int i = 0; i < facts.devices && i < capacity; i++) describe(&rows[i], i);
    return facts.devices;
}

/* ---- opening ---- */

static void close(dn_gpu *gpu)
{
    if (!gpu) return;
    (void)cudaSetDevice(gpu->ordinal);
    for (int i = 0; i < DN_GPU_TICKETS; i++)
        if (gpu->tickets[i]) (void)cudaEventDestroy(gpu->tickets[i]);
    if (gpu->stream) (void)cudaStreamDestroy(gpu->stream);
    dn_free(gpu);
}

static dn_status prepare(dn_gpu *gpu)
{
    DN_TRY(select_gpu(gpu));
    CUDA_TRY(cudaStreamCreateWithFlags(&gpu->stream, cudaStreamNonBlocking), "making a stream");
    for (int i = 0; i < DN_GPU_TICKETS; i++)
        CUDA_TRY(cudaEventCreateWithFlags(&gpu->tickets[i], cudaEventDisableTiming), "making an event");
    return DN_OK;
}

static dn_status open(dn_gpu **out, int ordinal)
{
    char reason[160];
    const dn_gpu_facts facts = find_facts();
    *out = NULL;
    if (dn__gpu_no_device(&facts, reason, sizeof reason)[0] != '\0') return dn_fail(DN_ERROR_UNSUPPORTED, "%s", reason);
    if (ordinal >= facts.devices)
        return dn_fail(DN_ERROR_UNSUPPORTED, "this machine has %d GPU%s, counted from 0: the last is 'cuda:%d'",
                       facts.devices, facts.devices == 1 ? "" : "s", facts.devices - 1);
    dn_device_info row;
    describe(&row, ordinal);
    if (row.unavailable[0] != '\0') return dn_fail(DN_ERROR_UNSUPPORTED, "%s: %s", row.description, row.unavailable);
    dn_gpu *gpu = dn_calloc(1, sizeof *gpu);
    if (!gpu) return DN_ERROR_MEMORY;
    gpu->ordinal = ordinal;
    const dn_status status = prepare(gpu);
    if (status == DN_OK)
        *out = gpu;
    else
        close(gpu);
    return status;
}

/* ---- memory ---- */

static size_t available(const dn_gpu *gpu)
{
    /* What the driver takes on its own later: the kernels' code, graphs, their local memory. */
    enum { KEPT_BACK = 192 << 20 };
    size_t unused = 0, total = 0;
    if (cudaSetDevice(gpu->ordinal) != cudaSuccess || cudaMemGetInfo(&unused, &total) != cudaSuccess) return 0;
    return unused > KEPT_BACK ? unused - KEPT_BACK : 0;
}

static dn_status allocate(dn_gpu *gpu, size_t bytes, void **data)
{
    const double mib = 1024.0 * 1024.0;
    *data = NULL;
    DN_TRY(select_gpu(gpu));
    const cudaError_t error = cudaMalloc(data, bytes);
    if (error == cudaSuccess) return DN_OK;
    if (error != cudaErrorMemoryAllocation) return fail(gpu, error, "allocating memory");
    (void)cudaGetLastError();
    size_t unused = 0, total = 0;
    (void)cudaMemGetInfo(&unused, &total);
    return dn_fail(DN_ERROR_MEMORY, "GPU %d cannot give %.1f MiB: %.1f MiB of its %.1f MiB are free", gpu->ordinal,
                   (double)bytes / mib, (double)unused / mib, (double)total / mib);
}

static void release(dn_gpu *gpu, void *data)
{
    if (cudaSetDevice(gpu->ordinal) == cudaSuccess) (void)cudaFree(data);
}

static dn_status clear(dn_gpu *gpu, void *data, size_t bytes)
{
    DN_TRY(select_gpu(gpu));
    CUDA_TRY(cudaMemsetAsync(data, 0, bytes, gpu->stream), "clearing memory");
    return DN_OK;
}

/* ---- transfers ---- */

static dn_status wait(dn_gpu *gpu)
{
    DN_TRY(select_gpu(gpu));
    CUDA_TRY(cudaStreamSynchronize(gpu->stream), "waiting");
    return DN_OK;
}

static dn_status upload(dn_gpu *gpu, void *to, const void *from, size_t bytes)
{
    DN_TRY(select_gpu(gpu));
    CUDA_TRY(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, gpu->stream), "copying to it");
    return wait(gpu);
}

static dn_status download(dn_gpu *gpu, void *to, const void *from, size_t bytes)
{
    DN_TRY(select_gpu(gpu));
    CUDA_TRY(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, gpu->stream), "copying from it");
    return wait(gpu);
}

static dn_status allocate_pinned(dn_gpu *gpu, size_t bytes, void **data)
{
    *data = NULL;
    DN_TRY(select_gpu(gpu));
    CUDA_TRY(cudaMallocHost(data, bytes), "allocating pinned host memory");
    return DN_OK;
}

static void release_pinned(dn_gpu *gpu, void *data)
{
    if (cudaSetDevice(gpu->ordinal) == cudaSuccess) (void)cudaFreeHost(data);
}

static dn_status post(dn_gpu *gpu, void *pinned, const void *from, size_t bytes, int ticket)
{
    DN_TRY(select_gpu(gpu));
    CUDA_TRY(cudaMemcpyAsync(pinned, from, bytes, cudaMemcpyDeviceToHost, gpu->stream), "posting");
    CUDA_TRY(cudaEventRecord(gpu->tickets[ticket], gpu->stream), "posting");
    return DN_OK;
}

static dn_status arrived(dn_gpu *gpu, int ticket)
{
    DN_TRY(select_gpu(gpu));
    CUDA_TRY(cudaEventSynchronize(gpu->tickets[ticket]), "waiting for mail");
    return DN_OK;
}

/* ---- launches ---- */

static dn_gpu_stream stream(dn_gpu *gpu)
{
    (void)cudaSetDevice(gpu->ordinal); /* a failure shows in check() */
    return gpu->stream;
}

static dn_status begin_capture(dn_gpu *gpu)
{
    DN_TRY(select_gpu(gpu));
    CUDA_TRY(cudaStreamBeginCapture(gpu->stream, cudaStreamCaptureModeThreadLocal), "beginning a graph");
    return DN_OK;
}

static dn_status end_capture(dn_gpu *gpu, dn_gpu_graph **out)
{
    cudaGraph_t recorded = NULL;
    *out = NULL;
    DN_TRY(select_gpu(gpu));
    CUDA_TRY(cudaStreamEndCapture(gpu->stream, &recorded), "ending a graph");
    dn_gpu_graph *graph = dn_calloc(1, sizeof *graph);
    const cudaError_t error = graph ? cudaGraphInstantiate(&graph->exec, recorded, 0) : cudaSuccess;
    (void)cudaGraphDestroy(recorded);
    if (!graph) return DN_ERROR_MEMORY;
    if (error != cudaSuccess) {
        dn_free(graph);
        return fail(gpu, error, "making a graph");
    }
    *out = graph;
    return DN_OK;
}

static dn_status replay(dn_gpu *gpu, dn_gpu_graph *graph)
{
    DN_TRY(select_gpu(gpu));
    CUDA_TRY(cudaGraphLaunch(graph->exec, gpu->stream), "launching a graph");
    return DN_OK;
}

static void drop(dn_gpu *gpu, dn_gpu_graph *graph)
{
    if (cudaSetDevice(gpu->ordinal) == cudaSuccess) (void)cudaGraphExecDestroy(graph->exec);
    dn_free(graph);
}

static dn_status check(dn_gpu *gpu)
{
    CUDA_TRY(cudaGetLastError(), "launching");
    return DN_OK;
}

const dn_gpu_runtime dn__gpu_cuda = {
    .name = "cuda",
    .kernels = dn__cuda_kernels,
    .list = list,
    .open = open,
    .close = close,
    .available = available,
    .allocate = allocate,
    .release = release,
    .clear = clear,
    .upload = upload,
    .download = download,
    .allocate_pinned = allocate_pinned,
    .release_pinned = release_pinned,
    .post = post,
    .arrived = arrived,
    .stream = stream,
    .begin_capture = begin_capture,
    .end_capture = end_capture,
    .replay = replay,
    .drop = drop,
    .check = check,
    .wait = wait,
};
