/* `dunlin data`: its actions. */
#include <stdio.h>
#include <string.h>

#include "apps/cli.h"
#include "apps/commands.h"
#include "apps/data_commands.h"
#include "apps/json.h"
#include "core/alloc.h"

typedef struct action {
    const char *name, *help;
    int (*run)(int argc, char **argv);
} action;

#define ACTION_ROW(name, help)  {#name, help, dn_data_##name},
#define ACTION_NAME(name, help) #name,
static const action actions[] = {DN_DATA_ACTIONS(ACTION_ROW)};
static const char *const names[] = {DN_DATA_ACTIONS(ACTION_NAME)};
enum { ACTIONS = sizeof actions / sizeof *actions };

dn_status dn_data_publish(const dn_table *table, const cJSON *tree, const char *json)
{
    if (!json || strcmp(json, "-") != 0) DN_TRY(dn_table_print(table, stdout));
    return json ? dn_json_write(tree, json) : DN_OK;
}

static void print_help(FILE *to)
{
    fputs("Usage: dunlin data ACTION [ARGUMENT...]\n\n", to);
    for (int i = 0; i < ACTIONS; i++) fprintf(to, "  %-10s %s\n", actions[i].name, actions[i].help);
    fputs("\n  dunlin data ACTION --help    the options of an action\n", to);
}

/** @param argv [argc] the action's name first */
static int run(const action *a, int argc, char **argv)
{
    char *title = dn_format("dunlin data %s", a->name), *own = argv[0];
    if (!title) return dn_cli_fail(DN_ERROR_MEMORY);
    argv[0] = title;
    const int code = a->run(argc, argv);
    argv[0] = own;
    dn_free(title);
    return code;
}

int dn_cmd_data(int argc, char **argv)
{
    size_t index = 0;
    if (argc < 2) {
        print_help(stderr);
        return DN_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0) {
        print_help(stdout);
        return DN_EXIT_DONE;
    }
    const dn_status known = dn_cli_choose("data", argv[1], names, ACTIONS, &index);
    return known == DN_OK ? run(&actions[index], argc - 1, argv + 1) : dn_cli_fail(known);
}
