/* Ops on each element by itself, and those that move elements. */
#include <math.h>

#include "tests/op_cases_list.h"

typedef enum content { DRAWN, WITH_NAN, WITH_INFINITY, CONTENTS } content;

static bool has_second(dn_op_kind kind)
{
    return kind == DN_OP_RELU_GRAD || kind == DN_OP_CLAMP_GRAD || kind == DN_OP_ADD;
}

static void add_elementwise(op_list *to, dn_op_kind kind, int n, bool in_place, content holds)
{
    static const char *const texts[CONTENTS] = {"", " with a NaN", " with an infinity"};
    op_base b = op_start(kind);
    b.c.exact = true;
    b.c.heavy = n > 10000;
    op_activation_in(&b, 0, DN_SHAPE(n));
    if (has_second(kind)) op_activation_in(&b, 1, DN_SHAPE(n));
    if (kind == DN_OP_SCALE && n != 127) op_input(&b, 1, DN_F32, DN_SHAPE(1));
    if (kind == DN_OP_DROPOUT) {
        op_step(&b, 1, 5);
        b.c.op.args.random.stream = 9;
        b.c.op.args.random.rate = n == 127 ? .999f : .3f;
    } else {
        b.c.op.args.scalar.factor = 1.7;
        b.c.op.args.scalar.low = -.5;
        b.c.op.args.scalar.high = .25;
    }
    op_activation_out(&b, 0, DN_SHAPE(n), 1);
    if (in_place) b.c.alias[0] = 0;
    if (holds != DRAWN)
        op_spoil(&b, has_second(kind) ? 1 : 0, 0, -1, holds == WITH_NAN ? (float)NAN : (float)-INFINITY);
    op_add(to, &b, "[%d]%s%s", n, in_place ? " in place" : "", texts[holds]);
}

/* Values at the bounds of clamp, of relu, and zeros of both signs. */
static void add_bounds(op_list *to, dn_op_kind kind)
{
    op_base b = op_start(kind);
    b.c.exact = true;
    op_activation_in(&b, 0, DN_SHAPE(9));
    if (has_second(kind)) op_activation_in(&b, 1, DN_SHAPE(9));
    OP_GIVE(&b, has_second(kind) ? 1 : 0, -.5, .25, 0, -0.0, .251953125, -.50390625, 1e-38);
    b.c.op.args.scalar.low = -.5;
    b.c.op.args.scalar.high = .25;
    op_activation_out(&b, 0, DN_SHAPE(9), 1);
    op_add(to, &b, "[9] at the bounds");
}

static void add_cast(op_list *to, dn_dtype from, dn_dtype type, int n, bool special)
{
    op_base b = op_start(DN_OP_CAST);
    b.c.exact = true;
    op_input(&b, 0, from, DN_SHAPE(n));
    op_output(&b, 0, type, DN_SHAPE(n), 1);
    /* Ties to even both ways, next to ties, the largest numbers, subnormals, infinities, NaN. */
    if (special)
        OP_GIVE(&b, 0, 1 + 0x1p-8, 1 + 3 * 0x1p-8, 1 + 0x1p-8 + 0x1p-23, 1 + 0x1p-8 - 0x1p-23, -1 - 0x1p-8, 0, -0.0,
                0x1.fep127, 0x1.fffffep127, -0x1.fffffep127, 0x1p-126, 0x1p-133, 0x1.8p-134, 0x1p-149, INFINITY,
                -INFINITY, (double)NAN, 1.0 / 3);
    op_add(to, &b, "%s -> %s [%d]%s", dn_dtype_name(from), dn_dtype_name(type), n, special ? " special" : "");
}

void op_cases_elementwise(op_list *to)
{
    static const dn_op_kind kinds[] = {DN_OP_RELU,  DN_OP_RELU_GRAD,  DN_OP_ADD,     DN_OP_SCALE,
                                       DN_OP_CLAMP, DN_OP_CLAMP_GRAD, DN_OP_DROPOUT, DN_OP_COPY};
    static const int counts[] = {1, 4, 7, 8, 127, 1028, 2056, 40000}; /* whole packs: of 4, of 8, beyond a block */
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
            add_elementwise(to, kinds[i], counts[k], false, DRAWN);
            if (kinds[i] != DN_OP_COPY) add_elementwise(to, kinds[i], counts[k], true, DRAWN);
        }
        add_elementwise(to, kinds[i], 130, false, WITH_NAN);
        add_elementwise(to, kinds[i], 130, false, WITH_INFINITY);
        if (kinds[i] >= DN_OP_RELU && kinds[i] <= DN_OP_CLAMP_GRAD) add_bounds(to, kinds[i]);
    }
    static const dn_dtype types[] = {DN_F32, DN_BF16};
    for (int from = 0; from < 2; from++)
        for (int type = 0; type < 2; type++) {
            static const int lengths[] = {1, 3, 4, 5, 8, 9, 1028, 1032, 1037, 2056};
            for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
                add_cast(to, types[from], types[type], lengths[i], false);
            add_cast(to, types[from], types[type], 20, true);
            add_cast(to, types[from], types[type], 18, true);
        }
}

/* x [rows,first], y [rows,second] <-> [rows,first+second], and second of first+second+rest channels taken out and put
 * back. */
static void add_channels(op_list *to, int rows, int first, int second, int rest)
{
    const int all = first + second + rest;
    op_base concat = op_start(DN_OP_CONCAT), slice = op_start(DN_OP_SLICE), embed = op_start(DN_OP_EMBED);
    concat.c.exact = slice.c.exact = embed.c.exact = true;
    op_activation_in(&concat, 0, DN_SHAPE(rows, first));
    op_activation_in(&concat, 1, DN_SHAPE(rows, second));
    op_activation_out(&concat, 0, DN_SHAPE(rows, first + second), 1);
    if (first > 0) op_add(to, &concat, "[%d,%d] and [%d,%d]", rows, first, rows, second);
    slice.c.op.args.slice.first = embed.c.op.args.slice.first = first;
    slice.c.op.args.slice.count = embed.c.op.args.slice.count = second;
    op_activation_in(&slice, 0, DN_SHAPE(rows, all));
    op_activation_out(&slice, 0, DN_SHAPE(rows, second), 1);
    op_add(to, &slice, "[%d,%d] from %d, %d", rows, all, first, second);
    op_activation_in(&embed, 0, DN_SHAPE(rows, second));
    op_activation_out(&embed, 0, DN_SHAPE(rows, all), 1);
    op_add(to, &embed, "[%d,%d] from %d, %d", rows, all, first, second);
}

static void add_fill(op_list *to, int n, double value)
{
    op_base b = op_start(DN_OP_FILL);
    b.c.exact = true;
    b.c.op.args.scalar.factor = value;
    op_activation_out(&b, 0, DN_SHAPE(n), 1);
    op_add(to, &b, "[%d] with %g", n, value);
}

static void add_select(op_list *to, int n, double first, double second)
{
    op_base b = op_start(DN_OP_SELECT);
    b.c.exact = true;
    op_input(&b, 0, DN_F32, DN_SHAPE(1));
    OP_GIVE(&b, 0, first, second, first);
    op_activation_in(&b, 1, DN_SHAPE(n));
    op_activation_in(&b, 2, DN_SHAPE(n));
    op_activation_out(&b, 0, DN_SHAPE(n), 1);
    op_add(to, &b, "[%d] by %g, %g", n, first, second);
}

void op_cases_layout(op_list *to)
{
    add_channels(to, 1, 1, 1, 3);
    add_channels(to, 35, 3, 7, 3);
    add_channels(to, 130, 8, 16, 3);
    add_channels(to, 3, 300, 41, 3);
    /* Multiples of 16 bytes all over, in f32 or in bf16 or in both; then all but one thing, which is the offset (f32,
     * bf16) or the width of what is put into wider rows (f32, bf16). */
    add_channels(to, 37, 8, 16, 8);
    add_channels(to, 37, 2, 4, 2);
    add_channels(to, 37, 4, 8, 4);
    add_channels(to, 37, 0, 6, 2);
    add_channels(to, 37, 0, 12, 4);
    add_channels(to, 37, 2, 6, 0);
    add_channels(to, 37, 4, 12, 0);
    add_fill(to, 1, 1);
    add_fill(to, 1037, -1.0 / 3);
    add_select(to, 1, 1, 0);
    add_select(to, 1037, 0, .75);
    add_select(to, 131, .5, 1); /* half is not more than half */
}

typedef struct reduce_row {
    dn_shape x;
    int axis;
} reduce_row;

static void add_reduce(op_list *to, const reduce_row *v)
{
    op_base sum = op_start(DN_OP_REDUCE), spread = op_start(DN_OP_BROADCAST);
    dn_shape y = {.rank = 0};
    double terms = 1;
    for (int i = 0; i < v->x.rank; i++)
        if (v->axis >= 0 && i != v->axis)
            y.dim[y.rank++] = v->x.dim[i];
        else
            terms *= (double)v->x.dim[i];
    if (y.rank == 0) y = DN_SHAPE(1);
    sum.c.op.args.reduce.axis = spread.c.op.args.reduce.axis = v->axis;
    sum.c.op.args.reduce.factor = spread.c.op.args.reduce.factor = 1 / terms;
    char text[64];
    op_input(&sum, 0, DN_F32, v->x);
    op_output(&sum, 0, DN_F32, y, terms);
    op_add(to, &sum, "%s axis %d", dn_shape_text(&v->x, text), v->axis);
    op_input(&spread, 0, DN_F32, y);
    op_output(&spread, 0, DN_F32, v->x, 1);
    op_add(to, &spread, "%s axis %d", dn_shape_text(&v->x, text), v->axis);
}

static void add_members(op_list *to, int n)
{
    op_base sum = op_start(DN_OP_SUM_MEMBERS), spread = op_start(DN_OP_SPREAD_MEMBERS);
    sum.c.op.args.scalar.factor = 1.0 / 3;
    spread.c.op.args.scalar.factor = 1.0 / 3;
    op_input(&sum, 0, DN_F32, DN_SHAPE(n));
    op_output(&sum, 0, DN_F32, DN_SHAPE(n), 5);
    sum.c.out[0].shared = true;
    op_add_joining(to, &sum, "[%d]", n);
    op_input(&spread, 0, DN_F32, DN_SHAPE(n));
    spread.c.in[0].shared = true;
    op_output(&spread, 0, DN_F32, DN_SHAPE(n), 1);
    op_add(to, &spread, "[%d]", n);
}

/* Tiles cut off on one side and on both, one part of the rows and several. Elements of the diagonal, which do not
 * cancel, and with them their errors are up to sqrt(columns) times the rms. */
static void add_gram(op_list *to, int rows, int columns, float spoilt)
{
    op_base b = op_start(DN_OP_GRAM);
    op_input(&b, 0, DN_F64, DN_SHAPE(rows, columns));
    op_output(&b, 0, DN_F64, DN_SHAPE(columns, columns), (double)rows * columns);
    if (spoilt != 0) op_spoil(&b, 0, 0, -1, spoilt);
    op_add(to, &b, "[%d,%d]%s", rows, columns, spoilt != 0 ? " spoilt" : "");
    if (spoilt == 0) op_add_once(to, &b, "[%d,%d]", rows, columns);
}

void op_cases_gram(op_list *to)
{
    static const int sizes[][2] = {{1, 1},  {3, 5},   {16, 64},  {64, 64},  {65, 63},
                                   {7, 65}, {129, 3}, {300, 17}, {131, 130}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) add_gram(to, sizes[i][0], sizes[i][1], 0);
    add_gram(to, 70, 66, NAN);
    add_gram(to, 70, 66, INFINITY);
}

void op_cases_reduce(op_list *to)
{
    static const reduce_row rows[] = {
        {{1, {1}}, 0},         {{1, {1000}}, 0},       {{1, {1000}}, -1},       {{2, {37, 5}}, 0},
        {{2, {37, 5}}, 1},     {{2, {3, 700}}, 0},     {{2, {3, 700}}, 1},      {{3, {5, 33, 9}}, 1},
        {{3, {5, 33, 9}}, 2},  {{4, {2, 6, 5, 8}}, 2}, {{4, {2, 6, 5, 8}}, -1}, {{2, {200, 40}}, -1},
        {{2, {70, 2000}}, -1}, {{2, {2000, 70}}, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) add_reduce(to, &rows[i]);
    add_members(to, 1);
    add_members(to, 1037);
    static const int counts[] = {1, 1000, 5003, 200000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        op_base b = op_start(DN_OP_SUM_SQUARES);
        b.c.heavy = counts[i] > 10000;
        op_input(&b, 0, DN_F32, DN_SHAPE(counts[i]));
        op_output(&b, 0, DN_F32, DN_SHAPE(1), counts[i]);
        op_add(to, &b, "[%d]", counts[i]);
    }
}
