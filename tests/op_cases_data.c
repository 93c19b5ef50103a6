/* Making a batch: which examples, their values, and what is done to images before the network sees them. */
#include "tests/op_cases_list.h"

enum { STREAM = 9, FAR_STEP = 1 << 30 /* positions pass 2^32 */ };

typedef struct indices_row {
    int n, step;
    int64_t count;
    bool replace, pool, pool_size;
} indices_row;

static const indices_row indices_rows[] = {
    {1, 0, 1, false, false, false},
    {7, 3, 5, false, false, false}, /* several epochs in one batch */
    {130, 5, 1000, false, false, false},
    {33, FAR_STEP, 50000, false, false, false},
    {9, 2, INT32_MAX, false, false, false},
    {7, 3, 5, true, false, false},
    {130, FAR_STEP, 1000, true, false, false},
    {29, 1, 0, false, true, true},
    {29, 1, 0, true, true, true},
    {40, 4, 0, false, true, false},
};

static void add_indices(op_list *to, const indices_row *v)
{
    op_base b = op_start(DN_OP_INDICES);
    op_step(&b, 0, v->step);
    b.c.op.args.random.stream = STREAM;
    b.c.op.args.random.count = v->count;
    b.c.op.args.random.replace = v->replace;
    b.c.limit = 1000;
    if (v->pool) op_input(&b, 1, DN_I32, DN_SHAPE(24));
    if (v->pool_size) {
        op_input(&b, 2, DN_I32, DN_SHAPE(1));
        OP_GIVE(&b, 2, 24, 0, 13); /* an empty pool gives its first place */
    }
    op_output(&b, 0, DN_I32, DN_SHAPE(v->n), 1);
    const char *const pool = v->pool_size ? ", pool of a size" : v->pool ? ", pool" : "";
    op_add(to, &b, "[%d] of %lld step %d%s%s", v->n, (long long)v->count, v->step, v->replace ? " replace" : "", pool);
    op_add_once(to, &b, "[%d] of %lld step %d%s%s", v->n, (long long)v->count, v->step, v->replace ? " replace" : "",
                pool);
}

static void add_gather(op_list *to, dn_dtype type, int images, int side, int channels)
{
    op_base b = op_start(DN_OP_GATHER);
    b.c.exact = true;
    b.c.heavy = images * side * side * channels > 30000;
    b.c.limit = 12; /* of 10 images: some indices lie outside */
    op_input(&b, 0, type, DN_SHAPE(10, side, side, channels));
    op_input(&b, 1, DN_I32, DN_SHAPE(images));
    if (images == 5) OP_GIVE(&b, 1, -1, 9, INT32_MAX, 0, INT32_MIN, 10, 3);
    op_output(&b, 0, type == DN_I32 ? DN_I32 : DN_F32, DN_SHAPE(images, side, side, channels), 1);
    op_add(to, &b, "%s [10,%d,%d,%d] -> %d", dn_dtype_name(type), side, side, channels, images);
}

static void add_labels(op_list *to, int images)
{
    op_base b = op_start(DN_OP_GATHER);
    b.c.exact = true;
    b.c.limit = 103;
    op_input(&b, 0, DN_I32, DN_SHAPE(101));
    op_input(&b, 1, DN_I32, DN_SHAPE(images));
    op_output(&b, 0, DN_I32, DN_SHAPE(images), 1);
    op_add(to, &b, "i32 [101] -> %d", images);
}

static void add_scaled(op_list *to, int images, int side, int channels)
{
    const dn_shape x = DN_SHAPE(images, side, side, channels), v = DN_SHAPE(channels);
    const bool heavy = images * side * side * channels > 30000;
    op_base standardize = op_start(DN_OP_STANDARDIZE);
    standardize.c.heavy = heavy;
    op_input(&standardize, 0, DN_F32, x);
    op_output(&standardize, 0, DN_F32, x, 4);
    op_add(to, &standardize, "[%d,%d,%d,%d]", images, side, side, channels);
    for (int in_place = 0; in_place < 2; in_place++) {
        op_base back = op_start(DN_OP_STANDARDIZE_GRAD);
        back.c.heavy = heavy;
        back.c.alias[0] = in_place - 1;
        op_input(&back, 0, DN_F32, x);
        op_input(&back, 1, DN_F32, x);
        op_output(&back, 0, DN_F32, x, 4);
        op_add(to, &back, "[%d,%d,%d,%d]%s", images, side, side, channels, in_place ? " in place" : "");
        op_base b = op_start(DN_OP_NORMALIZE), gradient = op_start(DN_OP_NORMALIZE_GRAD);
        b.c.heavy = gradient.c.heavy = heavy;
        b.c.alias[0] = gradient.c.alias[0] = in_place - 1;
        op_input(&b, 0, DN_F32, x);
        op_input(&b, 1, DN_F32, v);
        op_input(&b, 2, DN_F32, v);
        op_output(&b, 0, DN_F32, x, 1);
        op_input(&gradient, 0, DN_F32, x);
        op_input(&gradient, 1, DN_F32, v);
        op_output(&gradient, 0, DN_F32, x, 1);
        op_add(to, &b, "[%d,%d,%d,%d]%s", images, side, side, channels, in_place ? " in place" : "");
        op_add(to, &gradient, "[%d,%d,%d,%d]%s", images, side, side, channels, in_place ? " in place" : "");
    }
}

void op_cases_batch(op_list *to)
{
    for (size_t i = 0; i < sizeof indices_rows / sizeof *indices_rows; i++) add_indices(to, &indices_rows[i]);
    static const dn_dtype types[] = {DN_U8, DN_F32, DN_I32};
    for (int i = 0; i < 3; i++) {
        add_gather(to, types[i], 1, 1, 1);
        add_gather(to, types[i], 3, 5, 1);
        add_gather(to, types[i], 5, 4, 4);
        add_gather(to, types[i], 7, 9, 3);
        add_gather(to, types[i], 32, 32, 3);
    }
    add_labels(to, 1);
    add_labels(to, 300);
    add_scaled(to, 1, 1, 1);
    add_scaled(to, 3, 5, 1);
    add_scaled(to, 5, 9, 3);
    add_scaled(to, 2, 6, 16);
    add_scaled(to, 32, 32, 3);
}

typedef struct image_row {
    int n, h, w, c;
    int padding, choices, patch;
} image_row;

static const image_row image_rows[] = {
    {1, 1, 1, 1, 0, 1, 1}, {3, 5, 7, 1, 2, 5, 1},  {4, 6, 4, 3, 4, 9, 2},
    {2, 8, 8, 4, 1, 2, 4}, {5, 12, 9, 3, 3, 7, 3}, {2, 4, 4, 17, 6, 13, 4},
};

static void add_image(op_list *to, dn_op_kind kind, const image_row *v, int step)
{
    const dn_shape x = DN_SHAPE(v->n, v->h, v->w, v->c);
    op_base b = op_start(kind);
    b.c.exact = true;
    b.c.op.args.random.stream = STREAM;
    b.c.op.args.random.size = kind == DN_OP_CROP ? v->padding : v->patch;
    b.c.op.args.random.choices = v->choices;
    op_input(&b, 0, DN_F32, x);
    op_step(&b, 1, step);
    op_output(&b, 0, DN_F32, x, 1);
    op_add(to, &b, "[%d,%d,%d,%d] %d of %d", v->n, v->h, v->w, v->c, b.c.op.args.random.size, v->choices);
    op_add_once(to, &b, "[%d,%d,%d,%d] %d of %d", v->n, v->h, v->w, v->c, b.c.op.args.random.size, v->choices);
}

static void add_noise(op_list *to, dn_noise_kind kind, dn_shape shape, double low, double high)
{
    op_base b = op_start(DN_OP_NOISE);
    char text[64];
    b.c.exact = true;
    b.c.op.args.random.stream = STREAM;
    b.c.op.args.random.noise = kind;
    b.c.op.args.random.low = low;
    b.c.op.args.random.high = high;
    op_step(&b, 0, 77);
    op_output(&b, 0, DN_F32, shape, 2);
    const char *const name = kind == DN_NOISE_UNIFORM ? "uniform" : "normal";
    op_add(to, &b, "%s %s %g %g", name, dn_shape_text(&shape, text), low, high);
    op_add_once(to, &b, "%s %s %g %g", name, dn_shape_text(&shape, text), low, high);
}

void op_cases_augment(op_list *to)
{
    static const dn_op_kind kinds[] = {DN_OP_CROP, DN_OP_FLIP, DN_OP_PATCH_SHUFFLE};
    for (int k = 0; k < 3; k++)
        for (size_t i = 0; i < sizeof image_rows / sizeof *image_rows; i++)
            add_image(to, kinds[k], &image_rows[i], (int)i * 1000);
    static const dn_noise_kind noises[] = {DN_NOISE_UNIFORM, DN_NOISE_NORMAL};
    for (int i = 0; i < 2; i++) {
        add_noise(to, noises[i], DN_SHAPE(1), 0, 1);
        add_noise(to, noises[i], DN_SHAPE(3, 5, 2), -1.25, .7);
        add_noise(to, noises[i], DN_SHAPE(1037), .1, 1.0 / 3);
    }
    op_base dropout = op_start(DN_OP_DROPOUT);
    dropout.c.exact = true;
    dropout.c.op.args.random.rate = .5f;
    op_input(&dropout, 0, DN_F32, DN_SHAPE(131));
    op_step(&dropout, 1, 8);
    op_output(&dropout, 0, DN_F32, DN_SHAPE(131), 1);
    op_add_once(to, &dropout, "[131]");
}
