/* Softmax, losses, and the information between members. */
#include <math.h>

#include "tests/op_cases_list.h"

/* Of the logits, of the labels. SURE: one class is all but certain, where the label may be another; SETTLED: as sure as
 * leaves 1 - p a few digits in f32, and the label is right; FIRST_NAN: row n of
 * the first member has one in class n, so that some row has it in class 0. */
typedef enum content {
    DRAWN,
    MASKED,
    WITH_NAN,
    TIES,
    BAD_LABEL,
    MINUS_INFINITY,
    ALL_MINUS_INFINITY,
    PLUS_INFINITY,
    SURE,
    SETTLED,
    FIRST_NAN,
    CONTENTS
} content;

static const char *const texts[CONTENTS] = {
    "",      " masked", " with a NaN",     " with ties", " with a bad label", " with -inf", " with rows of -inf",
    " +inf", " sure",   " sure and right", " with NaNs"};

/* Content of logits, input k. Masked classes differ from row to row and from member to member. */
static void fill_logits(op_base *b, int k, content holds)
{
    if (holds == MASKED)
        OP_GIVE(b, k, .5, -1e30, 2, -.25, 0, 1.5, -1e30, -1e30, -3, .125, 1, 0, .75, -1e30, -2, 4, .5, -1, 0, -1e30, 1,
                2, -.5);
    if (holds == TIES) OP_GIVE(b, k, 1, 2, 2, 0, 2, 1, 1);
    if (holds == WITH_NAN) op_spoil(b, k, 0, -1, NAN);
    /* Two rows of ten in turn, so that every other member has them the other way round. */
    const double inf = INFINITY;
    if (holds == MINUS_INFINITY)
        OP_GIVE(b, k, .5, -inf, 2, -.25, 0, 1.5, -inf, -inf, -3, .125, -inf, 0, .75, -inf, -2, 4, .5, -inf, 0, -inf);
    if (holds == ALL_MINUS_INFINITY)
        OP_GIVE(b, k, 1, 0, .75, -inf, -2, 4, .5, -1, 0, 2, -inf, -inf, -inf, -inf, -inf, -inf, -inf, -inf, -inf, -inf);
    if (holds == PLUS_INFINITY) op_spoil(b, k, 0, 4, INFINITY);
    if (holds == SURE)
        OP_GIVE(b, k, -30, -29.5, 30, -28, -30, -30, 10, -30, -25, -30, -30, -30, -29, -30, -30, 30, -30, 29, -30, -31);
    if (holds == SETTLED)
        OP_GIVE(b, k, -9, -8.5, 9, -8, -9, -9, -9.5, -9, -7, -9, -9, -9, -8, -9, -9, 9, -9, -7.5, -9, -8.25);
    if (holds == FIRST_NAN) OP_GIVE(b, k, (double)NAN, 1, .5, 2, -1, 1.5, 0, 2, -.5, 3, .25);
}

static void add_labels(op_base *b, int k, content holds, int n, int classes)
{
    b->c.limit = classes;
    op_input(b, k, DN_I32, DN_SHAPE(n));
    if (holds == BAD_LABEL) OP_GIVE(b, k, 0, classes, 0, -1, 0);
    if (holds == MINUS_INFINITY || holds == SETTLED) OP_GIVE(b, k, 2, 5);
    if (holds == FIRST_NAN) OP_GIVE(b, k, 0, 9, 7);
}

static void add_softmax(op_list *to, dn_op_kind kind, int n, int classes, bool in_place, content holds)
{
    const dn_shape z = DN_SHAPE(n, classes);
    op_base b = op_start(kind);
    op_input(&b, 0, DN_F32, z);
    if (kind == DN_OP_SOFTMAX_GRAD || kind == DN_OP_LOG_SOFTMAX_GRAD) op_input(&b, 1, DN_F32, z);
    op_output(&b, 0, DN_F32, z, classes);
    if (in_place) b.c.alias[0] = 0;
    fill_logits(&b, 0, holds);
    op_add(to, &b, "[%d,%d]%s%s", n, classes, in_place ? " in place" : "", texts[holds]);
}

static void add_mask(op_list *to, dn_op_kind kind, int n, int classes, bool in_place)
{
    op_base b = op_start(kind);
    b.c.exact = true;
    b.c.limit = 2;
    op_input(&b, 0, DN_F32, DN_SHAPE(n, classes));
    op_input(&b, 1, DN_U8, DN_SHAPE(classes));
    op_output(&b, 0, DN_F32, DN_SHAPE(n, classes), 1);
    if (in_place) b.c.alias[0] = 0;
    op_add(to, &b, "[%d,%d]%s", n, classes, in_place ? " in place" : "");
}

typedef struct row {
    int n, classes;
} row;

static const row rows[] = {{1, 1}, {3, 2}, {5, 10}, {33, 33}, {130, 7}, {3, 1000}};
enum { ROWS = sizeof rows / sizeof *rows };

void op_cases_softmax(op_list *to)
{
    static const dn_op_kind kinds[] = {DN_OP_SOFTMAX, DN_OP_SOFTMAX_GRAD, DN_OP_LOG_SOFTMAX, DN_OP_LOG_SOFTMAX_GRAD};
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < ROWS; i++) {
            add_softmax(to, kinds[k], rows[i].n, rows[i].classes, false, DRAWN);
            add_softmax(to, kinds[k], rows[i].n, rows[i].classes, true, DRAWN);
        }
        if (k % 2 == 0) {
            static const content contents[] = {MASKED, MINUS_INFINITY, ALL_MINUS_INFINITY, PLUS_INFINITY, SURE};
            for (size_t i = 0; i < sizeof contents / sizeof *contents; i++)
                add_softmax(to, kinds[k], 9, 10, false, contents[i]);
        }
        add_softmax(to, kinds[k], 9, 10, false, WITH_NAN);
    }
    for (int i = 0; i < ROWS; i++)
        for (int in_place = 0; in_place < 2; in_place++) {
            add_mask(to, DN_OP_MASK_LOGITS, rows[i].n, rows[i].classes, in_place);
            add_mask(to, DN_OP_MASK_LOGITS_GRAD, rows[i].n, rows[i].classes, in_place);
        }
}

/* Losses of logits: cross entropy, accuracy, entropy. */
static void add_loss(op_list *to, dn_op_kind kind, int n, int classes, content holds)
{
    op_base b = op_start(kind);
    op_input(&b, 0, DN_F32, DN_SHAPE(n, classes));
    fill_logits(&b, 0, holds);
    if (kind != DN_OP_ENTROPY) add_labels(&b, 1, holds, n, classes);
    op_output(&b, 0, DN_F32, kind == DN_OP_ENTROPY ? DN_SHAPE(n) : DN_SHAPE(1), classes);
    op_add(to, &b, "[%d,%d]%s", n, classes, texts[holds]);
}

static void add_loss_grad(op_list *to, dn_op_kind kind, int n, int classes, content holds)
{
    op_base b = op_start(kind);
    op_input(&b, 0, DN_F32, kind == DN_OP_ENTROPY_GRAD ? DN_SHAPE(n) : DN_SHAPE(1));
    op_input(&b, 1, DN_F32, DN_SHAPE(n, classes));
    fill_logits(&b, 1, holds);
    if (kind == DN_OP_CROSS_ENTROPY_GRAD) add_labels(&b, 2, holds, n, classes);
    op_output(&b, 0, DN_F32, DN_SHAPE(n, classes), classes);
    op_add(to, &b, "[%d,%d]%s", n, classes, texts[holds]);
}

/* Whether this content says something about this loss. */
static bool is_apt(dn_op_kind kind, content holds)
{
    if (holds == BAD_LABEL) return kind != DN_OP_ENTROPY && kind != DN_OP_ENTROPY_GRAD;
    return holds != FIRST_NAN || kind == DN_OP_ACCURACY;
}

void op_cases_losses(op_list *to)
{
    static const dn_op_kind losses[] = {DN_OP_CROSS_ENTROPY, DN_OP_ACCURACY, DN_OP_ENTROPY};
    static const dn_op_kind gradients[] = {DN_OP_CROSS_ENTROPY_GRAD, DN_OP_ENTROPY_GRAD};
    for (int holds = DRAWN; holds < CONTENTS; holds++)
        for (int i = 0; i < (holds == DRAWN ? ROWS : 1); i++) {
            const row v = holds == DRAWN ? rows[i] : (row){9, 10};
            for (int k = 0; k < 3; k++)
                if (is_apt(losses[k], holds)) add_loss(to, losses[k], v.n, v.classes, holds);
            for (int k = 0; k < 2; k++)
                if (is_apt(gradients[k], holds)) add_loss_grad(to, gradients[k], v.n, v.classes, holds);
        }
}

/* @param apart see op_case */
static void add_information(op_list *to, int n, int classes, content holds, double apart)
{
    op_base b = op_start(DN_OP_MUTUAL_INFORMATION), gradient = op_start(DN_OP_MUTUAL_INFORMATION_GRAD);
    b.c.apart = gradient.c.apart = apart;
    op_input(&b, 0, DN_F32, DN_SHAPE(n, classes));
    fill_logits(&b, 0, holds);
    op_output(&b, 0, DN_F32, DN_SHAPE(n), classes);
    b.c.out[0].shared = true;
    op_add_joining(to, &b, "[%d,%d]%s%s", n, classes, texts[holds], apart > 0 ? " close" : "");
    if (holds == SURE) return; /* nothing is left of the gradient but rounding, in double too */
    op_input(&gradient, 0, DN_F32, DN_SHAPE(n));
    gradient.c.in[0].shared = true;
    op_input(&gradient, 1, DN_F32, DN_SHAPE(n, classes));
    fill_logits(&gradient, 1, holds);
    op_output(&gradient, 0, DN_F32, DN_SHAPE(n, classes), classes);
    op_add_joining(to, &gradient, "[%d,%d]%s%s", n, classes, texts[holds], apart > 0 ? " close" : "");
}

void op_cases_information(op_list *to)
{
    for (int i = 0; i < ROWS - 1; i++) add_information(to, rows[i].n, rows[i].classes, DRAWN, 0);
    add_information(to, 2, 300, DRAWN, 0);
    static const content contents[] = {MASKED,        WITH_NAN, MINUS_INFINITY, ALL_MINUS_INFINITY,
                                       PLUS_INFINITY, SURE,     SETTLED};
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) add_information(to, 9, 10, contents[i], 0);
    add_information(to, 9, 10, DRAWN, 1e-3);
    add_information(to, 5, 40, DRAWN, 1e-3);
}
