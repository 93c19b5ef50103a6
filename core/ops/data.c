/* Batches and augmentation, inside the program: what is drawn depends on (seed, op, step, member) only. */
#include <inttypes.h>

#include "core/ops.h"
#include "core/ops/check.h"
#include "core/random.h"

static bool check_step(dn_program *p, dn_op_kind kind, dn_tensor step)
{
    return dn__check_dtype(p, kind, step, DN_I32) && dn__check_vector(p, kind, step, 1);
}

static dn_op random_op(dn_program *p, dn_op_kind kind, const dn_tensor *inputs, int count)
{
    dn_op op = dn__op(kind, inputs, count);
    op.args.random.stream = p->next_stream++;
    return op;
}

dn_tensor dn_indices(dn_program *p, dn_tensor step, const dn_indices_options *options)
{
    const dn_op_kind kind = DN_OP_INDICES;
    if (!check_step(p, kind, step)) return DN_NONE;
    const bool pooled = !dn_is_none(options->pool);
    if (pooled && (!dn__check_dtype(p, kind, options->pool, DN_I32) || !dn__check_rank(p, kind, options->pool, 1) ||
                   !dn__check_dtype(p, kind, options->pool_size, DN_I32)))
        return DN_NONE;
    if (!pooled && (options->count < 1 || options->count > INT32_MAX))
        return dn_program_fail(p, DN_ERROR_ARGUMENT, "indices: cannot draw from %" PRId64 " items", options->count);
    const dn_tensor inputs[3] = {step, options->pool, options->pool_size};
    dn_op op = random_op(p, kind, inputs, pooled ? 3 : 1);
    op.args.random.count = options->count;
    op.args.random.replace = options->replace;
    op.out[0] = dn__temporary(p, DN_I32, DN_SHAPE(options->batch), options->members_share).id;
    if (options->members_share && !dn__all_shared(p, inputs, pooled ? 3 : 1))
        return dn_program_fail(p, DN_ERROR_SHAPE,
                               "indices: a batch for all members cannot come from pools of their own");
    return dn__append(p, op);
}

void dn_indices_ahead(const dn_program *p, dn_tensor indices, int64_t step, int member, const int32_t *pool,
                      int32_t pool_size, int64_t *items)
{
    const dn_tensor_info *t = &p->tensors[indices.id];
    const dn_op *op = &p->ops[t->writer];
    const int64_t n = t->shape.dim[0], all = pool ? pool_size : op->args.random.count;
    const int in_ensemble = t->shared ? 0 : dn_params_first_member(p->params) + member;
    for (int64_t i = 0; i < n; i++) {
        const uint32_t index = dn_random_item(i, n, step, (uint32_t)(all > 0 ? all : 1), op->args.random.replace,
                                              dn_params_seed(p->params), op->args.random.stream, (uint32_t)in_ensemble);
        items[i] = pool ? pool[index] : (int64_t)index;
    }
}

dn_tensor dn_gather(dn_program *p, dn_tensor data, dn_tensor indices)
{
    const dn_op_kind kind = DN_OP_GATHER;
    if (!dn__ready(p, &data, 1) || !dn__check_dtype(p, kind, indices, DN_I32)) return DN_NONE;
    if (!dn__check_rank(p, kind, indices, 1)) return DN_NONE;
    const dn_tensor inputs[2] = {data, indices};
    dn_op op = dn__op(kind, inputs, 2);
    const dn_dtype dtype = dn__info(p, data)->dtype == DN_I32 ? DN_I32 : p->real;
    dn_shape shape = dn__info(p, data)->shape;
    shape.dim[0] = dn__info(p, indices)->shape.dim[0];
    op.out[0] = dn__temporary(p, dtype, shape, dn__all_shared(p, inputs, 2)).id;
    return dn__append(p, op);
}

/* Checks that x is images [N,H,W,C] of program precision. */
static bool check_images(dn_program *p, dn_op_kind kind, dn_tensor x, dn_tensor step)
{
    return dn__check_real(p, kind, &x, 1) && dn__check_rank(p, kind, x, 4) && check_step(p, kind, step);
}

dn_tensor dn_random_crop(dn_program *p, dn_tensor x, dn_tensor step, int padding, int choices)
{
    if (!check_images(p, DN_OP_CROP, x, step)) return DN_NONE;
    if (padding < 0 || choices < 1 || choices > 2 * padding + 1)
        return dn_program_fail(p, DN_ERROR_ARGUMENT, "crop: %d offsets with a padding of %d, at most %d fit", choices,
                               padding, 2 * padding + 1);
    dn_op op = random_op(p, DN_OP_CROP, (const dn_tensor[2]){x, step}, 2);
    op.args.random.size = padding;
    op.args.random.choices = choices;
    return dn__map(p, op, 0);
}

dn_tensor dn_random_flip(dn_program *p, dn_tensor x, dn_tensor step)
{
    if (!check_images(p, DN_OP_FLIP, x, step)) return DN_NONE;
    return dn__map(p, random_op(p, DN_OP_FLIP, (const dn_tensor[2]){x, step}, 2), 0);
}

dn_tensor dn_standardize(dn_program *p, dn_tensor x)
{
    if (!dn__check_real(p, DN_OP_STANDARDIZE, &x, 1)) return DN_NONE;
    return dn__map(p, dn__op(DN_OP_STANDARDIZE, &x, 1), 0);
}

void dn__grad_standardize(dn_program *p, const dn_op *op)
{
    const dn_tensor inputs[2] = {dn__output_gradient(p, op, 0), {op->in[0]}};
    dn__accumulate(p, op->in[0], dn__map(p, dn__op(DN_OP_STANDARDIZE_GRAD, inputs, 2), 0));
}

dn_tensor dn_normalize(dn_program *p, dn_tensor x, dn_tensor mean, dn_tensor deviation)
{
    const dn_tensor inputs[3] = {x, mean, deviation};
    if (!dn__check_real(p, DN_OP_NORMALIZE, inputs, 3)) return DN_NONE;
    for (int i = 1; i < 3; i++)
        if (!dn__check_vector(p, DN_OP_NORMALIZE, inputs[i], dn__channels(p, x))) return DN_NONE;
    return dn__map(p, dn__op(DN_OP_NORMALIZE, inputs, 3), 0);
}

void dn__grad_normalize(dn_program *p, const dn_op *op)
{
    const dn_tensor inputs[2] = {dn__output_gradient(p, op, 0), {op->in[2]}};
    if (dn__input_wants(p, op, 0)) dn__accumulate(p, op->in[0], dn__map(p, dn__op(DN_OP_NORMALIZE_GRAD, inputs, 2), 0));
}

dn_tensor dn_patch_shuffle(dn_program *p, dn_tensor x, dn_tensor step, int size)
{
    if (!check_images(p, DN_OP_PATCH_SHUFFLE, x, step)) return DN_NONE;
    const int64_t *dim = dn__info(p, x)->shape.dim;
    char text[64];
    enum { MOST_PATCHES = 4096 };
    const bool divides = size >= 1 && dim[1] % size == 0 && dim[2] % size == 0;
    if (!divides || dim[1] / size * (dim[2] / size) > MOST_PATCHES)
        return dn_program_fail(p, DN_ERROR_SHAPE,
                               "patch_shuffle: patches of %d x %d do not divide images %s (or are more than %d)", size,
                               size, dn_shape_text(&dn__info(p, x)->shape, text), MOST_PATCHES);
    dn_op op = random_op(p, DN_OP_PATCH_SHUFFLE, (const dn_tensor[2]){x, step}, 2);
    op.args.random.size = size;
    return dn__map(p, op, 0);
}

dn_tensor dn_noise(dn_program *p, dn_tensor step, dn_shape shape, bool members_share, dn_noise_kind kind, double a,
                   double b)
{
    if (!check_step(p, DN_OP_NOISE, step)) return DN_NONE;
    dn_op op = random_op(p, DN_OP_NOISE, &step, 1);
    op.args.random.noise = kind;
    op.args.random.low = a;
    op.args.random.high = b;
    dn__output(p, &op, 0, shape, members_share);
    return dn__append(p, op);
}

dn_tensor dn_hold(dn_program *p, dn_tensor step, int every)
{
    if (!check_step(p, DN_OP_HOLD, step)) return DN_NONE;
    if (every < 1) return dn_program_fail(p, DN_ERROR_ARGUMENT, "hold: every %d steps", every);
    dn_op op = dn__op(DN_OP_HOLD, &step, 1);
    op.args.hold.every = every;
    op.out[0] = dn__temporary(p, DN_I32, DN_SHAPE(1), dn__info(p, step)->shared).id;
    return dn__append(p, op);
}

dn_tensor dn_select(dn_program *p, dn_tensor choice, dn_tensor a, dn_tensor b)
{
    const dn_tensor inputs[3] = {choice, a, b};
    if (!dn__check_real(p, DN_OP_SELECT, inputs, 3) || !dn__check_vector(p, DN_OP_SELECT, choice, 1)) return DN_NONE;
    if (!dn__check_same_shape(p, DN_OP_SELECT, a, b)) return DN_NONE;
    return dn__map(p, dn__op(DN_OP_SELECT, inputs, 3), 1);
}

dn_tensor dn_schedule(dn_program *p, dn_tensor step, dn_tensor table)
{
    if (!check_step(p, DN_OP_SCHEDULE, step) || !dn__check_real(p, DN_OP_SCHEDULE, &table, 1)) return DN_NONE;
    if (!dn__check_rank(p, DN_OP_SCHEDULE, table, 2)) return DN_NONE;
    if (dn__channels(p, table) != 3)
        return dn_program_fail(p, DN_ERROR_SHAPE, "schedule: a table has three columns: start, value, kind");
    const dn_tensor inputs[2] = {step, table};
    dn_op op = dn__op(DN_OP_SCHEDULE, inputs, 2);
    dn__output(p, &op, 0, DN_SHAPE(1), dn__all_shared(p, inputs, 2));
    return dn__append(p, op);
}

DN__NO_GRADIENT(indices)
DN__NO_GRADIENT(gather)
DN__NO_GRADIENT(crop)
DN__NO_GRADIENT(flip)
DN__NO_GRADIENT(standardize_grad)
DN__NO_GRADIENT(normalize_grad)
DN__NO_GRADIENT(patch_shuffle)
DN__NO_GRADIENT(noise)
DN__NO_GRADIENT(hold)
DN__NO_GRADIENT(select)
DN__NO_GRADIENT(schedule)
