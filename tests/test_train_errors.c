/* What goes wrong in training: what the user reads, and what is left on the disk. */
#include <math.h>
#include <sys/resource.h>

#include "tests/compare_stores.h"
#include "tests/run_command.h"

TestSuite(train_errors, .init = open_work, .fini = close_work, .timeout = 120);

static char recipe[160]; /* the path of one */

static void use(const char *rest)
{
    snprintf(recipe, sizeof recipe, "%s", write_recipe("recipe", rest));
}

/* ---- NaN ---- */

static dn_status check_finite(void *context, const char *name, bool is_group)
{
    dn_store *store = context;
    const char *const groups[] = {"parameters", "states"};
    cr_assert_not(is_group);
    for (int g = 0; g < 2; g++) {
        char path[160];
        dn_store_info info;
        snprintf(path, sizeof path, "%s/%.120s", groups[g], name);
        if (!dn_store_exists(store, path)) continue;
        float *values = read_array(store, path, &info);
        for (int64_t i = 0; i < info.count; i++) cr_assert(isfinite(values[i]), "%s holds %g", path, values[i]);
        dn_free(values);
    }
    return DN_OK;
}

static void check_checkpoint_is_finite(const char *path)
{
    dn_store *store = NULL;
    cr_assert_eq(dn_store_open(&store, path), DN_OK, "%s", dn_error_last());
    cr_expect_eq(dn_store_list(store, "parameters", check_finite, store), DN_OK);
    cr_expect_eq(dn_store_list(store, "states", check_finite, store), DN_OK);
    dn_store_close(store);
}

/** Trains with a checkpoint at every step and fails. @return the step that the message names */
static long long fail_training(const char *override, const char *named)
{
    remove_folder(at("run"));
    cr_expect_eq(RUN("train", recipe, "--out", at("run"), "-q", "train.checkpoint_every=1", override), 1, "%s", err);
    HAS(err, named);
    HAS(err, "is kept: try a smaller learning rate");
    cr_expect_eq(number_after(err, "the checkpoint of step "), step_of(at("run/checkpoint.h5")), "%s", err);
    check_checkpoint_is_finite(at("run/checkpoint.h5"));
    return number_after(err, "dunlin: step ");
}

Test(train_errors, a_rate_that_is_too_large)
{
    use(deep_recipe);
    cr_expect_geq(fail_training("optimizer={kind: sgd, rate: 1e30}", "NaN or infinite; the first op with such a value"),
                  1);
    HAS(err, ": batch_norm(");
}

Test(train_errors, a_rate_that_breaks_the_parameters_at_once)
{
    use(deep_recipe);
    /* 1e300 is infinite in f32: the loss of step 0 is finite, what comes after it is not. */
    cr_expect_eq(fail_training("optimizer.rate=1e300", "has become NaN or infinite"), 1);
    cr_expect_eq(step_of(at("run/checkpoint.h5")), 0);
    HAS(err, "'conv1.weight' of member 0");
}

Test(train_errors, inputs_that_overflow)
{
    use(deep_recipe);
    FILE *images = open_npy("huge.npy", "<f4", "(90, 8, 8, 1)");
    for (int i = 0; i < 90 * SIDE * SIDE; i++) fwrite(&(float){(float)(i % 7) * 1e37F}, 4, 1, images);
    fclose(images);
    char override[300];
    snprintf(override, sizeof override, "data.train=npy:%s/huge.npy,%s/train-labels.npy", work, work);
    cr_expect_eq(RUN("train", recipe, "--out", at("run"), "-q", "data.prepare=", override), 1, "%s", err);
    HAS(err, "dunlin: step 0: the loss or a gradient is NaN or infinite; the first op with such a value is ");
    HAS(err, "norm1");
    check_checkpoint_is_finite(at("run/checkpoint.h5"));
    cr_expect_eq(step_of(at("run/checkpoint.h5")), 0);
}

/* ---- runs that are there already ---- */

Test(train_errors, a_run_is_not_overwritten)
{
    use(deep_recipe);
    TRAIN(recipe, "--out", at("run"), "-q");
    const print_of_file checkpoint = print_of(at("run/checkpoint.h5")), text = print_of(at("run/recipe.yaml"));
    cr_expect_eq(RUN("train", recipe, "--out", at("run")), 2);
    HAS(err, "run' holds a run already: --resume goes on with it, --out names another folder");
    cr_expect_eq(RUN("train", recipe, "--out", at("run"), "--resume", "train.batch=8"), 2);
    HAS(err, "the recipe is not the one that '");
    HAS(err, "leave it out to resume with the run's own");
    cr_expect_eq(RUN("train", recipe, "--out", at("run"), "--resume", "--seed", "3"), 2);
    check_untouched(at("run/checkpoint.h5"), checkpoint);
    check_untouched(at("run/recipe.yaml"), text);
}

/** Without a recipe it is the run's own that goes on: nothing in it can be changed. */
Test(train_errors, a_run_goes_on_as_it_began)
{
    static const char *const changes[] = {"model.width=8", "optimizer.rate=.5", "train.steps=25", "--seed=5"};
    use(deep_recipe);
    TRAIN(recipe, "--out", at("run"), "-q");
    const print_of_file checkpoint = print_of(at("run/checkpoint.h5")), text = print_of(at("run/recipe.yaml"));
    for (int i = 0; i < 4; i++) {
        cr_expect_eq(RUN("train", "--out", at("run"), "--resume", changes[i]), 2, "%s: %s", changes[i], err);
        HAS(err, "the overrides or --seed change the recipe that '");
        HAS(err, "run/checkpoint.h5' was trained by: that would be another training; leave them out to resume, or ");
    }
    check_untouched(at("run/checkpoint.h5"), checkpoint);
    TRAIN("--out", at("run"), "--resume", "-q", "train.steps=12", "--seed", "0"); /* as they are */
    check_untouched(at("run/recipe.yaml"), text);
}

Test(train_errors, resuming_nothing_starts)
{
    use(deep_recipe);
    TRAIN(recipe, "--out", at("run"), "--resume");
    HAS(err, "nothing to resume in '");
    cr_expect_eq(step_of(at("run/checkpoint.h5")), 12);
    cr_expect_eq(RUN("train", "--out", at("nowhere"), "--resume"), 1);
    HAS(err, "nowhere/checkpoint.h5");
    cr_expect_not(exists(at("nowhere")));
}

Test(train_errors, a_damaged_checkpoint_is_not_resumed)
{
    use(deep_recipe);
    TRAIN(recipe, "--out", at("run"), "-q");
    cr_assert_eq(truncate(at("run/checkpoint.h5"), print_of(at("run/checkpoint.h5")).size / 2), 0);
    const print_of_file checkpoint = print_of(at("run/checkpoint.h5"));
    cr_expect_eq(RUN("train", recipe, "--out", at("run"), "--resume"), 1);
    HAS(err, "run/checkpoint.h5");
    HAS(err, "cut off");
    check_untouched(at("run/checkpoint.h5"), checkpoint);
}

/* ---- starts that fail ---- */

/** Fails without a trace; then the same folder takes a run. */
static void check_failed_start(const char *override, int code, const char *named)
{
    cr_expect_eq(RUN("train", recipe, "--out", at("deep/run"), "--data", "/nowhere", override), code, "%s", err);
    HAS(err, named);
    cr_expect_not(exists(at("deep")), "%s leaves a folder", override);
}

Test(train_errors, a_failed_start_leaves_nothing)
{
    char text[400];
    write_set("large", 20, 12, 5);
    use(mi_recipe);
    check_failed_start("data.train=mnist:train", 1, "/nowhere");
    check_failed_start("data.test=mnist:test", 1, "/nowhere");
    check_failed_start("mi.sources.0={kind: data, data: 'mnist:train'}", 1, "/nowhere");
    check_failed_start("data.train=nmist:train", 2, "mnist");
    check_failed_start("mi.sources.0.patch=5", 1, "patch_shuffle");
    check_failed_start("data.train=glyphs:letters", 1, "data.test");
    snprintf(text, sizeof text, "data.test=npy:%s/large.npy,%s/large-labels.npy", work, work);
    check_failed_start(text, 1, "12x12x1");
    HAS(err, "@8x8x1");
    snprintf(text, sizeof text, "mi.sources.0={kind: data, data: 'npy:%s/large.npy'}", work);
    check_failed_start(text, 1, "mi.sources.0: 'npy:");
    snprintf(text, sizeof text, "data.train=npy:%s/train.npy", work);
    check_failed_start(text, 2, "training needs labels");
    check_failed_start("train.steps=100000000", 2, "train.steps must be an integer from 0 to 16777216");
    snprintf(text, sizeof text, "data.train=npy:%s/train.npy,%s/test-labels.npy", work, work);
    check_failed_start(text, 1, "test-labels.npy");
    TRAIN(recipe, "--out", at("deep/run"), "-q");
}

/** Room for the recipe and not for the checkpoint. */
Test(train_errors, a_disk_that_is_full)
{
    use(deep_recipe);
    cr_assert_eq(mkdir(at("there"), 0777), 0);
    signal(SIGXFSZ, SIG_IGN); /* a write beyond the limit is an error then, in the command too */
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){8192, RLIM_INFINITY}), 0);
    cr_expect_eq(RUN("train", recipe, "--out", at("there/deep/run/")), 1, "%s", err);
    HAS(err, "deep/run//checkpoint.h5");
    cr_expect_eq(RUN("train", recipe, "--out", at("there")), 1, "%s", err);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}), 0);
    cr_expect_eq(rmdir(at("there")), 0, "a failed start leaves files, or removes a folder that is not its own");
}

/** A recipe's file outside of runs/ makes a run in runs/. */
Test(train_errors, the_usual_folder)
{
    use(deep_recipe);
    cr_assert_eq(mkdir(at("here"), 0777), 0);
    cr_assert_eq(chdir(at("here")), 0);
    TRAIN("../recipe.yaml", "-q");
    cr_expect(exists(at("here/runs/recipe/checkpoint.h5")));
    cr_expect_eq(RUN("train", recipe), 2);
    HAS(err, "'runs/recipe' holds a run already");
    cr_assert_eq(chdir("/"), 0);
}

Test(train_errors, members_without_data)
{
    use(leave_out_recipe);
    check_failed_start("train.limit=1", 2, "has no training items of its");
}

Test(train_errors, a_test_set_of_more_classes)
{
    use(deep_recipe);
    FILE *labels = open_npy("five-labels.npy", "<i4", "(90,)");
    for (int32_t i = 0; i < 90; i++) fwrite(&(int32_t){i % 5}, 4, 1, labels);
    fclose(labels);
    char override[300];
    snprintf(override, sizeof override, "data.train=npy:%s/train.npy,%s/five-labels.npy", work, work);
    check_failed_start(override, 2, "has 10 classes, data.train 'npy:");
}

Test(train_errors, usage)
{
    use(deep_recipe);
    cr_expect_eq(RUN("train", recipe, "--out", at("run"), "--device", "gpu"), 2);
    HAS(err, "gpu");
    cr_expect_eq(RUN("train", recipe, "more", "--out", at("run")), 2);
    HAS(err, "'more': the recipe is '");
    cr_expect_eq(RUN("train", recipe, "train.bacth=3", "--out", at("run")), 2);
    HAS(err, "did you mean 'train.batch'?");
    cr_expect_eq(RUN("train", "glyphs-dep"), 2);
    HAS(err, "glyphs-deep");
    cr_expect_eq(RUN("train", recipe, "--out", ""), 2);
    HAS(err, "--out: the name of a folder is needed");
    cr_expect_eq(RUN("train", "--resume", "--out", ""), 2);
    HAS(err, "--out: the name of a folder is needed");
    cr_expect_not(exists("/checkpoint.h5"));
    cr_expect_eq(RUN("evaluate", ""), 2);
    HAS(err, "run '': the name of a folder is needed");
    cr_expect_eq(RUN("train", recipe, "--out", at("train.npy")), 2);
    HAS(err, "train.npy' is a file; name a folder");
    cr_expect_eq(RUN("train"), 2);
    cr_expect_eq(RUN("train", recipe, "--out", "/proc/self/run"), 1);
    HAS(err, "/proc/self/run");
    cr_expect_not(exists(at("run")));
}

/* ---- what it does besides ---- */

Test(train_errors, a_plan_writes_nothing)
{
    use(mi_recipe);
    cr_assert_eq(RUN("train", recipe, "--out", at("run"), "--plan"), 0, "%s", err);
    HAS(err, "activations");
    HAS(err, "with program and libraries");
    cr_expect_str_eq(out, "");
    cr_expect_not(exists(at("run")));
    TRAIN(recipe, "--out", at("run"), "-q");
    const print_of_file checkpoint = print_of(at("run/checkpoint.h5"));
    cr_assert_eq(RUN("train", recipe, "--out", at("run"), "--plan"), 0, "%s", err);
    check_untouched(at("run/checkpoint.h5"), checkpoint);
}

Test(train_errors, overrides_and_seed_are_in_the_run)
{
    use(deep_recipe);
    TRAIN(recipe, "--out", at("a"), "-q", "train.steps=3", "--seed", "7");
    TRAIN(recipe, "train.seed=7", "train.steps=3", "--out", at("b"), "-q");
    cr_expect_eq(step_of(at("a/checkpoint.h5")), 3);
    cr_expect_eq(differing_arrays(at("a/checkpoint.h5"), at("b/checkpoint.h5"), "/"), 0);
    dn_store *store = NULL;
    char *text = NULL, written[8000] = "";
    cr_assert_eq(dn_store_open(&store, at("a/checkpoint.h5")), DN_OK);
    cr_assert_eq(dn_store_get_text(store, "/", "recipe", &text), DN_OK);
    HAS(text, "seed: 7");
    HAS(text, "steps: 3");
    FILE *file = fopen(at("a/recipe.yaml"), "r");
    cr_assert_not_null(file);
    cr_expect_gt(fread(written, 1, sizeof written - 1, file), 100);
    cr_expect_str_eq(written, text);
    fclose(file);
    dn_free(text);
    dn_store_close(store);
}
