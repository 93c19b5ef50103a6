/* `dunlin data list`: what data sets there are. */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>

#include "apps/cli.h"
#include "apps/data_commands.h"
#include "datasets/dataset.h"

typedef struct arguments {
    const char *json;
    dn_dataset_options options;
} arguments;

static const struct argp_option option_table[] = {DN_OPTION_DATA, DN_OPTION_JSON, {0}};

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case DN_KEY_DATA: a->options.data_dir = text; return 0;
    case DN_KEY_JSON: a->json = text; return 0;
    case ARGP_KEY_ARG: argp_error(state, "expected nothing more, found '%s'", text); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = option_table,
    .parser = parse,
    .doc = "List the known data sets and whether their files are there.",
};

static void list_row(dn_table *table, const dn_dataset_info *info)
{
    dn_table_cell(table, "%s:%s", info->name, info->split);
    if (info->n > 0) {
        dn_table_cell(table, "%" PRId64, info->n);
    } else {
        dn_table_cell(table, "-");
    }
    const bool drawn = !info->files || !info->files[0], fixed = info->height > 0;
    if (fixed) {
        dn_table_cell(table, "%dx%dx%d", info->height, info->width, info->channels);
    } else {
        dn_table_cell(table, "-"); /* own files: whatever they hold */
    }
    dn_table_cell(table, "%d", info->classes);
    dn_table_cell(table, "%s", info->missing ? "missing" : (drawn && fixed ? "built in" : (drawn ? "-" : "here")));
    dn_table_cell(table, "%s", info->about);
}

static cJSON *list_object(const dn_dataset_info *info)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", info->name);
    cJSON_AddStringToObject(object, "split", info->split);
    cJSON_AddStringToObject(object, "about", info->about);
    cJSON_AddNumberToObject(object, "n", (double)info->n);
    cJSON_AddNumberToObject(object, "height", info->height);
    cJSON_AddNumberToObject(object, "width", info->width);
    cJSON_AddNumberToObject(object, "channels", info->channels);
    cJSON_AddNumberToObject(object, "classes", info->classes);
    cJSON_AddBoolToObject(object, "available", info->missing == NULL);
    if (info->missing) cJSON_AddStringToObject(object, "missing", info->missing);
    return object;
}

static dn_status fill_list(const arguments *a, dn_table *table, cJSON *array)
{
    static const char *const titles[] = {"set", "items", "HxWxC", "classes", "files", "about"};
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) dn_table_cell(table, "%s", titles[i]);
    dn_table_rule(table);
    for (int i = 0; i < dn_dataset_info_count(); i++) {
        dn_dataset_info info;
        DN_TRY(dn_dataset_info_get(&info, i, &a->options));
        list_row(table, &info);
        cJSON_AddItemToArray(array, list_object(&info));
    }
    return DN_OK;
}

static dn_status list(const arguments *a)
{
    dn_table *table = NULL;
    DN_TRY(dn_table_open(&table, "lrrrll"));
    cJSON *array = cJSON_CreateArray();
    dn_status status = fill_list(a, table, array);
    if (status == DN_OK) status = dn_data_publish(table, array, a->json);
    cJSON_Delete(array);
    dn_table_close(table);
    return status;
}

int dn_data_list(int argc, char **argv)
{
    arguments a = {0};
    argp_parse(&parser, argc, argv, 0, NULL, &a);
    return dn_cli_fail(list(&a));
}
