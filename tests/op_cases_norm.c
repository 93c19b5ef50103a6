/* Batch normalization and pooling. */
#include <math.h>

#include "tests/op_cases_list.h"

typedef enum wanted { ALL_GRADIENTS, ONLY_DATA, ONLY_PARAMETERS } wanted; /* outputs of a gradient op */

/* Rounded terms of a result: the rows of a sum, and what is done to each element afterwards. */
static double norm_terms(int rows)
{
    return rows + 8;
}

/* Few rows whose drawn values lie close together would have a variance that is all rounding: these are far apart. */
static void spread_rows(op_base *b)
{
    op_given *given = &b->c.given[0];
    enum { NUMBERS = 23 };
    given->count = NUMBERS;
    for (int i = 0; i < NUMBERS; i++) given->numbers[i] = i * 9 % NUMBERS * 3.0 / NUMBERS - 1;
}

static op_base start_norm(dn_op_kind kind, int rows, int channels, bool relu)
{
    op_base b = op_start(kind);
    b.c.op.args.norm.epsilon = 1e-3;
    b.c.op.args.norm.decay = .9;
    b.c.op.args.norm.relu = relu;
    b.c.op.args.norm.unbiased = relu;
    b.c.heavy = (double)rows * channels > 40000;
    op_activation_in(&b, 0, DN_SHAPE(rows, channels));
    return b;
}

static void add_norm(op_list *to, int rows, int channels, bool relu)
{
    const dn_shape x = DN_SHAPE(rows, channels), v = DN_SHAPE(channels);
    for (int i = 0; i < 2; i++) {
        op_base b = start_norm(i == 0 ? DN_OP_BATCH_NORM : DN_OP_BATCH_NORM_INFER, rows, channels, relu);
        for (int k = 1; k <= 4; k++) op_input(&b, k, DN_F32, v);
        op_activation_out(&b, 0, x, norm_terms(rows));
        for (int k = 1; i == 0 && k <= 4; k++) op_output(&b, k, DN_F32, v, norm_terms(rows));
        if (i == 0) b.c.alias[3] = 3, b.c.alias[4] = 4;
        if (rows <= 3) spread_rows(&b);
        op_add(to, &b, "[%d,%d]%s", rows, channels, relu ? " relu" : "");
    }
}

static void add_norm_grad(op_list *to, int rows, int channels, bool relu, wanted outputs, bool in_place)
{
    static const char *const texts[] = {"", " dx", " dgamma dbeta"};
    const dn_shape x = DN_SHAPE(rows, channels), v = DN_SHAPE(channels);
    for (int i = 0; i < 2; i++) {
        op_base b = start_norm(i == 0 ? DN_OP_BATCH_NORM_GRAD : DN_OP_BATCH_NORM_INFER_GRAD, rows, channels, relu);
        op_activation_in(&b, 1, x);
        for (int k = 2; k <= 5; k++) op_input(&b, k, DN_F32, v);
        if (outputs != ONLY_PARAMETERS) op_activation_out(&b, 0, x, norm_terms(rows));
        if (in_place) b.c.alias[0] = 0;
        for (int k = 1; outputs != ONLY_DATA && k <= 2; k++) op_output(&b, k, DN_F32, v, norm_terms(rows));
        op_add(to, &b, "[%d,%d]%s%s%s", rows, channels, relu ? " relu" : "", texts[outputs],
               in_place ? " in place" : "");
    }
}

void op_cases_norm(op_list *to)
{
    typedef struct norm_row {
        int rows, channels;
        bool relu;
    } norm_row;
    static const norm_row rows[] = {{2, 1, false},    {1, 3, true},    {37, 5, true},     {3, 200, false},
                                    {300, 16, true},  {512, 64, true}, {4096, 32, false}, {20, 2049, true},
                                    {1500, 3, false}, {560, 32, true}, {520, 64, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        add_norm(to, rows[i].rows, rows[i].channels, rows[i].relu);
        add_norm_grad(to, rows[i].rows, rows[i].channels, rows[i].relu, ALL_GRADIENTS, i % 2 == 0);
    }
    add_norm_grad(to, 21, 17, true, ONLY_DATA, false);
    add_norm_grad(to, 21, 16, false, ONLY_DATA, true);
    add_norm_grad(to, 21, 17, true, ONLY_PARAMETERS, false);
}

typedef struct pool_row {
    int n, h, w, c, rows, columns, stride, padding;
} pool_row;

static const pool_row pool_rows[] = {{2, 4, 4, 3, 2, 2, 2, 0},   {1, 1, 1, 1, 1, 1, 1, 0}, {3, 7, 5, 65, 3, 3, 2, 1},
                                     {2, 8, 8, 64, 8, 8, 8, 0},  {2, 5, 5, 7, 2, 2, 2, 0}, {4, 32, 32, 32, 2, 2, 2, 0},
                                     {2, 6, 6, 130, 3, 3, 1, 1}, {1, 9, 9, 4, 2, 2, 3, 0}, {2, 3, 3, 16, 2, 2, 2, 1},
                                     {3, 5, 9, 8, 2, 3, 1, 0},   {2, 4, 4, 9, 4, 4, 1, 0}, {5, 6, 6, 24, 2, 2, 2, 0},
                                     {3, 6, 7, 16, 1, 1, 2, 0}};

/* @param place of what is spoilt, -1: the last */
static void add_pool(op_list *to, const pool_row *v, int which, float spoilt, int place)
{
    static const dn_op_kind kinds[] = {DN_OP_MAX_POOL, DN_OP_MAX_POOL_GRAD, DN_OP_AVERAGE_POOL,
                                       DN_OP_AVERAGE_POOL_GRAD};
    const int p = (v->h + 2 * v->padding - v->rows) / v->stride + 1;
    const int q = (v->w + 2 * v->padding - v->columns) / v->stride + 1;
    const dn_shape x = DN_SHAPE(v->n, v->h, v->w, v->c), y = DN_SHAPE(v->n, p, q, v->c);
    op_base b = op_start(kinds[which]);
    b.c.op.args.pool.kernel[0] = v->rows;
    b.c.op.args.pool.kernel[1] = v->columns;
    b.c.op.args.pool.stride = v->stride;
    b.c.op.args.pool.padding = v->padding;
    b.c.limit = v->rows * v->columns;
    b.c.heavy = (double)v->n * v->h * v->w * v->c > 30000;
    op_activation_in(&b, 0, which % 2 ? y : x);
    if (which == 1) op_input(&b, 1, DN_U8, y);
    op_activation_out(&b, 0, which % 2 ? x : y, (double)v->rows * v->columns);
    if (which == 0) op_output(&b, 1, DN_U8, y, 1);
    b.c.exact = which == 0;
    if (spoilt != 0) op_spoil(&b, 0, 0, place, spoilt);
    if (spoilt == 0 && place >= 0) /* NaNs in all places of a window, also several; ties, of zeros too */
        OP_GIVE(&b, 0, .5, -1, (double)NAN, 2, -INFINITY, 2, .25, 0, -0.0, -1, -INFINITY, (double)NAN, 2, 0, -3, 1, 1);
    op_add(to, &b, "[%d,%d,%d,%d] %dx%d /%d+%d%s", v->n, v->h, v->w, v->c, v->rows, v->columns, v->stride, v->padding,
           spoilt != 0  ? " spoilt"
           : place >= 0 ? " given"
                        : "");
}

void op_cases_pool(op_list *to)
{
    for (int which = 0; which < 4; which++) {
        for (size_t i = 0; i < sizeof pool_rows / sizeof *pool_rows; i++) add_pool(to, &pool_rows[i], which, 0, -1);
        add_pool(to, &pool_rows[0], which, NAN, -1);
        if (which == 0) add_pool(to, &pool_rows[0], which, -INFINITY, -1);
        if (which == 0) add_pool(to, &pool_rows[1], which, -INFINITY, -1); /* all that a window has */
    }
    /* The first window's taps, and windows that share pixels. */
    for (int tap = 0; tap < 3; tap++) add_pool(to, &pool_rows[0], 0, NAN, tap % 2 * 3 + tap / 2 * 12);
    static const int shared[] = {0, 3, 6, 8, 9};
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) add_pool(to, &pool_rows[shared[i]], 0, 0, 0);
}
