/* Whole trainings on the emulated GPU go where they go on the CPU, as far as rounding lets that be said.
 *
 * How far is that? No bound of a few epsilons is honest: training amplifies rounding, and not evenly. Now and then a
 * last bit decides something for good: on which side of relu's edge a unit falls, which place of a pool wins, what sign
 * a vanishing gradient has, of which Adam makes a whole step. In `glyphs-smoke` that happens at step 2: of equally good
 * f32 trainings about half go one way and half the other, 3e-4 apart in their losses. So trainings that differ in
 * nothing but rounding do not surround the exact one: they are the branches of a tree. On a branch they stay within
 * some 1e-7 of each other until it parts; after 20 steps branches are up to 1e-2 apart.
 *
 * So what is compared with is a family of trainings: in double, by the definition in f32, by the tuned CPU kernels, and
 * by these with weights that are off by at most half an epsilon, differently in every step. A training that is right
 * walks along a branch that members of the family walk along, and is no farther from the nearest of them than they are
 * from the nearest other one. If it is a member like all others, the chance that it is farther out than each of N is
 * 1 / (N + 1) for one quantity; they are not independent and the kernels' sums are longer than the tuned ones', so a
 * factor of 4 is allowed, and a few epsilons of the quantity's size where the family happens to agree better.
 * Quantities are the losses of each step and each tensor at the end, moving statistics and Adam's moments too, as
 * root mean squares over members and elements. What may be at one step may be at all later ones.
 *
 * tf32 and bf16 are compared with trainings under weights that are off by up to 2^-11 and 2^-8 of themselves: the units
 * of what they round. There so much is decided anew that every training has a branch of its own, and they do surround
 * the undisturbed one: what is compared is the distance from that. The other operands of products are rounded as well,
 * which is within the same factor. */
#include <float.h>

#include "tests/trajectory.h"

#if !defined(DN_SHORT_TRAINING)
#define DN_SHORT_TRAINING 0
#endif

enum { MOST_FAMILY = 32 };
static const double factor = 4.0, floor_epsilons = 8.0;

/* ---- families ---- */

typedef struct family {
    int count;
    bool surrounds; /* its first member: distances are from that, not from the nearest */
    trajectory member[MOST_FAMILY];
} family;

static void close_family(family *f)
{
    for (int i = 0; i < f->count; i++) close_trajectory(&f->member[i]);
}

/* Adds trainings with weights that are off by up to `unit`. */
static void add_disturbed(family *f, plan p, double unit, int until)
{
    p.unit = unit;
    for (p.disturb = 1; f->count < until; p.disturb++) f->member[f->count++] = run_plan(p);
}

/* The family of f32: all that differs is rounding. */
static void add_f32(family *f, plan p, int until)
{
    p.device = "ref";
    p.dtype = DN_F64;
    f->member[f->count++] = run_plan(p);
    p.dtype = DN_F32;
    f->member[f->count++] = run_plan(p);
    p.device = "cpu";
    p.threads = 1;
    f->member[f->count++] = run_plan(p);
    add_disturbed(f, p, (double)FLT_EPSILON / 2.0, until);
}

/* ---- judging ---- */

/* One quantity: the losses of a step, or a tensor. */
static double distance(const trajectory *a, const trajectory *b, int64_t steps, int quantity)
{
    return quantity < steps ? loss_distance(a, b, quantity) : tensor_distance(a, b, quantity - (int)steps);
}

/* @return how far `t` is from the nearest member of the family other than number `but`, or from the first member */
static double to_family(const family *f, const trajectory *t, int but, int quantity)
{
    double nearest = INFINITY;
    for (int i = 0; i < (f->surrounds ? 1 : f->count); i++) {
        const double d = i == but ? INFINITY : distance(t, &f->member[i], f->member[0].steps, quantity);
        if (d < nearest) nearest = d;
    }
    return nearest;
}

/* @return the largest distance of a member from the rest of the family */
static double spread(const family *f, int quantity)
{
    double most = 0.0;
    for (int i = f->surrounds; i < f->count; i++) most = fmax(most, to_family(f, &f->member[i], i, quantity));
    return most;
}

/* Distance over tolerance, the largest one of all quantities of its kind, and where that is. */
typedef struct verdict {
    double losses, tensors, typical; /* typical: the geometric mean over tensors */
    int64_t step;
    const char *tensor;
} verdict;

static verdict judge(const family *f, const trajectory *t, double unit)
{
    verdict v = {.tensor = ""};
    const trajectory *first = &f->member[0];
    double before = 0.0, logarithms = 0.0;
    cr_assert_eq(t->steps, first->steps);
    cr_assert_eq(t->columns, first->columns);
    cr_assert_eq(t->n_tensors, first->n_tensors);
    for (int q = 0; q < (int)first->steps + first->n_tensors; q++) {
        const bool is_loss = q < first->steps;
        double allowed = spread(f, q);
        if (is_loss) allowed = before = fmax(before, allowed);
        allowed = factor * allowed + floor_epsilons * unit * distance(first, NULL, first->steps, q);
        double ratio = to_family(f, t, -1, q) / allowed;
        if (!isfinite(ratio)) ratio = INFINITY; /* NaN is as far off as can be */
        if (!is_loss) logarithms += log(ratio + 1e-9);
        if (is_loss && ratio > v.losses) {
            v.losses = ratio;
            v.step = q;
        } else if (!is_loss && ratio > v.tensors) {
            v.tensors = ratio;
            v.tensor = first->tensor[q - (int)first->steps].name;
        }
    }
    v.typical = exp(logarithms / first->n_tensors);
    return v;
}

static void tell(const char *what, const verdict *v)
{
    cr_log_info("%s: losses at most %.3g of the tolerance (step %lld), tensors %.3g (%s), typically %.3g", what,
                v->losses, (long long)v->step, v->tensors, v->tensor, v->typical);
}

static verdict check_near(const family *f, const trajectory *t, double unit, const char *what)
{
    const verdict v = judge(f, t, unit);
    tell(what, &v);
    cr_expect_leq(v.losses, 1.0, "%s: the losses of step %lld are off by %g tolerances", what, (long long)v.step,
                  v.losses);
    cr_expect_leq(v.tensors, 1.0, "%s: '%s' is off by %g tolerances", what, v.tensor, v.tensors);
    return v;
}

/* A training that is meant to differ must not pass. */
static void check_far(const family *f, plan p, const char *override, double unit)
{
    int count = 0;
    while (p.overrides[count]) count++;
    p.overrides[count] = override;
    p.device = "cpu";
    p.threads = 1;
    trajectory t = run_plan(p);
    const verdict v = judge(f, &t, unit);
    tell(override, &v);
    cr_expect_geq(v.losses, 10.0, "%s: the losses would not tell, %g tolerances", override, v.losses);
    cr_expect_geq(v.tensors, 2.0, "%s: the tensors would not tell, %g tolerances", override, v.tensors);
    close_trajectory(&t);
}

/* ---- trainings ---- */

static void need_emulator(void)
{
    dn_device *device = NULL;
    const dn_status status = dn_device_open(&device, "cuda-emu", NULL);
    if (status == DN_ERROR_UNSUPPORTED) cr_skip_test("%s", dn_error_last());
    cr_assert_eq(status, DN_OK, "%s", dn_error_last());
    dn_device_close(device);
}

enum { SHORTER = 4 /* overrides of shorten() */ };

static plan shorten(plan p, int64_t steps)
{
    static const char *const less[SHORTER] = {"train.batch=8", "mi.batch=4", "leave_out.batch=4",
                                              DN_SHORT_TRAINING ? "model.width=8" : "model.width=16"};
    p.steps = steps;
    for (int i = 0; i < SHORTER; i++) p.overrides[i] = less[i];
    return p;
}

static void check_f32(plan p, int members)
{
    const double unit = (double)FLT_EPSILON;
    family f = {0};
    add_f32(&f, p, members);
    check_far(&f, p, "train.seed=1", unit);
    check_far(&f, p, "optimizer.rate=0.00101", unit); /* instead of 0.001 */
    trajectory emulated = run_plan(p);
    check_near(&f, &emulated, unit, p.recipe);
    close_trajectory(&emulated);
    close_family(&f);
}

/* As it is shipped, for half of its steps: the emulator needs seven seconds for one. */
static void check_whole(const char *recipe)
{
    if (DN_SHORT_TRAINING) cr_skip_test("it takes too long under sanitizers");
    need_emulator();
    check_f32((plan){.recipe = recipe, .device = "cuda-emu", .dtype = DN_F32, .steps = 10}, MOST_FAMILY);
}

Test(cuda_training, mutual_information)
{
    check_whole("glyphs-smoke");
}

Test(cuda_training, leave_out)
{
    check_whole("glyphs-smoke-leave-out");
}

/* Before the first branching all trainings agree to a few last bits: this is where a small mistake shows. */
Test(cuda_training, first_steps)
{
    static const char *const recipes[] = {"glyphs-smoke", "glyphs-smoke-leave-out"};
    need_emulator();
    for (int i = 0; i < 2; i++)
        check_f32(shorten((plan){.recipe = recipes[i], .device = "cuda-emu", .dtype = DN_F32}, 3), 16);
}

static void check_precision(const char *override, double unit)
{
    need_emulator();
    plan p = shorten((plan){.recipe = "glyphs-smoke", .device = "cpu", .threads = 1, .dtype = DN_F32},
                     DN_SHORT_TRAINING ? 2 : 8);
    family f = {.surrounds = true};
    f.member[f.count++] = run_plan(p);
    add_disturbed(&f, p, unit, 24);
    check_far(&f, p, "train.seed=1", 0.0);
    p.device = "cuda-emu";
    p.overrides[SHORTER] = override;
    trajectory emulated = run_plan(p);
    const verdict v = check_near(&f, &emulated, 0.0, override);
    /* The first member is in f32: nothing that was rounded less would be so far from it. */
    cr_expect_geq(v.typical, 0.01, "%s: this was computed in f32", override);
    close_trajectory(&emulated);
    close_family(&f);
}

Test(cuda_training, tf32)
{
    check_precision("train.precision=tf32", ldexp(1.0, -11));
}

Test(cuda_training, bf16)
{
    check_precision("train.precision=bf16", ldexp(1.0, -8));
}

/* ---- the same bytes ---- */

static void check_same(const trajectory *a, const trajectory *b)
{
    cr_expect_eq(memcmp(a->losses, b->losses, (size_t)(a->steps * a->columns) * sizeof *a->losses), 0);
    for (int i = 0; i < a->n_tensors; i++)
        cr_expect_eq(memcmp(a->tensor[i].values, b->tensor[i].values, a->tensor[i].count * sizeof(double)), 0,
                     "'%s' differs", a->tensor[i].name);
}

Test(cuda_training, repeatable)
{
    static const char *const precisions[] = {"train.precision=f32", "train.precision=bf16"};
    need_emulator();
    for (int i = DN_SHORT_TRAINING; i < 2; i++) {
        plan p = shorten((plan){.recipe = "glyphs-smoke", .device = "cuda-emu", .dtype = DN_F32}, 3);
        p.overrides[SHORTER] = precisions[i];
        trajectory first = run_plan(p), again = run_plan(p);
        check_same(&first, &again);
        close_trajectory(&again);
        close_trajectory(&first);
    }
}

/* ---- one member alone ---- */

/* @return what a training gave one member; `all` has no mutual information */
static trajectory member_of(const trajectory *all, int e)
{
    trajectory t = {.steps = all->steps, .members = 1, .columns = 1, .n_tensors = all->n_tensors};
    t.losses = dn_calloc((size_t)t.steps, sizeof *t.losses);
    for (int64_t s = 0; s < t.steps; s++) t.losses[s] = all->losses[s * all->columns + e];
    for (int i = 0; i < t.n_tensors; i++) {
        kept_tensor *one = &t.tensor[i];
        *one = all->tensor[i];
        one->count /= (size_t)all->members;
        one->values = dn_calloc(one->count, sizeof *one->values);
        memcpy(one->values, all->tensor[i].values + (size_t)e * one->count, one->count * sizeof *one->values);
    }
    return t;
}

/* A member's images, augmentation and dropout are its own, in every ensemble that it is in. Its bits need not be: how
 * a product is split into parts depends on how many members share the GPU. */
Test(cuda_training, a_member_alone)
{
    enum { MEMBER = 2 };
    need_emulator();
    plan p = {.recipe = "glyphs-deep",
              .device = "cuda-emu",
              .dtype = DN_F32,
              .steps = 4,
              .overrides = {"model.width=8", "model.dropout=0.25", "data.prepare=[standardize,crop,flip]",
                            "train.limit=200", "train.batch=8", "ensemble.members=3"}};
    trajectory all = run_plan(p), within = member_of(&all, MEMBER), wrong = member_of(&all, 0);
    p.overrides[5] = "ensemble.members=1";
    p.first_member = MEMBER;
    trajectory alone = run_plan(p);
    family f = {0};
    add_f32(&f, p, 16);
    check_near(&f, &alone, (double)FLT_EPSILON, "alone");
    check_near(&f, &within, (double)FLT_EPSILON, "within");
    const verdict v = judge(&f, &wrong, (double)FLT_EPSILON);
    tell("another member", &v);
    cr_expect_geq(v.losses, 10.0);
    close_trajectory(&wrong);
    close_trajectory(&within);
    close_trajectory(&all);
    close_trajectory(&alone);
    close_family(&f);
}
