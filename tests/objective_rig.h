/** A training program on the reference device, run op by op, for tests of what it computes. */
#ifndef DN_TESTS_OBJECTIVE_RIG_H
#define DN_TESTS_OBJECTIVE_RIG_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "apps/objective.h"
#include "core/alloc.h"
#include "core/executor.h"
#include "core/graph.h"
#include "core/random.h"

enum { SIDE = 8, CLASSES = 10, ITEMS = 90 };

typedef struct rig {
    dn_device *device;
    dn_dataset *set;
    dn_network *network;
    dn_objective objective;
    dn_executor *ex;
    dn_program *p;
    int next; /* the op whose turn it is */
} rig;

/** Item i is of class i mod 10; its pixels are noise that begins with the item's number. */
static inline dn_dataset *make_set(void)
{
    dn_random_sequence r = {.seed = 4};
    dn_dataset *set = dn_calloc(1, sizeof *set);
    *set = (dn_dataset){.n = ITEMS, .height = SIDE, .width = SIDE, .channels = 1, .type = DN_U8, .classes = CLASSES};
    set->name = dn_strdup("test");
    uint8_t *images = dn_calloc(ITEMS, SIDE * SIDE);
    set->labels = dn_calloc(ITEMS, sizeof *set->labels);
    for (int i = 0; i < ITEMS * SIDE * SIDE; i++) images[i] = (uint8_t)dn_random_next_below(&r, 256);
    for (int i = 0; i < ITEMS; i++) {
        images[i * SIDE * SIDE] = (uint8_t)i;
        set->labels[i] = i % CLASSES;
    }
    set->images = images;
    return set;
}

/** @param rest the recipe after data and model */
static inline rig open_objective(const char *rest)
{
    rig r = {0};
    dn_recipe *recipe = NULL;
    char yaml[2048];
    snprintf(yaml, sizeof yaml, "data: {train: a, test: b}\nmodel: {name: glyph_net, width: 4}\n%s", rest);
    cr_assert_eq(dn_recipe_parse(&recipe, yaml, "test", NULL, 0), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_device_open(&r.device, "ref", NULL), DN_OK);
    r.set = make_set();
    cr_assert_eq(dn_network_new(&r.network, recipe, r.device, r.set), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_objective_place(&r.objective, &r.ex, r.network, r.set, NULL), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_objective_load(&r.objective, r.ex, r.network, r.set), DN_OK, "%s", dn_error_last());
    r.p = r.objective.program;
    return r;
}

static inline void close_objective(rig *r)
{
    dn_executor_close(r->ex);
    dn_objective_close(&r->objective);
    dn_network_close(r->network);
    dn_dataset_close(r->set);
    dn_device_close(r->device);
}

static inline int copies_of(const rig *r, int tensor)
{
    return r->p->tensors[tensor].shared ? 1 : r->p->members;
}

/** @return all copies of a tensor of 4-byte elements, at the moment; free with dn_free() */
static inline void *read_tensor(const rig *r, int tensor)
{
    const size_t bytes = dn__bytes(&r->p->tensors[tensor]) * (size_t)copies_of(r, tensor);
    void *data = dn_calloc(bytes, 1);
    cr_assert_eq(dn_executor_read(r->ex, (dn_tensor){tensor}, data, bytes), DN_OK, "%s", dn_error_last());
    return data;
}

/** The first element of member e's copy. */
static inline double read_number(const rig *r, int tensor, int e)
{
    float *values = read_tensor(r, tensor);
    const size_t each = (size_t)dn_shape_count(&r->p->tensors[tensor].shape);
    const double value = values[copies_of(r, tensor) == 1 ? 0 : (size_t)e * each];
    dn_free(values);
    return value;
}

/** @return the op number `nth` (from 0) of a kind */
static inline int find_op(const rig *r, dn_op_kind kind, int nth)
{
    for (size_t i = 0; i < r->p->n_ops; i++)
        if (r->p->ops[i].kind == kind && nth-- == 0) return (int)i;
    cr_assert_fail("there is no such op: %s", dn_op_name(kind));
    return -1;
}

static inline int count_ops(const rig *r, dn_op_kind kind)
{
    int count = 0;
    for (size_t i = 0; i < r->p->n_ops; i++) count += r->p->ops[i].kind == kind;
    return count;
}

static inline void run_op(const rig *r, int op)
{
    cr_assert_eq(dn_executor_run_op(r->ex, op, 1), DN_OK, "%s", dn_error_last());
}

/** Runs the step on, until it is the turn of `op`. Every op runs once: batch norm moves its statistics each time. */
static inline void run_until(rig *r, int op)
{
    for (; r->next < op; r->next++) run_op(r, r->next);
}

/** Starts a step. */
static inline void set_step(rig *r, int32_t step)
{
    r->next = 0;
    cr_assert_eq(dn_executor_write(r->ex, r->objective.step, &step, sizeof step), DN_OK, "%s", dn_error_last());
}

/* ---- what the losses should be, in double, from logits [E,N,C] ---- */

/** ln softmax of a row over its first `used` columns. */
static inline void log_softmax(double *to, const float *logits, int used)
{
    double most = -INFINITY, sum = 0.0;
    for (int c = 0; c < used; c++) most = fmax(most, logits[c]);
    for (int c = 0; c < used; c++) sum += exp(logits[c] - most);
    for (int c = 0; c < used; c++) to[c] = logits[c] - most - log(sum);
}

static inline double cross_entropy(const float *logits, const int32_t *labels, int rows, int columns, int used)
{
    double sum = 0.0, lp[64];
    for (int i = 0; i < rows; i++) {
        log_softmax(lp, logits + i * columns, used);
        sum -= lp[labels[i]];
    }
    return sum / rows;
}

static inline double mean_entropy(const float *logits, int rows, int columns, int used)
{
    double sum = 0.0, lp[64];
    for (int i = 0; i < rows; i++) {
        log_softmax(lp, logits + i * columns, used);
        for (int c = 0; c < used; c++) sum -= exp(lp[c]) * lp[c];
    }
    return sum / rows;
}

/** Mean over rows of H(mean p) - mean H(p). */
static inline double mutual_information(const float *logits, int members, int rows, int columns)
{
    double sum = 0.0, lp[64], p[64];
    for (int i = 0; i < rows; i++) {
        for (int c = 0; c < columns; c++) p[c] = 0.0;
        for (int e = 0; e < members; e++) {
            log_softmax(lp, logits + (e * rows + i) * columns, columns);
            for (int c = 0; c < columns; c++) {
                p[c] += exp(lp[c]) / members;
                sum += exp(lp[c]) * lp[c] / members;
            }
        }
        for (int c = 0; c < columns; c++) sum -= p[c] * log(p[c]);
    }
    return sum / rows;
}

#define NEAR(found, expected, tolerance) \
    cr_expect(fabs((found) - (expected)) <= (tolerance), "%.9g instead of %.9g", (double)(found), (double)(expected))

#endif
