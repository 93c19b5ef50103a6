/* dunlin predict: for each image a class, its probability, a score, and whether it is accepted. */
#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "apps/cli.h"
#include "apps/commands.h"
#include "apps/csv.h"
#include "apps/interrupt.h"
#include "apps/json.h"
#include "apps/metric_report.h"
#include "apps/predict.h"
#include "apps/run.h"
#include "apps/text_file.h"
#include "core/alloc.h"

enum {
    KEY_CALIBRATE = 0x2000,
    KEY_ID,
    KEY_METHOD,
    KEY_REDUCE,
    KEY_FIT,
    KEY_SHARE,
    KEY_CSV,
    KEY_REFRESH,
    KEY_DEVICE,
    KEY_THREADS,
    LONGEST_NAME = 128,
    FEW_ROWS = 100 /* with so many, a share of .95 has a standard deviation of .02 */
};

typedef struct arguments {
    const char *run, *set;
    dn_predict_options predict;
    dn_calibration_options calibration;
    const char *of_calibration; /* an option that only means something with --calibrate */
    bool calibrate;
    const char *csv, *json, *device;
    int threads;
} arguments;

static const struct argp_option options[] = {
    {"calibrate", KEY_CALIBRATE, NULL, 0, "Choose the threshold of acceptance and store it as RUN/threshold.json", 0},
    {"id", KEY_ID, "SET", 0,
     "Calibrate on all rows of this known data that was not trained on (default: a random half of the recipe's test "
     "set; the other half then tells what to expect)",
     0},
    {"method", KEY_METHOD, "EXPR", 0, "The score, see `dunlin score --list` (default: the ensemble kind's own)", 0},
    {"reduce", KEY_REDUCE, "R", 0, "How a single-network score takes an ensemble: score, prob, logit, min, max", 0},
    {"fit", KEY_FIT, "SET", 0, "Known data that the score is fitted on (default: the recipe's training set)", 0},
    {"tpr", KEY_SHARE, "SHARE", 0, "Share of known data to be accepted at least (default .95)", 0},
    {"csv", KEY_CSV, "FILE", 0, "Write CSV to FILE (default: to standard output)", 0},
    {"refresh", KEY_REFRESH, NULL, 0, "Run the network anew, whatever outputs the run's folder has", 0},
    {"device", KEY_DEVICE, "D", 0, "See `dunlin devices` (default cpu)", 0},
    {"threads", KEY_THREADS, "N", 0, "CPU threads (default: all cores)", 0},
    DN_OPTION_DATA,
    DN_OPTION_JSON,
    DN_OPTION_QUIET,
    {0}};

/* ---- options ---- */

static dn_status take_argument(arguments *a, const char *arg)
{
    if (a->run && a->set) return dn_fail(DN_ERROR_ARGUMENT, "'%s': a run and one set are enough", arg);
    if (a->run)
        a->set = arg;
    else
        a->run = a->predict.run = arg;
    return DN_OK;
}

static dn_status take_calibration(arguments *a, int key, const char *arg)
{
    static const char *const names[] = {"--id", "--method", "--reduce", "--fit", "--tpr"};
    a->of_calibration = names[key - KEY_ID];
    switch (key) {
    case KEY_ID: a->calibration.id = arg; return DN_OK;
    case KEY_METHOD: a->calibration.method = arg; return DN_OK;
    case KEY_REDUCE: return dn_reduce_parse(&a->calibration.reduce, arg);
    case KEY_FIT: a->calibration.fit = arg; return DN_OK;
    default: return dn_cli_parse_double("--tpr", arg, 1e-6, 1.0, &a->calibration.share);
    }
}

static dn_status take(arguments *a, int key, const char *arg)
{
    int64_t threads = 0;
    if (key >= KEY_ID && key <= KEY_SHARE) return take_calibration(a, key, arg);
    switch (key) {
    case ARGP_KEY_ARG: return take_argument(a, arg);
    case KEY_CALIBRATE: a->calibrate = true; return DN_OK;
    case KEY_CSV: a->csv = arg; return DN_OK;
    case KEY_REFRESH: a->predict.refresh = true; return DN_OK;
    case KEY_DEVICE: a->device = arg; return DN_OK;
    case KEY_THREADS:
        DN_TRY(dn_cli_parse_int("--threads", arg, 1, 1024, &threads));
        a->threads = (int)threads;
        return DN_OK;
    case DN_KEY_DATA: a->predict.data_dir = arg; return DN_OK;
    case DN_KEY_JSON: a->json = arg; return DN_OK;
    default: a->predict.quiet = true; return DN_OK; /* 'q' */
    }
}

static void check_arguments(const arguments *a, struct argp_state *state)
{
    if (!a->run) argp_error(state, "which run? Give the folder that `dunlin train --out` wrote");
    if (a->calibrate && a->set) argp_error(state, "--calibrate takes its data by --id, not '%s'", a->set);
    if (!a->calibrate && !a->set) argp_error(state, "which images? Give a set, or --calibrate");
    if (!a->calibrate && a->of_calibration) argp_error(state, "%s goes with --calibrate", a->of_calibration);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;
    const bool known = key == ARGP_KEY_ARG || key == 'q' || key == DN_KEY_DATA || key == DN_KEY_JSON ||
                       (key >= KEY_CALIBRATE && key <= KEY_THREADS);
    if (key == ARGP_KEY_END) check_arguments(a, state);
    if (!known) return ARGP_ERR_UNKNOWN;
    if (take(a, key, arg) != DN_OK) argp_error(state, "%s", dn_error_last());
    return 0;
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "RUN SET\nRUN --calibrate",
    .doc =
        "Names the class of each image with its probability, scores it, and accepts or rejects it by the run's stored "
        "threshold, which --calibrate chooses. SET is known or unknown data, an .npy file of images, "
        "or a PNG or JPEG file or a folder of them.\v"
        "Example: dunlin predict runs/mi --calibrate --tpr .95\n"
        "         dunlin predict runs/mi my-images.npy\n"
        "         dunlin predict runs/mi ./new-photos --csv new-photos.csv",
};

/* ---- results ---- */

static void print_calibration(const dn_threshold *t, const char *path)
{
    printf("score %s, reduce %s: accepted below %.9g\n", t->method, dn_reduce_name(t->reduce), t->threshold);
    printf("chosen on %lld rows of %s (%s): %.2f %% of them are accepted, %.2f %% were asked for\n", (long long)t->rows,
           t->set, t->half ? "a random half" : "all rows", 100.0 * t->reached, 100.0 * t->asked);
    if (t->rows < FEW_ROWS)
        printf("that are few: with fewer than %d rows the share among new images may be quite another\n", FEW_ROWS);
    if (!isnan(t->others_accepted))
        printf("of its other rows, which did not choose, %.2f %% are accepted\n", 100.0 * t->others_accepted);
    printf("stored in %s\n", path);
}

static dn_status write_csv(const dn_prediction *p, const dn_network *n, const dn_threshold *t, const char *path)
{
    dn_csv csv = {0};
    char name[LONGEST_NAME];
    dn_csv_add(&csv, "row,class,name,probability,score,accepted%s%s\n", p->labels ? ",label" : "",
               p->item_names ? ",file" : "");
    for (size_t i = 0; i < p->rows; i++) {
        dn_csv_add(&csv, "%zu,%d,", i, p->named[i]);
        dn_csv_add_text(&csv, dn_network_class_name(n, p->named[i], name, sizeof name));
        dn_csv_add(&csv, ",%.9g,%.17g,%d", p->probability[i], p->score[i], p->score[i] < t->threshold);
        if (p->labels) dn_csv_add(&csv, ",%d", p->labels[i]);
        if (p->item_names) {
            dn_csv_add(&csv, ",");
            dn_csv_add_text(&csv, p->item_names[i]);
        }
        dn_csv_add(&csv, "\n");
    }
    const dn_status status = dn_csv_write(&csv, path);
    dn_csv_close(&csv);
    return status;
}

static cJSON *image_json(const dn_prediction *p, const dn_network *n, const dn_threshold *t, size_t i)
{
    char name[LONGEST_NAME];
    cJSON *image = cJSON_CreateObject();
    cJSON_AddNumberToObject(image, "row", (double)i);
    cJSON_AddNumberToObject(image, "class", p->named[i]);
    cJSON_AddStringToObject(image, "name", dn_network_class_name(n, p->named[i], name, sizeof name));
    dn_metric_json_number(image, "probability", p->probability[i]);
    dn_metric_json_number(image, "score", p->score[i]);
    cJSON_AddBoolToObject(image, "accepted", p->score[i] < t->threshold);
    if (p->labels) cJSON_AddNumberToObject(image, "label", p->labels[i]);
    if (p->item_names) cJSON_AddStringToObject(image, "file", p->item_names[i]);
    return image;
}

static dn_status write_json(const arguments *a, const dn_prediction *p, const dn_network *n, const dn_threshold *t)
{
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "run", a->run);
    cJSON_AddStringToObject(tree, "set", a->set);
    cJSON_AddStringToObject(tree, "method", t->method);
    cJSON_AddStringToObject(tree, "reduce", dn_reduce_name(t->reduce));
    dn_metric_json_number(tree, "threshold", t->threshold);
    dn_metric_json_number(tree, "share_asked", t->asked);
    cJSON *images = cJSON_AddArrayToObject(tree, "images");
    for (size_t i = 0; i < p->rows; i++) cJSON_AddItemToArray(images, image_json(p, n, t, i));
    const dn_status status = dn_json_write(tree, a->json);
    cJSON_Delete(tree);
    return status;
}

static void print_summary(const dn_prediction *p, const dn_threshold *t)
{
    size_t accepted = 0;
    for (size_t i = 0; i < p->rows; i++) accepted += p->score[i] < t->threshold;
    fprintf(stderr, "network: %lld images; %zu of %zu accepted by %s\n", (long long)p->images, accepted, p->rows,
            t->method);
}

/* ---- the work ---- */

static dn_status calibrate(const arguments *a, const dn_network *network, const char *path)
{
    dn_threshold threshold = {0};
    DN_TRY(dn_text_check(path));
    dn_status status = dn_calibrate(&threshold, network, &a->predict, &a->calibration);
    if (status == DN_OK) status = dn_threshold_save(&threshold, path);
    if (status == DN_OK && a->json) status = dn_threshold_save(&threshold, a->json);
    if (status == DN_OK && !(a->json && strcmp(a->json, "-") == 0)) print_calibration(&threshold, path);
    dn_threshold_clear(&threshold);
    return status;
}

static dn_status load_threshold(dn_threshold *out, const arguments *a, const char *path)
{
    const dn_status status = dn_threshold_load(out, path);
    if (status == DN_OK) return DN_OK;
    return dn_fail(status, "%s; choose a threshold: dunlin predict %s --calibrate", dn_error_last(), a->run);
}

static bool ends_in(const char *text, const char *ending)
{
    const size_t length = strlen(text), end = strlen(ending);
    return length > end && strcmp(text + length - end, ending) == 0;
}

/* Files that are there, and folders of images named with a '/', need no kind in front of them. Images are brought to
 * the network's size in the way of the recipe's test set. @return NULL without memory; free with dn_free() */
static char *full_expression(const char *set, const dn_network *network)
{
    struct stat info;
    if (ends_in(set, ".npy") && strncmp(set, "npy:", 4) != 0) return dn_format("npy:%s", set);
    const bool there = stat(set, &info) == 0, file = there && S_ISREG(info.st_mode) && strchr(set, '.');
    if (file && ends_in(set, ".h5")) return dn_format("file:%s", set);
    if (!file && !(there && S_ISDIR(info.st_mode) && strchr(set, '/'))) return dn_strdup(set);
    const char *size = strrchr(network->recipe->data.test, '@');
    const bool known = size && size[1] >= '0' && size[1] <= '9' && strchr(size, 'x');
    return dn_format("folder:%s%s", set, known ? size : "");
}

static dn_status predict(const arguments *a, const dn_network *network, const char *path)
{
    dn_threshold threshold = {0};
    dn_prediction prediction = {0};
    char *set = full_expression(a->set, network);
    dn_status status = set ? load_threshold(&threshold, a, path) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = dn_predict(&prediction, network, &a->predict, &threshold, set);
    if (status == DN_OK && !a->predict.quiet) print_summary(&prediction, &threshold);
    if (status == DN_OK && (a->csv || !a->json))
        status = write_csv(&prediction, network, &threshold, a->csv ? a->csv : "-");
    if (status == DN_OK && a->json) status = write_json(a, &prediction, network, &threshold);
    dn_prediction_close(&prediction);
    dn_threshold_clear(&threshold);
    dn_free(set);
    return status;
}

static dn_status run(const arguments *a)
{
    dn_device *device = NULL;
    dn_network *network = NULL;
    DN_TRY(dn_text_check_outputs(a->json, a->csv));
    DN_TRY(dn_cli_open_device(&device, a->device, a->threads));
    char *path = dn_threshold_path(a->run);
    dn_status status = path ? dn_run_load(&network, a->run, device) : DN_ERROR_ARGUMENT;
    if (status == DN_OK) status = a->calibrate ? calibrate(a, network, path) : predict(a, network, path);
    dn_free(path);
    dn_network_close(network);
    dn_device_close(device);
    return status;
}

int dn_cmd_predict(int argc, char **argv)
{
    arguments a = {.calibration = {.share = .95}};
    if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0) return DN_EXIT_USAGE;
    dn_interrupt_install();
    return dn_cli_fail(run(&a));
}
