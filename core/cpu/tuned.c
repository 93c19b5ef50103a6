/* The CPU backend's own kernels, for what matters when small networks are trained. */
#include "core/cpu/select.h"

#include <stdio.h>

static dn_kernel *const kernels[DN_OP_COUNT] = {0};

dn_status dn__offer_tuned(dn_cpu_prepared *out, const dn_call *shapes)
{
    out->run = kernels[shapes->op->kind];
    if (out->run) snprintf(out->name, sizeof out->name, "tuned");
    return DN_OK;
}
