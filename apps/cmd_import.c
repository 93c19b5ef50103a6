/* dunlin import: trained networks of other frameworks become runs. */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/cli.h"
#include "apps/commands.h"
#include "apps/import_keras.h"
#include "apps/run.h"
#include "core/alloc.h"

enum { KEY_OUT = 0x2000, KEY_MODEL, KEY_SIZE, KEY_THREADS, MOST = 64, LARGEST_SIDE = 4096, MOST_CHANNELS = 4096 };

typedef struct arguments {
    const char *file, *out, *size;
    const char *overrides[MOST];
    dn_import_options import;
    int64_t threads;
    bool has_format, quiet;
} arguments;

static const struct argp_option options[] = {
    {"out", KEY_OUT, "RUN", 0, "The run's folder, a new one", 0},
    {"model", KEY_MODEL, "NAME", 0, "The network (default: found by the numbers of layers)", 0},
    {"size", KEY_SIZE, "HxWxC", 0, "Of the images (default: 28x28x1 or 32x32x3, as the network's usual ones)", 0},
    {"threads", KEY_THREADS, "N", 0, "CPU threads (default: all cores)", 0},
    DN_OPTION_DATA,
    DN_OPTION_QUIET,
    {0}};

/* ---- options ---- */

static dn_status take_size(arguments *a, const char *text)
{
    char copy[64];
    char *at = copy;
    snprintf(copy, sizeof copy, "%s", text);
    for (int i = 0; i < 3; i++) {
        int64_t side = 0;
        char *end = strchr(at, 'x');
        if ((i < 2) != (end != NULL))
            return dn_fail(DN_ERROR_ARGUMENT, "--size '%s', expected HxWxC such as 32x32x3", text);
        if (end) *end = '\0';
        DN_TRY(dn_cli_parse_int("--size", at, 1, i < 2 ? LARGEST_SIDE : MOST_CHANNELS, &side));
        a->import.size[i] = (int)side;
        if (end) at = end + 1;
    }
    return DN_OK;
}

static dn_status take_argument(arguments *a, const char *arg)
{
    static const char *const formats[] = {"keras"};
    size_t index = 0;
    if (!a->has_format) {
        a->has_format = true;
        return dn_cli_choose("import", arg, formats, 1, &index);
    }
    if (!a->file) {
        a->file = arg;
        return DN_OK;
    }
    if (!strchr(arg, '=')) return dn_fail(DN_ERROR_ARGUMENT, "'%s': one file at a time, and overrides key=value", arg);
    if (a->import.n_overrides == MOST) return dn_fail(DN_ERROR_ARGUMENT, "at most %d overrides", MOST);
    a->overrides[a->import.n_overrides++] = arg;
    return DN_OK;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;
    dn_status status = DN_OK;
    switch (key) {
    case ARGP_KEY_ARG: status = take_argument(a, arg); break;
    case KEY_OUT: a->out = arg, status = dn_run_check(arg); break;
    case KEY_MODEL: a->import.model = arg; break;
    case KEY_SIZE: status = take_size(a, arg); break;
    case KEY_THREADS: status = dn_cli_parse_int("--threads", arg, 1, 1024, &a->threads); break;
    case DN_KEY_DATA: a->import.data_dir = arg; break;
    case 'q': a->quiet = true; break;
    case ARGP_KEY_END:
        if (!a->file) argp_error(state, "which file? dunlin import keras FILE.h5 --out RUN");
        if (!a->out) argp_error(state, "--out RUN is needed: the folder that the network becomes a run in");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    if (status != DN_OK) argp_error(state, "%s", dn_error_last());
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "keras FILE [KEY=VALUE ...]",
    .doc =
        "Reads the weights of a trained network into a run, which evaluate, predict, score and compare take. FILE is a "
        "weight file of Keras 2 (HDF5): model.save_weights('x.h5') or model.save('x.h5'). Overrides change keys of the "
        "run's recipe, such as data.test.\v"
        "Example: dunlin import keras cifar10_resnet256.h5 --out runs/resnet56\n"
        "         dunlin evaluate runs/resnet56 --ood svhn:test",
};

/* ---- the run ---- */

static void tell(const arguments *a, const dn_network *n)
{
    int64_t weights = 0;
    for (int i = 0; i < dn_params_count(n->params, DN_BLOCK_VALUES); i++)
        weights += dn_shape_count(&dn_params_at(n->params, DN_BLOCK_VALUES, i)->shape);
    printf("%s: %s", a->out, n->recipe->model.name);
    if (n->recipe->model.depth) printf(" of depth %d", n->recipe->model.depth);
    printf(", %" PRId64 " parameters, images %dx%dx%d, %d classes%s\n", weights, n->height, n->width, n->channels,
           n->classes, n->class_names ? "" : " (their names are unknown: the training set is not there)");
}

static dn_status run(arguments *a)
{
    dn_device *device = NULL;
    dn_network *n = NULL;
    a->import.overrides = a->overrides;
    if (dn_run_exists(a->out))
        return dn_fail(DN_ERROR_ARGUMENT, "--out: '%s' holds a run already; name a new folder", a->out);
    DN_TRY(dn_cli_open_device(&device, NULL, (int)a->threads));
    dn_status status = dn_import_keras(&n, a->file, &a->import, device);
    if (status == DN_OK) status = dn_run_save(a->out, n);
    if (status == DN_OK && !a->quiet) tell(a, n);
    dn_network_close(n);
    dn_device_close(device);
    return status;
}

int dn_cmd_import(int argc, char **argv)
{
    arguments a = {0};
    if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0) return DN_EXIT_USAGE;
    return dn_cli_fail(run(&a));
}
