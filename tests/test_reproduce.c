/* dunlin reproduce: a small experiment of the test's own through the framework, the shipped ones' published figures. */
#include <math.h>

#include "apps/command_line.h"
#include "apps/experiments.h"
#include "apps/interrupt.h"
#include "apps/json.h"
#include "apps/train_run.h"
#include "tests/run_command.h"

TestSuite(reproduce, .init = open_work, .fini = close_work, .timeout = 120);

static const char *recipe;      /* of the network */
static const char *const *more; /* [n_more] overrides */
static int n_more;
static int break_at = -1;  /* the step of seed 1 whose checkpoint stops it; -1: none */
static double accuracy[2]; /* of the kept checkpoints */

enum { MOST_LOOKS = 16 };
static int64_t looks[MOST_LOOKS]; /* [n_looks] steps whose network could have been kept, of seed 0 */
static int n_looks;
static int signal_at = -1; /* the step of seed 0 after whose checkpoint Ctrl-C is pressed; -1: none */

static dn_status note_step(void *context, const dn_network *network, const dn_history *history)
{
    (void)context;
    (void)network;
    cr_assert_lt(n_looks, MOST_LOOKS);
    looks[n_looks++] = history->steps;
    if (history->steps == signal_at) raise(SIGINT);
    return DN_OK;
}

static dn_status stop_once(void *context, const dn_network *network, const dn_history *history)
{
    (void)context;
    (void)network;
    if (history->steps != break_at) return DN_OK;
    return dn_fail(DN_ERROR_INTERRUPTED, "stopped by the test");
}

static dn_status fake_seed(const dn_reproduction *r)
{
    static const dn_labelled set[] = {{"lines", NULL}};
    static const dn_labelled scores[] = {{"drowned", "energy:T=1.000001"}, {"energy", "energy"}, {"MSP", "msp"}};
    static const dn_metric figures[] = {DN_METRIC_AUROC, DN_METRIC_FPR95};
    char ood[160];
    snprintf(ood, sizeof ood, "npy:%s/ood.npy", work);
    const dn_labelled ours = {set[0].label, ood};
    const dn_part_request part_of = {.name = "net",
                                     .recipe = recipe,
                                     .overrides = more,
                                     .n_overrides = n_more,
                                     .keep_best = true,
                                     .on_checkpoint = r->seed == 1 ? stop_once : note_step};
    const dn_score_request score = {.ood = &ours,
                                    .n_ood = 1,
                                    .scores = scores,
                                    .n_scores = 3,
                                    .metrics = {DN_FPR_OODEEL, DN_POSITIVE_OOD},
                                    .noise = 1e9,
                                    .n_noisy = 1,
                                    .figures = figures,
                                    .n_figures = 2};
    dn_part part = {0};
    DN_TRY(dn_reproduce_train(&part, r, &part_of));
    dn_score_request request = score;
    request.run = part.run;
    accuracy[r->seed] = part.accuracy;
    dn_status status = dn_reproduce_score(r, &request);
    if (status == DN_OK) status = dn_reproduce_put(r, "lines", "-", "number", 1.0 + 2.0 * (double)r->seed);
    if (status == DN_OK) status = dn_reproduce_point(r, "curve", "x", "y", "line", 1, 2);
    dn_part_close(&part);
    return status;
}

static const dn_published fake_published[] = {
    {"lines", "MSP", "AUROC", {.5, NAN}},
    {"lines", "-", "number", {1.5, 2.5}},
    {"lines", "-", "never", {.25, NAN}},
};
static const dn_experiment fake = {.name = "fake",
                                   .about = "lines",
                                   .source = "this test",
                                   .address = "here",
                                   .column = {"paper", "source"},
                                   .settings = "Small.",
                                   .reduced = "everything",
                                   .published = fake_published,
                                   .n_published = 3,
                                   .part = {{"lines", NULL}},
                                   .n_parts = 1,
                                   .seed = fake_seed};

static dn_status reproduce(const char *folder, int seeds)
{
    dn_device *device = NULL;
    const dn_device_options one = {.threads = 1}; /* more would wait for each other longer than they work */
    cr_assert_eq(dn_device_open(&device, "cpu", &one), DN_OK);
    const dn_reproduce_options o = {.out = folder, .seeds = seeds, .quiet = true, .command = "dunlin reproduce fake"};
    const dn_status status = dn_reproduce(&fake, device, &o);
    dn_device_close(device);
    return status;
}

static void make_recipe(void)
{
    recipe = write_recipe("fake", "ensemble: {members: 1}\ntrain: {batch: 16, steps: 12, checkpoint_every: 4}\n");
}

/* @return row i of the results; `tree` is to be freed */
static const cJSON *read_row(cJSON **tree, const char *folder, int i)
{
    char path[200];
    snprintf(path, sizeof path, "%s/results.json", folder);
    cr_assert_eq(dn_json_read(tree, path), DN_OK, "%s", dn_error_last());
    return cJSON_GetArrayItem(cJSON_GetObjectItem(*tree, "rows"), i);
}

static double number(const cJSON *row, const char *name)
{
    const cJSON *item = cJSON_GetObjectItem(row, name);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static void check_text(const char *folder)
{
    char path[200], text[8192] = "";
    snprintf(path, sizeof path, "%s/results.md", folder);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    const size_t got = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[got] = '\0';
    HAS(text, "| set | score | figure | paper | source | ours, 2 seeds | ours - paper | ours - source |");
    HAS(text, "| lines | - | number | 1.5000 | 2.5000 | 2.0000 +- 1.4142 | +0.5000 | -0.5000 |");
    HAS(text, "| lines | - | never | 0.2500 | - | not run | - | - |");
    HAS(text, "| lines | energy | FPR95 | - | - |");
    HAS(text, "Repeat: `dunlin reproduce fake`");
}

/* As good as the same score with noise and without: both would be equal if all had it, or none. */
static void check_noise(const char *folder)
{
    cJSON *tree = NULL;
    const cJSON *clean = read_row(&tree, folder, 5), *array = cJSON_GetObjectItem(tree, "rows");
    const cJSON *drowned = cJSON_GetArrayItem(array, 3);
    cr_assert_str_eq(cJSON_GetObjectItem(drowned, "score")->valuestring, "drowned");
    cr_assert_str_eq(cJSON_GetObjectItem(clean, "score")->valuestring, "energy");
    cr_expect_neq(number(drowned, "mean"), number(clean, "mean"));
    cJSON_Delete(tree);
}

Test(reproduce, table_of_two_seeds_that_is_not_trained_again)
{
    make_recipe();
    const char *folder = at("results");
    cr_assert_eq(reproduce(folder, 2), DN_OK, "%s", dn_error_last());
    cJSON *tree = NULL;
    const cJSON *row = read_row(&tree, folder, 0), *by_seed = cJSON_GetObjectItem(row, "by_seed");
    const double a = cJSON_GetArrayItem(by_seed, 0)->valuedouble, b = cJSON_GetArrayItem(by_seed, 1)->valuedouble;
    cr_expect_neq(a, b, "two seeds are two networks");
    cr_expect_float_eq(number(row, "mean"), (a + b) / 2, 1e-15);
    cr_expect_float_eq(number(row, "standard_deviation"), fabs(a - b) / sqrt(2), 1e-15);
    cr_expect_eq(number(cJSON_GetObjectItem(row, "published"), "paper"), .5);
    cr_expect(isnan(number(cJSON_GetObjectItem(row, "published"), "source")));
    cJSON_Delete(tree);
    check_text(folder);
    check_noise(folder);

    const print_of_file before = print_of(at("results/seed-0/net/checkpoint.h5"));
    cr_assert_eq(reproduce(folder, 2), DN_OK, "%s", dn_error_last());
    check_untouched(at("results/seed-0/net/checkpoint.h5"), before);
    row = read_row(&tree, folder, 0);
    cr_expect_eq(cJSON_GetArrayItem(cJSON_GetObjectItem(row, "by_seed"), 0)->valuedouble, a);
    cJSON_Delete(tree);
}

Test(reproduce, goes_on_where_it_was_broken_off)
{
    make_recipe();
    cr_assert_eq(reproduce(at("whole"), 2), DN_OK, "%s", dn_error_last());
    break_at = 4;
    cr_assert_eq(reproduce(at("broken"), 2), DN_ERROR_INTERRUPTED);
    HAS(dn_error_last(), "the same command goes on");
    cr_expect(exists(at("broken/results.json")), "seed 0 is through");
    break_at = -1;
    cr_assert_eq(reproduce(at("broken"), 2), DN_OK, "%s", dn_error_last());
    cJSON *whole = NULL, *broken = NULL;
    for (int i = 0; i < 6; i++) {
        const cJSON *one = read_row(&whole, at("whole"), i), *other = read_row(&broken, at("broken"), i);
        cr_expect(cJSON_Compare(one, other, true), "row %d", i);
        cJSON_Delete(whole);
        cJSON_Delete(broken);
    }
}

/* A network that is saved between two checkpoints because of Ctrl-C is none that could be the best. */
Test(reproduce, ctrl_c_does_not_change_what_is_kept)
{
    static const int64_t all[] = {0, 4, 8, 12, 14};
    static const char *const longer[] = {"train.steps=14"};
    cJSON *whole = NULL, *broken = NULL;
    make_recipe();
    more = longer;
    n_more = 1;
    cr_assert_eq(reproduce(at("whole"), 1), DN_OK, "%s", dn_error_last());
    cr_expect_eq(n_looks, 5);
    cr_expect_arr_eq(looks, all, sizeof all);
    n_looks = signal_at = 0;
    dn_interrupt_install();
    cr_assert_eq(reproduce(at("broken"), 1), DN_ERROR_INTERRUPTED);
    signal_at = -1;
    dn_interrupt_install();
    cr_assert_eq(reproduce(at("broken"), 1), DN_OK, "%s", dn_error_last());
    cr_expect_eq(n_looks, 5, "%d networks were looked at", n_looks);
    cr_expect_arr_eq(looks, all, sizeof all);
    cr_assert_eq(dn_json_read(&whole, at("whole/seed-0/net/best/part.json")), DN_OK);
    cr_assert_eq(dn_json_read(&broken, at("broken/seed-0/net/best/part.json")), DN_OK);
    cr_expect(cJSON_Compare(whole, broken, true), "another network is kept");
    cJSON_Delete(whole);
    cJSON_Delete(broken);
}

Test(reproduce, keeps_the_best_checkpoint)
{
    make_recipe();
    cr_assert_eq(reproduce(at("best"), 1), DN_OK, "%s", dn_error_last());
    dn_device *device = NULL;
    dn_network *network = NULL;
    dn_accuracy_report best = {0}, last = {0};
    char test[200];
    snprintf(test, sizeof test, "npy:%s/test.npy,%s/test-labels.npy", work, work);
    cr_assert_eq(dn_device_open(&device, "cpu", &(dn_device_options){.threads = 1}), DN_OK);
    cr_assert_eq(dn_network_load(&network, at("best/seed-0/net/best/checkpoint.h5"), device), DN_OK);
    cr_assert_eq(dn_train_measure(&best, network, at("best/seed-0/net/best"), NULL, test), DN_OK);
    dn_network_close(network);
    cr_assert_eq(dn_network_load(&network, at("best/seed-0/net/checkpoint.h5"), device), DN_OK);
    cr_assert_eq(dn_train_measure(&last, network, at("best/seed-0/net"), NULL, test), DN_OK);
    cr_expect_eq(best.ensemble, accuracy[0]);
    cr_expect_geq(best.ensemble, last.ensemble);
    dn_network_close(network);
    dn_device_close(device);
    dn_free(best.member);
    dn_free(last.member);
}

Test(reproduce, other_settings_are_another_training)
{
    static const char *const other[] = {"train.batch=8"};
    make_recipe();
    cr_assert_eq(reproduce(at("other"), 1), DN_OK, "%s", dn_error_last());
    more = other;
    n_more = 1;
    cr_assert_eq(reproduce(at("other"), 1), DN_ERROR_ARGUMENT);
    HAS(dn_error_last(), "other settings");
}

/* ---- the program ---- */

Test(reproduce, command_line)
{
    cr_expect_eq(RUN("reproduce", "--list"), 0);
    for (const dn_experiment *const *e = dn_experiments(); *e; e++) HAS(out, (*e)->name);
    cr_expect_eq(RUN("reproduce", "genn"), 2);
    HAS(err, "did you mean 'gen'?");
    cr_expect_eq(RUN("reproduce"), 2);
    cr_expect_eq(RUN("reproduce", "gen", "--part", "minst"), 2);
    HAS(err, "there are mnist, cifar");
    cr_expect_eq(RUN("reproduce", "mc-dropout-react", "--weights", "a.h5"), 2);
    cr_expect_eq(RUN("reproduce", "gen", "--part", "mnist", "--weights", "a.h5"), 2);
    HAS(err, "for part 'cifar'");
    cr_expect_eq(RUN("reproduce", "gen", "--data", work, "--out", at("gen")), 1);
    HAS(err, "gen, part mnist, needs 'mnist[0-4]:train'");
    cr_expect(!exists(at("gen")));
}

/* A shell makes the same arguments of the line again. */
Test(reproduce, command_can_be_typed_again)
{
    char *const given[] = {"printf",    "%s\n",  "mnist[0-4]:test", "it's",
                           "two words", "",      "train.seed=1",    "a*?$HOME`\"\\",
                           "~/data",    "{a,b}", "1,2/3_4-5",       "\303\244;&|<>()!#"};
    enum { N = sizeof given / sizeof *given };
    char *line = dn_command_line(N, given), expected[400] = "";
    cr_assert_not_null(line, "%s", dn_error_last());
    char *const shell[] = {"sh", "-c", line, NULL};
    cr_assert_eq(wait_command(start_program("sh", shell, environ)), 0, "%s: %s", line, err);
    for (int i = 2; i < N; i++)
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%s\n", given[i]);
    cr_expect_str_eq(out, expected);
    HAS(line, " train.seed=1 "); /* without quotes where none are needed */
    dn_free(line);
}

/* ---- published figures, as they are published ---- */

static double published(const dn_experiment *e, const char *set, const char *score, const char *figure, int column)
{
    for (int i = 0; i < e->n_published; i++) {
        const dn_published *p = &e->published[i];
        if (strstr(p->set, set) && strcmp(p->score, score) == 0 && strcmp(p->figure, figure) == 0)
            return p->value[column];
    }
    return NAN;
}

Test(reproduce, published_figures)
{
    const dn_experiment *gen = &dn_experiment_gen, *she = &dn_experiment_she, *mc = &dn_experiment_mc_dropout_react;
    cr_expect_eq(published(gen, "MNIST", "GEN", "AUROC", 0), .914862);
    cr_expect_eq(published(gen, "MNIST", "GEN", "FPR95", 0), .529675);
    cr_expect_eq(published(gen, "MNIST", "GEN", "AUROC", 1), .927143);
    cr_expect_eq(published(gen, "MNIST", "GEN", "FPR95", 1), .427710);
    cr_expect_eq(published(gen, "CIFAR", "GEN", "AUROC", 0), .969413);
    cr_expect_eq(published(gen, "CIFAR", "GEN", "FPR95", 0), .1337);
    cr_expect_eq(published(gen, "CIFAR", "GEN", "FPR95", 1), .1334);
    cr_expect_eq(published(gen, "CIFAR", "energy", "AUROC", 1), .909189);
    cr_expect_eq(published(she, "MNIST", "SHE", "AUROC", 0), .725269);
    cr_expect_eq(published(she, "MNIST", "SHE", "FPR95", 0), .688655);
    cr_expect_eq(published(she, "MNIST", "SHE", "AUROC", 1), .739956);
    cr_expect_eq(published(she, "MNIST", "SHE", "FPR95", 1), .647208);
    cr_expect_eq(published(she, "CIFAR", "SHE", "AUROC", 0), .98842);
    cr_expect_eq(published(she, "CIFAR", "SHE", "FPR95", 1), .2521);
    cr_expect_eq(published(mc, "MNIST", "MSP", "AUROC", 0), .64310357);
    cr_expect_eq(published(mc, "MNIST", "MC dropout", "AUPR", 0), .6321278668951666);
    cr_expect_eq(published(mc, "MNIST", "ReAct + energy", "FPR95", 0), .2679);
    cr_expect(isnan(published(mc, "MNIST", "energy", "AUROC", 0)));
}
