/* The table's frame: starting a case, multiplying it, the list of families. */
#include "tests/op_cases.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "tests/op_cases_list.h"

op_base op_start(dn_op_kind kind)
{
    op_base b = {.c = {.op = DN__NO_OP, .members = 1}};
    b.c.op.kind = kind;
    for (int k = 0; k < DN_OP_MAX_OUT; k++) {
        b.c.alias[k] = -1;
        b.c.terms[k] = 1;
    }
    return b;
}

void op_input(op_base *b, int k, dn_dtype type, dn_shape shape)
{
    b->c.in[k] = (dn_tensor_info){.shape = shape, .dtype = type};
    b->c.op.in[k] = k;
}

void op_step(op_base *b, int k, int value)
{
    op_input(b, k, DN_I32, DN_SHAPE(1));
    b->c.in[k].shared = true;
    OP_GIVE(b, k, value);
}

void op_output(op_base *b, int k, dn_dtype type, dn_shape shape, double terms)
{
    b->c.out[k] = (dn_tensor_info){.shape = shape, .dtype = type};
    b->c.op.out[k] = DN_OP_MAX_IN + k;
    b->c.terms[k] = terms;
}

void op_activation_in(op_base *b, int k, dn_shape shape)
{
    op_input(b, k, DN_F32, shape);
    b->activations |= 1u << k;
}

void op_activation_out(op_base *b, int k, dn_shape shape, double terms)
{
    op_output(b, k, DN_F32, shape, terms);
    b->activations |= 1u << (DN_OP_MAX_IN + k);
}

void op_spoil(op_base *b, int k, int member, int element, float value)
{
    b->c.spoilt_input = k;
    b->c.spoilt_member = member;
    b->c.spoilt_element = element;
    b->c.spoilt = value;
}

const dn_tensor_info *op_case_info(const op_case *c, int k)
{
    return k < DN_OP_MAX_IN ? &c->in[k] : &c->out[k - DN_OP_MAX_IN];
}

bool op_case_is_bf16(const op_case *c)
{
    for (int k = 0; k < OP_OPERANDS; k++)
        if (op_case_info(c, k)->shape.rank > 0 && op_case_info(c, k)->dtype == DN_BF16) return true;
    return false;
}

/* Adds a case, saying how it differs from its base. */
static void append(op_list *to, const op_case *c, const char *text, const char *sharing)
{
    if (to->status == DN_OK) to->status = dn_grow((void **)&to->cases, &to->capacity, to->count, sizeof *to->cases);
    if (to->status != DN_OK) return;
    op_case *added = &to->cases[to->count++];
    *added = *c;
    snprintf(added->label, sizeof added->label, "%s %s%s%s E=%d%s", dn_op_name(c->op.kind), text,
             op_case_is_bf16(c) ? " bf16" : "", c->tf32 ? " tf32" : "", c->members, sharing);
}

void op_add_one(op_list *to, const op_base *b, const char *format, ...)
{
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    append(to, &b->c, text, "");
}

void op_add_joining(op_list *to, const op_base *b, const char *format, ...)
{
    static const int members[] = {1, 2, 3, 5};
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    op_case c = b->c;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        c.members = members[i];
        append(to, &c, text, "");
    }
}

void op_add_once(op_list *to, const op_base *b, const char *format, ...)
{
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    op_case c = b->c;
    c.members = 3;
    for (int k = 0; k < DN_OP_MAX_IN; k++) c.in[k].shared = true;
    for (int k = 0; k < DN_OP_MAX_OUT; k++) c.out[k].shared = true;
    append(to, &c, text, ", all shared");
}

/* Whether members may share input k: its memory is no output's. */
static bool may_share(const op_case *c, int k)
{
    for (int out = 0; out < DN_OP_MAX_OUT; out++)
        if (c->alias[out] == k) return false;
    return c->in[k].shape.rank > 0;
}

/* Shares the inputs first..last-1; @return whether that makes a new case: some input becomes shared, some is not */
static bool share(op_case *c, int first, int last)
{
    bool more = false, own = c->op.kind == DN_OP_INDICES; /* which draws for each member anyway */
    for (int k = 0; k < DN_OP_MAX_IN; k++) {
        if (k >= first && k < last && !c->in[k].shared && may_share(c, k)) c->in[k].shared = more = true;
        own = own || (c->in[k].shape.rank > 0 && !c->in[k].shared);
    }
    return more && own;
}

/* The same for three members: each with operands of its own; sharing the data; sharing all but the data. */
static void append_members(op_list *to, const op_case *alone, const char *text, bool few)
{
    op_case own = *alone;
    own.members = 3;
    append(to, &own, text, "");
    if (few) return;
    op_case shared = own;
    if (share(&shared, 0, 1)) append(to, &shared, text, ", input 0 shared");
    shared = own;
    if (share(&shared, 1, DN_OP_MAX_IN)) append(to, &shared, text, ", others shared");
}

void op_to_bf16(op_base *b)
{
    for (int k = 0; k < OP_OPERANDS; k++)
        if (b->activations >> k & 1) (k < DN_OP_MAX_IN ? &b->c.in[k] : &b->c.out[k - DN_OP_MAX_IN])->dtype = DN_BF16;
}

void op_add(op_list *to, const op_base *b, const char *format, ...)
{
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    append(to, &b->c, text, "");
    append_members(to, &b->c, text, b->few);
    if (b->products) {
        op_case tf32 = b->c;
        tf32.tf32 = true;
        tf32.members = b->few ? 1 : 3;
        append(to, &tf32, text, "");
    }
    if (b->activations) {
        op_base half = *b;
        op_to_bf16(&half);
        append(to, &half.c, text, "");
        if (!b->few) append_members(to, &half.c, text, false);
    }
}

op_case *op_cases(size_t *count)
{
    static op_family *const families[] = {
        op_cases_conv,   op_cases_norm,        op_cases_pool,   op_cases_elementwise, op_cases_layout,
        op_cases_reduce, op_cases_gram,        op_cases_batch,  op_cases_augment,     op_cases_softmax,
        op_cases_losses, op_cases_information, op_cases_update, op_cases_control,
    };
    op_list to = {0};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) families[i](&to);
    *count = to.count;
    if (to.status == DN_OK) return to.cases;
    dn_free(to.cases);
    return NULL;
}
