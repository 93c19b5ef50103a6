/* The memory plan: no two tensors that are alive together share bytes, and sharing changes no result. */
#include <string.h>

#include "layers/models/models.h"
#include "optim/optimizer.h"
#include "tests/run_program.h"

/* What the plan should respect, worked out again from the list of ops alone, before the plan is made. */
typedef struct life {
    int base;        /* the tensor that a view shows */
    int first, last; /* first write, last use of it or of a view; -1: none */
    bool kept;
} life;

static life *find_lives(const dn_program *p)
{
    life *lives = dn_calloc(p->n_tensors, sizeof *lives);
    for (size_t t = 0; t < p->n_tensors; t++) lives[t] = (life){(int)t, -1, -1, p->tensors[t].kept};
    for (int i = 0; i < (int)p->n_ops; i++) {
        const dn_op *op = &p->ops[i];
        if (dn_op_flags(op->kind) & DN_OP_VIEW) lives[op->out[0]].base = lives[op->in[0]].base;
        for (int k = 0; k < DN_OP_MAX_IN + DN_OP_MAX_OUT; k++) {
            const int t = k < DN_OP_MAX_IN ? op->in[k] : op->out[k - DN_OP_MAX_IN];
            if (t < 0) continue;
            life *base = &lives[lives[t].base];
            if (base->first < 0) base->first = i;
            base->last = i;
            base->kept |= p->tensors[t].kept;
        }
    }
    for (size_t t = 0; t < p->n_tensors; t++)
        if (lives[t].kept) lives[t].last = (int)p->n_ops - 1;
    return lives;
}

static bool share_bytes(const dn_tensor_info *a, const dn_tensor_info *b)
{
    return a->shared == b->shared && a->offset < b->offset + dn__bytes(b) && b->offset < a->offset + dn__bytes(a);
}

/* Whether b may start in a's place: an op that allows it writes b over its last use of a. */
static bool in_place(const dn_program *p, const life *lives, int a, int b)
{
    const int i = lives[b].first;
    const dn_op *op = &p->ops[i];
    if (lives[a].last != i || lives[a].kept || op->out[0] != b || !(dn_op_flags(op->kind) & DN_OP_INPLACE))
        return false;
    for (int k = 1; k < DN_OP_MAX_IN; k++)
        if (op->in[k] >= 0 && lives[op->in[k]].base == a) return false;
    return op->in[0] >= 0 && lives[op->in[0]].base == a && p->tensors[a].offset == p->tensors[b].offset;
}

static bool is_placed(const dn_program *p, const life *lives, size_t t)
{
    return p->tensors[t].storage == DN_STORAGE_TEMPORARY && lives[t].base == (int)t && lives[t].first >= 0;
}

/* @return the number of pairs that are alive together at the same bytes */
static int count_conflicts(const dn_program *p, const life *lives)
{
    int conflicts = 0;
    for (size_t a = 0; a < p->n_tensors; a++) {
        if (!is_placed(p, lives, a)) continue;
        const dn_tensor_info *t = &p->tensors[a];
        const size_t size = (t->shared ? p->shared : p->slice)[DN_STORAGE_TEMPORARY];
        if (t->offset % 64 != 0 || t->offset + dn__bytes(t) > size) conflicts++;
        for (size_t b = a + 1; b < p->n_tensors; b++) {
            if (!is_placed(p, lives, b) || !share_bytes(t, &p->tensors[b])) continue;
            if (lives[a].last < lives[b].first || lives[b].last < lives[a].first) continue;
            if (in_place(p, lives, (int)a, (int)b) || in_place(p, lives, (int)b, (int)a)) continue;
            conflicts++;
        }
    }
    return conflicts;
}

/* Views must stand where the tensor that they show stands. */
static int count_misplaced_views(const dn_program *p)
{
    int wrong = 0;
    for (size_t i = 0; i < p->n_ops; i++) {
        const dn_op *op = &p->ops[i];
        if (!(dn_op_flags(op->kind) & DN_OP_VIEW)) continue;
        const dn_tensor_info *in = &p->tensors[op->in[0]], *out = &p->tensors[op->out[0]];
        wrong += in->offset != out->offset || in->storage != out->storage || in->shared != out->shared;
    }
    return wrong;
}

/* Seals and opens the program, and looks at its plan. */
static void start_and_check(rig *r, const char *what, int number)
{
    life *lives = find_lives(r->p);
    start_rig(r);
    cr_expect_eq(count_conflicts(r->p, lives), 0, "%s %d", what, number);
    cr_expect_eq(count_misplaced_views(r->p), 0, "%s %d", what, number);
    dn_free(lives);
}

/* ---- random programs ---- */

enum { POOL = 6, OPS = 30 };

/* Replaces one of the pool's tensors [2,3,4], own or shared, by a function of some of them. */
static void add_random_op(dn_program *p, dn_random_sequence *random, dn_tensor *pool)
{
    const dn_tensor a = pool[dn_random_next_below(random, POOL)], b = pool[dn_random_next_below(random, POOL)];
    dn_tensor y;
    switch (dn_random_next_below(random, 12)) {
    case 0: y = dn_relu(p, a); break;
    case 1: y = dn_add(p, a, b); break;
    case 2: y = dn_scale(p, a, -1.5, DN_NONE); break;
    case 3: y = dn_dropout(p, a, 0.25); break;
    case 4: y = dn_reshape(p, dn_relu(p, dn_reshape(p, a, DN_SHAPE(6, 4))), DN_SHAPE(2, 3, 4)); break;
    case 5: y = dn_slice(p, dn_concat(p, a, b), 2, 4); break;
    case 6: y = dn_is_shared(p, a) ? dn_spread_members(p, a) : dn_mean_members(p, a); break;
    case 7: y = dn_reshape(p, dn_softmax(p, dn_reshape(p, b, DN_SHAPE(6, 4))), DN_SHAPE(2, 3, 4)); break;
    case 8: y = dn_clamp(p, a, -1.0, 1.0); break;
    case 9: y = dn_copy(p, b); break;
    case 10: y = dn_slice(p, dn_concat(p, dn_stop_gradient(p, a), a), 1, 4); break;
    default: y = dn_add(p, dn_add(p, a, a), b); break;
    }
    if (dn_random_next_below(random, 8) == 0) dn_keep(p, y);
    pool[dn_random_next_below(random, POOL)] = y;
}

/* @param keep_all nothing is shared: every tensor lives to the end. @return the loss */
static dn_tensor build_random(dn_program *p, uint32_t number, bool keep_all)
{
    dn_random_sequence random = {.seed = 17, .purpose = number};
    dn_tensor pool[POOL];
    for (int i = 0; i < POOL; i++) {
        char name[16];
        snprintf(name, sizeof name, "leaf%d", i);
        const dn_shape shape = DN_SHAPE(2, 3, 4);
        pool[i] = i % 3 == 2 ? dn_want_gradient(p, dn_input(p, name, DN_F32, shape, true))
                             : dn_parameter(p, name, shape, (dn_init){.kind = DN_INIT_UNIFORM, .value = 1.0});
    }
    for (int i = 0; i < OPS; i++) add_random_op(p, &random, pool);
    dn_tensor loss = dn_sum_squares(p, pool[0]);
    for (int i = 1; i < POOL; i++) loss = dn_add(p, loss, dn_sum_squares(p, pool[i]));
    loss = dn_keep(p, loss);
    dn_differentiate(p, loss);
    for (size_t t = 0; keep_all && t < p->n_tensors; t++)
        if (p->tensors[t].storage == DN_STORAGE_TEMPORARY) dn_keep(p, (dn_tensor){(int)t});
    return loss;
}

/* Writes the loss and all gradients of a random program, run on poisoned memory. @return bytes */
static size_t run_random(uint32_t number, bool keep_all, char *result, size_t capacity)
{
    rig r = open_rig(2, DN_F32);
    const dn_tensor loss = build_random(r.p, number, keep_all);
    start_and_check(&r, "random program", (int)number);
    for (int i = 2; i < POOL; i += 3) {
        char name[16];
        snprintf(name, sizeof name, "leaf%d", i);
        write_random(&r, dn_find(r.p, name), (uint32_t)i);
    }
    poison(&r);
    run_rig(&r, 1);
    size_t used = tensor_bytes(r.p, loss);
    cr_assert_leq(used, capacity);
    read_rig(&r, loss, result, used);
    for (int i = 0; i < dn_params_count(r.store, DN_BLOCK_VALUES); i++) {
        const dn_tensor g = dn_gradient(r.p, dn_find(r.p, dn_params_at(r.store, DN_BLOCK_VALUES, i)->name));
        const size_t bytes = tensor_bytes(r.p, g);
        cr_assert_leq(used + bytes, capacity);
        read_rig(&r, g, result + used, bytes);
        used += bytes;
    }
    close_rig(&r);
    return used;
}

Test(plan, random_programs)
{
    for (uint32_t number = 0; number < 200; number++) {
        static char shared[4096], apart[4096];
        const size_t bytes = run_random(number, false, shared, sizeof shared);
        cr_assert_eq(run_random(number, true, apart, sizeof apart), bytes);
        cr_expect_eq(memcmp(shared, apart, bytes), 0, "random program %u: sharing memory changes the result", number);
    }
}

/* ---- models ---- */

static dn_tensor build_training(rig *r, const char *name, int width, bool keep_all)
{
    const dn_tensor x = dn_input(r->p, "x", DN_F32, DN_SHAPE(3, 32, 32, 2), true);
    const dn_tensor y = dn_input(r->p, "y", DN_I32, DN_SHAPE(3), true);
    const int depth =
        dn_model_find(name)->depth_least; /* the deep ones at their least depth, and no wider than needed */
    if (depth > 0 && width == 0) width = 16;
    const dn_model_options options = {.name = name, .classes = 5, .dropout = 0.2, .width = width, .depth = depth};
    const dn_tensor logits = dn_model_build(r->p, &options, x, &dn_forward_train);
    const dn_tensor loss = dn_keep(r->p, dn_cross_entropy(r->p, logits, y));
    dn_minimize(r->p, loss, &dn_adam_defaults);
    for (size_t t = 0; keep_all && t < r->p->n_tensors; t++)
        if (r->p->tensors[t].storage == DN_STORAGE_TEMPORARY) dn_keep(r->p, (dn_tensor){(int)t});
    return loss;
}

/* Three steps on poisoned memory. @return whether both ways of using memory give the same parameters */
static bool same_training(const char *name, int width)
{
    char *after[2] = {NULL, NULL};
    size_t bytes = 0;
    for (int keep_all = 0; keep_all < 2; keep_all++) {
        rig r = open_rig(2, DN_F32);
        build_training(&r, name, width, keep_all);
        start_rig(&r);
        write_random(&r, dn_find(r.p, "x"), 1);
        write_rig(&r, dn_find(r.p, "y"), (const int32_t[3]){0, 3, 4}, 3 * sizeof(int32_t));
        for (int step = 0; step < 3; step++) {
            poison(&r);
            run_rig(&r, 1);
        }
        const dn_buffer *values = dn_params_buffer(r.store, DN_BLOCK_VALUES, 0);
        bytes = dn_buffer_bytes(values);
        after[keep_all] = dn_calloc(bytes, 1);
        cr_assert_eq(dn_buffer_download(values, 0, after[keep_all], bytes), DN_OK);
        close_rig(&r);
    }
    const bool same = memcmp(after[0], after[1], bytes) == 0;
    dn_free(after[0]);
    dn_free(after[1]);
    return same;
}

Test(plan, all_models)
{
    const dn_model *models;
    const int count = dn_model_list(&models);
    for (int i = 0; i < count; i++) {
        rig r = open_rig(2, DN_F32);
        build_training(&r, models[i].name, 0, false);
        start_and_check(&r, models[i].name, i);
        const dn_plan *plan = dn_executor_plan(r.ex);
        cr_expect_lt(plan->temporaries, plan->without_reuse, "%s", models[i].name);
        cr_expect_geq(plan->temporaries, r.p->live_peak, "%s", models[i].name);
        cr_expect_leq(plan->temporaries, r.p->live_peak + r.p->live_peak / 4, "%s: %zu bytes, %zu alive at once",
                      models[i].name, plan->temporaries, r.p->live_peak);
        close_rig(&r);
        cr_expect(same_training(models[i].name, 4), "%s: sharing memory changes the result", models[i].name);
    }
}

/* ---- in place ---- */

Test(plan, chains_run_in_place_and_kept_tensors_do_not)
{
    for (int keep = 0; keep < 2; keep++) {
        rig r = open_rig(1, DN_F32);
        const dn_tensor x = dn_input(r.p, "x", DN_F32, DN_SHAPE(16), true);
        const dn_tensor a = dn_scale(r.p, x, 2.0, DN_NONE);
        if (keep) dn_keep(r.p, a);
        const dn_tensor b = dn_keep(r.p, dn_relu(r.p, dn_scale(r.p, a, -1.0, DN_NONE)));
        start_rig(&r);
        cr_expect_eq(r.p->shared[DN_STORAGE_TEMPORARY], keep ? 128u : 64u);
        write_random(&r, x, 1);
        run_rig(&r, 1);
        float in[16], of_a[16], of_b[16];
        read_rig(&r, x, in, sizeof in);
        read_rig(&r, a, of_a, sizeof of_a);
        read_rig(&r, b, of_b, sizeof of_b);
        for (int i = 0; i < 16; i++) {
            if (keep) cr_expect_eq(of_a[i], 2 * in[i]);
            cr_expect_eq(of_b[i], in[i] < 0 ? -2 * in[i] : 0.0F);
        }
        close_rig(&r);
    }
}

/* The last op's input is kept: both must be readable. */
Test(plan, kept_input_of_the_last_op)
{
    rig r = open_rig(1, DN_F32);
    const dn_tensor x = dn_input(r.p, "x", DN_F32, DN_SHAPE(2), true);
    const dn_tensor a = dn_keep(r.p, dn_scale(r.p, x, 2.0, DN_NONE)), b = dn_keep(r.p, dn_relu(r.p, a));
    start_rig(&r);
    float of_a[2], of_b[2];
    write_rig(&r, x, (const float[2]){-1, 1}, sizeof of_a);
    run_rig(&r, 1);
    read_rig(&r, a, of_a, sizeof of_a);
    read_rig(&r, b, of_b, sizeof of_b);
    cr_expect(of_a[0] == -2 && of_a[1] == 2 && of_b[0] == 0 && of_b[1] == 2);
    close_rig(&r);
}
