/* `dunlin data fetch`: published data sets, from their addresses or from files got by other means. */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "apps/cli.h"
#include "apps/data_commands.h"
#include "apps/interrupt.h"
#include "apps/progress.h"
#include "core/alloc.h"
#include "datasets/fetch/fetch.h"

enum {
    MOST_NAMES = 32,
    LONG_CHECK = 200000000 /* bytes: about a second */,
    KEY_LIST = 0x2000,
    KEY_MIRROR,
    KEY_FROM,
    KEY_AGAIN,
    KEY_KEEP
};

typedef struct arguments {
    const char *names[MOST_NAMES], *json;
    int n_names;
    bool list, quiet;
    dn_fetch_options options;
} arguments;

static const struct argp_option option_table[] = {
    {"list", KEY_LIST, NULL, 0, "List what can be fetched: sizes, checks, terms of use", 0},
    {"from", KEY_FROM, "PATH", 0, "Take this file, or the files in this folder, instead of downloading", 0},
    {"mirror", KEY_MIRROR, "URL", 0, "Download URL/FILE instead of the known addresses", 0},
    {"again", KEY_AGAIN, NULL, 0, "Download what is there already, too; FOLDER is kept as FOLDER.old", 0},
    {"keep", KEY_KEEP, NULL, 0, "Keep downloaded archives after unpacking", 0},
    DN_OPTION_DATA,
    DN_OPTION_JSON,
    DN_OPTION_QUIET,
    {0},
};

static void check_usage(const arguments *a, struct argp_state *state)
{
    if (a->list && a->n_names > 0) argp_error(state, "--list takes no name, found '%s'", a->names[0]);
    if (!a->list && a->n_names == 0) argp_error(state, "expected the name of a data set; --list shows them");
    if (a->json && !a->list) argp_error(state, "--json goes with --list");
    if (a->options.from && a->options.mirror) argp_error(state, "--from downloads nothing, --mirror does: choose one");
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case KEY_LIST: a->list = true; break;
    case KEY_FROM: a->options.from = text; break;
    case KEY_MIRROR: a->options.mirror = text; break;
    case KEY_AGAIN: a->options.again = true; break;
    case KEY_KEEP: a->options.keep = true; break;
    case DN_KEY_DATA: a->options.data_dir = text; break;
    case DN_KEY_JSON: a->json = text; break;
    case 'q': a->quiet = true; break;
    case ARGP_KEY_ARG:
        if (a->n_names == MOST_NAMES) argp_error(state, "at most %d names", MOST_NAMES);
        a->names[a->n_names++] = text;
        break;
    case ARGP_KEY_END: check_usage(a, state); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp parser = {
    .options = option_table,
    .parser = parse,
    .args_doc = "NAME...\n--list",
    .doc = "Fetch published data sets into the data directory: download, check, unpack.\v"
           "Example: dunlin data fetch mnist cifar10\n\n"
           "A download that breaks off or is stopped (Ctrl-C) goes on with the next call. Nothing gets its name before "
           "its SHA-256 (MD5 where only that is published) is right. Without a network, get the file by other means "
           "and give it with --from, or put an archive into the data directory: it is checked in the same way.",
};

/* ---- list ---- */

static int64_t size_of(const dn_fetch_set *set)
{
    int64_t bytes = 0;
    for (const dn_fetch_file *file = set->files; file->path; file++) {
        if (file->bytes == 0) return 0;
        bytes += file->bytes;
    }
    return bytes;
}

static void list_row(dn_table *table, const dn_fetch_set *set)
{
    char text[24];
    int files = 0;
    while (set->files[files].path) files++;
    dn_table_cell(table, "%s", set->name);
    dn_table_cell(table, "%s", size_of(set) > 0 ? dn_rate_text((double)size_of(set), text) : "-");
    dn_table_cell(table, "%d", files);
    dn_table_cell(table, "%s", set->files[0].sha256 ? "SHA-256" : "MD5");
    dn_table_cell(table, "%s", set->terms);
}

static cJSON *list_object(const dn_fetch_set *set)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "name", set->name);
    cJSON_AddStringToObject(object, "terms", set->terms);
    cJSON *files = cJSON_AddArrayToObject(object, "files");
    for (const dn_fetch_file *file = set->files; file->path; file++) {
        cJSON *row = cJSON_CreateObject();
        cJSON_AddItemToArray(files, row);
        cJSON_AddStringToObject(row, "path", file->path);
        if (file->bytes > 0) cJSON_AddNumberToObject(row, "bytes", (double)file->bytes);
        cJSON_AddStringToObject(row, file->sha256 ? "sha256" : "md5", file->sha256 ? file->sha256 : file->md5);
        if (file->folder) cJSON_AddStringToObject(row, "folder", file->folder);
        cJSON *addresses = cJSON_AddArrayToObject(row, "addresses");
        for (const char *const *address = file->addresses; *address; address++)
            cJSON_AddItemToArray(addresses, cJSON_CreateString(*address));
    }
    return object;
}

static dn_status list(const arguments *a)
{
    static const char *const titles[] = {"set", "bytes", "files", "check", "terms of use"};
    dn_table *table = NULL;
    DN_TRY(dn_table_open(&table, "lrrll"));
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) dn_table_cell(table, "%s", titles[i]);
    dn_table_rule(table);
    for (int i = 0; i < dn_fetch_count(); i++) {
        list_row(table, dn_fetch_get(i));
        cJSON_AddItemToArray(array, list_object(dn_fetch_get(i)));
    }
    const dn_status status = dn_data_publish(table, array, a->json);
    cJSON_Delete(array);
    dn_table_close(table);
    return status;
}

/* ---- fetch ---- */

/** What is on the screen. A bar belongs to one step of one file. */
typedef struct screen {
    bool quiet;
    dn_progress *bar;
    const char *what; /* the bar's step */
    char *file;
} screen;

static void close_bar(screen *s)
{
    dn_progress_close(s->bar);
    dn_free(s->file);
    s->bar = NULL;
    s->file = NULL;
}

static bool on_progress(void *context, const char *what, const char *file, int64_t done, int64_t total)
{
    screen *s = context;
    if (dn_interrupted()) return false;
    const bool short_check = strcmp(what, "checking") == 0 && total < LONG_CHECK;
    if (s->quiet || short_check) return true;
    if (s->bar && (strcmp(what, s->what) != 0 || strcmp(file, s->file) != 0)) close_bar(s);
    if (!s->bar) {
        char *label = dn_format("%s %s", what, file);
        const dn_progress_options options = {.label = label, .total = total, .first = done, .bytes = true};
        const bool opened = label && dn_progress_open(&s->bar, &options) == DN_OK;
        dn_free(label);
        s->what = what;
        s->file = opened ? dn_strdup(file) : NULL;
        if (!s->file) close_bar(s); /* no memory for a bar: none */
    }
    if (s->bar) dn_progress_update(s->bar, done, NULL);
    return true;
}

static void on_note(void *context, const char *text)
{
    screen *s = context;
    if (s->quiet) return;
    close_bar(s); /* what it has to say comes first */
    fprintf(stderr, "%s\n", text);
}

static dn_status fetch(const arguments *a, const char *name)
{
    screen s = {.quiet = a->quiet};
    dn_fetch_options options = a->options;
    const dn_fetch_set *set = NULL;
    DN_TRY(dn_fetch_find(&set, name));
    options.progress = on_progress;
    options.note = on_note;
    options.context = &s;
    if (!a->quiet) fprintf(stderr, "%s: terms of use: %s\n", set->name, set->terms);
    const dn_status status = dn_fetch(set, &options);
    close_bar(&s);
    return status;
}

static dn_status fetch_all(const arguments *a)
{
    const dn_fetch_set *set = NULL;
    for (int i = 0; i < a->n_names; i++) DN_TRY(dn_fetch_find(&set, a->names[i])); /* before anything is downloaded */
    for (int i = 0; i < a->n_names; i++) DN_TRY(fetch(a, a->names[i]));
    return DN_OK;
}

int dn_data_fetch(int argc, char **argv)
{
    arguments a = {0};
    argp_parse(&parser, argc, argv, 0, NULL, &a);
    dn_interrupt_install();
    return dn_cli_fail(a.list ? list(&a) : fetch_all(&a));
}
