/* Which ops go to oneDNN. */
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/cpu/onednn/work.h"

static dn_onednn_builder *builder_of(dn_op_kind kind)
{
    switch (kind) {
    case DN_OP_CONV2D:
    case DN_OP_CONV2D_DATA_GRAD:
    case DN_OP_CONV2D_WEIGHT_GRAD: return dn__onednn_convolution;
    case DN_OP_LINEAR:
    case DN_OP_LINEAR_DATA_GRAD:
    case DN_OP_LINEAR_WEIGHT_GRAD: return dn__onednn_linear;
    default: return NULL;
    }
}

/* One variant, made for the number of threads that will run it: oneDNN asks OpenMP when it makes a primitive. */
static dnnl_status_t build(dn_onednn_work **out, const dn_call *shapes, int variant)
{
    dn_onednn_work *work = dn_calloc(1, sizeof *work);
    if (!work) return dnnl_out_of_memory;
    dnnl_status_t status = dnnl_engine_create(&work->engine, dnnl_cpu, 0);
    if (status == dnnl_success) {
        const int before = omp_get_max_threads();
        omp_set_num_threads(shapes->threads);
        status = builder_of(shapes->op->kind)(work, shapes, variant);
        omp_set_num_threads(before);
    }
    if (status == dnnl_success)
        *out = work;
    else
        dn__onednn_destroy(work);
    return status;
}

dn_status dn__offer_onednn(dn_cpu_prepared *out, const dn_call *shapes)
{
    if (!builder_of(shapes->op->kind)) return DN_OK;
    for (int variant = 0;; variant++) {
        dn_onednn_work *work = NULL;
        const dnnl_status_t status = build(&work, shapes, variant);
        if (status == dnnl_out_of_memory) return dn_fail(DN_ERROR_MEMORY, "oneDNN is out of memory");
        if (status == dnnl_invalid_arguments) break;
        if (status != dnnl_success) continue;
        if (strncmp(work->name, "ref", 3) == 0) { /* oneDNN's plain loops are no faster than Dunlin's */
            dn__onednn_destroy(work);
            continue;
        }
        *out = (dn_cpu_prepared){.run = dn__onednn_run,
                                 .state = work,
                                 .workspace = work->workspace,
                                 .destroy = dn__onednn_destroy,
                                 .check = dn__onednn_check};
        snprintf(out->name, sizeof out->name, "onednn %s", work->name);
        return DN_OK;
    }
    snprintf(out->name, sizeof out->name, "oneDNN has no fast kernel");
    return DN_OK;
}

const char *dn__onednn_version(void)
{
    static char text[32];
    const dnnl_version_t *version = dnnl_version();
    snprintf(text, sizeof text, "oneDNN %d.%d.%d", version->major, version->minor, version->patch);
    return text;
}
