/* The inputs of a case: drawn numbers, or what the case gives. */
#include <math.h>

#include "core/random.h"
#include "tests/op_run_private.h"

/* A drawn number u in [0, 1) as input k wants it: positive where it must be, small where it is a rate. */
static double shaped(const op_case *c, int k, double u)
{
    switch (c->op.kind) {
    case DN_OP_BATCH_NORM:
    case DN_OP_BATCH_NORM_INFER: return k == 1 || k == 4 ? .5 + u : k == 0 ? 3 * u - 1 : 2 * u - 1;
    case DN_OP_BATCH_NORM_GRAD:
    case DN_OP_BATCH_NORM_INFER_GRAD: return k == 2 || k == 5 ? .5 + u : 2 * u - 1;
    case DN_OP_NORMALIZE: return k == 2 ? .5 + u : u;
    case DN_OP_NORMALIZE_GRAD: return k == 1 ? .5 + u : 2 * u - 1;
    case DN_OP_ADAM: return k == 3 ? u : k == 4 ? .01 * (.5 + u) : 2 * u - 1;
    case DN_OP_SGD: return k == 3 ? .01 * (.5 + u) : 2 * u - 1;
    case DN_OP_SOFTMAX_GRAD: return k == 1 ? u / 4 : 2 * u - 1;
    case DN_OP_LOG_SOFTMAX_GRAD: return k == 1 ? -3 * u : 2 * u - 1;
    case DN_OP_REDUCE:
    case DN_OP_SUM_MEMBERS: return u; /* a sum that cancels would have no scale for its error */
    default: return 2 * u - 1;
    }
}

static double drawn(const op_case *c, int k, dn_random_sequence *random)
{
    const dn_dtype type = c->in[k].dtype;
    if (type == DN_F64) { /* of more digits than f32 has */
        const double u = dn_random_next_uniform(random, 0, 1);
        return shaped(c, k, u + 0x1p-24 * (double)dn_random_next_uniform(random, 0, 1));
    }
    if (type == DN_F32 || type == DN_BF16) return shaped(c, k, dn_random_next_uniform(random, 0, 1));
    const uint32_t most = type == DN_U8 ? 256 : 1;
    return dn_random_next_below(random, c->limit > 0 ? (uint32_t)c->limit : most);
}

static void fill_input(op_run *run, int k)
{
    const op_case *c = run->c;
    const int64_t count = dn__count(&c->in[k]);
    const op_given *given = &c->given[k];
    dn_random_sequence random = {.seed = 7, .purpose = (uint32_t)c->op.kind, .step = (uint32_t)k};
    for (int e = 0; e < op_copies(run, k); e++)
        for (int64_t i = 0; i < count; i++) {
            double value = given->count ? given->numbers[(e * count + i) % given->count] : drawn(c, k, &random);
            if (c->apart > 0 && e > 0) value = op_get(run, &run->test, k, 0, i) + c->apart * value;
            op_put(run, &run->test, k, e, i, value);
        }
    if (c->spoilt == 0 || c->spoilt_input != k || c->spoilt_member >= op_copies(run, k)) return;
    const int64_t at = c->spoilt_element < 0 ? count - 1 : c->spoilt_element;
    op_put(run, &run->test, k, c->spoilt_member, at, (double)c->spoilt);
}

/* Operand k as member e sees it. */
static double seen(const op_run *run, int k, int e, int64_t i)
{
    return op_get(run, &run->test, k, op_copies(run, k) == 1 ? 0 : e, i);
}

/* Whether the relu behind batch norm switches so near to this x that rounding may cross it. */
static bool near_kink(const op_run *run, int e, int64_t i, int64_t channel)
{
    const bool moving = run->c->op.kind == DN_OP_BATCH_NORM_INFER_GRAD;
    const double last = seen(run, 5, e, channel);
    const double rstd = moving ? 1 / sqrt(last + run->c->op.args.norm.epsilon) : last;
    const double xhat = (seen(run, 1, e, i) - seen(run, 4, e, channel)) * rstd;
    return fabs(seen(run, 2, e, channel) * xhat + seen(run, 3, e, channel)) < 1e-4;
}

static void leave_kinks(op_run *run)
{
    if (run->c->op.kind != DN_OP_BATCH_NORM_GRAD && run->c->op.kind != DN_OP_BATCH_NORM_INFER_GRAD) return;
    const int64_t channels = dn__count(&run->c->in[2]), count = dn__count(&run->c->in[1]);
    for (int64_t i = 0; i < count; i++)
        for (int tries = 0, e = 0; e < run->c->members && tries < 100; tries++) {
            if (near_kink(run, e, i, i % channels)) {
                const int copy = op_copies(run, 1) == 1 ? 0 : e;
                op_put(run, &run->test, 1, copy, i, op_get(run, &run->test, 1, copy, i) + .01);
                if (copy != e) e = 0; /* a shared x must suit every member */
            } else {
                e++;
            }
        }
}

void op_fill(op_run *run)
{
    for (int k = 0; k < DN_OP_MAX_IN; k++)
        if (op_present(&run->c->in[k])) fill_input(run, k);
    leave_kinks(run);
    for (int k = 0; k < DN_OP_MAX_IN; k++) {
        if (!op_present(&run->c->in[k])) continue;
        for (int e = 0; e < op_copies(run, k); e++)
            for (int64_t i = 0; i < dn__count(&run->c->in[k]); i++) {
                const double value = op_get(run, &run->test, k, e, i);
                op_put(run, &run->plain, k, e, i, value);
                op_put(run, &run->wide, k, e, i, value);
            }
    }
}
