// The table of GPU kernels, from the list of ops: a missing kernel does not link.
#include "cuda/target.cuh"

#define DECLARE_DN_OP_PLAIN(name)   extern "C" const dn_gpu_kernel DN_GPU_SYMBOL(name);
#define DECLARE_DN_OP_INPLACE(name) extern "C" const dn_gpu_kernel DN_GPU_SYMBOL(name);
#define DECLARE_DN_OP_JOINS(name)   extern "C" const dn_gpu_kernel DN_GPU_SYMBOL(name);
#define DECLARE_DN_OP_VIEW(name)
#define DECLARE(kind, name, flags) DECLARE_##flags(name)
DN_OPS(DECLARE)

// Views have no kernel; the others do, whatever else holds for them.
#define ENTRY_DN_OP_PLAIN(name)   &DN_GPU_SYMBOL(name)
#define ENTRY_DN_OP_INPLACE(name) &DN_GPU_SYMBOL(name)
#define ENTRY_DN_OP_JOINS(name)   &DN_GPU_SYMBOL(name)
#define ENTRY_DN_OP_VIEW(name)    nullptr
#define ENTRY(kind, name, flags)  ENTRY_##flags(name),

#if defined(DN_EMULATE)
const dn_gpu_kernel *const dn__emu_kernels[DN_OP_COUNT] = {DN_OPS(ENTRY)};
#else
const dn_gpu_kernel *const dn__cuda_kernels[DN_OP_COUNT] = {DN_OPS(ENTRY)};
#endif
