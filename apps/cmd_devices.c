/* dunlin devices: what programs can run on. */
#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

#include "apps/cli.h"
#include "apps/commands.h"
#include "apps/json.h"
#include "apps/table.h"
#include "core/device.h"

enum { MOST = 32 };

typedef struct arguments {
    const char *json;
} arguments;

static const struct argp_option options[] = {DN_OPTION_JSON, {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case DN_KEY_JSON: a->json = arg; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .doc = "Lists the devices of this build: what to give to --device, and why one cannot be used.",
};

static dn_status print_table(const dn_device_info *rows, int count)
{
    dn_table *table = NULL;
    DN_TRY(dn_table_open(&table, "lll"));
    dn_table_cell(table, "device");
    dn_table_cell(table, "usable");
    dn_table_cell(table, "what it is");
    dn_table_rule(table);
    for (int i = 0; i < count; i++) {
        const bool usable = rows[i].unavailable[0] == '\0';
        dn_table_cell(table, "%s", rows[i].name);
        dn_table_cell(table, "%s", usable ? "yes" : "no");
        dn_table_cell(table, "%s%s%s", rows[i].description, usable ? "" : ": ", rows[i].unavailable);
    }
    const dn_status status = dn_table_print(table, stdout);
    dn_table_close(table);
    return status;
}

static dn_status write_json(const dn_device_info *rows, int count, const char *path)
{
    cJSON *tree = cJSON_CreateArray();
    for (int i = 0; i < count; i++) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddStringToObject(row, "device", rows[i].name);
        cJSON_AddStringToObject(row, "description", rows[i].description);
        cJSON_AddBoolToObject(row, "usable", rows[i].unavailable[0] == '\0');
        cJSON_AddStringToObject(row, "unavailable", rows[i].unavailable);
        cJSON_AddItemToArray(tree, row);
    }
    const dn_status status = dn_json_write(tree, path);
    cJSON_Delete(tree);
    return status;
}

int dn_cmd_devices(int argc, char **argv)
{
    arguments a = {0};
    if (argp_parse(&argp, argc, argv, 0, NULL, &a) != 0) return DN_EXIT_USAGE;
    dn_device_info rows[MOST];
    int count = dn_device_list(rows, MOST);
    if (count > MOST) count = MOST;
    return dn_cli_fail(a.json ? write_json(rows, count, a.json) : print_table(rows, count));
}
