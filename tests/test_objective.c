/* What is trained is what the literature says: losses against plain formulas on the logits of the same step, what the
 * forward passes do to the moving statistics, and which labels and images members see. */
#include "datasets/folds.h"
#include "tests/objective_rig.h"

static const char deep[] = "ensemble: {members: 3}\ntrain: {batch: 16, steps: 5}\n";
static const char mi[] = "ensemble: {kind: mi, members: 3}\n"
                         "mi: {batch: 12, sources: [{kind: patch_shuffle, patch: 4, alpha: 1.7}]}\n"
                         "train: {batch: 16, steps: 5}\n";
/* Ten classes in three folds: two members with 7 outputs, or rather fewer for those that leave out four. */
static const char leave_out[] = "ensemble: {kind: leave_out, members: 3}\n"
                                "leave_out: {batch: 20, beta: .7, margin: .4}\n"
                                "train: {batch: 16, steps: 5}\n";

/** Runs up to the op that reads the whole loss. @return the loss's tensor */
static int run_to_loss(rig *r)
{
    const int op = find_op(r, DN_OP_FINITE, 0);
    run_until(r, op);
    return r->p->ops[op].in[0];
}

/** The cross entropies of the members, from logits and labels read when the op's turn comes. */
static void expect_cross_entropy(rig *r, double *ce, const int *used)
{
    const int op = find_op(r, DN_OP_CROSS_ENTROPY, 0);
    run_until(r, op);
    const int in = r->p->ops[op].in[0];
    const dn_shape *shape = &r->p->tensors[in].shape;
    const int rows = (int)shape->dim[0], columns = (int)shape->dim[1];
    float *logits = read_tensor(r, in);
    int32_t *labels = read_tensor(r, r->p->ops[op].in[1]);
    for (int e = 0; e < r->p->members; e++)
        ce[e] = cross_entropy(logits + e * rows * columns, labels + e * rows, rows, columns, used ? used[e] : columns);
    dn_free(logits);
    dn_free(labels);
}

/** Writes the mutual information's, or entropy's, input. @param nth which op of the kind. Free with dn_free() */
static float *logits_of(rig *r, dn_op_kind kind, int nth, int *rows)
{
    const int op = find_op(r, kind, nth);
    run_until(r, op);
    *rows = (int)r->p->tensors[r->p->ops[op].in[0]].shape.dim[0];
    return read_tensor(r, r->p->ops[op].in[0]);
}

Test(objective, deep_is_the_cross_entropy_of_each)
{
    rig r = open_objective(deep);
    double ce[3] = {0};
    expect_cross_entropy(&r, ce, NULL);
    const int loss = run_to_loss(&r);
    cr_assert_not(r.p->tensors[loss].shared);
    for (int e = 0; e < 3; e++) NEAR(read_number(&r, loss, e), ce[e], 1e-5);
    cr_expect_gt(fabs(ce[0] - ce[1]), 1e-4, "the members have the same loss");
    close_objective(&r);
}

Test(objective, l2_counts_weights_and_dense_biases)
{
    rig r = open_objective("ensemble: {members: 2}\noptimizer: {l2: .01, rate: .1}\ntrain: {batch: 16, steps: 5}\n");
    double ce[2] = {0}, l2[2] = {0};
    cr_assert_eq(dn_executor_run(r.ex, 3), DN_OK, "%s", dn_error_last()); /* biases start at 0 */
    expect_cross_entropy(&r, ce, NULL);
    const int loss = run_to_loss(&r);
    int counted = 0;
    for (int i = 0; i < dn_params_count(r.network->params, DN_BLOCK_VALUES); i++) {
        const dn_params_entry *entry = dn_params_at(r.network->params, DN_BLOCK_VALUES, i);
        const int count = (int)dn_shape_count(&entry->shape);
        if (strncmp(entry->name, "norm", 4) == 0) continue;
        float *w = read_tensor(&r, dn_find(r.p, entry->name).id);
        for (int e = 0; e < 2; e++)
            for (int k = 0; k < count; k++) l2[e] += .01 * w[e * count + k] * w[e * count + k];
        dn_free(w);
        counted++;
    }
    cr_expect_eq(counted, 7, "three convolutions, two dense layers with biases");
    for (int e = 0; e < 2; e++) NEAR(read_number(&r, loss, e), ce[e] + l2[e], 1e-5);
    close_objective(&r);
}

Test(objective, mi_is_mean_cross_entropy_minus_alpha_mutual_information)
{
    rig r = open_objective(mi);
    double ce[3] = {0};
    int rows = 0;
    /* Two steps first, so that the moving statistics are no longer those of the start. */
    cr_assert_eq(dn_executor_run(r.ex, 2), DN_OK, "%s", dn_error_last());
    expect_cross_entropy(&r, ce, NULL);
    float *logits = logits_of(&r, DN_OP_MUTUAL_INFORMATION, 0, &rows);
    cr_assert_eq(rows, 12);
    const double information = mutual_information(logits, 3, rows, CLASSES);
    cr_expect_gt(information, 1e-4);
    const int loss = run_to_loss(&r);
    cr_assert(r.p->tensors[loss].shared);
    NEAR(read_number(&r, loss, 0), (ce[0] + ce[1] + ce[2]) / 3 - 1.7 * information, 1e-5);
    /* The histories hold the parts, at the place of the step. */
    float *history = read_tensor(&r, r.objective.mutual_information.id), *losses = read_tensor(&r, r.objective.loss.id);
    NEAR(history[2], information, 1e-6);
    for (int e = 0; e < 3; e++) NEAR(losses[e * DN_HISTORY + 2], ce[e], 1e-5);
    dn_free(history);
    dn_free(losses);
    dn_free(logits);
    close_objective(&r);
}

Test(objective, mi_of_one_is_the_entropy)
{
    rig r = open_objective("ensemble: {kind: mi, members: 1}\n"
                           "mi: {sources: [{kind: uniform, alpha: .5}]}\ntrain: {batch: 16, steps: 5}\n");
    double ce[1] = {0};
    int rows = 0;
    expect_cross_entropy(&r, ce, NULL);
    float *logits = logits_of(&r, DN_OP_ENTROPY, 0, &rows);
    cr_assert_eq(rows, 16, "mi.batch is train.batch when it is not stated");
    const double entropy = mean_entropy(logits, rows, CLASSES, CLASSES);
    const int loss = run_to_loss(&r);
    NEAR(read_number(&r, loss, 0), ce[0] - .5 * entropy, 1e-5);
    cr_expect_gt(entropy, 0.1);
    dn_free(logits);
    close_objective(&r);
}

Test(objective, leave_out_is_cross_entropy_and_margin)
{
    for (int wide = 0; wide < 2; wide++) {
        char text[256];
        /* A margin of 5 nats is kept by no member. */
        snprintf(text, sizeof text, "%s", leave_out);
        memcpy(strstr(text, "margin: .4"), wide ? "margin: 5 " : "margin: 0 ", 10);
        rig r = open_objective(text);
        double ce[3] = {0};
        int rows = 0, used[3] = {0}, zero = 0;
        for (int e = 0; e < 3; e++) {
            while (used[e] < r.network->columns && r.network->class_map[e * r.network->columns + used[e]] >= 0)
                used[e]++;
        }
        cr_expect_eq(used[0] + used[1] + used[2], 20);
        cr_expect_eq(r.network->columns, 7);
        expect_cross_entropy(&r, ce, used);
        float *in = logits_of(&r, DN_OP_ENTROPY, 0, &rows);
        cr_assert_eq(rows, 16);
        float *out = logits_of(&r, DN_OP_ENTROPY, 1, &rows);
        cr_assert_eq(rows, 20);
        const int loss = run_to_loss(&r);
        for (int e = 0; e < 3; e++) {
            const double h_in = mean_entropy(in + e * 16 * 7, 16, 7, used[e]);
            const double h_out = mean_entropy(out + e * 20 * 7, 20, 7, used[e]);
            const double excess = (wide ? 5.0 : 0.0) + h_in - h_out;
            zero += excess <= 0.0;
            NEAR(read_number(&r, loss, e), ce[e] + .7 * fmax(excess, 0.0), 1e-5);
        }
        cr_expect(wide ? zero == 0 : zero > 0, "%d members keep the margin", zero);
        dn_free(in);
        dn_free(out);
        close_objective(&r);
    }
}

/* ---- moving statistics ---- */

/** Runs a step op by op and looks which ops change the states. @return how many, all of one kind */
static int state_changes(const char *rest, dn_op_kind kind)
{
    rig r = open_objective(rest);
    int changes = 0;
    run_until(&r, 1); /* places the store */
    dn_buffer *states = dn_params_buffer(r.network->params, DN_BLOCK_STATES, 0);
    const size_t bytes = dn_buffer_bytes(states);
    char *before = dn_calloc(bytes, 1), *after = dn_calloc(bytes, 1);
    for (int i = 1; i < (int)r.p->n_ops; i++) {
        cr_assert_eq(dn_buffer_download(states, 0, before, bytes), DN_OK);
        run_until(&r, i + 1);
        cr_assert_eq(dn_buffer_download(states, 0, after, bytes), DN_OK);
        if (memcmp(before, after, bytes) == 0) continue;
        cr_expect_eq(r.p->ops[i].kind, kind, "changed by %s", dn_op_name(r.p->ops[i].kind));
        changes++;
    }
    dn_free(before);
    dn_free(after);
    close_objective(&r);
    return changes;
}

Test(objective, only_training_forwards_move_the_statistics)
{
    cr_expect_eq(state_changes(deep, DN_OP_BATCH_NORM), 3);
    cr_expect_eq(state_changes(mi, DN_OP_BATCH_NORM), 3, "the pseudo-OOD batch must not move them");
    cr_expect_eq(state_changes(leave_out, DN_OP_BATCH_NORM), 6, "both batches move them");
}

Test(objective, the_pseudo_ood_batch_is_shared_and_uses_the_statistics)
{
    rig r = open_objective(mi);
    /* The second network: its first convolution reads one batch for all members, its norms are those of inference. */
    int shared = 0;
    for (size_t i = 0; i < r.p->n_ops; i++)
        shared += r.p->ops[i].kind == DN_OP_CONV2D && r.p->tensors[r.p->ops[i].in[0]].shared;
    cr_expect_eq(shared, 1);
    cr_expect_eq(count_ops(&r, DN_OP_BATCH_NORM_INFER), 3);
    cr_expect_eq(count_ops(&r, DN_OP_BATCH_NORM), 3);
    close_objective(&r);
}

/* ---- gradients ---- */

/** The gradient of a parameter after one step's backward pass. Free with dn_free() */
static float *gradient_of(const char *source, const char *name, size_t *count)
{
    char text[400];
    snprintf(text, sizeof text,
             "ensemble: {kind: mi, members: 2}\nmi: {batch: 12, sources: [{kind: uniform, %s}]}\n"
             "train: {batch: 16, steps: 5}\n",
             source);
    rig r = open_objective(text);
    run_to_loss(&r);
    const dn_tensor parameter = dn_find(r.p, name);
    cr_assert_not(dn_is_none(parameter), "%s", name);
    *count = 2 * (size_t)dn_shape_count(&r.p->tensors[parameter.id].shape);
    float *gradient = read_tensor(&r, dn_gradient(r.p, parameter).id);
    close_objective(&r);
    return gradient;
}

static double distance(const char *name, const char *source, const char *other)
{
    size_t count = 0;
    float *a = gradient_of(source, name, &count), *b = gradient_of(other, name, &count);
    double most = 0.0;
    for (size_t i = 0; i < count; i++) most = fmax(most, fabs((double)a[i] - (double)b[i]));
    dn_free(a);
    dn_free(b);
    return most;
}

Test(objective, stopping_the_norm_gradient_blocks_scale_and_shift_only)
{
    static const char none[] = "alpha: 0", through[] = "alpha: 20", stopped[] = "alpha: 20, stop_norm_gradient: true";
    static const char *const norms[] = {"norm1.scale", "norm1.shift", "norm3.scale", "norm3.shift"};
    static const char *const others[] = {"conv1.weight", "conv3.weight", "dense1.weight", "dense1.bias", "head.weight"};
    for (int i = 0; i < 4; i++) {
        cr_expect_gt(distance(norms[i], none, through), 1e-5, "%s gets no MI gradient at all", norms[i]);
        cr_expect_lt(distance(norms[i], none, stopped), 1e-9, "%s gets an MI gradient", norms[i]);
    }
    for (int i = 0; i < 5; i++) {
        cr_expect_gt(distance(others[i], none, stopped), 1e-5, "%s gets no MI gradient", others[i]);
        cr_expect_lt(distance(others[i], through, stopped), 1e-9, "%s: not the whole MI gradient", others[i]);
    }
}

/* ---- leave-out: who sees what ---- */

static void check_members_see(const char *rest, int folds)
{
    rig r = open_objective(rest);
    dn_folds *split = NULL;
    cr_assert_eq(dn_folds_open(&split, CLASSES, folds, 3), DN_OK);
    const int own = find_op(&r, DN_OP_INDICES, 0), left_out = find_op(&r, DN_OP_INDICES, 1);
    const int ce = find_op(&r, DN_OP_CROSS_ENTROPY, 0);
    int seen[CLASSES][2] = {0};
    for (int32_t step = 0; step < 12; step++) {
        set_step(&r, step);
        run_until(&r, own + 1);
        int32_t *in = read_tensor(&r, r.p->ops[own].out[0]);
        run_until(&r, ce);
        int32_t *labels = read_tensor(&r, r.p->ops[ce].in[1]);
        run_until(&r, left_out + 1);
        int32_t *out = read_tensor(&r, r.p->ops[left_out].out[0]);
        const int rows = (int)r.p->tensors[r.p->ops[own].out[0]].shape.dim[0];
        const int rows_out = (int)r.p->tensors[r.p->ops[left_out].out[0]].shape.dim[0];
        for (int e = 0; e < folds; e++) {
            int32_t number[CLASSES];
            dn_folds_numbers(split, e, number);
            for (int i = 0; i < rows; i++) {
                const int32_t class = r.set->labels[in[e * rows + i]], label = labels[e * rows + i];
                cr_assert_geq(number[class], 0, "member %d is trained on class %d", e, class);
                cr_assert_eq(label, number[class], "member %d: class %d has label %d", e, class, label);
                cr_assert_eq(r.network->class_map[e * r.network->columns + label], class);
                seen[class][0]++;
            }
            for (int i = 0; i < rows_out; i++) {
                const int32_t class = r.set->labels[out[e * rows_out + i]];
                cr_assert_eq(number[class], -1, "member %d does not leave out class %d", e, class);
                seen[class][1]++;
            }
        }
        dn_free(in);
        dn_free(labels);
        dn_free(out);
    }
    for (int c = 0; c < CLASSES; c++) cr_expect(seen[c][0] > 0 && seen[c][1] > 0, "class %d is never seen", c);
    dn_folds_close(split);
    close_objective(&r);
}

Test(objective, leave_out_members_see_their_own_classes_only)
{
    check_members_see(leave_out, 3);
    check_members_see("ensemble: {kind: leave_out, members: 5}\ntrain: {batch: 16, steps: 5}\n", 5);
}

Test(objective, too_many_steps_are_refused)
{
    dn_recipe *recipe = NULL;
    dn_device *device = NULL;
    dn_network *network = NULL;
    dn_objective objective;
    dn_dataset *set = make_set();
    cr_assert_eq(dn_device_open(&device, "ref", NULL), DN_OK);
    cr_assert_eq(dn_recipe_parse(&recipe,
                                 "data: {train: a, test: b}\nmodel: {name: mlp, width: 4}\ntrain: {epochs: 1e9}\n", "t",
                                 NULL, 0),
                 DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_network_new(&network, recipe, device, set), DN_OK);
    cr_expect_eq(dn_objective_open(&objective, network, set, NULL), DN_ERROR_ARGUMENT);
    cr_expect_str_eq(dn_error_last(), "train.epochs: that would be 1000000000 steps, at most 16777216 can be done");
    dn_network_close(network);
    dn_dataset_close(set);
    dn_device_close(device);
}
