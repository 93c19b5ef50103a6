/** The two seams of the CUDA backend.
 *
 * Kernels: every op has one dn_gpu_kernel, written in a .cu file that is compiled twice: by nvcc for GPUs, and by the
 * host's compiler for the emulator. The host side of the backend (backend.c) sees tables of them.
 * Runtime: memory, streams, graphs. One implementation calls the CUDA runtime, one the emulator.
 */
#ifndef DN_CUDA_GPU_H
#define DN_CUDA_GPU_H

#include "core/call.h"
#include "core/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A queue of work: cudaStream_t, or the emulator's. */
typedef struct CUstream_st *dn_gpu_stream;

/** How an op runs on a GPU. All functions decide from the call's op, shapes, dtypes and `members` alone (addresses too,
 *  but only `launch` knows them, and may choose by alignment as long as the results have the same bits). */
typedef struct dn_gpu_kernel {
    /** Enqueues the op for all members. NULL: a view, nothing to run. */
    void (*launch)(const dn_call *call, dn_gpu_stream stream);
    /** @return bytes of scratch memory (call->workspace, 256-byte aligned) for all members; NULL: none */
    size_t (*workspace)(const dn_call *shapes);
    /** Writes what will run, such as "conv f32 64x64x16 split 4"; NULL: the op's name says it all. */
    void (*describe)(const dn_call *shapes, char *text, size_t size);
} dn_gpu_kernel;

/** A choice in place of the plan's, in dn_call.prepared of a convolution or linear layer. Programs leave that NULL;
 *  tests reach by it the tiles that plans give to large layers only. */
typedef struct dn_gpu_tile {
    int lines[2]; /**< of the result; a tile that cannot take the call's shapes is not taken. Tensor cores: as in a high
                   *   and narrow result, so turned for weight gradients */
    int splits;   /**< in how many parts the depth is cut, if it is long enough */
} dn_gpu_tile;

extern const dn_gpu_kernel *const dn__cuda_kernels[DN_OP_COUNT]; /**< compiled by nvcc */
extern const dn_gpu_kernel *const dn__emu_kernels[DN_OP_COUNT];  /**< compiled for the emulator */

typedef struct dn_gpu dn_gpu;             /**< one opened GPU */
typedef struct dn_gpu_graph dn_gpu_graph; /**< a captured sequence of launches */

/** What runs kernels. Functions fail with DN_ERROR_UNSUPPORTED, DN_ERROR_MEMORY or DN_ERROR_INTERNAL and a text; after
 *  a kernel's fault everything fails with that fault's text. */
typedef struct dn_gpu_runtime {
    const char *name; /**< "cuda", "cuda-emu" */
    const dn_gpu_kernel *const *kernels;

    int (*list)(dn_device_info *rows, int capacity);
    /** @param ordinal which GPU, from 0 */
    dn_status (*open)(dn_gpu **out, int ordinal);
    void (*close)(dn_gpu *gpu);
    size_t (*available)(const dn_gpu *gpu);
    dn_status (*allocate)(dn_gpu *gpu, size_t bytes, void **data); /**< 256-byte aligned, not cleared */
    void (*release)(dn_gpu *gpu, void *data);
    dn_status (*clear)(dn_gpu *gpu, void *data, size_t bytes); /**< zeros, in stream order */

    /** Both wait until the copy is done. */
    dn_status (*upload)(dn_gpu *gpu, void *to, const void *from, size_t bytes);
    dn_status (*download)(dn_gpu *gpu, void *to, const void *from, size_t bytes);

    /** Memory that the host reads while the GPU goes on writing other parts: pinned. */
    dn_status (*allocate_pinned)(dn_gpu *gpu, size_t bytes, void **data);
    void (*release_pinned)(dn_gpu *gpu, void *data);
    /** Enqueues a copy of device memory to pinned memory; `ticket` (0..DN_GPU_TICKETS-1) is passed to `arrived`. */
    dn_status (*post)(dn_gpu *gpu, void *pinned, const void *from, size_t bytes, int ticket);
    /** Waits until everything that was enqueued before the last post with this ticket is done. */
    dn_status (*arrived)(dn_gpu *gpu, int ticket);

    dn_gpu_stream (*stream)(dn_gpu *gpu);
    /** Between these two, launches are recorded instead of run. */
    dn_status (*begin_capture)(dn_gpu *gpu);
    dn_status (*end_capture)(dn_gpu *gpu, dn_gpu_graph **out);
    dn_status (*replay)(dn_gpu *gpu, dn_gpu_graph *graph);
    void (*drop)(dn_gpu *gpu, dn_gpu_graph *graph);

    /** @return the first error of launches so far, without waiting for them */
    dn_status (*check)(dn_gpu *gpu);
    /** Waits until everything enqueued is done. */
    dn_status (*wait)(dn_gpu *gpu);
} dn_gpu_runtime;

enum { DN_GPU_TICKETS = 4 };

extern const dn_gpu_runtime dn__gpu_cuda, dn__gpu_emulated;

#ifdef __cplusplus
}
#endif
#endif
