/* The same training twice, and in pieces: the same bytes. */
#include <time.h>

#include "tests/compare_stores.h"
#include "tests/run_command.h"

TestSuite(train_repeat, .init = open_work, .fini = close_work, .timeout = 240);

/* ---- twice ---- */

static void check_repeatable(const char *kind, const char *rest)
{
    char recipe[160];
    snprintf(recipe, sizeof recipe, "%s", write_recipe(kind, rest));
    TRAIN(recipe, "--out", at("a"), "-q");
    TRAIN(recipe, "--out", at("b"), "-q");
    TRAIN(recipe, "--out", at("c"), "-q", "--seed", "1");
    cr_expect_eq(step_of(at("a/checkpoint.h5")), 12);
    cr_expect_eq(differing_arrays(at("a/checkpoint.h5"), at("b/checkpoint.h5"), "/"), 0, "%s is not repeatable", kind);
    cr_expect_gt(differing_arrays(at("a/checkpoint.h5"), at("c/checkpoint.h5"), "parameters"), 5,
                 "%s: another seed changes nothing", kind);
    cr_expect_gt(differing_arrays(at("a/checkpoint.h5"), at("c/checkpoint.h5"), "history"), 1);
}

Test(train_repeat, deep)
{
    check_repeatable("deep", deep_recipe);
}

Test(train_repeat, mutual_information)
{
    check_repeatable("mi", mi_recipe);
}

Test(train_repeat, uneven_leave_out)
{
    check_repeatable("leave_out", leave_out_recipe);
}

Test(train_repeat, even_leave_out)
{
    check_repeatable("leave_out", "ensemble: {kind: leave_out, members: 5}\ntrain: {batch: 16, steps: 12}\n");
}

/* ---- in pieces ---- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void wait_seconds(double seconds)
{
    nanosleep(
        &(struct timespec){.tv_sec = (time_t)seconds, .tv_nsec = (long)(1e9 * (seconds - (double)(time_t)seconds))},
        NULL);
}

/** Training is killed again and again, whatever it is doing, and resumed, until it has been killed 20 times and done
 *  as often as it could. */
static void check_kills(const char *kind, const char *rest, const char *steps, int kills, uint64_t seed)
{
    char recipe[160];
    dn_random_sequence r = {.seed = seed};
    snprintf(recipe, sizeof recipe, "%s", write_recipe(kind, rest));
    const double start = now();
    TRAIN(recipe, "--out", at("whole"), "-q", steps, "train.checkpoint_every=4");
    const double seconds = now() - start;
    int killed = 0, later = 0; /* later: killed after the first checkpoint */
    while (killed < kills) {
        int code = 0;
        remove_folder(at("pieces"));
        do {
            const pid_t child =
                START("train", recipe, "--out", at("pieces"), "-q", "--resume", steps, "train.checkpoint_every=4");
            if (killed < kills) {
                wait_seconds(0.8 * seconds * dn_random_next_below(&r, 1000) / 1000.0);
                kill(child, SIGKILL);
            }
            code = wait_command(child);
            cr_assert(code == 0 || code == -SIGKILL, "exit code %d: %s", code, err);
            killed += code != 0;
            later += code != 0 && exists(at("pieces/checkpoint.h5"));
        } while (code != 0);
        cr_expect_eq(differing_arrays(at("whole/checkpoint.h5"), at("pieces/checkpoint.h5"), "/"), 0,
                     "%s: not the same after %d kills", kind, killed);
    }
    cr_expect_gt(later, kills / 4, "only %d of %d kills came after the first checkpoint", later, killed);
}

Test(train_repeat, killed_and_resumed_mi)
{
    check_kills("mi", mi_recipe, "train.steps=90", 12, 1);
}

Test(train_repeat, killed_and_resumed_leave_out)
{
    threads = "--threads=1";
    check_kills("leave_out", leave_out_recipe, "train.steps=40", 8, 2);
}

/** A signal ends training after a step, with a checkpoint and a word on how to go on. */
static void check_signal(int number)
{
    char recipe[160];
    snprintf(recipe, sizeof recipe, "%s", write_recipe("mi", mi_recipe));
    TRAIN(recipe, "--out", at("whole"), "-q", "train.steps=600", "train.checkpoint_every=100000");
    const pid_t child =
        START("train", recipe, "--out", at("pieces"), "train.steps=600", "train.checkpoint_every=100000");
    for (int i = 0; i < 5000 && !exists(at("pieces/checkpoint.h5")); i++) wait_seconds(0.005);
    kill(child, number);
    cr_assert_eq(wait_command(child), 1, "%s", err);
    const long long stopped = number_after(err, "dunlin: stopped at step ");
    HAS(err, " of 600; `--resume` goes on from there\n");
    cr_expect_geq(stopped, 1);
    cr_expect_lt(stopped, 600);
    cr_expect_eq(step_of(at("pieces/checkpoint.h5")), stopped);
    /* The run's own recipe will do. */
    TRAIN("--out", at("pieces"), "--resume", "-q");
    cr_expect_eq(differing_arrays(at("whole/checkpoint.h5"), at("pieces/checkpoint.h5"), "/"), 0);
    /* What is done stays done: no step is done again. */
    const print_of_file done = print_of(at("pieces/checkpoint.h5"));
    TRAIN("--out", at("pieces"), "--resume", "-q");
    HAS(out, "test accuracy");
    check_untouched(at("pieces/checkpoint.h5"), done);
}

Test(train_repeat, interrupted)
{
    check_signal(SIGINT);
}

Test(train_repeat, terminated)
{
    check_signal(SIGTERM);
}
