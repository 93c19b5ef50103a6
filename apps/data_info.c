/* `dunlin data info`: what one data set holds. */
#include <argp.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "apps/cli.h"
#include "apps/contact_sheet.h"
#include "apps/data_commands.h"
#include "apps/text_file.h"
#include "core/alloc.h"
#include "datasets/dataset.h"

enum { BLOCK_BYTES = 8 << 20, MOST_CHANNELS = 64, KEY_SHEET = 0x2000 };

typedef struct arguments {
    const char *expression, *json, *sheet;
    dn_dataset_options options;
} arguments;

static const struct argp_option option_table[] = {
    DN_OPTION_DATA,
    DN_OPTION_JSON,
    DN_OPTION_SEED,
    {"limit", DN_KEY_LIMIT, "N", 0, "Read the first N items only (of a folder N evenly spaced ones)", 0},
    {"sheet", KEY_SHEET, "FILE", 0, "Draw ten images of each class, a line for each, as a PNG picture", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    dn_status status = DN_OK;
    switch (key) {
    case DN_KEY_DATA: a->options.data_dir = text; break;
    case DN_KEY_JSON: a->json = text; break;
    case KEY_SHEET: a->sheet = text; break;
    case DN_KEY_SEED: status = dn_cli_parse_u64("--seed", text, &a->options.seed); break;
    case DN_KEY_LIMIT: status = dn_cli_parse_int("--limit", text, 1, INT64_MAX, &a->options.limit); break;
    case ARGP_KEY_ARG:
        if (a->expression) argp_error(state, "one data set at a time, found '%s' as well", text);
        a->expression = text;
        break;
    case ARGP_KEY_END:
        if (!a->expression) argp_error(state, "expected a data set, such as glyphs:test");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    if (status != DN_OK) argp_error(state, "%s", dn_error_last());
    return 0;
}

static const struct argp parser = {
    .options = option_table,
    .parser = parse,
    .args_doc = "EXPRESSION",
    .doc =
        "Read a data set and describe it.\v"
        "EXPRESSION is name[classes][:split][@HxWxC], such as mnist[0-4]:train, cifar10:test@32x32x3, glyphs:letters, "
        "folder:photos.",
};

typedef struct moments {
    double mean[MOST_CHANNELS], deviation[MOST_CHANNELS];
} moments;

/** Adds pixels to the means and sums of squares; Welford's recurrence: no cancellation.
 *  @param images [pixels,C] @param before the pixels that were added already */
static void add_pixels(const dn_dataset *set, const void *images, int64_t before, int64_t pixels, moments *m)
{
    const int channels = set->channels;
    const unsigned char *bytes = images;
    const float *floats = images;
    for (int c = 0; c < channels; c++)
        for (int64_t i = 0; i < pixels; i++) {
            const double x = set->type == DN_U8 ? bytes[i * channels + c] / 255.0 : floats[i * channels + c];
            const double off = x - m->mean[c];
            m->mean[c] += off / (double)(before + i + 1);
            m->deviation[c] += off * (x - m->mean[c]);
        }
}

/** Of each channel over all pixels; bytes count as 0..1, which is what a recipe's data.mean speaks of. */
static dn_status measure(const dn_dataset *set, moments *m)
{
    const int64_t area = (int64_t)set->height * set->width, pixels = set->n * area;
    const int64_t most = (int64_t)(BLOCK_BYTES / dn_dataset_image_bytes(set)) + 1;
    void *block = dn_calloc((size_t)most, dn_dataset_image_bytes(set));
    dn_status status = block ? DN_OK : DN_ERROR_MEMORY;
    *m = (moments){0};
    for (int64_t first = 0; first < set->n && status == DN_OK; first += most) {
        const int64_t n = set->n - first < most ? set->n - first : most;
        status = dn_dataset_read(set, first, n, block);
        if (status == DN_OK) add_pixels(set, block, first * area, n * area, m);
    }
    dn_free(block);
    for (int c = 0; c < set->channels; c++) m->deviation[c] = pixels > 0 ? sqrt(m->deviation[c] / (double)pixels) : 0;
    return status;
}

static void describe(const dn_dataset *set, const moments *m, dn_table *table, cJSON *object)
{
    dn_table_cell(table, "set"), dn_table_cell(table, "%s", set->name);
    dn_table_cell(table, "from"), dn_table_cell(table, "%s", set->provenance);
    dn_table_cell(table, "items"), dn_table_cell(table, "%" PRId64, set->n);
    dn_table_cell(table, "HxWxC"), dn_table_cell(table, "%dx%dx%d", set->height, set->width, set->channels);
    dn_table_cell(table, "type"), dn_table_cell(table, "%s", dn_dtype_name(set->type));
    cJSON_AddStringToObject(object, "name", set->name);
    cJSON_AddStringToObject(object, "provenance", set->provenance);
    cJSON_AddNumberToObject(object, "n", (double)set->n);
    cJSON_AddNumberToObject(object, "height", set->height);
    cJSON_AddNumberToObject(object, "width", set->width);
    cJSON_AddNumberToObject(object, "channels", set->channels);
    cJSON_AddStringToObject(object, "type", dn_dtype_name(set->type));
    cJSON *mean = cJSON_AddArrayToObject(object, "mean"), *deviation = cJSON_AddArrayToObject(object, "deviation");
    for (int c = 0; c < set->channels; c++) {
        dn_table_cell(table, "channel %d", c);
        dn_table_cell(table, "mean %.5f, standard deviation %.5f%s", m->mean[c], m->deviation[c],
                      set->type == DN_U8 ? " (of pixels / 255)" : "");
        cJSON_AddItemToArray(mean, cJSON_CreateNumber(m->mean[c]));
        cJSON_AddItemToArray(deviation, cJSON_CreateNumber(m->deviation[c]));
    }
}

static dn_status describe_classes(const dn_dataset *set, dn_table *table, cJSON *object)
{
    if (set->classes == 0) {
        dn_table_cell(table, "classes"), dn_table_cell(table, "none, the set is unlabelled");
        return DN_OK;
    }
    int64_t *counts = dn_calloc((size_t)set->classes, sizeof *counts);
    if (!counts) return DN_ERROR_MEMORY;
    for (int64_t i = 0; i < set->n; i++) counts[set->labels[i]]++;
    cJSON *classes = cJSON_AddArrayToObject(object, "classes");
    for (int k = 0; k < set->classes; k++) {
        const char *name = set->class_names ? set->class_names[k] : "";
        dn_table_cell(table, "class %d", k);
        dn_table_cell(table, "%" PRId64 "%s%s", counts[k], name[0] ? "  " : "", name);
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "name", name);
        cJSON_AddNumberToObject(row, "n", (double)counts[k]);
        cJSON_AddItemToArray(classes, row);
    }
    dn_free(counts);
    return DN_OK;
}

static dn_status info_of(const arguments *a, const dn_dataset *set)
{
    static moments m;
    dn_table *table = NULL;
    if (set->channels > MOST_CHANNELS)
        return dn_fail(DN_ERROR_UNSUPPORTED, "%s has %d channels, at most %d are described", set->name, set->channels,
                       MOST_CHANNELS);
    DN_TRY(dn_table_open(&table, "ll"));
    cJSON *object = cJSON_CreateObject();
    dn_status status = measure(set, &m);
    describe(set, &m, table, object);
    if (status == DN_OK) status = describe_classes(set, table, object);
    if (status == DN_OK) status = dn_data_publish(table, object, a->json);
    cJSON_Delete(object);
    dn_table_close(table);
    return status;
}

static dn_status draw_sheet(const arguments *a, const dn_dataset *set)
{
    dn_image sheet;
    dn_status status = dn_contact_sheet(&sheet, set);
    if (status == DN_OK) status = dn_image_write_png(a->sheet, &sheet);
    dn_image_clear(&sheet);
    return status;
}

static dn_status info(const arguments *a)
{
    dn_dataset *set = NULL;
    if (a->sheet) DN_TRY(dn_text_check(a->sheet));
    DN_TRY(dn_dataset_open(&set, a->expression, &a->options));
    dn_status status = info_of(a, set);
    if (status == DN_OK && a->sheet) status = draw_sheet(a, set);
    dn_dataset_close(set);
    return status;
}

int dn_data_info(int argc, char **argv)
{
    arguments a = {.options = {.stream = true}};
    argp_parse(&parser, argc, argv, 0, NULL, &a);
    return dn_cli_fail(info(&a));
}
