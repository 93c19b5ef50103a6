// The runtime of gpu.h over the emulator: launches run at once, or are recorded and run by replay.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "cuda/emulator/arena.h"
#include "cuda/emulator/emulator.h"
#include "cuda/emulator/machine.h"
#include "cuda/gpu.h"

// Of core/cpu/host.h, which is for C. Programs without the CPU backend can have the emulator, too.
extern "C" size_t dn__host_available(void) __attribute__((weak));

namespace
{

using namespace dn_emu::simt;

// What a stream was asked to do: a launch, or a copy within the device, or to fill memory with zeros.
struct step {
    launch_call call; // with its own copy of the arguments; kernel == nullptr: not a launch
    void *to;
    const void *from; // nullptr: zeros
    size_t bytes;
};

} // namespace

struct dn_gpu_graph {
    step *steps;
    size_t n_steps, capacity;
};

struct dn_gpu {
    machine *runs;
    dn_gpu_graph *capture; // while recording
    dn_status status;      // of recording
};

namespace
{

dn_status check(dn_gpu *gpu)
{
    if (gpu->runs->faulted) return dn_fail(DN_ERROR_INTERNAL, "cuda-emu: %s", gpu->runs->fault);
    return DN_OK;
}

void drop(dn_gpu *, dn_gpu_graph *graph)
{
    if (!graph) return;
    for (size_t i = 0; i < graph->n_steps; i++) dn_free(const_cast<void *>(graph->steps[i].call.arguments));
    dn_free(graph->steps);
    dn_free(graph);
}

dn_status record(dn_gpu_graph *graph, const step &s)
{
    DN_TRY(dn_grow(reinterpret_cast<void **>(&graph->steps), &graph->capacity, graph->n_steps, sizeof s));
    step &kept = graph->steps[graph->n_steps];
    kept = s;
    if (s.call.kernel) {
        void *arguments = dn_calloc_aligned(s.call.argument_bytes);
        if (!arguments) return DN_ERROR_MEMORY;
        memcpy(arguments, s.call.arguments, s.call.argument_bytes);
        kept.call.arguments = arguments;
    }
    graph->n_steps++;
    return DN_OK;
}

void perform(dn_gpu *gpu, const step &s)
{
    if (gpu->runs->faulted) return;
    if (s.call.kernel)
        machine_run(*gpu->runs, s.call);
    else if (s.from)
        memcpy(s.to, s.from, s.bytes);
    else
        memset(s.to, 0, s.bytes);
}

dn_status enqueue(dn_gpu *gpu, const step &s)
{
    if (gpu->capture) return record(gpu->capture, s);
    perform(gpu, s);
    return check(gpu);
}

int list(dn_device_info *rows, int capacity)
{
    if (capacity > 0) {
        snprintf(rows->name, sizeof rows->name, "cuda-emu");
        snprintf(rows->description, sizeof rows->description, "%s",
                 "the CUDA kernels, emulated on the host with every memory access checked (slow)");
        rows->unavailable[0] = '\0';
    }
    return 1;
}

void close(dn_gpu *gpu)
{
    if (!gpu) return;
    drop(gpu, gpu->capture);
    machine_close(gpu->runs);
    dn_free(gpu);
}

dn_status open(dn_gpu **out, int ordinal)
{
    if (ordinal != 0) return dn_fail(DN_ERROR_UNSUPPORTED, "cuda-emu:%d: there is one emulated GPU, number 0", ordinal);
    dn_gpu *gpu = static_cast<dn_gpu *>(dn_calloc(1, sizeof *gpu));
    if (!gpu) return DN_ERROR_MEMORY;
    const dn_status status = machine_open(&gpu->runs);
    if (status != DN_OK)
        dn_free(gpu);
    else
        *out = gpu;
    return status;
}

// A byte of device memory that is used brings two bytes of shadow, or ten where it is used in parts of words.
size_t available(const dn_gpu *)
{
    const size_t host = dn__host_available ? dn__host_available() : SIZE_MAX;
    return host == SIZE_MAX ? host : host / 4;
}

dn_status allocate(dn_gpu *gpu, size_t bytes, void **data)
{
    DN_TRY(check(gpu));
    return arena_allocate(bytes, data);
}

void release(dn_gpu *, void *data)
{
    arena_release(data);
}

dn_status clear(dn_gpu *gpu, void *data, size_t bytes)
{
    return enqueue(gpu, {{}, data, nullptr, bytes});
}

dn_status copy(dn_gpu *gpu, void *to, const void *from, size_t bytes)
{
    DN_TRY(check(gpu));
    if (gpu->capture)
        return dn_fail(DN_ERROR_INTERNAL, "cuda-emu: copy from or to the host while launches are recorded");
    if (bytes) memcpy(to, from, bytes);
    return DN_OK;
}

dn_status allocate_pinned(dn_gpu *, size_t bytes, void **data)
{
    *data = dn_calloc_aligned(bytes);
    return *data ? DN_OK : DN_ERROR_MEMORY;
}

void release_pinned(dn_gpu *, void *data)
{
    dn_free(data);
}

dn_status post(dn_gpu *gpu, void *pinned, const void *from, size_t bytes, int)
{
    return enqueue(gpu, {{}, pinned, from, bytes});
}

dn_status arrived(dn_gpu *gpu, int)
{
    return check(gpu);
}

dn_gpu_stream stream(dn_gpu *gpu)
{
    return reinterpret_cast<dn_gpu_stream>(gpu);
}

dn_status begin_capture(dn_gpu *gpu)
{
    DN_TRY(check(gpu));
    if (gpu->capture) return dn_fail(DN_ERROR_INTERNAL, "cuda-emu: launches are being recorded already");
    gpu->capture = static_cast<dn_gpu_graph *>(dn_calloc(1, sizeof *gpu->capture));
    gpu->status = DN_OK;
    return gpu->capture ? DN_OK : DN_ERROR_MEMORY;
}

dn_status end_capture(dn_gpu *gpu, dn_gpu_graph **out)
{
    if (!gpu->capture) return dn_fail(DN_ERROR_INTERNAL, "cuda-emu: end of recording without a beginning");
    dn_gpu_graph *graph = gpu->capture;
    gpu->capture = nullptr;
    if (gpu->status != DN_OK) {
        drop(gpu, graph);
        return dn_fail(gpu->status, "cuda-emu: no memory to record a launch");
    }
    *out = graph;
    return DN_OK;
}

dn_status replay(dn_gpu *gpu, dn_gpu_graph *graph)
{
    if (gpu->capture) return dn_fail(DN_ERROR_INTERNAL, "cuda-emu: replay while launches are recorded");
    for (size_t i = 0; i < graph->n_steps; i++) perform(gpu, graph->steps[i]);
    return check(gpu);
}

dn_status wait_for_all(dn_gpu *gpu)
{
    return check(gpu);
}

} // namespace

namespace dn_emu
{
namespace simt
{

void launch(dn_gpu_stream stream, const launch_call &call)
{
    dn_gpu *gpu = reinterpret_cast<dn_gpu *>(stream);
    const dn_status status = enqueue(gpu, {call, nullptr, nullptr, 0});
    if (gpu->capture && status != DN_OK) gpu->status = status;
}

} // namespace simt
} // namespace dn_emu

void dn__emu_set_seed(dn_gpu *gpu, uint64_t seed)
{
    gpu->runs->seed = seed;
}

void dn__emu_set_time(dn_gpu *gpu, uint32_t left)
{
    gpu->runs->now = LATEST - left * ONE_TICK;
}

extern "C" {
const dn_gpu_runtime dn__gpu_emulated = {
    "cuda-emu", dn__emu_kernels, list,           open, close,   available, allocate,      release,     clear,  copy,
    copy,       allocate_pinned, release_pinned, post, arrived, stream,    begin_capture, end_capture, replay, drop,
    check,      wait_for_all};
}
