/* Convolutions. Dunlin's layouts are NHWC and [K,R,S,C] (oneDNN: nhwc and ohwi). No fast kernel takes ohwi, so weights
 * are always reordered: they are small beside the activations.
 */
#include "core/cpu/onednn/work.h"

typedef struct shapes {
    dnnl_dims_t x, w, b, y; /* in oneDNN's order: N C H W, K C R S, K, N K P Q */
    dnnl_dims_t strides, padding;
    bool with_bias, relu;
} shapes;

static shapes shapes_of(const dn_call *call)
{
    const dn_op_kind kind = call->op->kind;
    const dn_tensor_info *x = kind == DN_OP_CONV2D_DATA_GRAD ? call->out_info[0] : call->in_info[0];
    const dn_tensor_info *w = kind == DN_OP_CONV2D_WEIGHT_GRAD ? call->out_info[0] : call->in_info[1];
    const dn_tensor_info *y = kind == DN_OP_CONV2D             ? call->out_info[0]
                              : kind == DN_OP_CONV2D_DATA_GRAD ? call->in_info[0]
                                                               : call->in_info[1];
    const int64_t *a = x->shape.dim, *f = w->shape.dim, *o = y->shape.dim;
    const int stride = call->op->args.conv.stride, padding = call->op->args.conv.padding;
    return (shapes){.x = {a[0], a[3], a[1], a[2]},
                    .w = {f[0], f[3], f[1], f[2]},
                    .b = {f[0]},
                    .y = {o[0], o[3], o[1], o[2]},
                    .strides = {stride, stride},
                    .padding = {padding, padding},
                    .with_bias = kind == DN_OP_CONV2D ? call->in_info[2] != NULL : call->out_info[1] != NULL,
                    .relu = kind == DN_OP_CONV2D && call->op->args.conv.relu};
}

/* Winograd's F(4x4,3x3) does 4 times fewer multiplications than the direct form. Measured with its reorders it wins
 * from about 32 x 64 channels and 4 x 4 pixels on. Its error is about 6 times that of the direct form. */
static bool suits_winograd(const shapes *s)
{
    const bool form = s->w[2] == 3 && s->w[3] == 3 && s->strides[0] == 1;
    const int64_t fewer = s->w[0] < s->w[1] ? s->w[0] : s->w[1];
    return form && s->w[0] % 16 == 0 && s->w[1] % 16 == 0 && fewer >= 32 && s->w[0] * s->w[1] >= 2048 && s->y[2] >= 4 &&
           s->y[3] >= 4;
}

typedef struct choice {
    dnnl_alg_kind_t algorithm;
    dnnl_format_tag_t activations;
} choice;

/* @return whether there is a variant of this number */
static bool choose(choice *out, const dn_call *call, const shapes *s, int variant)
{
    const choice winograd = {dnnl_convolution_winograd, dnnl_format_tag_any};
    const choice plain = {dnnl_convolution_direct, dnnl_nhwc};
    const choice blocked = {dnnl_convolution_direct, dnnl_format_tag_any};
    if (suits_winograd(s) && variant-- == 0) {
        *out = winograd;
        return true;
    }
    /* Images of few channels: only the kernel for blocked dy is fast, and pays for the reorder. */
    const bool stem = call->op->kind == DN_OP_CONV2D_WEIGHT_GRAD && s->x[1] < 8;
    *out = (variant == 0) != stem ? plain : blocked;
    return variant < 2;
}

typedef struct layouts {
    dnnl_memory_desc_t x, w, b, y;
} layouts;

static dnnl_status_t make_layouts(layouts *out, const shapes *s, dnnl_format_tag_t activations,
                                  dnnl_format_tag_t weights)
{
    *out = (layouts){0}; /* a zero description: no bias */
    DN_ONEDNN_TRY(dnnl_memory_desc_init_by_tag(&out->x, 4, s->x, dnnl_f32, activations));
    DN_ONEDNN_TRY(dnnl_memory_desc_init_by_tag(&out->w, 4, s->w, dnnl_f32, weights));
    DN_ONEDNN_TRY(dnnl_memory_desc_init_by_tag(&out->y, 4, s->y, dnnl_f32, activations));
    if (s->with_bias) DN_ONEDNN_TRY(dnnl_memory_desc_init_by_tag(&out->b, 1, s->b, dnnl_f32, dnnl_a));
    return dnnl_success;
}

static dnnl_status_t describe_forward(dnnl_primitive_desc_t *out, dnnl_engine_t engine, const shapes *s,
                                      const layouts *l, dnnl_alg_kind_t algorithm, dnnl_primitive_attr_t attributes)
{
    dnnl_convolution_desc_t d;
    DN_ONEDNN_TRY(dnnl_convolution_forward_desc_init(&d, dnnl_forward_training, algorithm, &l->x, &l->w, &l->b, &l->y,
                                                     s->strides, s->padding, s->padding));
    return dnnl_primitive_desc_create(out, &d, attributes, engine, NULL);
}

static dnnl_status_t describe(dnnl_primitive_desc_t *out, dnnl_engine_t engine, dn_op_kind kind, const shapes *s,
                              const layouts *l, dnnl_alg_kind_t algorithm)
{
    dnnl_primitive_attr_t attributes = dn__onednn_attributes(s->relu);
    if (!attributes) return dnnl_out_of_memory;
    dnnl_primitive_desc_t forward = NULL; /* the gradients' hint */
    dnnl_status_t status = describe_forward(&forward, engine, s, l, algorithm, attributes);
    if (status == dnnl_success && kind == DN_OP_CONV2D) {
        *out = forward;
    } else if (status == dnnl_success) {
        dnnl_convolution_desc_t d;
        if (kind == DN_OP_CONV2D_DATA_GRAD)
            status = dnnl_convolution_backward_data_desc_init(&d, algorithm, &l->x, &l->w, &l->y, s->strides,
                                                              s->padding, s->padding);
        else
            status = dnnl_convolution_backward_weights_desc_init(&d, algorithm, &l->x, &l->w, &l->b, &l->y, s->strides,
                                                                 s->padding, s->padding);
        if (status == dnnl_success) status = dnnl_primitive_desc_create(out, &d, attributes, engine, forward);
        dnnl_primitive_desc_destroy(forward);
    }
    dnnl_primitive_attr_destroy(attributes);
    return status;
}

/* The operands of the three ops; @return how many */
static int list_operands(dn_onednn_operand out[4], dn_op_kind kind, const shapes *s, const layouts *plain)
{
    if (kind == DN_OP_CONV2D) {
        out[0] = (dn_onednn_operand){DNNL_ARG_SRC, dnnl_query_src_md, 0, DN_AT_INPUT, 0, plain->x};
        out[1] = (dn_onednn_operand){DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0, DN_AT_INPUT, 1, plain->w};
        out[2] = (dn_onednn_operand){DNNL_ARG_DST, dnnl_query_dst_md, 0, DN_AT_OUTPUT, 0, plain->y};
        out[3] = (dn_onednn_operand){DNNL_ARG_BIAS, dnnl_query_weights_md, 1, DN_AT_INPUT, 2, plain->b};
    } else if (kind == DN_OP_CONV2D_DATA_GRAD) {
        out[0] = (dn_onednn_operand){DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, 0, DN_AT_INPUT, 0, plain->y};
        out[1] = (dn_onednn_operand){DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0, DN_AT_INPUT, 1, plain->w};
        out[2] = (dn_onednn_operand){DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md, 0, DN_AT_OUTPUT, 0, plain->x};
    } else {
        out[0] = (dn_onednn_operand){DNNL_ARG_SRC, dnnl_query_src_md, 0, DN_AT_INPUT, 0, plain->x};
        out[1] = (dn_onednn_operand){DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, 0, DN_AT_INPUT, 1, plain->y};
        out[2] = (dn_onednn_operand){DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md, 0, DN_AT_OUTPUT, 0, plain->w};
        out[3] = (dn_onednn_operand){DNNL_ARG_DIFF_BIAS, dnnl_query_diff_weights_md, 1, DN_AT_OUTPUT, 1, plain->b};
    }
    return kind != DN_OP_CONV2D_DATA_GRAD && s->with_bias ? 4 : 3;
}

dnnl_status_t dn__onednn_convolution(dn_onednn_work *work, const dn_call *call, int variant)
{
    const dn_op_kind kind = call->op->kind;
    shapes s = shapes_of(call);
    if (kind == DN_OP_CONV2D_DATA_GRAD) s.with_bias = false;
    choice chosen;
    if (!choose(&chosen, call, &s, variant)) return dnnl_invalid_arguments;
    layouts wanted, plain;
    DN_ONEDNN_TRY(make_layouts(&wanted, &s, chosen.activations, dnnl_format_tag_any));
    DN_ONEDNN_TRY(make_layouts(&plain, &s, dnnl_nhwc, dnnl_ohwi));
    dnnl_primitive_desc_t description;
    DN_ONEDNN_TRY(describe(&description, work->engine, kind, &s, &wanted, chosen.algorithm));
    dn_onednn_operand operands[4];
    const int count = list_operands(operands, kind, &s, &plain);
    return dn__onednn_append(work, description, operands, count);
}
