/** Gradients against central differences, on the reference backend in double.
 *
 * A case builds a loss from leaves; check_case() perturbs every element of every leaf, in every member's copy. */
#ifndef DN_TESTS_GRADIENT_CHECK_H
#define DN_TESTS_GRADIENT_CHECK_H

#include <criterion/criterion.h>
#include <math.h>

#include "core/alloc.h"
#include "core/executor.h"
#include "core/graph.h"
#include "core/ops.h"
#include "core/random.h"

typedef enum leaf_kind { OWN_PARAMETER, OWN_INPUT, SHARED_INPUT } leaf_kind;

typedef struct leaf {
    dn_tensor t, gradient;
    int copies;     /* E or 1 */
    int64_t count;  /* of one copy */
    double factor;  /* what the gradient must be, relative to the derivative: gates */
    double *values; /* [copies, count] */
} leaf;

enum { MOST_LEAVES = 8, MOST_WRITES = 8 };

typedef struct probe {
    dn_params *store;
    dn_program *p;
    int members;
    leaf leaves[MOST_LEAVES];
    int n_leaves;
    struct {
        dn_tensor t;
        void *data;
        size_t bytes;
    } writes[MOST_WRITES];
    int n_writes;
    dn_random_sequence random;
    dn_tensor loss;
    size_t forward_ops;
} probe;

typedef struct gradient_case {
    const char *name;
    dn_tensor (*build)(probe *b, const int *options); /* @return the loss [1] */
    int options[10];
} gradient_case;

static inline double *random_values(probe *b, size_t count, double shift)
{
    double *values = dn_calloc(count, sizeof *values);
    for (size_t i = 0; i < count; i++) values[i] = shift + (double)dn_random_next_normal(&b->random);
    return values;
}

/** A tensor with random values, with respect to which the loss is differentiated. */
static inline dn_tensor add_leaf(probe *b, leaf_kind kind, dn_shape shape)
{
    char name[16];
    snprintf(name, sizeof name, "leaf%d", b->n_leaves);
    leaf *l = &b->leaves[b->n_leaves++];
    l->copies = kind == SHARED_INPUT ? 1 : b->members;
    l->count = dn_shape_count(&shape);
    l->factor = 1.0;
    l->values = random_values(b, (size_t)(l->copies * l->count), 0.0);
    for (int64_t i = 0; i < l->copies * l->count; i++) l->values[i] += copysign(0.01, l->values[i]); /* relu's kink */
    if (kind == OWN_PARAMETER)
        l->t = dn_parameter(b->p, name, shape, (dn_init){0});
    else
        l->t = dn_want_gradient(b->p, dn_input(b->p, name, DN_F64, shape, kind == SHARED_INPUT));
    return l->t;
}

/** Values that are written to `t` before the program runs. @param data on the heap, taken over */
static inline void write_later(probe *b, dn_tensor t, void *data, size_t bytes)
{
    b->writes[b->n_writes].t = t;
    b->writes[b->n_writes].data = data;
    b->writes[b->n_writes++].bytes = bytes;
}

/** The sum of y's elements, each times a random weight of its own -> [1] */
static inline dn_tensor weighted_sum(probe *b, dn_tensor y)
{
    const dn_shape shape = dn_shape_of(b->p, y);
    const int64_t count = dn_shape_count(&shape);
    const bool shared = dn_is_shared(b->p, y);
    double *weights = random_values(b, (size_t)(count * (shared ? 1 : b->members)), 0.0);
    const dn_tensor w = dn_constant(b->p, "weights", DN_SHAPE(1, count), shared, weights);
    dn_free(weights);
    return dn_reshape(b->p, dn_linear(b->p, dn_reshape(b->p, y, DN_SHAPE(1, count)), w, DN_NONE, false), DN_SHAPE(1));
}

static inline void open_probe(probe *b, const gradient_case *c, int members)
{
    *b = (probe){.members = members, .random = {.seed = 8, .purpose = (uint32_t)members}};
    const dn_params_options options = {.members = members, .dtype = DN_F64, .seed = 11, .first_member = 2};
    cr_assert_eq(dn_params_new(&b->store, &options), DN_OK);
    b->p = dn_program_new(b->store, &(dn_program_options){.name = c->name});
    b->loss = dn_keep(b->p, c->build(b, c->options));
    b->forward_ops = b->p->n_ops;
    dn_differentiate(b->p, b->loss);
    for (int i = 0; i < b->n_leaves; i++) {
        b->leaves[i].gradient = dn_gradient(b->p, b->leaves[i].t);
        if (!dn_is_none(b->leaves[i].gradient)) dn_keep(b->p, b->leaves[i].gradient);
    }
    cr_assert_eq(dn_program_seal(b->p), DN_OK, "%s: %s", c->name, dn_error_last());
}

static inline void close_probe(probe *b)
{
    for (int i = 0; i < b->n_leaves; i++) dn_free(b->leaves[i].values);
    for (int i = 0; i < b->n_writes; i++) dn_free(b->writes[i].data);
    dn_program_close(b->p);
    dn_params_close(b->store);
}

static inline void write_leaf(dn_executor *ex, const leaf *l)
{
    const size_t bytes = (size_t)(l->copies * l->count) * sizeof(double);
    cr_assert_eq(dn_executor_write(ex, l->t, l->values, bytes), DN_OK, "%s", dn_error_last());
}

/** The loss, summed over members. */
static inline double run_loss(dn_executor *ex, const probe *b)
{
    double losses[8], sum = 0.0;
    const int copies = dn_is_shared(b->p, b->loss) ? 1 : b->members;
    cr_assert_eq(dn_executor_run(ex, 1), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_executor_read(ex, b->loss, losses, (size_t)copies * sizeof *losses), DN_OK, "%s", dn_error_last());
    for (int i = 0; i < copies; i++) sum += losses[i];
    return sum;
}

/** The derivative by element i, of fourth order in the step. */
static inline double derivative(dn_executor *ex, const probe *b, const leaf *l, int64_t i)
{
    const double h = 2e-4, x = l->values[i];
    double f[5];
    for (int k = 0; k < 5; k++) {
        l->values[i] = x + (k - 2) * h;
        write_leaf(ex, l);
        f[k] = k == 2 ? 0.0 : run_loss(ex, b);
    }
    l->values[i] = x;
    write_leaf(ex, l);
    return (8.0 * (f[3] - f[1]) - (f[4] - f[0])) / (12.0 * h);
}

/** @return the largest difference over all elements of a leaf, relative to its largest derivative */
static inline double leaf_error(dn_executor *ex, const probe *b, const leaf *l)
{
    const size_t count = (size_t)(l->copies * l->count), bytes = count * sizeof(double);
    double *got = dn_calloc(count, sizeof *got), worst = 0.0, largest = 1e-3;
    run_loss(ex, b);
    if (!dn_is_none(l->gradient))
        cr_assert_eq(dn_executor_read(ex, l->gradient, got, bytes), DN_OK, "%s", dn_error_last());
    for (size_t i = 0; i < count; i++) {
        const double want = derivative(ex, b, l, (int64_t)i);
        worst = fmax(worst, fabs(got[i] - l->factor * want));
        if (isnan(got[i]) || isnan(want)) worst = INFINITY;
        largest = fmax(largest, fabs(want));
    }
    dn_free(got);
    return worst / largest;
}

static inline void check_case(const gradient_case *c, int members)
{
    const double tolerance = 1e-8; /* rounding: 2^-53 * loss / h, about 1e-11; the step's own error is h^4 */
    probe b;
    dn_device *device = NULL;
    dn_executor *ex = NULL;
    open_probe(&b, c, members);
    cr_assert_eq(dn_device_open(&device, "ref", NULL), DN_OK);
    cr_assert_eq(dn_executor_open(&ex, b.p, device), DN_OK, "%s", dn_error_last());
    for (int i = 0; i < b.n_leaves; i++) write_leaf(ex, &b.leaves[i]);
    for (int i = 0; i < b.n_writes; i++)
        cr_assert_eq(dn_executor_write(ex, b.writes[i].t, b.writes[i].data, b.writes[i].bytes), DN_OK, "%s",
                     dn_error_last());
    for (int i = 0; i < b.n_leaves; i++) {
        const double error = leaf_error(ex, &b, &b.leaves[i]);
        cr_expect_lt(error, tolerance, "%s, %d members, leaf %d: error %g", c->name, members, i, error);
    }
    dn_executor_close(ex);
    close_probe(&b);
    dn_device_close(device);
}

/** Every case with one member and with three. */
static inline void check_cases(const gradient_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_case(&cases[i], 1);
        check_case(&cases[i], 3);
    }
}

#endif
