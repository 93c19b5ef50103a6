/* Linear layers as matrix products on plain row-major matrices: as fast here as blocked weights, without reorders. */
#include "core/cpu/onednn/work.h"

/* A matrix [rows,columns] that is read or written as it lies, or transposed: then [columns,rows] lies in memory. */
static dnnl_status_t matrix(dnnl_memory_desc_t *out, int64_t rows, int64_t columns, bool transposed)
{
    const dnnl_dims_t dims = {rows, columns};
    return dnnl_memory_desc_init_by_tag(out, 2, dims, dnnl_f32, transposed ? dnnl_ba : dnnl_ab);
}

dnnl_status_t dn__onednn_linear(dn_onednn_work *work, const dn_call *call, int variant)
{
    if (variant > 0) return dnnl_invalid_arguments;
    const dn_op_kind kind = call->op->kind;
    const int64_t *a = call->in_info[0]->shape.dim, *b = call->in_info[1]->shape.dim;
    const bool bias = kind == DN_OP_LINEAR && call->in_info[2];
    dn_onednn_operand operands[4] = {
        {DNNL_ARG_SRC, dnnl_query_src_md, 0, DN_AT_INPUT, 0, {0}},
        {DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0, DN_AT_INPUT, 1, {0}},
        {DNNL_ARG_DST, dnnl_query_dst_md, 0, DN_AT_OUTPUT, 0, {0}},
        {DNNL_ARG_BIAS, dnnl_query_weights_md, 1, DN_AT_INPUT, 2, {0}},
    };
    dnnl_memory_desc_t *left = &operands[0].plain, *right = &operands[1].plain, *result = &operands[2].plain;
    if (kind == DN_OP_LINEAR) { /* y [N,K] = x [N,C] times w' , w [K,C] */
        DN_ONEDNN_TRY(matrix(left, a[0], a[1], false));
        DN_ONEDNN_TRY(matrix(right, b[1], b[0], true));
        DN_ONEDNN_TRY(matrix(result, a[0], b[0], false));
        if (bias) DN_ONEDNN_TRY(matrix(&operands[3].plain, 1, b[0], false));
    } else if (kind == DN_OP_LINEAR_DATA_GRAD) { /* dx [N,C] = dy [N,K] times w [K,C] */
        DN_ONEDNN_TRY(matrix(left, a[0], a[1], false));
        DN_ONEDNN_TRY(matrix(right, b[0], b[1], false));
        DN_ONEDNN_TRY(matrix(result, a[0], b[1], false));
    } else { /* dw [K,C] = dy' times x, dy [N,K], x [N,C] */
        operands[0].at = 1;
        operands[1].at = 0;
        DN_ONEDNN_TRY(matrix(left, b[1], b[0], true));
        DN_ONEDNN_TRY(matrix(right, a[0], a[1], false));
        DN_ONEDNN_TRY(matrix(result, b[1], a[1], false));
        work->sum_rows = call->out_info[1] != NULL;
    }
    dnnl_primitive_attr_t attributes = dn__onednn_attributes(kind == DN_OP_LINEAR && call->op->args.conv.relu);
    if (!attributes) return dnnl_out_of_memory;
    dnnl_matmul_desc_t d;
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t status = dnnl_matmul_desc_init(&d, left, right, bias ? &operands[3].plain : NULL, result);
    if (status == dnnl_success) status = dnnl_primitive_desc_create(&description, &d, attributes, work->engine, NULL);
    dnnl_primitive_attr_destroy(attributes);
    DN_ONEDNN_TRY(status);
    return dn__onednn_append(work, description, operands, bias ? 4 : 3);
}
