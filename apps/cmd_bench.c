/* dunlin bench: how long a training step takes, op by op, or beside a peer. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "apps/bench_ops.h"
#include "apps/bench_report.h"
#include "apps/bench_step.h"
#include "apps/cli.h"
#include "apps/commands.h"
#include "core/alloc.h"

enum {
    KEY_MEMBERS = 0x2000,
    KEY_BATCH,
    KEY_THREADS,
    KEY_DEVICE,
    KEY_SHAPE,
    KEY_CLASSES,
    KEY_IMAGES,
    KEY_REPEATS,
    KEY_SORT,
    KEY_STEPS,
    KEY_ROUNDS,
    KEY_PEER,
    KEY_PEER_MODEL,
    MOST = 64
};

static const double peer_patience = 1800.0; /* seconds; large networks train slowly */
static const char default_recipe[] = "cifar10-cnn3";

typedef enum bench_kind { BENCH_OPS, BENCH_STEP, BENCH_KINDS } bench_kind;

static const char *const kinds[BENCH_KINDS] = {"ops", "step"};

typedef struct arguments {
    int words; /* arguments that are not options, so far */
    size_t kind;
    dn_workload_options workload;
    const char *overrides[MOST];
    int n_overrides;
    char *own[2]; /* --members and --batch as overrides */
    int n_own;
    int repeats, steps, rounds;
    bool sorted;
    const char *peer, *peer_model, *json;
} arguments;

static const struct argp_option options[] = {
    {"members", KEY_MEMBERS, "E", 0, "Members of the ensemble (default: the recipe's)", 0},
    {"batch", KEY_BATCH, "N", 0, "Images in a batch (default: the recipe's)", 0},
    {"device", KEY_DEVICE, "D", 0, "See `dunlin devices` (default cpu)", 0},
    {"threads", KEY_THREADS, "T", 0, "CPU threads (default: all cores)", 0},
    {"shape", KEY_SHAPE, "HxWxC", 0, "Size of the random images (default: as in the recipe's training set)", 0},
    {"classes", KEY_CLASSES, "K", 0, "Classes of the random labels (default: as in the recipe's training set)", 0},
    {"images", KEY_IMAGES, "M", 0, "Number of random images (default 50000, or what fits into 160 MB)", 0},
    {"repeats", KEY_REPEATS, "R", 0, "ops: repetitions (default: some three seconds)", 1},
    {"sort", KEY_SORT, NULL, 0, "ops: the longest first", 1},
    {"steps", KEY_STEPS, "S", 0, "step: steps in a round (default: some half a second)", 2},
    {"rounds", KEY_ROUNDS, "R", 0, "step: rounds (default 7)", 2},
    {"peer", KEY_PEER, "COMMAND", 0,
     "step: a shell command that trains the same with other software, in turns: see bench/README.md", 2},
    {"peer-model", KEY_PEER_MODEL, "NAME", 0, "step: what the peer calls the model (default: the recipe's name for it)",
     2},
    DN_OPTION_JSON,
    {0}};

/* ---- options ---- */

static dn_status add_own(arguments *a, const char *option, const char *key, const char *arg)
{
    int64_t value = 0;
    DN_TRY(dn_cli_parse_int(option, arg, 1, 1 << 20, &value));
    if (a->n_own == 2) return dn_fail(DN_ERROR_ARGUMENT, "%s: --members and --batch are given once each", option);
    char *text = dn_format("%s=%lld", key, (long long)value);
    if (!text) return DN_ERROR_MEMORY;
    a->own[a->n_own++] = text;
    return DN_OK;
}

static dn_status take_number(const char *option, const char *arg, int *to)
{
    int64_t value = 0;
    DN_TRY(dn_cli_parse_int(option, arg, 1, 100000000, &value));
    *to = (int)value;
    return DN_OK;
}

static dn_status take_word(arguments *a, const char *arg)
{
    if (a->words++ == 0) return dn_cli_choose("what to time", arg, kinds, BENCH_KINDS, &a->kind);
    if (!strchr(arg, '=') && !a->workload.recipe) {
        a->workload.recipe = arg;
        return DN_OK;
    }
    if (!strchr(arg, '='))
        return dn_fail(DN_ERROR_ARGUMENT, "'%s': the recipe is '%s' already, an override is key=value", arg,
                       a->workload.recipe);
    if (a->n_overrides == MOST - 2) return dn_fail(DN_ERROR_ARGUMENT, "at most %d overrides", MOST - 2);
    a->overrides[a->n_overrides++] = arg;
    return DN_OK;
}

static dn_status take(arguments *a, int key, const char *arg)
{
    int images = 0;
    switch (key) {
    case ARGP_KEY_ARG: return take_word(a, arg);
    case KEY_MEMBERS: return add_own(a, "--members", "ensemble.members", arg);
    case KEY_BATCH: return add_own(a, "--batch", "train.batch", arg);
    case KEY_DEVICE: a->workload.device = arg; return DN_OK;
    case KEY_THREADS: return take_number("--threads", arg, &a->workload.threads);
    case KEY_SHAPE: a->workload.shape = arg; return DN_OK;
    case KEY_CLASSES: return take_number("--classes", arg, &a->workload.classes);
    case KEY_IMAGES:
        DN_TRY(take_number("--images", arg, &images));
        a->workload.images = images;
        return DN_OK;
    case KEY_REPEATS: return take_number("--repeats", arg, &a->repeats);
    case KEY_SORT: a->sorted = true; return DN_OK;
    case KEY_STEPS: return take_number("--steps", arg, &a->steps);
    case KEY_ROUNDS: return take_number("--rounds", arg, &a->rounds);
    case KEY_PEER: a->peer = arg; return DN_OK;
    case KEY_PEER_MODEL: a->peer_model = arg; return DN_OK;
    default: a->json = arg; return DN_OK; /* DN_KEY_JSON */
    }
}

static dn_status check(const arguments *a)
{
    if (a->words == 0) return dn_fail(DN_ERROR_ARGUMENT, "bench what? `ops` or `step`");
    if (a->kind == BENCH_OPS && (a->steps || a->rounds || a->peer || a->peer_model))
        return dn_fail(DN_ERROR_ARGUMENT, "--steps, --rounds, --peer and --peer-model belong to `dunlin bench step`");
    if (a->kind == BENCH_STEP && (a->repeats || a->sorted))
        return dn_fail(DN_ERROR_ARGUMENT, "--repeats and --sort belong to `dunlin bench ops`");
    if (a->peer_model && !a->peer) return dn_fail(DN_ERROR_ARGUMENT, "--peer-model needs --peer");
    return DN_OK;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;
    if (key == ARGP_KEY_END && check(a) != DN_OK) argp_error(state, "%s", dn_error_last());
    if (key != ARGP_KEY_ARG && key != DN_KEY_JSON && (key < KEY_MEMBERS || key > KEY_PEER_MODEL))
        return ARGP_ERR_UNKNOWN;
    if (take(a, key, arg) != DN_OK) argp_error(state, "%s", dn_error_last());
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "ops [RECIPE] [KEY=VALUE ...]\nstep [RECIPE] [KEY=VALUE ...]",
    .doc = "Times the training program of a recipe (default cifar10-cnn3) on random images; no data is needed.\n"
           "ops: every op of a step alone, with the kernel it runs on and what it reaches. step: whole steps, in turns "
           "with "
           "a peer if one is given.\v"
           "Examples:\n"
           "  dunlin bench ops cifar10-cnn3 --sort\n"
           "  dunlin bench step cifar10-cnn3 --members 10 --peer 'python3 bench/torch_step.py'",
};

/* ---- the work ---- */

static dn_status bench_ops(const arguments *a, const dn_workload *w)
{
    dn_ops_report report = {0};
    dn_status status = dn_bench_ops(&report, w, a->repeats);
    if (status == DN_OK && (!a->json || strcmp(a->json, "-") != 0)) {
        status = dn_bench_ops_print(&report, w, a->sorted, stdout);
        dn_bench_print_memory(w, stdout);
    }
    if (status == DN_OK && a->json) status = dn_bench_ops_json(&report, w, a->json);
    dn_ops_report_close(&report);
    return status;
}

static dn_status bench_step(const arguments *a, const dn_workload *w, dn_peer *peer)
{
    dn_step_report report = {0};
    const dn_step_options o = {.steps = a->steps, .rounds = a->rounds, .peer = peer, .peer_model = a->peer_model};
    dn_status status = dn_bench_step(&report, w, &o);
    if (status == DN_OK && (!a->json || strcmp(a->json, "-") != 0))
        status = dn_bench_step_print(&report, w, peer, stdout);
    if (status == DN_OK && a->json) status = dn_bench_step_json(&report, w, peer, a->json);
    dn_step_report_close(&report);
    return status;
}

static dn_status bench(arguments *a)
{
    dn_workload w = {0};
    dn_peer *peer = NULL;
    for (int i = 0; i < a->n_own; i++) a->overrides[a->n_overrides++] = a->own[i];
    if (!a->workload.recipe) a->workload.recipe = default_recipe;
    a->workload.overrides = a->overrides;
    a->workload.n_overrides = a->n_overrides;
    dn_status status = dn_workload_open(&w, &a->workload);
    if (status == DN_OK && a->peer) status = dn_peer_open(&peer, a->peer, peer_patience);
    if (status == DN_OK) status = a->kind == BENCH_OPS ? bench_ops(a, &w) : bench_step(a, &w, peer);
    dn_workload_close(&w);
    dn_peer_close(peer);
    return status;
}

int dn_cmd_bench(int argc, char **argv)
{
    arguments a = {0};
    if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0) return DN_EXIT_USAGE;
    const dn_status status = bench(&a);
    for (int i = 0; i < a.n_own; i++) dn_free(a.own[i]);
    return dn_cli_fail(status);
}
