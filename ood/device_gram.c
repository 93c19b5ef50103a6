#include "ood/device_gram.h"

#include <string.h>

#include "core/alloc.h"
#include "core/executor.h"
#include "core/ops.h"
#include "ood/device_program.h"

struct dn__device_gram {
    size_t rows, dim;
    dn__device_program program;
    dn_tensor x, y; /* [rows, dim], [dim, dim] */
    dn_executor *executor;
    double *result; /* [dim, dim] y on the host */
};

static dn_status start(dn__device_gram *g, dn_device *device)
{
    DN_TRY(dn__device_program_open(&g->program, "covariance"));
    dn_program *p = g->program.program;
    g->x = dn_input(p, "centred rows", DN_F64, DN_SHAPE((int64_t)g->rows, (int64_t)g->dim), true);
    g->y = dn_keep(p, dn_gram(p, g->x));
    DN_TRY(dn_program_seal(p));
    DN_TRY(dn_executor_open(&g->executor, p, device));
    DN_TRY(dn_executor_start(g->executor));
    g->result = dn_calloc(g->dim, g->dim * sizeof *g->result);
    return g->result ? DN_OK : DN_ERROR_MEMORY;
}

dn_status dn__device_gram_open(dn__device_gram **out, dn_device *device, size_t rows, size_t dim)
{
    *out = NULL;
    dn__device_gram *g = dn_calloc(1, sizeof *g);
    if (!g) return DN_ERROR_MEMORY;
    *g = (dn__device_gram){.rows = rows, .dim = dim};
    const dn_status status = start(g, device);
    if (status == DN_OK) {
        *out = g;
        return DN_OK;
    }
    dn__device_gram_close(g);
    return dn_fail_context(status, "covariance of %zu features on device '%s'", dim, dn_device_name(device));
}

void dn__device_gram_close(dn__device_gram *gram)
{
    if (!gram) return;
    dn_executor_close(gram->executor);
    dn__device_program_close(&gram->program);
    dn_free(gram->result);
    dn_free(gram);
}

/** The program takes all rows that there may be: zeros add nothing. */
dn_status dn__device_gram_add(double *sum, dn__device_gram *g, double *x, size_t rows)
{
    const size_t d = g->dim;
    memset(x + rows * d, 0, (g->rows - rows) * d * sizeof *x);
    DN_TRY(dn_executor_write(g->executor, g->x, x, g->rows * d * sizeof *x));
    DN_TRY(dn_executor_run(g->executor, 1));
    DN_TRY(dn_executor_read(g->executor, g->y, g->result, d * d * sizeof *g->result));
    for (size_t i = 0; i < d; i++) {
        for (size_t j = i; j < d; j++) sum[i * d + j] += g->result[i * d + j];
    }
    return DN_OK;
}
