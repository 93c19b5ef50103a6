/* What an ensemble names each row. */
#include <string.h>

#include "ood/block.h"
#include "ood/members.h"
#include "ood/probability.h"
#include "ood/scorer.h"

enum { BLOCK_ROWS = 256 };

static dn_status predict_block(const dn_ensemble_prediction *out, dn__block *block)
{
    const dn__columns *all = block->columns;
    const size_t members = all->members, classes = all->classes, rows = block->rows, total = block->input->logits.rows;
    double *mean = dn_workspace_doubles(block->space, rows * classes);
    void *room = dn_workspace_doubles(block->space, members * (sizeof(dn_score_rows) / sizeof(double) + 1));
    if (!mean || !room) return DN_ERROR_MEMORY;
    dn_score_rows *member = room;
    for (size_t e = 0; e < members; e++) {
        member[e] = (dn_score_rows){.rows = rows, .columns = all->used[e], .classes = all->class_of + e * all->columns};
        DN_TRY(dn__block_logits(&member[e].logits, block, e));
        for (size_t r = 0; r < rows && out->member_labels; r++) {
            const size_t column = dn__argmax(member[e].logits + r * member[e].columns, member[e].columns);
            out->member_labels[e * total + block->first + r] = member[e].classes[column];
        }
    }
    const dn_score_block in = {members, rows, classes, member};
    DN_TRY(dn__mean_probabilities(mean, &in, block->space));
    for (size_t r = 0; r < rows && out->labels; r++)
        out->labels[block->first + r] = (int32_t)dn__argmax(mean + r * classes, classes);
    if (out->probabilities) memcpy(out->probabilities + block->first * classes, mean, rows * classes * sizeof *mean);
    return DN_OK;
}

static dn_status predict(const dn_ensemble_prediction *out, const dn_score_input *input, const dn__columns *columns,
                         dn_workspace *space)
{
    dn__block block;
    DN_TRY(dn__block_open(&block, input, columns, "", space));
    const size_t mark = dn_workspace_mark(space), rows = input->logits.rows;
    for (size_t first = 0; first < rows; first += BLOCK_ROWS) {
        dn__block_move(&block, first, rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS);
        DN_TRY(predict_block(out, &block));
        dn_workspace_release(space, mark);
    }
    return DN_OK;
}

dn_status dn_ensemble_predict(const dn_ensemble_prediction *out, const dn_score_input *input)
{
    DN_TRY(dn__input_check(input, false, ""));
    dn__columns columns;
    dn_workspace *space = NULL;
    dn_status status =
        dn__columns_open(&columns, input->logits.members, input->logits.columns, input->class_map, input->classes);
    if (status == DN_OK) status = dn_workspace_open(&space);
    if (status == DN_OK) status = predict(out, input, &columns, space);
    dn_workspace_close(space);
    dn__columns_close(&columns);
    return status;
}
