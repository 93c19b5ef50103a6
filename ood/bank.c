#include "ood/bank.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/alloc.h"
#include "ood/method.h"
#include "ood/products.h"
#include "ood/row.h"

double dn__scale_row(double *scaled, const double *x, size_t dim)
{
    double largest = 0.0;
    for (size_t d = 0; d < dim; d++) largest = fabs(x[d]) > largest ? fabs(x[d]) : largest;
    int exponent = 0;
    (void)frexp(largest, &exponent);
    /* In two steps: 2^-exponent of a denormal row is beyond the range of double. */
    const double first = ldexp(1.0, -(exponent / 2)), second = ldexp(1.0, -(exponent - exponent / 2));
    double squares = 0.0;
    for (size_t d = 0; d < dim; d++) {
        scaled[d] = x[d] * first * second;
        squares += scaled[d] * scaled[d];
    }
    return fmax(sqrt(squares), ldexp(DN__LEAST_NORM, -exponent));
}

const double *dn__bank_row(const dn__bank *bank, size_t j, double *space)
{
    if (bank->exact) return bank->exact + j * bank->dim;
    const float *row = bank->scaled + j * bank->dim;
    for (size_t d = 0; d < bank->dim; d++) space[d] = row[d];
    return space;
}

static void close_bank(void *part)
{
    dn__bank *bank = part;
    if (!bank) return;
    dn__device_bank_close(bank->device);
    dn_free(bank->scaled);
    dn_free(bank->exact);
    dn_free(bank->divisor);
    dn_free(bank);
}

typedef struct filling {
    dn__bank *bank;
    double *row; /* [dim] */
} filling;

static dn_status add_rows(void *context, const dn_score_rows *rows, size_t first)
{
    const filling *f = context;
    const dn__bank *bank = f->bank;
    for (size_t r = 0; r < rows->rows; r++) {
        const size_t j = first + r;
        bank->divisor[j] = dn__scale_row(f->row, rows->features + r * bank->dim, bank->dim);
        for (size_t d = 0; d < bank->dim; d++) bank->scaled[j * bank->dim + d] = (float)f->row[d];
        if (bank->exact) memcpy(bank->exact + j * bank->dim, f->row, bank->dim * sizeof *f->row);
    }
    return DN_OK;
}

static dn_status fill(dn__bank *bank, dn_fit *fit)
{
    const size_t padded = (bank->rows + DN__PRODUCT_GROUP - 1) / DN__PRODUCT_GROUP * DN__PRODUCT_GROUP;
    if (bank->dim == 0 || padded > SIZE_MAX / sizeof(double) / bank->dim) {
        return dn_fail(DN_ERROR_SHAPE, "%zu fit rows of %zu features cannot be searched for neighbours", bank->rows,
                       bank->dim);
    }
    bank->scaled = dn_calloc_aligned(padded * bank->dim * sizeof *bank->scaled);
    bank->divisor = dn_calloc(bank->rows, sizeof *bank->divisor);
    if (!bank->scaled || !bank->divisor) return DN_ERROR_MEMORY;
    if (dn_fit_type(fit) != DN_F32) {
        bank->exact = dn_calloc(bank->rows, bank->dim * sizeof *bank->exact);
        if (!bank->exact) return DN_ERROR_MEMORY;
    }
    filling f = {bank, dn_calloc(bank->dim, sizeof *f.row)};
    if (!f.row) return DN_ERROR_MEMORY;
    const dn_status status = dn_fit_walk(fit, DN_NEEDS_FIT_FEATURES, add_rows, &f);
    dn_free(f.row);
    if (status != DN_OK || !dn_fit_device(fit)) return status;
    /* Half of the room, so that other members and layers find some too. */
    const size_t memory = dn_device_available(dn_fit_device(fit)) / 2;
    return dn__device_bank_open(&bank->device, dn_fit_device(fit), bank->scaled, bank->rows, bank->dim, memory);
}

static dn_status make_bank(void **part, dn_fit *fit)
{
    dn__bank *bank = dn_calloc(1, sizeof *bank);
    if (!bank) return DN_ERROR_MEMORY;
    bank->rows = dn_fit_rows(fit);
    bank->dim = dn_fit_dim(fit);
    const dn_status status = fill(bank, fit);
    if (status != DN_OK) {
        close_bank(bank);
        return status;
    }
    *part = bank;
    return DN_OK;
}

dn_status dn__bank_get(const dn__bank **out, dn_fit *fit)
{
    static const dn_fit_part part = {"neighbour bank", make_bank, close_bank};
    const void *bank = NULL;
    DN_TRY(dn_fit_get(&bank, fit, &part));
    *out = bank;
    return DN_OK;
}
