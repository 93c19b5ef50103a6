/* Reverse-mode differentiation: walks the list backward and appends ordinary ops.
 *
 * The first gradient that reaches a tensor becomes its gradient, each later one is added to it, so nothing is ever
 * zeroed beforehand. The gradient of a parameter is moved to the parameter's place in the gradient block, where one
 * optimizer op finds all of them side by side. */
#include "core/graph.h"
#include "core/ops.h"

dn_tensor dn_gradient(const dn_program *p, dn_tensor t)
{
    return t.id >= 0 && (size_t)t.id < p->n_tensors ? (dn_tensor){p->tensors[t.id].gradient} : DN_NONE;
}

dn_tensor dn__output_gradient(const dn_program *p, const dn_op *op, int k)
{
    return op->out[k] < 0 ? DN_NONE : (dn_tensor){p->tensors[op->out[k]].gradient};
}

bool dn__input_wants(const dn_program *p, const dn_op *op, int k)
{
    return op->in[k] >= 0 && p->tensors[op->in[k]].wants_gradient;
}

void dn__grad_undefined(dn_program *p, const dn_op *op)
{
    dn_program_fail(p, DN_ERROR_UNSUPPORTED, "a gradient through '%s' is not defined", dn_op_name(op->kind));
}

/* Whether the bytes of g belong to g alone, so that they may be placed elsewhere. */
static bool is_fresh(const dn_program *p, dn_tensor g)
{
    const dn_tensor_info *info = &p->tensors[g.id];
    if (info->storage != DN_STORAGE_TEMPORARY || info->root != g.id || info->kept) return false;
    for (size_t i = 0; i < p->n_tensors; i++)
        if (p->tensors[i].gradient == g.id) return false;
    return true;
}

/* A tensor at the place of parameter t in the gradient block. */
static void place_in_gradient_block(const dn_program *p, int t, dn_tensor g)
{
    dn_tensor_info *info = &p->tensors[g.id];
    info->storage = DN_STORAGE_GRADIENTS;
    info->slot = -1;
    info->offset = p->tensors[t].offset;
}

static dn_tensor become_parameter_gradient(dn_program *p, int t, dn_tensor g)
{
    if (!is_fresh(p, g)) g = dn_copy(p, g);
    if (!dn_is_none(g)) place_in_gradient_block(p, t, g);
    return g;
}

void dn__accumulate(dn_program *p, int t, dn_tensor g)
{
    if (p->status != DN_OK || dn_is_none(g)) return;
    if (p->tensors[t].shared && !p->tensors[g.id].shared) g = dn_sum_members(p, g);
    if (!p->tensors[t].shared && p->tensors[g.id].shared) g = dn_spread_members(p, g);
    if (dn_is_none(g)) return;
    const int before = p->tensors[t].gradient;
    if (before < 0) {
        if (p->tensors[t].storage == DN_STORAGE_VALUES) g = become_parameter_gradient(p, t, g);
        if (!dn_is_none(g)) p->tensors[t].gradient = g.id;
        return;
    }
    /* In place in the gradient block; elsewhere the sum is a new tensor, as others may use the old one. */
    const dn_tensor terms[2] = {{before}, g};
    dn_op add = dn__op(DN_OP_ADD, terms, 2);
    add.out[0] = p->tensors[before].storage == DN_STORAGE_GRADIENTS
                     ? before
                     : dn__temporary(p, p->tensors[before].dtype, p->tensors[t].shape, p->tensors[t].shared).id;
    if (p->status != DN_OK) return;
    dn__append(p, add);
    p->tensors[t].gradient = add.out[0];
}

static bool has_output_gradient(const dn_program *p, const dn_op *op)
{
    for (int i = 0; i < DN_OP_MAX_OUT; i++)
        if (op->out[i] >= 0 && p->tensors[op->out[i]].gradient >= 0) return true;
    return false;
}

static bool wants_any(const dn_program *p, const dn_op *op)
{
    for (int i = 0; i < DN_OP_MAX_IN; i++)
        if (dn__input_wants(p, op, i)) return true;
    return false;
}

/* Parameters that the loss does not depend on get a zero gradient, so that the block is whole. */
static void zero_unreached(dn_program *p)
{
    const size_t count = p->n_tensors;
    for (size_t i = 0; i < count && p->status == DN_OK; i++) {
        const dn_tensor_info *t = &p->tensors[i];
        if (t->storage != DN_STORAGE_VALUES || !t->wants_gradient || t->gradient >= 0) continue;
        dn__accumulate(p, (int)i, dn_fill(p, t->shape, false, 0.0));
    }
}

static bool writes(const dn_op *op, int tensor)
{
    bool found = false;
    for (int k = 0; k < DN_OP_MAX_OUT; k++) found |= op->out[k] == tensor;
    return found;
}

/* A rule reads its op's inputs again, at the end of the forward pass. An input that a later op has changed in place by
 * then (moving statistics, the step counter) would give a wrong gradient: fails the program. */
static void check_unchanged(dn_program *p, size_t index, size_t forward)
{
    const dn_op *op = &p->ops[index];
    for (int k = 0; k < DN_OP_MAX_IN; k++) {
        if (op->in[k] < 0 || writes(op, op->in[k])) continue;
        const int root = p->tensors[op->in[k]].root;
        if (p->tensors[root].storage == DN_STORAGE_TEMPORARY) continue;
        for (size_t later = index + 1; later < forward; later++) {
            if (!writes(&p->ops[later], root)) continue;
            dn_program_fail(p, DN_ERROR_ARGUMENT,
                            "the gradient of op %zu, %s, needs '%s' as it was, but op %zu, %s, changes it: build that "
                            "one first, or after dn_differentiate()",
                            index, dn_op_name(op->kind), p->tensors[root].name, later, dn_op_name(p->ops[later].kind));
            return;
        }
    }
}

/* The backward pass of the ops recorded so far, from the gradients that outputs have by now. */
static void walk_back(dn_program *p, size_t forward)
{
    for (size_t i = forward; i-- > 0 && p->status == DN_OK;) {
        const dn_op op = p->ops[i]; /* a copy: rules append, the list may move */
        if (!has_output_gradient(p, &op) || !wants_any(p, &op)) continue;
        check_unchanged(p, i, forward);
        if (p->status == DN_OK) dn__gradient_rule(op.kind)(p, &op);
    }
}

/* Whether this is the first time. */
static bool check_once(dn_program *p)
{
    if (p->differentiated)
        dn_program_fail(p, DN_ERROR_ARGUMENT, "a program is differentiated once; add the losses up first");
    return p->status == DN_OK;
}

/* Takes the wish for a gradient from the parameters, and from all that only had it from them. */
static void want_only_what_was_asked(dn_program *p)
{
    for (size_t i = 0; i < p->n_tensors; i++)
        if (p->tensors[i].storage == DN_STORAGE_VALUES) p->tensors[i].wants_gradient = p->tensors[i].asked;
    for (size_t i = 0; i < p->n_ops; i++) {
        const bool wants = wants_any(p, &p->ops[i]);
        for (int k = 0; k < DN_OP_MAX_OUT; k++) {
            if (p->ops[i].out[k] < 0) continue;
            dn_tensor_info *out = &p->tensors[p->ops[i].out[k]];
            out->wants_gradient &= wants || out->asked;
        }
    }
}

static bool check_seed(dn_program *p, dn_tensor y, dn_tensor seed)
{
    char one[64], other[64];
    if (!dn__ready(p, (const dn_tensor[2]){y, seed}, 2)) return false;
    const dn_tensor_info *from = dn__info(p, y), *with = dn__info(p, seed);
    if (dn_shape_equal(&from->shape, &with->shape) && from->dtype == with->dtype) return true;
    dn_program_fail(p, DN_ERROR_SHAPE, "the seed %s %s must be like what is differentiated, %s %s",
                    dn_dtype_name(with->dtype), dn_shape_text(&with->shape, one), dn_dtype_name(from->dtype),
                    dn_shape_text(&from->shape, other));
    return false;
}

void dn_pull_back_all(dn_program *p, const dn_tensor *y, const dn_tensor *seed, int n)
{
    for (int i = 0; i < n; i++)
        if (!check_seed(p, y[i], seed[i])) return;
    if (!check_once(p)) return;
    want_only_what_was_asked(p);
    for (int i = 0; i < n; i++) {
        if (dn__info(p, y[i])->wants_gradient) continue;
        dn_program_fail(p, DN_ERROR_ARGUMENT,
                        "what is differentiated depends on nothing that dn_want_gradient() named");
        return;
    }
    p->differentiated = true;
    const size_t forward = p->n_ops;
    for (int i = 0; i < n; i++) dn__accumulate(p, y[i].id, seed[i]);
    walk_back(p, forward);
}

void dn_pull_back(dn_program *p, dn_tensor y, dn_tensor seed)
{
    dn_pull_back_all(p, &y, &seed, 1);
}

void dn_differentiate(dn_program *p, dn_tensor loss)
{
    if (!dn__ready(p, &loss, 1) || !check_once(p)) return;
    char text[64];
    const dn_tensor_info *info = dn__info(p, loss);
    if (dn_shape_count(&info->shape) != 1 || info->dtype != p->real) {
        dn_program_fail(p, DN_ERROR_SHAPE, "a loss is one number, this one has shape %s",
                        dn_shape_text(&info->shape, text));
        return;
    }
    if (!info->wants_gradient) {
        dn_program_fail(p, DN_ERROR_ARGUMENT, "the loss depends on no parameter");
        return;
    }
    p->differentiated = true;
    const size_t forward = p->n_ops;
    dn__accumulate(p, loss.id, dn_fill(p, info->shape, info->shared, 1.0));
    walk_back(p, forward);
    zero_unreached(p);
}
