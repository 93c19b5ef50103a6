#include "apps/bench_cost.h"

#include <string.h>

#include "core/graph.h"

static const dn_tensor_info *info_of(const dn_program *p, int tensor)
{
    return tensor < 0 ? NULL : &p->tensors[tensor];
}

static double count(const dn_program *p, int tensor)
{
    return (double)dn_shape_count(&p->tensors[tensor].shape);
}

/* Multiplications of one member: every element of the result, or of what is spread, meets one row of the weights. */
static double multiplications(const dn_program *p, const dn_op *op)
{
    switch (op->kind) {
    case DN_OP_CONV2D:
    case DN_OP_LINEAR: /* outputs [..,K] times the elements of w [K,..] that belong to one k */
        return count(p, op->out[0]) * count(p, op->in[1]) / (double)p->tensors[op->in[1]].shape.dim[0];
    case DN_OP_CONV2D_DATA_GRAD:
    case DN_OP_LINEAR_DATA_GRAD: /* dy [..,K], w [K,..] */
        return count(p, op->in[0]) * count(p, op->in[1]) / (double)p->tensors[op->in[1]].shape.dim[0];
    case DN_OP_CONV2D_WEIGHT_GRAD:
    case DN_OP_LINEAR_WEIGHT_GRAD: /* dy [..,K], dw [K,..] */
        return count(p, op->in[1]) * count(p, op->out[0]) / (double)p->tensors[op->out[0]].shape.dim[0];
    case DN_OP_GRAM: /* x [N,D], every element times a row */
        return count(p, op->in[0]) * (double)p->tensors[op->in[0]].shape.dim[1];
    default: return 0.0;
    }
}

/* All copies of a tensor, or of a table with `rows` of its rows. */
static double bytes_of(const dn_program *p, const dn_tensor_info *t, double rows)
{
    if (!t) return 0.0;
    const double copies = t->shared ? 1.0 : p->members;
    return copies * (rows < 0.0 ? (double)dn__bytes(t) : rows * (double)dn_dtype_size(t->dtype));
}

static double bytes(const dn_program *p, const dn_op *op)
{
    double sum = 0.0;
    for (int k = 0; k < DN_OP_MAX_IN; k++) {
        const dn_tensor_info *t = info_of(p, op->in[k]);
        if (op->kind == DN_OP_GATHER && k == 0)
            sum += p->members * count(p, op->out[0]) * (double)dn_dtype_size(t->dtype);
        else if (op->kind != DN_OP_INDICES && op->kind != DN_OP_RECORD)
            sum += bytes_of(p, t, -1.0);
    }
    for (int k = 0; k < DN_OP_MAX_OUT; k++) /* one place of a record is written */
        sum += bytes_of(p, info_of(p, op->out[k]), op->kind == DN_OP_RECORD ? 1.0 : -1.0);
    return sum;
}

dn_op_cost dn_op_cost_of(const dn_program *p, int op)
{
    return (dn_op_cost){.flops = 2.0 * p->members * multiplications(p, &p->ops[op]), .bytes = bytes(p, &p->ops[op])};
}

bool dn_is_slow_fallback(const dn_program *p, int op, const char *kernel)
{
    const dn_op_kind kind = p->ops[op].kind;
    if (multiplications(p, &p->ops[op]) == 0.0) return false;
    if (strncmp(kernel, "ref", 3) == 0) return true;
    const bool dense = kind == DN_OP_LINEAR || kind == DN_OP_LINEAR_DATA_GRAD || kind == DN_OP_LINEAR_WEIGHT_GRAD;
    return !dense && strstr(kernel, "gemm") && !strstr(kernel, "brgemm");
}

/* The name of a parameter, or of the parameter that a tensor is the gradient of; NULL for other tensors. */
static const char *parameter_of(const dn_program *p, int tensor)
{
    const dn_tensor_info *t = info_of(p, tensor);
    if (!t) return NULL;
    if (t->storage == DN_STORAGE_VALUES) return t->name;
    for (size_t i = 0; t->storage == DN_STORAGE_GRADIENTS && i < p->n_tensors; i++)
        if (p->tensors[i].storage == DN_STORAGE_VALUES && p->tensors[i].gradient == tensor) return p->tensors[i].name;
    return NULL;
}

/* The layer that an op belongs to, by its parameter: " conv1" of "conv1.weight"; "" for none. */
static void layer_of(const dn_program *p, const dn_op *op, char *text, size_t size)
{
    text[0] = '\0';
    for (int k = 0; k < DN_OP_MAX_IN + DN_OP_MAX_OUT; k++) {
        const char *name = parameter_of(p, k < DN_OP_MAX_IN ? op->in[k] : op->out[k - DN_OP_MAX_IN]);
        if (!name) continue;
        const char *dot = strrchr(name, '.');
        snprintf(text, size, " %.*s", dot ? (int)(dot - name) : (int)strlen(name), name);
        return;
    }
}

const char *dn_op_title(const dn_program *p, int number, char *text, size_t size)
{
    const dn_op *op = &p->ops[number];
    char layer[64], from[64] = "", to[64] = "";
    layer_of(p, op, layer, sizeof layer);
    const int data = op->kind == DN_OP_GATHER ? 1 : 0; /* not the whole table */
    if (op->in[data] >= 0) dn_shape_text(&p->tensors[op->in[data]].shape, from);
    if (op->out[0] >= 0) dn_shape_text(&p->tensors[op->out[0]].shape, to);
    snprintf(text, size, "%s%s %s%s%s", dn_op_name(op->kind), layer, from, from[0] ? " -> " : "-> ", to);
    return text;
}
