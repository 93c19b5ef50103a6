/* The CUDA runtime of a build without a CUDA toolkit: one that says so. */
#include "cuda/gpu.h"

#define REASON "this build has no CUDA: configure it with -DDN_CUDA=on where there is a CUDA toolkit"

static int list(dn_device_info *rows, int capacity)
{
    if (capacity >= 1) rows[0] = (dn_device_info){"cuda", "NVIDIA GPUs", REASON};
    return 1;
}

static dn_status open(dn_gpu **out, int ordinal)
{
    (void)ordinal;
    *out = NULL;
    return dn_fail(DN_ERROR_UNSUPPORTED, REASON);
}

/* The rest is never called: nothing can be opened. */
const dn_gpu_runtime dn__gpu_cuda = {.name = "cuda", .list = list, .open = open};
