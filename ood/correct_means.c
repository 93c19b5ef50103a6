#include "ood/correct_means.h"

#include <stdio.h>

#include "core/alloc.h"
#include "ood/class_list.h"
#include "ood/method.h"
#include "ood/probability.h"

int32_t dn__correct_class(const dn_score_rows *rows, size_t r)
{
    const size_t predicted = dn__argmax(rows->logits + r * rows->columns, rows->columns);
    return (int32_t)predicted == rows->labels[r] ? rows->labels[r] : -1;
}

static dn_status add_rows(void *context, const dn_score_rows *rows, size_t first)
{
    (void)first;
    dn__correct_means *m = context;
    for (size_t c = 0; rows->classes && c < m->classes; c++) m->number[c] = rows->classes[c];
    const double *from = m->of_logits ? rows->logits : rows->features;
    for (size_t r = 0; r < rows->rows; r++) {
        const int32_t c = dn__correct_class(rows, r);
        if (c < 0) continue;
        double *sum = m->mean + (size_t)c * m->dim;
        for (size_t d = 0; d < m->dim; d++) sum[d] += from[r * m->dim + d];
        m->count[c]++;
    }
    return DN_OK;
}

dn_status dn__correct_means_init(dn__correct_means *out, dn_fit *fit, bool of_logits)
{
    const size_t classes = dn_fit_columns(fit), dim = of_logits ? classes : dn_fit_dim(fit);
    *out = (dn__correct_means){.classes = classes, .dim = dim, .of_logits = of_logits};
    out->mean = dn_calloc(classes, dim * sizeof *out->mean);
    out->count = dn_calloc(classes, sizeof *out->count);
    out->number = dn_calloc(classes, sizeof *out->number);
    dn_status status = out->mean && out->count && out->number ? DN_OK : DN_ERROR_MEMORY;
    if (status == DN_OK) {
        for (size_t c = 0; c < classes; c++) out->number[c] = (int32_t)c;
        const unsigned features = of_logits ? 0 : DN_NEEDS_FIT_FEATURES;
        status = dn_fit_walk(fit, DN_NEEDS_FIT_LOGITS | DN_NEEDS_FIT_LABELS | features, add_rows, out);
    }
    if (status != DN_OK) {
        dn__correct_means_clear(out);
        return status;
    }
    for (size_t c = 0; c < classes; c++) {
        for (size_t d = 0; out->count[c] > 0 && d < dim; d++) out->mean[c * dim + d] /= (double)out->count[c];
    }
    return DN_OK;
}

void dn__correct_means_clear(dn__correct_means *means)
{
    dn_free(means->mean);
    dn_free(means->count);
    dn_free(means->number);
    *means = (dn__correct_means){0};
}

void dn__correct_means_note(dn_fit *fit, const dn__correct_means *m, size_t least, const char *consequence)
{
    char poor[DN__CLASS_LIST], how_few[48] = "no";
    if (dn__class_list(poor, m->number, m->count, m->classes, least) == 0) return;
    if (least > 1) snprintf(how_few, sizeof how_few, "fewer than %zu", least);
    dn_fit_note(fit, "%s: %s fit rows that are classified correctly; %s", poor, how_few, consequence);
}
