#include "apps/reproduce_rows.h"

#include "apps/run.h"

dn_status dn_rows_open(dn_rows *out, const dn_reproduction *r, const char *run, const char *const *expressions,
                       size_t count, int64_t limit)
{
    *out = (dn_rows){0};
    for (size_t i = 0; i < count; i++) DN_TRY(dn_expression_list_add(&out->list, expressions[i]));
    DN_TRY(dn_run_load(&out->network, run, r->device));
    DN_TRY(dn_output_files_open(&out->files, out->network, run, r->options->data_dir, false, r->options->quiet));
    const dn_scoring_options options = {
        .list = &out->list, .seed = out->network->recipe->train.seed, .limit = limit, .quiet = r->options->quiet};
    return dn_scoring_open(&out->scoring, &out->files, &options);
}

void dn_rows_close(dn_rows *rows)
{
    dn_scoring_close(rows->scoring);
    dn_output_files_close(&rows->files);
    dn_network_close(rows->network);
    dn_expression_list_close(&rows->list);
    *rows = (dn_rows){0};
}

dn_status dn_rows_take(dn_set_scores *out, uint8_t **right, dn_rows *rows, const char *set)
{
    dn_outputs *outputs = NULL;
    *out = (dn_set_scores){0};
    DN_TRY(dn_scoring_outputs(&outputs, rows->scoring, set));
    dn_status status = dn_scoring_run(out, rows->scoring, outputs);
    if (status == DN_OK && right) status = dn_outputs_right(right, NULL, outputs);
    dn_outputs_close(outputs);
    return status;
}
