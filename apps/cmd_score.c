/* dunlin score: out-of-distribution scores of logits and features from any framework. */
#include <argp.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "apps/cli.h"
#include "apps/commands.h"
#include "apps/csv.h"
#include "apps/score_arrays.h"
#include "core/alloc.h"
#include "core/store.h"

enum {
    KEY_LOGITS = 0x2000,
    KEY_FEATURES,
    KEY_WEIGHT,
    KEY_BIAS,
    KEY_FIT_LOGITS,
    KEY_FIT_FEATURES,
    KEY_FIT_LABELS,
    KEY_CLASS_MAP,
    KEY_CLASSES,
    KEY_REDUCE,
    KEY_THREADS,
    KEY_DEVICE,
    KEY_LIST
};

typedef struct arguments {
    dn_expression_list list;
    dn_score_files files;
    dn_reduce reduce;
    const char *out, *device;
    bool quiet, show_methods;
} arguments;

static const struct argp_option options[] = {
    {"logits", KEY_LOGITS, "FILE", 0, "z of the rows to score: [N,C], or [E,N,C] for an ensemble of E members", 0},
    {"features", KEY_FEATURES, "FILE", 0,
     "Features of the rows, [N,D] or [E,N,D]; given several times: one for each layer, the penultimate last", 0},
    {"head-weight", KEY_WEIGHT, "FILE", 0, "W of the last layer, [C,D] or [E,C,D]; z = W f + b", 0},
    {"head-bias", KEY_BIAS, "FILE", 0, "b of the last layer, [C] or [E,C]", 0},
    {"fit-logits", KEY_FIT_LOGITS, "FILE", 0, "z of the known (ID) training rows that scores are fitted on", 0},
    {"fit-features", KEY_FIT_FEATURES, "FILE", 0, "Features of the training rows; as many layers as --features", 0},
    {"fit-labels", KEY_FIT_LABELS, "FILE", 0, "Classes of the training rows, [M], from 0 on", 0},
    {"class-map", KEY_CLASS_MAP, "FILE", 0,
     "Members with different classes: the class of each column, [E,C], -1 for an unused one (default: "
     "FILE.h5:class_map "
     "where the logits are FILE.h5:logits)",
     0},
    {"classes", KEY_CLASSES, "N", 0, "Number of all classes of the class map (default: its largest entry + 1)", 0},
    {"reduce", KEY_REDUCE, "R", 0,
     "How scores of one model take an ensemble: score (mean of the members' scores, the default), prob, logit, min, "
     "max",
     0},
    {"out", 'o', "FILE", 0,
     "Where to write: FILE.npy [N] float64 for one score, FILE.h5 an array for each, else CSV (default: CSV on "
     "standard output)",
     0},
    {"threads", KEY_THREADS, "N", 0, "CPU threads (default: all cores)", 0},
    {"device", KEY_DEVICE, "D", 0,
     "Where covariances and neighbour searches run, see `dunlin devices` (default cpu; on a GPU the same scores to "
     "rounding, neighbours to the bit)",
     0},
    {"list", KEY_LIST, NULL, 0, "Describe all scores and their options", 0},
    DN_OPTION_QUIET,
    {0}};

/* ---- options ---- */

static dn_status take_layer(const char **names, size_t *count, const char *arg)
{
    if (*count == DN_SCORE_LAYERS_MAX) return dn_fail(DN_ERROR_ARGUMENT, "at most %d layers", DN_SCORE_LAYERS_MAX);
    names[(*count)++] = arg;
    return DN_OK;
}

static dn_status take_number(arguments *a, int key, const char *arg)
{
    int64_t number;
    const bool classes = key == KEY_CLASSES;
    DN_TRY(dn_cli_parse_int(classes ? "--classes" : "--threads", arg, classes ? 2 : 1, classes ? INT32_MAX : 1024,
                            &number));
    if (classes)
        a->files.classes = (size_t)number;
    else
        omp_set_num_threads((int)number);
    return DN_OK;
}

static dn_status take(arguments *a, int key, const char *arg)
{
    switch (key) {
    case ARGP_KEY_ARG: return dn_expression_list_add(&a->list, arg);
    case KEY_LOGITS: a->files.logits = arg; break;
    case KEY_FEATURES: return take_layer(a->files.features, &a->files.n_features, arg);
    case KEY_WEIGHT: a->files.head_weight = arg; break;
    case KEY_BIAS: a->files.head_bias = arg; break;
    case KEY_FIT_LOGITS: a->files.fit_logits = arg; break;
    case KEY_FIT_FEATURES: return take_layer(a->files.fit_features, &a->files.n_fit_features, arg);
    case KEY_FIT_LABELS: a->files.fit_labels = arg; break;
    case KEY_CLASS_MAP: a->files.class_map = arg; break;
    case KEY_CLASSES:
    case KEY_THREADS: return take_number(a, key, arg);
    case KEY_REDUCE: return dn_reduce_parse(&a->reduce, arg);
    case KEY_DEVICE: a->device = arg; break;
    case KEY_LIST: a->show_methods = true; break;
    case 'o': a->out = arg; break;
    default: a->quiet = true; break; /* 'q' */
    }
    return DN_OK;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;
    const bool known = key == ARGP_KEY_ARG || key == 'q' || key == 'o' || (key >= KEY_LOGITS && key <= KEY_LIST);
    if (key == ARGP_KEY_END && a->list.count == 0 && !a->show_methods)
        argp_error(state, "which score? For example msp, knn:k=10, react+energy; `dunlin score --list` shows them all");
    if (!known) return ARGP_ERR_UNKNOWN;
    if (take(a, key, arg) != DN_OK) argp_error(state, "%s", dn_error_last());
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "SCORE...",
    .doc = "Scores rows of logits and features from any framework: higher = more out-of-distribution. SCORE is a name "
           "with options (gen:gamma=.05,top=5), shapings before a score of logits (react+scale+energy), or a sweep "
           "(knn:k=1|5|10). A FILE is .npy, or FILE.h5:NAME for an array of an HDF5 file.\v"
           "Example: dunlin score knn:k=10 --features test.npy --fit-features train.npy -o scores.npy",
};

/* ---- help ---- */

static const char *kind_text(const dn_method *m)
{
    static const char *const names[] = {"logits", "features", "head", "fit logits", "fit features", "fit labels"};
    static char text[128];
    size_t used = (size_t)snprintf(text, sizeof text, "needs ");
    bool first = true;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(m->needs & 1U << i)) continue;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", first ? "" : ", ", names[i]);
        first = false;
    }
    if (first) snprintf(text, sizeof text, "changes the features before a score of logits");
    return text;
}

static void print_option(const dn_method_option *o)
{
    if (o->word) {
        printf("    %s=", o->name);
        for (size_t w = 0; o->word[w]; w++) printf("%s%s", w ? "|" : "", o->word[w]);
        printf(" (%s): %s\n", o->word[(size_t)o->standard], o->text);
    } else if (o->automatic) {
        printf("    %s, %g to %g: %s\n", o->name, o->low, o->high, o->text);
    } else {
        printf("    %s=%g, %s%g to %g: %s\n", o->name, o->standard, o->above_low ? "above " : "", o->low, o->high,
               o->text);
    }
}

static void print_methods(void)
{
    size_t count;
    const dn_method *const *methods = dn_methods(&count);
    for (size_t i = 0; i < count; i++) {
        const dn_method *m = methods[i];
        printf("%s%s  %s\n    %s%s\n    %s\n", m->name, m->kind == DN_METHOD_SHAPING ? "+" : "", m->text, kind_text(m),
               m->kind == DN_METHOD_ENSEMBLE ? "; combines the members itself" : "", m->source);
        for (size_t o = 0; o < m->option_count; o++) print_option(&m->option[o]);
        if (m->layered) printf("    layers=last|all, combine=sum|std|fisher: see docs/scores.md\n");
    }
}

/* ---- results ---- */

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), n = strlen(end);
    return length >= n && strcmp(text + length - n, end) == 0;
}

static bool is_hdf5(const char *path)
{
    return ends_with(path, ".h5") || ends_with(path, ".hdf5");
}

static dn_status write_hdf5(const arguments *a, double *const *scores, size_t rows)
{
    dn_store *store;
    const int64_t dim = (int64_t)rows;
    DN_TRY(dn_store_create(&store, a->out));
    dn_status status = dn_store_set_kind(store, "dunlin scores", 1);
    for (size_t i = 0; i < a->list.count && status == DN_OK; i++)
        status = dn_store_write(store, a->list.text[i], DN_F64, 1, &dim, scores[i]);
    if (status == DN_OK) status = dn_store_commit(store);
    dn_store_close(store);
    return status;
}

static dn_status write_csv(const arguments *a, double *const *scores, size_t rows)
{
    dn_csv csv = {0};
    dn_csv_add(&csv, "row");
    for (size_t i = 0; i < a->list.count; i++) {
        dn_csv_add(&csv, ",");
        dn_csv_add_text(&csv, a->list.text[i]);
    }
    for (size_t r = 0; r < rows; r++) {
        dn_csv_add(&csv, "\n%zu", r);
        for (size_t i = 0; i < a->list.count; i++) dn_csv_add(&csv, ",%.17g", scores[i][r]);
    }
    dn_csv_add(&csv, "\n");
    const dn_status status = dn_csv_write(&csv, a->out ? a->out : "-");
    dn_csv_close(&csv);
    return status;
}

static dn_status write_scores(const arguments *a, double *const *scores, size_t rows)
{
    const int64_t dim = (int64_t)rows;
    if (a->out && ends_with(a->out, ".npy")) return dn_npy_write(a->out, DN_F64, 1, &dim, scores[0]);
    if (a->out && is_hdf5(a->out)) return write_hdf5(a, scores, rows);
    return write_csv(a, scores, rows);
}

/* ---- all of it ---- */

/* Drops the optional expressions that these arrays cannot give, each with one line that says why. */
static dn_status drop_optional(arguments *a, const dn_score_arrays *arrays, bool by_fitting)
{
    dn_expression_list *list = &a->list;
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        const dn_score_expression *e = &list->expression[i];
        dn_scorer *alone = NULL;
        dn_status status = DN_OK;
        if (list->optional[i]) status = dn_score_check(e, a->reduce, &arrays->input, &arrays->fit);
        if (list->optional[i] && status == DN_OK && by_fitting)
            status = dn_scorer_open(&alone, e, 1, a->reduce, &arrays->input, &arrays->fit);
        dn_scorer_close(alone);
        if (status != DN_OK) {
            if (!a->quiet) fprintf(stderr, "left out: %s\n", dn_error_last());
            dn_free(list->text[i]);
            continue;
        }
        list->text[kept] = list->text[i];
        list->optional[kept] = list->optional[i];
        list->expression[kept++] = *e;
    }
    list->count = kept;
    if (kept > 0) return DN_OK;
    return dn_fail(DN_ERROR_ARGUMENT, "none of the scores can be computed from these arrays");
}

static dn_status open_scorer(dn_scorer **scorer, arguments *a, const dn_score_arrays *arrays)
{
    DN_TRY(drop_optional(a, arrays, false));
    const dn_expression_list *list = &a->list;
    bool optional = false;
    for (size_t i = 0; i < list->count; i++) optional |= list->optional[i];
    const dn_status status =
        dn_scorer_open(scorer, list->expression, list->count, a->reduce, &arrays->input, &arrays->fit);
    if (status == DN_OK || status == DN_ERROR_MEMORY || !optional) return status;
    DN_TRY(drop_optional(a, arrays, true)); /* a fit set that is too small for some of them */
    return dn_scorer_open(scorer, list->expression, list->count, a->reduce, &arrays->input, &arrays->fit);
}

static dn_status run(arguments *a, const dn_score_arrays *arrays, double **scores)
{
    const size_t rows = dn_score_arrays_rows(arrays);
    dn_scorer *scorer;
    DN_TRY(open_scorer(&scorer, a, arrays));
    if (!a->quiet) fputs(dn_scorer_notes(scorer), stderr);
    dn_status status = DN_OK;
    for (size_t i = 0; i < a->list.count && status == DN_OK; i++) {
        scores[i] = dn_calloc(rows, sizeof **scores);
        if (!scores[i]) status = DN_ERROR_MEMORY;
    }
    if (status == DN_OK) status = dn_scorer_run(scorer, scores, &arrays->input);
    dn_scorer_close(scorer);
    return status == DN_OK ? write_scores(a, scores, rows) : status;
}

/* The output must not take the place of an input. */
static dn_status check_out(const arguments *a)
{
    const dn_score_files *f = &a->files;
    const char *inputs[2 * DN_SCORE_LAYERS_MAX + 6] = {f->logits,      f->fit_logits, f->fit_labels,
                                                       f->head_weight, f->head_bias,  f->class_map};
    size_t count = 6;
    struct stat out, in;
    for (size_t l = 0; l < f->n_features; l++) inputs[count++] = f->features[l];
    for (size_t l = 0; l < f->n_fit_features; l++) inputs[count++] = f->fit_features[l];
    if (!a->out || stat(a->out, &out) != 0) return DN_OK;
    for (size_t i = 0; i < count; i++) {
        if (!inputs[i] || stat(inputs[i], &in) != 0 || in.st_dev != out.st_dev || in.st_ino != out.st_ino) continue;
        return dn_fail(DN_ERROR_ARGUMENT, "-o '%s' is one of the inputs; write to another file", a->out);
    }
    return DN_OK;
}

static dn_status score(arguments *a)
{
    DN_TRY(check_out(a));
    if (a->out && ends_with(a->out, ".npy") && a->list.count > 1) {
        return dn_fail(DN_ERROR_ARGUMENT, "'%s' holds one score, but %zu were asked for; write a .h5 or .csv file",
                       a->out, a->list.count);
    }
    dn_score_arrays arrays;
    const size_t asked = a->list.count;
    double **scores = dn_calloc(asked, sizeof *scores);
    if (!scores) return DN_ERROR_MEMORY;
    dn_status status = dn_score_arrays_open(&arrays, &a->files);
    dn_device *device = NULL;
    if (status == DN_OK && a->device) status = dn_device_open(&device, a->device, NULL);
    arrays.fit.device = device;
    if (status == DN_OK) status = run(a, &arrays, scores);
    dn_device_close(device);
    for (size_t i = 0; i < asked; i++) dn_free(scores[i]);
    dn_free(scores);
    dn_score_arrays_close(&arrays);
    return status;
}

int dn_cmd_score(int argc, char **argv)
{
    arguments a = {0};
    dn_status status = DN_OK;
    if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0) return DN_EXIT_USAGE;
    if (a.show_methods)
        print_methods();
    else
        status = score(&a);
    dn_expression_list_close(&a.list);
    return dn_cli_fail(status);
}
