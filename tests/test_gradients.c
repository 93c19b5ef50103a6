/* Every op with a gradient, in every variant, against central differences. */
#include <string.h>

#include "tests/gradient_cases_math.h"
#include "tests/gradient_cases_network.h"

enum {
    NETWORK_CASES = sizeof network_cases / sizeof *network_cases,
    MATH_CASES = sizeof math_cases / sizeof *math_cases
};

Test(gradients, networks)
{
    check_cases(network_cases, NETWORK_CASES);
}

Test(gradients, math)
{
    check_cases(math_cases, MATH_CASES);
}

/* Marks the ops that the gradient passed through, and those that computed it. */
static void mark_ops(const dn_program *p, size_t forward_ops, bool *through, bool *by)
{
    for (size_t i = 0; i < p->n_ops; i++) {
        const dn_op *op = &p->ops[i];
        if (i >= forward_ops) {
            by[op->kind] = true;
            continue;
        }
        bool wants = false, reached = false;
        for (int k = 0; k < DN_OP_MAX_IN; k++) wants |= op->in[k] >= 0 && p->tensors[op->in[k]].wants_gradient;
        for (int k = 0; k < DN_OP_MAX_OUT; k++) reached |= op->out[k] >= 0 && p->tensors[op->out[k]].gradient >= 0;
        if (wants && reached) through[op->kind] = true;
    }
}

/* Whether the op's rule is the one that refuses. */
static bool has_no_gradient(dn_op_kind kind)
{
    dn_params *store = NULL;
    cr_assert_eq(dn_params_new(&store, &(dn_params_options){.members = 1, .dtype = DN_F64}), DN_OK);
    dn_program *p = dn_program_new(store, NULL);
    const dn_op op = dn__op(kind, NULL, 0);
    dn__gradient_rule(kind)(p, &op);
    const bool refused = p->status == DN_ERROR_UNSUPPORTED && strstr(p->error, "is not defined") != NULL;
    dn_program_close(p);
    dn_params_close(store);
    return refused;
}

/* An op without cases here must be one that refuses to be differentiated. */
Test(gradients, every_op_with_a_gradient_has_a_case)
{
    bool through[DN_OP_COUNT] = {0}, by[DN_OP_COUNT] = {0};
    for (size_t i = 0; i < NETWORK_CASES + MATH_CASES; i++) {
        probe b;
        open_probe(&b, i < NETWORK_CASES ? &network_cases[i] : &math_cases[i - NETWORK_CASES], 3);
        mark_ops(b.p, b.forward_ops, through, by);
        close_probe(&b);
    }
    for (int kind = 0; kind < DN_OP_COUNT; kind++) {
        const char *name = dn_op_name((dn_op_kind)kind), *tail = strstr(name, "_grad");
        if (!through[kind])
            cr_expect(has_no_gradient((dn_op_kind)kind), "'%s' has a gradient but no case here checks it", name);
        if (tail && strcmp(tail, "_grad") == 0) cr_expect(by[kind], "'%s' is computed by no case here", name);
    }
}
