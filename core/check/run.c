/* Running on both devices, op by op. */
#include <inttypes.h>
#include <math.h>

#include "core/alloc.h"
#include "core/check/check.h"

static int copies_of(const dn_program *p, int tensor)
{
    return p->tensors[tensor].shared ? 1 : p->members;
}

/* The rms over all members of each input that the op's limit depends on. */
static dn_status measure_inputs(dn_compiled *c, const dn_op *op, double rms[DN_OP_MAX_IN])
{
    const unsigned wanted = dn__check_measured(op->kind);
    for (int k = 0; k < DN_OP_MAX_IN; k++) {
        rms[k] = 0;
        if (!(wanted >> k & 1u) || op->in[k] < 0) continue;
        const dn_tensor_info *t = &c->program->tensors[op->in[k]];
        double squares = 0;
        int64_t count = 0;
        for (int e = 0; e < copies_of(c->program, op->in[k]); e++) {
            DN_TRY(dn__check_fetch(c, DN_CHECK_A, op->in[k], e));
            squares += dn__check_squares(t->dtype, c->fetched[DN_CHECK_A], dn_shape_count(&t->shape), &count);
        }
        if (count) rms[k] = sqrt(squares / (double)count);
    }
    return DN_OK;
}

static dn_status run_sides(dn_compiled *c, int index)
{
    for (int s = 0; s < DN_CHECK_SIDES; s++) {
        const dn_status status = c->device->side[s]->backend->run(c->side[s], index, index + 1, 1);
        if (status != DN_OK) return dn_fail_context(status, "check: '%s'", c->device->side[s]->name);
    }
    return DN_OK;
}

static dn_status fail_different(const dn_compiled *c, int index, int output, int member, const dn_check_difference *d)
{
    char text[600];
    const dn_tensor_info *t = &c->program->tensors[c->program->ops[index].out[output]];
    return dn_fail(DN_ERROR_NUMERIC,
                   "check: op %d %s of step %" PRId64
                   ": '%s' and '%s' differ: output %d, member %d, element %lld: %.9g and %.9g, %.3g times the "
                   "tolerance; %lld of %lld elements are off; kernels '%s'",
                   index, dn_program_op_text(c->program, index, text, sizeof text), c->step,
                   c->device->side[DN_CHECK_A]->name, c->device->side[DN_CHECK_B]->name, output, member,
                   (long long)d->element, d->a, d->b, d->times, (long long)d->count,
                   (long long)dn_shape_count(&t->shape), c->names[index]);
}

/* Compares an output of all members; B then goes on with A's. extra: [copies,n] or NULL */
static dn_status check_output(dn_compiled *c, int index, int output, dn_check_limit limit, const double *extra)
{
    const int tensor = c->program->ops[index].out[output];
    const dn_tensor_info *t = &c->program->tensors[tensor];
    const int64_t n = dn_shape_count(&t->shape);
    dn_device *b = c->device->side[DN_CHECK_B];
    for (int e = 0; e < copies_of(c->program, tensor); e++) {
        dn_check_difference difference;
        for (int s = 0; s < DN_CHECK_SIDES; s++) DN_TRY(dn__check_fetch(c, s, tensor, e));
        limit.extra = extra ? extra + e * n : NULL;
        dn__check_compare(&difference, t->dtype, c->fetched[DN_CHECK_A], c->fetched[DN_CHECK_B], n, &limit);
        if (difference.count) return fail_different(c, index, output, e, &difference);
        char *to = dn__address(c->program, &c->memory[DN_CHECK_B], tensor, e);
        DN_TRY(b->backend->upload(b, to, c->fetched[DN_CHECK_A], dn__bytes(t)));
    }
    return DN_OK;
}

/* Both sides hold the same bits before, and after. */
static dn_status run_op(dn_compiled *c, int index, double *extra[DN_OP_MAX_OUT])
{
    const dn_op *op = &c->program->ops[index];
    double rms[DN_OP_MAX_IN], factor = 0;
    DN_TRY(measure_inputs(c, op, rms));
    DN_TRY(dn__check_kinks(c, op, extra));
    DN_TRY(run_sides(c, index));
    for (int s = 0; s < DN_CHECK_SIDES; s++)
        factor += dn__check_factor(c->device->side[s]->backend->kernel_name(c->side[s], index));
    for (int k = 0; k < DN_OP_MAX_OUT; k++)
        if (op->out[k] >= 0)
            DN_TRY(check_output(c, index, k, dn__check_limit(c->program, op, k, rms, factor), extra[k]));
    return DN_OK;
}

dn_status dn__check_run(dn_compiled *c, int first, int last, int64_t steps)
{
    for (int64_t step = 0; step < steps; step++) {
        for (int i = first; i < last; i++) {
            double *extra[DN_OP_MAX_OUT] = {NULL};
            if (dn_op_flags(c->program->ops[i].kind) & DN_OP_VIEW) continue;
            const dn_status status = run_op(c, i, extra);
            for (int k = 0; k < DN_OP_MAX_OUT; k++) dn_free(extra[k]);
            DN_TRY(status);
        }
        if (last == (int)c->program->n_ops) c->step++;
    }
    return DN_OK;
}
