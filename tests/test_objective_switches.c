/* Which source of pseudo-OOD images is on at which step, and how long a batch is kept. */
#include "tests/objective_rig.h"

/* The published schedule: blocks of 1000 steps, every seventh from the third on is of the second kind. */
static const char published[] = "ensemble: {kind: mi, members: 2}\n"
                                "mi:\n  batch: 8\n  period: 7000\n  sources:\n"
                                "    - {kind: patch_shuffle, patch: 4, alpha: 2}\n"
                                "    - {kind: train, alpha: .8, redraw_every: 100, stop_norm_gradient: true}\n"
                                "  switches: [{step: 0, source: 0}, {step: 2000, source: 1}, {step: 3000, source: 0}]\n"
                                "train: {batch: 16, steps: 78200}\n";

/** @return whether the second source is on: blocks k = 2 mod 7 */
static bool second(int32_t step)
{
    return step / 1000 % 7 == 2;
}

static double schedule_at(const rig *r, int tensor)
{
    const int op = r->p->tensors[tensor].writer;
    cr_assert_eq(r->p->ops[op].kind, DN_OP_SCHEDULE);
    run_op(r, op);
    return read_number(r, tensor, 0);
}

Test(objective_switches, follow_the_published_blocks)
{
    rig r = open_objective(published);
    const int select = find_op(&r, DN_OP_SELECT, 0), mutual = find_op(&r, DN_OP_MUTUAL_INFORMATION, 0);
    int weight = -1, gates = 0, gate = -1, on = 0, looked_at = 0;
    /* What weighs the mutual information is the first scale by a schedule after it. */
    for (int i = mutual; weight < 0; i++)
        if (r.p->ops[i].kind == DN_OP_SCALE && r.p->ops[i].in[1] >= 0) weight = r.p->ops[i].in[1];
    for (int i = 0; i < mutual; i++)
        if (r.p->ops[i].kind == DN_OP_GATE && r.p->ops[i].in[1] >= 0) gates++, gate = r.p->ops[i].in[1];
    cr_expect_eq(gates, 6, "scale and shift of three norms");
    for (int32_t block = 0; block < 79; block++)
        for (int k = 0; k < 3; k++) {
            const int32_t step = 1000 * block + (const int32_t[]){0, 1, 999}[k];
            if (step >= 78200) continue;
            set_step(&r, step);
            NEAR(schedule_at(&r, r.p->ops[select].in[0]), second(step) ? 1.0 : 0.0, 1e-9);
            NEAR(schedule_at(&r, weight), second(step) ? 0.8 : 2.0, 1e-6);
            NEAR(schedule_at(&r, gate), second(step) ? 0.0 : 1.0, 1e-9);
            on += second(step) && k == 0;
            looked_at++;
        }
    cr_expect_eq(on, 11, "11 of the 79 blocks");
    cr_expect_eq(looked_at, 236);
    close_objective(&r);
}

/** The batch that the second network gets at a step. Free with dn_free() */
static float *batch_at(rig *r, int32_t step)
{
    const int select = find_op(r, DN_OP_SELECT, 0);
    set_step(r, step);
    run_until(r, select + 1);
    return read_tensor(r, r->p->ops[select].out[0]);
}

static bool same_batch(rig *r, int32_t step, int32_t other)
{
    void *a = batch_at(r, step), *b = batch_at(r, other);
    const bool same = memcmp(a, b, 8 * SIDE * SIDE * sizeof(float)) == 0;
    dn_free(a);
    dn_free(b);
    return same;
}

Test(objective_switches, batches_are_kept_as_long_as_asked)
{
    rig r = open_objective(published);
    cr_expect(same_batch(&r, 5, 5));
    cr_expect_not(same_batch(&r, 5, 6));
    cr_expect(same_batch(&r, 2000, 2099));
    cr_expect(same_batch(&r, 9100, 9142));
    cr_expect_not(same_batch(&r, 2099, 2100));
    cr_expect_not(same_batch(&r, 2000, 9000));
    close_objective(&r);
}

/** @return how many of the batch's images are items of the training set, and how many have the same pixels in another
 *  order */
static void compare_with_items(const float *batch, const uint8_t *items, int *whole, int *shuffled)
{
    *whole = *shuffled = 0;
    for (int i = 0; i < 8; i++)
        for (int k = 0; k < ITEMS; k++) {
            int same = 0, histogram[256] = {0}, differences = 0;
            for (int x = 0; x < SIDE * SIDE; x++) {
                const int pixel = (int)lround(255.0 * batch[i * SIDE * SIDE + x]), item = items[k * SIDE * SIDE + x];
                same += pixel == item;
                histogram[pixel & 255]++;
                histogram[item]--;
            }
            for (int v = 0; v < 256; v++) differences += histogram[v] != 0;
            *whole += same == SIDE * SIDE;
            *shuffled += differences == 0 && same < SIDE * SIDE;
        }
}

Test(objective_switches, sources_give_what_they_say)
{
    rig r = open_objective(published);
    dn_dataset *again = make_set(); /* the rig's images are on the device only */
    int whole = 0, shuffled = 0;
    float *first = batch_at(&r, 0), *other = batch_at(&r, 2000);
    compare_with_items(first, again->images, &whole, &shuffled);
    cr_expect_gt(shuffled, 3, "%d of 8 are shuffled training images", shuffled);
    cr_expect_eq(whole + shuffled, 8);
    compare_with_items(other, again->images, &whole, &shuffled);
    cr_expect_eq(whole, 8, "%d of 8 are training images", whole);
    dn_free(first);
    dn_free(other);
    dn_dataset_close(again);
    close_objective(&r);
}
