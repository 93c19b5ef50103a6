/* The emulator of a build without one: it says so. */
#include "cuda/gpu.h"

#define REASON "this build has no emulator: configure it with -DDN_EMULATOR=ON where there is a C++ compiler"

static int list(dn_device_info *rows, int capacity)
{
    if (capacity >= 1) rows[0] = (dn_device_info){"cuda-emu", "the CUDA kernels, run by the CPU", REASON};
    return 1;
}

static dn_status open(dn_gpu **out, int ordinal)
{
    (void)ordinal;
    *out = NULL;
    return dn_fail(DN_ERROR_UNSUPPORTED, REASON);
}

/* The rest is never called: nothing can be opened. */
const dn_gpu_runtime dn__gpu_emulated = {.name = "cuda-emu", .list = list, .open = open};
