// What a kernel file includes first: the language of CUDA, whichever compiler reads it.
//
// The same .cu files are compiled by nvcc for GPUs and, with DN_EMULATE defined, by the host's compiler for the
// emulator. All stands in namespace DN_TARGET, so that the two may be linked into one program. What differs is
// here, in ptx.cuh and nowhere else.
#ifndef DN_CUDA_TARGET_CUH
#define DN_CUDA_TARGET_CUH

#include "core/random.h"
#include "cuda/gpu.h"

#if defined(DN_EMULATE)
#include "cuda/emulator/simt.h"
#define DN_TARGET           dn_emu
#define DN_GPU_SYMBOL(name) dn__emu_op_##name
#else
#include <cuda_runtime.h>
#define DN_TARGET           dn_cuda
#define DN_GPU_SYMBOL(name) dn__cuda_op_##name

// Launches kernel(arguments) on grid x block threads with `bytes` of dynamic shared memory; arguments go by value.
// A kernel that is a template of several arguments stands in parentheses.
#define DN_LAUNCH(kernel, grid, block, bytes, stream, ...)                                           \
    do {                                                                                             \
        if ((bytes) > 48 * 1024)                                                                     \
            cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)(bytes)); \
        kernel<<<grid, block, bytes, stream>>>(__VA_ARGS__);                                         \
    } while (0)

// Declares `name`, the block's dynamic shared memory, as an array of T. It holds garbage at first. There is no static
// shared memory in this project: the emulator checks the dynamic kind only.
#define DN_SHARED(T, name)                                            \
    extern __shared__ __align__(128) unsigned char dn_shared_bytes[]; \
    T *const name = reinterpret_cast<T *>(dn_shared_bytes)
#endif

// Defines how an op runs. Used at the end of a .cu file, outside of any namespace. `workspace` and `describe` may be
// nullptr, see gpu.h.
#define DN_GPU_KERNEL(name, launch, workspace, describe) \
    extern "C" const dn_gpu_kernel DN_GPU_SYMBOL(name);  \
    const dn_gpu_kernel DN_GPU_SYMBOL(name) = {DN_TARGET::launch, workspace, describe}

#endif
