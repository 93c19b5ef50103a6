#include "apps/reproduce.h"

#include <stdio.h>
#include <string.h>

#include "apps/interrupt.h"
#include "apps/json.h"
#include "apps/reproduced.h"
#include "apps/run.h"
#include "apps/table.h"
#include "apps/text_file.h"
#include "core/alloc.h"
#include "datasets/dataset.h"

bool dn_reproduce_wants(const dn_reproduction *r, const char *part)
{
    return !r->options->part || strcmp(r->options->part, part) == 0;
}

/* ---- before anything is trained ---- */

static dn_status check_part(const dn_experiment *e, const char *part)
{
    for (int p = 0; p < e->n_parts; p++)
        if (strcmp(e->part[p].name, part) == 0) return DN_OK;
    char *names = dn_strdup(""), *longer = names;
    for (int p = 0; p < e->n_parts && longer; p++) {
        longer = dn_format("%s%s%s", names, p > 0 ? ", " : "", e->part[p].name);
        dn_free(names);
        names = longer;
    }
    const dn_status status = e->n_parts > 0
                                 ? dn_fail(DN_ERROR_ARGUMENT, "--part: '%s' of %s is not known; there are %s", part,
                                           e->name, names ? names : "others")
                                 : dn_fail(DN_ERROR_ARGUMENT, "--part: %s has no parts", e->name);
    dn_free(names);
    return status;
}

static dn_status check_set(const char *expression, const char *data_dir)
{
    dn_dataset *set = NULL;
    const dn_dataset_options o = {.data_dir = data_dir, .limit = 1};
    const dn_status status = dn_dataset_open(&set, expression, &o);
    dn_dataset_close(set);
    return status;
}

/* A set that is not there had better be noticed before hours of training than after them. */
static dn_status check(const dn_experiment *e, const dn_reproduce_options *o)
{
    if (o->weights && !e->weights)
        return dn_fail(DN_ERROR_ARGUMENT, "--weights: %s takes no weights, it trains its networks", e->name);
    if (o->weights && o->part && strcmp(o->part, e->weights) != 0)
        return dn_fail(DN_ERROR_ARGUMENT, "--weights: they are for part '%s', not for '%s'", e->weights, o->part);
    if (o->part) DN_TRY(check_part(e, o->part));
    for (int p = 0; p < e->n_parts; p++) {
        if (o->part && strcmp(o->part, e->part[p].name) != 0) continue;
        for (const char *const *set = e->part[p].sets; set && *set; set++) {
            const dn_status status = check_set(*set, o->data_dir);
            if (status != DN_OK)
                return dn_fail_context(status, "%s, part %s, needs '%s'", e->name, e->part[p].name, *set);
        }
    }
    return DN_OK;
}

/* ---- results ---- */

typedef struct session {
    const dn_experiment *experiment;
    const dn_reproduce_options *options;
    dn_device *device;
    const char *folder;
    dn_reproduced results;
} session;

static dn_status write_json(const session *s)
{
    const dn_experiment *e = s->experiment;
    char *path = dn_format("%s/results.json", s->folder);
    cJSON *tree = dn_reproduced_json(&s->results, e);
    cJSON_AddStringToObject(tree, "experiment", e->name);
    cJSON_AddStringToObject(tree, "source", e->source);
    cJSON_AddStringToObject(tree, "address", e->address);
    cJSON_AddStringToObject(tree, "settings", e->settings);
    if (s->options->quick) cJSON_AddStringToObject(tree, "reduced", e->reduced);
    cJSON_AddBoolToObject(tree, "quick", s->options->quick);
    cJSON_AddNumberToObject(tree, "seeds_asked", (double)s->results.seeds);
    cJSON_AddNumberToObject(tree, "seeds_done", (double)s->results.done);
    cJSON_AddStringToObject(tree, "command", s->options->command);
    cJSON_AddStringToObject(tree, "version", DN_VERSION);
    dn_status status = path ? dn_json_write(tree, path) : DN_ERROR_MEMORY;
    if (status == DN_OK && s->options->json && s->results.done == s->results.seeds)
        status = dn_json_write(tree, s->options->json);
    cJSON_Delete(tree);
    dn_free(path);
    return status;
}

static void print_markdown_row(FILE *file, char *const *cells, int columns)
{
    for (int c = 0; c < columns; c++) fprintf(file, "| %s ", cells[c]);
    fputs("|\n", file);
}

static void print_markdown(FILE *file, const session *s, const dn_reproduced_table *t)
{
    const dn_experiment *e = s->experiment;
    fprintf(file, "# %s: %s\n\nSource: %s, %s\n\n%s\n\n", e->name, e->about, e->source, e->address, e->settings);
    if (s->options->quick)
        fprintf(file, "**Quick form:** %s. The published figures are of the full settings.\n\n", e->reduced);
    print_markdown_row(file, t->cells, t->columns);
    for (int c = 0; c < t->columns; c++) fputs("|---", file);
    fputs("|\n", file);
    for (int r = 1; r <= t->rows; r++) print_markdown_row(file, t->cells + r * t->columns, t->columns);
    fprintf(file,
            "\n%zu of %zu seeds. Ours: mean +- sample standard deviation over seeds. Dunlin %s; each run's recipe and "
            "network are in seed-N/PART.\n\nRepeat: `%s`\n",
            s->results.done, s->results.seeds, DN_VERSION, s->options->command);
}

static dn_status write_markdown(const session *s, const dn_reproduced_table *table)
{
    char *text = NULL;
    size_t size = 0;
    char *path = dn_format("%s/results.md", s->folder);
    FILE *file = open_memstream(&text, &size);
    if (file) print_markdown(file, s, table);
    dn_status status = file && fclose(file) == 0 && path ? DN_OK : dn_fail(DN_ERROR_MEMORY, "no memory for a table");
    if (status == DN_OK) status = dn_text_write(text, path);
    dn_free(text);
    dn_free(path);
    return status;
}

static dn_status print_table(const dn_reproduced_table *t)
{
    dn_table *table = NULL;
    DN_TRY(dn_table_open(&table, t->columns == 6 ? "lllrrr" : "lllrrrrr"));
    for (int c = 0; c < t->columns; c++) dn_table_cell(table, "%s", t->cells[c]);
    dn_table_rule(table);
    for (int i = t->columns; i < (t->rows + 1) * t->columns; i++) dn_table_cell(table, "%s", t->cells[i]);
    const dn_status status = dn_table_print(table, stdout);
    dn_table_close(table);
    return status;
}

/* The figures do not depend on it: what it lacks (gnuplot, a set of the recipe's list) is a note. */
static dn_status write_report(const session *s, const dn_reproduced_table *table)
{
    char *path = dn_format("%s/report.html", s->folder);
    if (!path) return DN_ERROR_MEMORY;
    const dn_status status = dn_reproduced_report(path, s->device, s->options, s->experiment, &s->results, table);
    dn_free(path);
    if (status == DN_OK || status == DN_ERROR_INTERRUPTED || status == DN_ERROR_MEMORY) return status;
    fprintf(stderr, "%s: no report.html: %s\n", s->experiment->name, dn_error_last());
    return DN_OK;
}

/* After each seed: what is through is not lost if the next one breaks off. */
static dn_status write_results(const session *s, bool last)
{
    dn_reproduced_table table = {0};
    DN_TRY(write_json(s));
    dn_status status = dn_reproduced_table_make(&table, &s->results, s->experiment, s->options->quick);
    if (status == DN_OK) status = write_markdown(s, &table);
    if (status == DN_OK && last && !dn_text_is_standard_output(s->options->json)) status = print_table(&table);
    if (status == DN_OK && last) status = write_report(s, &table);
    dn_reproduced_table_close(&table);
    return status;
}

/* ---- seeds ---- */

static dn_status run_seed(session *s, size_t seed)
{
    char *folder = dn_format("%s/seed-%zu", s->folder, seed);
    if (!folder) return DN_ERROR_MEMORY;
    const dn_reproduction r = {.experiment = s->experiment,
                               .options = s->options,
                               .device = s->device,
                               .seed = seed,
                               .folder = folder,
                               .reproduced = &s->results};
    const dn_status status = s->experiment->seed(&r);
    dn_free(folder);
    return status;
}

static dn_status run(session *s)
{
    const dn_reproduce_options *o = s->options;
    dn_run_made made;
    DN_TRY(check(s->experiment, o));
    DN_TRY(dn_run_make_folder(&made, s->folder));
    if (o->quick) fprintf(stderr, "%s --quick: %s\n", s->experiment->name, s->experiment->reduced);
    for (size_t seed = 0; seed < s->results.seeds; seed++) {
        const dn_status status = run_seed(s, seed);
        if (status == DN_ERROR_INTERRUPTED || dn_interrupted())
            return dn_fail(DN_ERROR_INTERRUPTED, "stopped; what is done is in '%s': the same command goes on",
                           s->folder);
        DN_TRY(status);
        s->results.done++;
        DN_TRY(write_results(s, s->results.done == s->results.seeds));
    }
    if (!o->quiet) fprintf(stderr, "results.md, results.json, report.html and the runs are in %s\n", s->folder);
    return DN_OK;
}

dn_status dn_reproduce(const dn_experiment *experiment, dn_device *device, const dn_reproduce_options *options)
{
    session s = {.experiment = experiment, .options = options, .device = device};
    char *folder = options->out ? dn_strdup(options->out)
                                : dn_format("runs/reproduce/%s%s", experiment->name, options->quick ? "-quick" : "");
    s.folder = folder;
    dn_status status = folder ? dn_reproduced_open(&s.results, experiment, (size_t)options->seeds) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = run(&s);
    dn_reproduced_close(&s.results);
    dn_free(folder);
    return status;
}
