/** A chunk's program is one dense layer without bias: the chunk's rows are its images, the queries its weights. It is
 * in f32 whatever networks run in: products of tf32 would be beyond the error that a search reckons with.
 *
 * The products go back to the host, which looks for neighbours in them (see neighbours.c). With several threads, one
 * waits for the device while the others search.
 */
#include "ood/device_bank.h"

#include <stdint.h>

#include "core/alloc.h"
#include "core/executor.h"
#include "core/ops.h"
#include "ood/device_program.h"
#include "ood/products.h"

enum { CHUNK = 8192 /* rows: 8 MiB of products for each thread */ };

/** Room for a chunk, and a program that reads it. */
typedef struct slot {
    dn_buffer *rows; /* [chunk, dim] */
    dn_executor *executor;
    size_t holds; /* number of the chunk */
} slot;

struct dn__device_bank {
    const float *rows; /* [count, dim] */
    size_t count, dim, chunk, chunks;
    dn__device_program program;
    dn_tensor data, queries, products; /* [chunk, dim], [DN__PRODUCT_QUERIES, dim], [chunk, DN__PRODUCT_QUERIES] */
    slot *slot;                        /* [slots] */
    size_t slots;                      /* the last one is for all chunks that have none of their own */
};

static dn_status record(dn__device_bank *b)
{
    DN_TRY(dn__device_program_open(&b->program, "products of neighbours"));
    dn_program *p = b->program.program;
    const int64_t chunk = (int64_t)b->chunk, dim = (int64_t)b->dim;
    b->data = dn_external(p, "fit rows", DN_F32, DN_SHAPE(chunk, dim));
    b->queries = dn_input(p, "queries", DN_F32, DN_SHAPE(DN__PRODUCT_QUERIES, dim), true);
    b->products = dn_keep(p, dn_name(p, dn_linear(p, b->data, b->queries, DN_NONE, false), "products"));
    return dn_program_seal(p);
}

static dn_status open_slot(const dn__device_bank *b, slot *s, dn_device *device)
{
    s->holds = SIZE_MAX;
    DN_TRY(dn_buffer_new(&s->rows, device, b->chunk * b->dim * sizeof *b->rows));
    DN_TRY(dn_executor_bind(s->executor, b->data, s->rows));
    return dn_executor_start(s->executor);
}

/** What one slot takes is known by the first one's plan. */
static dn_status open_slots(dn__device_bank *b, dn_device *device, size_t memory)
{
    b->slot = dn_calloc(b->chunks, sizeof *b->slot);
    if (!b->slot) return DN_ERROR_MEMORY;
    size_t wanted = 1;
    for (size_t i = 0; i < wanted; i++) {
        b->slots++;
        DN_TRY(dn_executor_open(&b->slot[i].executor, b->program.program, device));
        if (i == 0) wanted = memory / dn_executor_plan(b->slot[0].executor)->total;
        wanted = wanted < 1 ? 1 : wanted > b->chunks ? b->chunks : wanted;
        DN_TRY(open_slot(b, &b->slot[i], device));
    }
    return DN_OK;
}

dn_status dn__device_bank_open(dn__device_bank **out, dn_device *device, const float *rows, size_t count, size_t dim,
                               size_t memory)
{
    *out = NULL;
    dn__device_bank *b = dn_calloc(1, sizeof *b);
    if (!b) return DN_ERROR_MEMORY;
    *b = (dn__device_bank){.rows = rows, .count = count, .dim = dim, .chunk = count < CHUNK ? count : CHUNK};
    b->chunks = (count + b->chunk - 1) / b->chunk;
    dn_status status = record(b);
    if (status == DN_OK) status = open_slots(b, device, memory);
    if (status == DN_OK) {
        *out = b;
        return DN_OK;
    }
    dn__device_bank_close(b);
    return dn_fail_context(status, "%zu fit rows of %zu features on device '%s'", count, dim, dn_device_name(device));
}

void dn__device_bank_close(dn__device_bank *bank)
{
    if (!bank) return;
    for (size_t i = 0; i < bank->slots; i++) {
        dn_executor_close(bank->slot[i].executor);
        dn_buffer_close(bank->slot[i].rows);
    }
    dn_free(bank->slot);
    dn__device_program_close(&bank->program);
    dn_free(bank);
}

size_t dn__device_bank_chunk(const dn__device_bank *bank)
{
    return bank->chunk;
}

static dn_status load(const dn__device_bank *b, slot *s, size_t chunk)
{
    const size_t first = chunk * b->chunk, left = b->count - first;
    if (s->holds == chunk) return DN_OK;
    s->holds = SIZE_MAX;
    const size_t numbers = (left < b->chunk ? left : b->chunk) * b->dim;
    DN_TRY(dn_buffer_upload(s->rows, 0, b->rows + first * b->dim, numbers * sizeof *b->rows));
    s->holds = chunk;
    return DN_OK;
}

static dn_status compute(float *products, const dn__device_bank *b, size_t chunk, const float *queries)
{
    const size_t numbers = DN__PRODUCT_QUERIES * b->dim, results = DN__PRODUCT_QUERIES * b->chunk;
    slot *s = &b->slot[chunk < b->slots ? chunk : b->slots - 1];
    DN_TRY(load(b, s, chunk));
    DN_TRY(dn_executor_write(s->executor, b->queries, queries, numbers * sizeof *queries));
    DN_TRY(dn_executor_run(s->executor, 1));
    return dn_executor_read(s->executor, b->products, products, results * sizeof *products);
}

dn_status dn__device_bank_products(float *products, dn__device_bank *bank, size_t first, const float *queries)
{
    dn_status status;
    /* One thread at a time, for all banks: they may be of one device. */
#pragma omp critical(dn_device_bank)
    status = compute(products, bank, first / bank->chunk, queries);
    return status;
}
