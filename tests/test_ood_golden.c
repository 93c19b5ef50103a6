/** Scores and metrics against the answers of an independent float64 reference, where its folder lies beside the source
 *  tree: ../shared/golden/case_a. Skipped elsewhere; the other tests of ood/ need no files. */
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <math.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/commands.h"
#include "core/alloc.h"
#include "datasets/npy.h"
#include "ood/metrics.h"

extern char **environ;

static char *folder_file(const char *name)
{
    char *here = dn_strdup(__FILE__);
    for (int up = 0; up < 2; up++) { /* tests/this.c -> the source root */
        char *slash = strrchr(here, '/');
        cr_assert_not_null(slash, "the test must be compiled by its absolute path");
        *slash = '\0';
    }
    char *path = dn_format("%s/../shared/golden/case_a/%s", here, name);
    dn_free(here);
    return path;
}

/** @return the whole file, or NULL if there is none; `*size` receives its length */
static char *read_file(const char *name, size_t *size)
{
    char *path = folder_file(name);
    FILE *file = fopen(path, "rb");
    dn_free(path);
    if (!file) return NULL;
    cr_assert_eq(fseek(file, 0, SEEK_END), 0);
    const long length = ftell(file);
    cr_assert_geq(length, 0);
    rewind(file);
    char *text = dn_calloc((size_t)length + 1, 1);
    cr_assert_eq(fread(text, 1, (size_t)length, file), (size_t)length);
    (void)fclose(file);
    *size = (size_t)length;
    return text;
}

/** @return [count] as doubles; free with dn_free() */
static double *read_scores(const char *path, size_t *count)
{
    dn_npy *array;
    cr_assert_eq(dn_npy_open(&array, path), DN_OK, "%s", dn_error_last());
    cr_assert(array->rank == 1 && (array->type == DN_F32 || array->type == DN_F64), "%s", path);
    *count = (size_t)array->count;
    double *scores = dn_calloc(*count, sizeof *scores);
    for (size_t i = 0; i < *count; i++)
        scores[i] = array->type == DN_F32 ? (double)((float *)array->data)[i] : ((double *)array->data)[i];
    dn_npy_close(array);
    return scores;
}

static cJSON *expected(void)
{
    size_t size;
    char *text = read_file("expected.json", &size);
    if (!text) cr_skip_test("the golden case is not beside the source tree");
    cJSON *json = cJSON_Parse(text);
    cr_assert_not_null(json, "expected.json is no JSON");
    dn_free(text);
    return json;
}

static double number(const cJSON *entry, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(entry, name);
    cr_assert(cJSON_IsNumber(item), "%s is missing", name);
    return item->valuedouble;
}

static const char *string(const cJSON *entry, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, name));
}

/* ---- scores: what `dunlin score` writes ---- */

typedef struct command {
    char *argument[40];
    int count;
} command;

static void add(command *c, char *argument)
{
    cr_assert_lt(c->count, 39);
    c->argument[c->count++] = argument;
}

/** Appends --head-weight FOLDER/ens_head_weight.npy for "head_weight". */
static void add_array(command *c, const char *need, bool ensemble)
{
    const bool shared = strcmp(need, "fit_labels") == 0; /* by all members */
    char *option = dn_format("--%s", need), *file = dn_format("%s%s.npy", ensemble && !shared ? "ens_" : "", need);
    for (char *at = option; *at; at++)
        if (*at == '_') *at = '-';
    add(c, option);
    add(c, folder_file(file));
    dn_free(file);
}

static void free_command(command *c)
{
    for (int i = 0; i < c->count; i++) dn_free(c->argument[i]);
}

/** Runs `dunlin score` within this process. @return the scores, [*count] */
static double *score(const cJSON *entry, const char *to, size_t *count)
{
    command c = {{NULL}, 0};
    const cJSON *need;
    add(&c, dn_strdup("dunlin score"));
    add(&c, dn_strdup(string(entry, "expression")));
    cJSON_ArrayForEach(need, cJSON_GetObjectItemCaseSensitive(entry, "needs"))
    {
        add_array(&c, cJSON_GetStringValue(need), cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "ensemble")));
    }
    if (string(entry, "reduce")) add(&c, dn_format("--reduce=%s", string(entry, "reduce")));
    add(&c, dn_strdup("-q"));
    add(&c, dn_format("-o%s", to));
    cr_assert_eq(dn_cmd_score(c.count, c.argument), 0, "%s: %s", string(entry, "expression"), dn_error_last());
    free_command(&c);
    return read_scores(to, count);
}

/** @return the largest error as a share of the tolerance */
static double check_scores(const cJSON *entry, const double *scores, size_t rows)
{
    const char *reduction = string(entry, "reduce");
    const double centre = number(entry, "centre"), scale = number(entry, "scale");
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(entry, "values"), *value;
    size_t row = 0;
    double worst = 0.0;
    cr_assert_eq((size_t)cJSON_GetArraySize(values), rows);
    cJSON_ArrayForEach(value, values)
    {
        const double want = value->valuedouble, tolerance = 2e-5 * fmax(fabs(want - centre), scale);
        worst = fmax(worst, fabs(scores[row] - want) / tolerance);
        cr_expect(fabs(scores[row] - want) <= tolerance, "%s, reduce %s, row %zu: %.17g, expected %.17g",
                  string(entry, "expression"), reduction ? reduction : "-", row, scores[row], want);
        row++;
    }
    return worst;
}

Test(ood_golden, scores)
{
    cJSON *json = expected();
    char folder[] = "/tmp/dunlin-golden-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    char *to = dn_format("%s/scores.npy", folder);
    const cJSON *entry;
    int checked = 0;
    double worst = 0.0;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(json, "scores"))
    {
        size_t count;
        double *scores = score(entry, to, &count);
        worst = fmax(worst, check_scores(entry, scores, count));
        dn_free(scores);
        checked++;
    }
    cr_log_info("%d scores, largest error %.3g of the tolerance", checked, worst);
    cr_expect_geq(checked, 194, "only %d entries were checked", checked);
    unlink(to);
    rmdir(folder);
    dn_free(to);
    cJSON_Delete(json);
}

/* ---- errors: what must be refused, with a message and without a file ---- */

/** @return the exit status; `*text` receives the start of what was printed on stderr */
static int run(char *const *argument, char text[1024])
{
    char program[4096]; /* lies beside the folder of the tests */
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 16);
    cr_assert_gt(length, 0);
    program[length] = '\0';
    for (int up = 0; up < 2; up++) *strrchr(program, '/') = '\0';
    snprintf(program + strlen(program), 16, "/dunlin");
    int ends[2], state;
    pid_t child;
    posix_spawn_file_actions_t actions;
    cr_assert_eq(pipe(ends), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    cr_assert_eq(posix_spawn(&child, program, &actions, NULL, argument, environ), 0, "%s", program);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    size_t used = 0;
    for (ssize_t got; used < 1023 && (got = read(ends[0], text + used, 1023 - used)) > 0;) used += (size_t)got;
    text[used] = '\0';
    close(ends[0]);
    cr_assert_eq(waitpid(child, &state, 0), child);
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

Test(ood_golden, errors)
{
    cJSON *json = expected();
    const cJSON *entry, *argument;
    char text[1024];
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(json, "errors"))
    {
        command c = {{NULL}, 0};
        add(&c, dn_strdup("dunlin"));
        cJSON_ArrayForEach(argument, cJSON_GetObjectItemCaseSensitive(entry, "args"))
        {
            const char *word = cJSON_GetStringValue(argument);
            add(&c, strstr(word, ".npy") ? folder_file(word) : dn_strdup(word));
        }
        add(&c, dn_strdup("-o/tmp/dunlin-golden-must-not-be.npy"));
        const int code = run(c.argument, text);
        cr_expect(code == 1 || code == 2, "%s %s: exit status %d", c.argument[1], c.argument[2], code);
        const char *has = string(entry, "stderr_has");
        cr_expect(*text && (!has || strstr(text, has)), "%s: %s", c.argument[2], text);
        cr_expect_neq(access("/tmp/dunlin-golden-must-not-be.npy", F_OK), 0);
        free_command(&c);
    }
    cJSON_Delete(json);
}

/* ---- metrics ---- */

static void check_metrics(const cJSON *want, const dn_metrics *got, const char *name)
{
    const struct {
        const char *name;
        double value;
    } fields[] = {{"auroc", got->auroc},
                  {"aupr_out", got->aupr_out},
                  {"aupr_in", got->aupr_in},
                  {"fpr95", got->fpr95},
                  {"tnr95", got->tnr95},
                  {"detection_error", got->detection_error},
                  {"best_accuracy", got->best_accuracy},
                  {"best_threshold", got->best_threshold},
                  {"n_id", (double)got->n_id},
                  {"n_ood", (double)got->n_ood}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const double value = number(want, fields[i].name);
        const double tolerance = strcmp(fields[i].name, "best_threshold") == 0 ? 1e-9 * fmax(1, fabs(value)) : 1e-9;
        cr_expect(fabs(fields[i].value - value) <= tolerance, "%s, rule %s, positive %s: %s is %.17g, expected %.17g",
                  name, string(want, "rule"), string(want, "asked_positive"), fields[i].name, fields[i].value, value);
    }
    cr_expect_str_eq(dn_fpr_rule_name(got->rule), string(want, "rule"));
    cr_expect_str_eq(dn_positive_name(got->positive), string(want, "positive"));
}

Test(ood_golden, metrics)
{
    cJSON *json = expected();
    const cJSON *pair, *want;
    int checked = 0;
    cJSON_ArrayForEach(pair, cJSON_GetObjectItemCaseSensitive(json, "metrics"))
    {
        size_t n_id, n_ood;
        char *id_file = folder_file(string(pair, "id")), *ood_file = folder_file(string(pair, "ood"));
        double *id = read_scores(id_file, &n_id), *ood = read_scores(ood_file, &n_ood);
        cJSON_ArrayForEach(want, cJSON_GetObjectItemCaseSensitive(pair, "expected"))
        {
            dn_metrics got;
            dn_metrics_options options;
            cr_assert_eq(dn_fpr_rule_parse(&options.rule, string(want, "rule")), DN_OK);
            cr_assert_eq(dn_positive_parse(&options.positive, string(want, "asked_positive")), DN_OK);
            cr_assert_eq(dn_metrics_compute(&got, id, n_id, ood, n_ood, &options), DN_OK, "%s", dn_error_last());
            check_metrics(want, &got, string(pair, "id"));
            checked++;
        }
        dn_free(id);
        dn_free(ood);
        dn_free(id_file);
        dn_free(ood_file);
    }
    cr_expect_geq(checked, 136, "only %d entries were checked", checked);
    cJSON_Delete(json);
}
