/* The end of a training step: is everything finite, move the parameters, write down the losses, count on.
 *
 * Optimizers work on the whole block [E,P] at once: one pass over memory, however many layers there are. */
#include "core/ops.h"
#include "core/ops/check.h"

dn_tensor dn_finite(dn_program *p, dn_tensor loss)
{
    if (!dn__check_real(p, DN_OP_FINITE, &loss, 1) || !dn__check_vector(p, DN_OP_FINITE, loss, 1)) return DN_NONE;
    const dn_tensor inputs[2] = {loss, p->differentiated ? dn__flat(p, DN_STORAGE_GRADIENTS, -1) : DN_NONE};
    dn_op op = dn__op(DN_OP_FINITE, inputs, 2);
    op.out[0] = dn__temporary(p, DN_I32, DN_SHAPE(1), true).id;
    return dn__append(p, op);
}

/* The optimizer's memory of the past: a slot of the store. */
static dn_tensor slot(dn_program *p, const char *name)
{
    int index = -1;
    const dn_status status = dn_params_slot(p->params, name, &index);
    if (status != DN_OK) return dn_program_fail(p, status, "%s", dn_error_last());
    return dn__flat(p, DN_STORAGE_SLOT, index);
}

static bool check_update(dn_program *p, dn_op_kind kind, dn_tensor rate, dn_tensor ok)
{
    if (!dn__check_real(p, kind, &rate, 1) || !dn__check_vector(p, kind, rate, 1)) return false;
    if (!dn_is_none(ok) && !dn__check_dtype(p, kind, ok, DN_I32)) return false;
    if (p->differentiated) return true;
    dn_program_fail(p, DN_ERROR_ARGUMENT, "%s: there are no gradients yet; call dn_differentiate() first",
                    dn_op_name(kind));
    return false;
}

static dn_op update_op(dn_op_kind kind, const dn_tensor *inputs, int count, const dn_update_options *options)
{
    dn_op op = dn__op(kind, inputs, count);
    op.args.update.beta1 = options->beta1;
    op.args.update.beta2 = options->beta2;
    op.args.update.epsilon = options->epsilon;
    op.args.update.decay = options->weight_decay;
    op.args.update.momentum = options->momentum;
    op.args.update.nesterov = options->nesterov;
    return op;
}

void dn_adam(dn_program *p, dn_tensor rate, dn_tensor step, dn_tensor ok, const dn_update_options *options)
{
    if (!check_update(p, DN_OP_ADAM, rate, ok) || !dn__check_dtype(p, DN_OP_ADAM, step, DN_I32)) return;
    const dn_tensor w = dn__flat(p, DN_STORAGE_VALUES, 0), g = dn__flat(p, DN_STORAGE_GRADIENTS, -1);
    const dn_tensor m = slot(p, "adam.m"), v = slot(p, "adam.v");
    const dn_tensor inputs[7] = {w, g, m, v, rate, step, ok};
    dn_op op = update_op(DN_OP_ADAM, inputs, 7, options);
    op.out[0] = w.id;
    op.out[1] = m.id;
    op.out[2] = v.id;
    dn__append(p, op);
}

void dn_sgd(dn_program *p, dn_tensor rate, dn_tensor ok, const dn_update_options *options)
{
    if (!check_update(p, DN_OP_SGD, rate, ok)) return;
    const dn_tensor w = dn__flat(p, DN_STORAGE_VALUES, 0), g = dn__flat(p, DN_STORAGE_GRADIENTS, -1);
    const dn_tensor velocity = options->momentum != 0.0 ? slot(p, "sgd.velocity") : DN_NONE;
    const dn_tensor inputs[5] = {w, g, velocity, rate, ok};
    dn_op op = update_op(DN_OP_SGD, inputs, 5, options);
    op.out[0] = w.id;
    op.out[1] = velocity.id;
    dn__append(p, op);
}

dn_tensor dn_record(dn_program *p, const char *name, dn_tensor x, dn_tensor step, int length)
{
    if (!dn__check_real(p, DN_OP_RECORD, &x, 1) || !dn__check_vector(p, DN_OP_RECORD, x, 1)) return DN_NONE;
    const dn_tensor history = dn_input(p, name, p->real, DN_SHAPE(length), dn__info(p, x)->shared);
    if (dn_is_none(history)) return DN_NONE;
    const dn_tensor inputs[3] = {history, x, step};
    dn_op op = dn__op(DN_OP_RECORD, inputs, 3);
    op.out[0] = history.id;
    return dn__append(p, op);
}

void dn_advance(dn_program *p, dn_tensor step, dn_tensor ok)
{
    if (!dn__check_dtype(p, DN_OP_ADVANCE, step, DN_I32)) return;
    const dn_tensor inputs[2] = {step, ok};
    dn_op op = dn__op(DN_OP_ADVANCE, inputs, 2);
    op.out[0] = step.id;
    dn__append(p, op);
}

DN__NO_GRADIENT(finite)
DN__NO_GRADIENT(adam)
DN__NO_GRADIENT(sgd)
DN__NO_GRADIENT(record)
DN__NO_GRADIENT(advance)
