/** A block of rows of a set, as doubles, loaded when it is first asked for: library-private. */
#ifndef DN_OOD_BLOCK_H
#define DN_OOD_BLOCK_H

#include "ood/columns.h"
#include "ood/workspace.h"

typedef struct dn__block {
    const dn_score_input *input;
    const dn__columns *columns;
    const char *kind; /* before the arrays' names in messages: "" or "fit " */
    size_t first, rows;
    dn_workspace *space;     /* holds what is loaded */
    const double **logits;   /* [E] [rows, used[e]] or NULL: not loaded yet */
    const double **features; /* [E, layers] [rows, D of the layer] */
} dn__block;

/** No rows yet. What the block holds lives as long as the workspace is not released to before it. */
dn_status dn__block_open(dn__block *out, const dn_score_input *input, const dn__columns *columns, const char *kind,
                         dn_workspace *space) DN_NODISCARD;

/** Goes to other rows and forgets what is loaded; the caller releases its memory. */
void dn__block_move(dn__block *block, size_t first, size_t rows);

/** @param out receives member e's used columns [rows, used[e]]
 *  @return DN_ERROR_NUMERIC names a NaN or infinite number by member, row and column */
dn_status dn__block_logits(const double **out, dn__block *block, size_t e) DN_NODISCARD;

/** @param out receives member e's features [rows, D] of the layer */
dn_status dn__block_features(const double **out, dn__block *block, size_t e, size_t layer) DN_NODISCARD;

#endif
