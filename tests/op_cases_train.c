/* Updates of parameters, and the scalars that steer training. */
#include <math.h>

#include "tests/op_cases_list.h"

/* @param ok 0, 1, or -1: left out */
static void add_ok(op_base *b, int k, int ok)
{
    if (ok >= 0) op_step(b, k, ok);
}

static void add_adam(op_list *to, int n, int step, double decay, int ok)
{
    op_base b = op_start(DN_OP_ADAM);
    b.c.heavy = n > 10000;
    for (int k = 0; k < 4; k++) op_input(&b, k, DN_F32, DN_SHAPE(n));
    op_input(&b, 4, DN_F32, DN_SHAPE(1));
    op_step(&b, 5, step);
    add_ok(&b, 6, ok);
    for (int k = 0; k < 3; k++) {
        op_output(&b, k, DN_F32, DN_SHAPE(n), 4);
        b.c.alias[k] = k == 0 ? 0 : k + 1;
    }
    b.c.exact = ok == 0;
    b.c.op.args.update.beta1 = .9, b.c.op.args.update.beta2 = .999;
    b.c.op.args.update.epsilon = 1e-7, b.c.op.args.update.decay = decay;
    op_add(to, &b, "[%d] step %d decay %g ok %d", n, step, decay, ok);
}

static void add_sgd(op_list *to, int n, double momentum, bool nesterov, int ok)
{
    op_base b = op_start(DN_OP_SGD);
    b.c.heavy = n > 10000;
    for (int k = 0; k < 2; k++) op_input(&b, k, DN_F32, DN_SHAPE(n));
    if (momentum != 0) op_input(&b, 2, DN_F32, DN_SHAPE(n));
    op_input(&b, 3, DN_F32, DN_SHAPE(1));
    add_ok(&b, 4, ok);
    op_output(&b, 0, DN_F32, DN_SHAPE(n), 4);
    b.c.alias[0] = 0;
    if (momentum != 0) {
        op_output(&b, 1, DN_F32, DN_SHAPE(n), 4);
        b.c.alias[1] = 2;
    }
    b.c.exact = ok == 0;
    b.c.op.args.update.momentum = momentum;
    b.c.op.args.update.nesterov = nesterov;
    b.c.op.args.update.decay = 1e-2;
    op_add(to, &b, "[%d] momentum %g%s ok %d", n, momentum, nesterov ? " nesterov" : "", ok);
}

void op_cases_update(op_list *to)
{
    static const int counts[] = {1, 127, 1032, 40000, 3, 4, 5};
    for (int i = 0; i < 7; i++) {
        add_adam(to, counts[i], i == 1 ? 100000 : i * 5, i % 2 ? 1e-2 : 0, i % 2 ? 1 : -1);
        add_sgd(to, counts[i], 0, false, i % 2 ? 1 : -1);
        add_sgd(to, counts[i], .9, i % 2 == 1, i % 2 ? -1 : 1);
    }
    add_adam(to, 130, 3, 0, 0);
    add_sgd(to, 130, .9, true, 0);
    add_sgd(to, 130, 0, false, 0);
}

/* Held, then linear, then a cosine, then held: starts at 0, 10, 20, 50. */
static void add_schedule(op_list *to, int step)
{
    op_base b = op_start(DN_OP_SCHEDULE);
    op_step(&b, 0, step);
    op_input(&b, 1, DN_F32, DN_SHAPE(4, 3));
    b.c.in[1].shared = true;
    OP_GIVE(&b, 1, 0, .1, 0, 10, .5, 1, 20, 2, 2, 50, .25, 0);
    op_output(&b, 0, DN_F32, DN_SHAPE(1), 1);
    b.c.out[0].shared = true;
    op_add_one(to, &b, "step %d", step);
}

/* One row, which holds whatever its kind. */
static void add_last_row(op_list *to, int kind)
{
    op_base b = op_start(DN_OP_SCHEDULE);
    op_step(&b, 0, 1000);
    op_input(&b, 1, DN_F32, DN_SHAPE(1, 3));
    b.c.in[1].shared = true;
    OP_GIVE(&b, 1, 0, .3, kind);
    op_output(&b, 0, DN_F32, DN_SHAPE(1), 1);
    b.c.out[0].shared = true;
    op_add_one(to, &b, "last row of kind %d", kind);
}

static void add_counter(op_list *to, int step, int every, int ok)
{
    op_base hold = op_start(DN_OP_HOLD), advance = op_start(DN_OP_ADVANCE);
    hold.c.op.args.hold.every = every;
    op_step(&hold, 0, step);
    op_output(&hold, 0, DN_I32, DN_SHAPE(1), 1);
    hold.c.out[0].shared = true;
    op_add_one(to, &hold, "step %d every %d", step, every);
    op_step(&advance, 0, step);
    add_ok(&advance, 1, ok);
    op_output(&advance, 0, DN_I32, DN_SHAPE(1), 1);
    advance.c.out[0].shared = true;
    advance.c.alias[0] = 0;
    op_add_one(to, &advance, "step %d ok %d", step, ok);
}

static void add_record(op_list *to, int length, int step)
{
    op_base b = op_start(DN_OP_RECORD);
    b.c.exact = true;
    op_input(&b, 0, DN_F32, DN_SHAPE(length));
    op_input(&b, 1, DN_F32, DN_SHAPE(1));
    op_step(&b, 2, step);
    op_output(&b, 0, DN_F32, DN_SHAPE(length), 1);
    b.c.alias[0] = 0;
    op_add(to, &b, "[%d] step %d", length, step);
}

/* @param input which one is spoilt, -1: the gradients are left out */
static void add_finite(op_list *to, int n, int input, int member, float value)
{
    op_base b = op_start(DN_OP_FINITE);
    op_input(&b, 0, DN_F32, DN_SHAPE(1));
    if (input >= 0) op_input(&b, 1, DN_F32, DN_SHAPE(n));
    if (value != 0) op_spoil(&b, input > 0 ? 1 : 0, member, n > 5 && member == 0 ? n / 2 : -1, value);
    if (input < 1) b.c.spoilt_element = -1;
    op_output(&b, 0, DN_I32, DN_SHAPE(1), 1);
    b.c.out[0].shared = true;
    b.c.heavy = n > 10000;
    op_add_joining(to, &b, "[%d] %g in input %d of member %d", n, (double)value, input, member);
    b.c.in[0].shared = true;
    if (input == 1) op_add_joining(to, &b, "[%d] %g in member %d, loss shared", n, (double)value, member);
}

void op_cases_control(op_list *to)
{
    static const int steps[] = {0, 9, 10, 11, 19, 20, 21, 35, 49, 50, 51, 1 << 20};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) add_schedule(to, steps[i]);
    for (int kind = 0; kind < 3; kind++) add_last_row(to, kind);
    add_counter(to, 0, 1, -1);
    add_counter(to, 17, 5, 1);
    add_counter(to, 20, 5, 0);
    add_record(to, 1, 0);
    add_record(to, 10, 23);
    static const int counts[] = {1, 1037, 70000};
    for (int i = 0; i < 3; i++) {
        add_finite(to, counts[i], 1, 0, 0);
        add_finite(to, counts[i], 1, 0, NAN);
        add_finite(to, counts[i], 1, 2, INFINITY);
    }
    add_finite(to, 130, 0, 0, NAN);
    add_finite(to, 130, 0, 1, -INFINITY);
    add_finite(to, 130, -1, 0, NAN);
    add_finite(to, 130, -1, 0, 0);
}
