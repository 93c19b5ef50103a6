/* What people see: progress, tables; and what stops a run. */
#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/interrupt.h"
#include "apps/json.h"
#include "apps/progress.h"
#include "apps/table.h"

static double now;

static double fake_clock(void)
{
    return now;
}

static char written[8000];

static void read_back(FILE *file)
{
    rewind(file);
    written[fread(written, 1, sizeof written - 1, file)] = '\0';
    fclose(file);
}

static int lines(void)
{
    int count = 0;
    for (const char *c = written; *c; c++) count += *c == '\n';
    return count;
}

#define HAS(part) cr_expect(strstr(written, (part)), "no '%s' in: %s", (part), written)

Test(progress, durations_and_rates)
{
    char text[24];
    cr_expect_str_eq(dn_duration_text(0, text), "0:00");
    cr_expect_str_eq(dn_duration_text(59.4, text), "0:59");
    cr_expect_str_eq(dn_duration_text(59.6, text), "1:00");
    cr_expect_str_eq(dn_duration_text(3723, text), "1:02:03");
    cr_expect_str_eq(dn_duration_text(3 * 86400 + 3723, text), "3d 01:02:03");
    cr_expect_str_eq(dn_duration_text(NAN, text), "--:--");
    cr_expect_str_eq(dn_duration_text(INFINITY, text), "--:--");
    cr_expect_str_eq(dn_duration_text(-1, text), "--:--");
    cr_expect_str_eq(dn_rate_text(0.341, text), "0.34");
    cr_expect_str_eq(dn_rate_text(12.13, text), "12.1");
    cr_expect_str_eq(dn_rate_text(311.4, text), "311");
    cr_expect_str_eq(dn_rate_text(999.4, text), "999");
    cr_expect_str_eq(dn_rate_text(999.6, text), "1.00k");
    cr_expect_str_eq(dn_rate_text(39810, text), "39.8k");
    cr_expect_str_eq(dn_rate_text(1.2e6, text), "1.20M");
    cr_expect_str_eq(dn_rate_text(NAN, text), "-");
}

/** 1000 steps of 50 ms: a line each five seconds, and one at the end. */
Test(progress, plain_lines)
{
    FILE *file = tmpfile();
    dn_progress *progress = NULL;
    now = 100;
    const dn_progress_options options = {
        .label = "train", .total = 1000, .images_per_step = 128, .stream = file, .clock = fake_clock};
    cr_assert_eq(dn_progress_open(&progress, &options), DN_OK);
    for (int step = 1; step <= 1000; step++) {
        now += 0.05;
        dn_progress_update(progress, step,
                           &(dn_progress_values){.has_loss = true, .loss = NAN, .has_accuracy = true, .accuracy = 0.5});
        if (step == 500) dn_progress_note(progress, "checkpoint at %d", step);
    }
    dn_progress_close(progress);
    read_back(file);
    cr_expect(lines() >= 11 && lines() <= 12, "%d lines: %s", lines(), written);
    HAS("checkpoint at 500\n");
    HAS("train 1000/1000  100%  20.0 steps/s  2.56k images/s  in 0:50  loss nan  accuracy 50.0%\n");
    HAS("ETA 0:40  loss nan");
    cr_expect_null(strchr(written, '\r'));
}

Test(progress, bar)
{
    FILE *file = tmpfile();
    dn_progress *progress = NULL;
    now = 0;
    const dn_progress_options options = {.label = "train",
                                         .total = 200,
                                         .first = 100, /* resumed */
                                         .style = DN_PROGRESS_BAR,
                                         .stream = file,
                                         .clock = fake_clock};
    cr_assert_eq(dn_progress_open(&progress, &options), DN_OK);
    for (int step = 101; step <= 200; step++) {
        now += 0.01;
        dn_progress_update(progress, step, NULL);
    }
    dn_progress_note(progress, "note");
    dn_progress_close(progress);
    read_back(file);
    int drawn = 0;
    for (const char *c = written; *c; c++) drawn += *c == '\r';
    cr_expect(drawn >= 10 && drawn <= 13, "drawn %d times in a second", drawn);
    HAS("[##############################] 200/200  100%  100 steps/s  in 0:01\033[K\n");
    HAS("\r\033[Knote\n");
    HAS("####.");
    for (char *rest = written, *part; (part = strsep(&rest, "\r"));)
        cr_expect_leq(strcspn(part, "\033"), 79, "wider than the terminal: %s", part);
}

Test(progress, odd_runs)
{
    FILE *file = tmpfile();
    dn_progress *progress = NULL;
    dn_progress_options options = {.label = "x", .quiet = true, .stream = file, .clock = fake_clock};
    now = 0;
    cr_assert_eq(dn_progress_open(&progress, &options), DN_OK);
    now = 100;
    dn_progress_update(progress, 5, NULL);
    dn_progress_note(progress, "silent");
    dn_progress_close(progress);
    options.quiet = false;
    options.style = DN_PROGRESS_BAR;
    cr_assert_eq(dn_progress_open(&progress, &options), DN_OK);
    dn_progress_close(progress); /* nothing happened */
    cr_expect_eq(ftell(file), 0);
    cr_assert_eq(dn_progress_open(&progress, &options), DN_OK);
    now = 200; /* no total; more steps in one go than ever; a clock that stands still */
    dn_progress_update(progress, INT64_MAX / 2, &(dn_progress_values){.has_loss = true, .loss = INFINITY});
    dn_progress_update(progress, INT64_MAX / 2, NULL);
    dn_progress_close(progress);
    dn_progress_close(NULL);
    read_back(file);
    HAS("loss inf");
    cr_expect_null(strstr(written, "ETA"));
}

Test(table, aligns)
{
    FILE *file = tmpfile();
    dn_table *table = NULL;
    cr_assert_eq(dn_table_open(&table, "lrl"), DN_OK);
    dn_table_cell(table, "method"), dn_table_cell(table, "AUROC"), dn_table_cell(table, "note");
    dn_table_rule(table);
    dn_table_cell(table, "msp"), dn_table_cell(table, "%.1f", 9.5), dn_table_cell(table, "%s", "");
    dn_table_cell(table, "énergie"), dn_table_cell(table, "%.1f", 100.0), dn_table_cell(table, "x");
    dn_table_cell(table, "short");
    cr_assert_eq(dn_table_print(table, file), DN_OK);
    dn_table_close(table);
    dn_table_close(NULL);
    read_back(file);
    cr_expect_str_eq(written, "method   AUROC  note\n"
                              "--------------------\n"
                              "msp        9.5\n"
                              "énergie  100.0  x\n"
                              "short\n");
    cr_expect_eq(dn_table_open(&table, "lx"), DN_ERROR_INTERNAL);
    cr_expect_null(table);
}

Test(interrupt, first_asks_second_kills)
{
    const pid_t child = fork();
    if (child == 0) {
        dn_interrupt_install();
        if (dn_interrupted()) _exit(1);
        raise(SIGINT);
        if (!dn_interrupted()) _exit(2);
        raise(SIGTERM);
        _exit(3);
    }
    int status = 0;
    waitpid(child, &status, 0);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "status %x", (unsigned)status);
}

Test(json, files_appear_whole)
{
    char folder[] = "/tmp/dn-json-XXXXXX", path[64];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.json", folder);
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddNumberToObject(tree, "auroc", 0.1);
    cJSON_AddNumberToObject(tree, "nothing", NAN);
    for (int i = 0; i < 2; i++) cr_expect_eq(dn_json_write(tree, path), DN_OK, "%s", dn_error_last());
    FILE *file = fopen(path, "r");
    read_back(file);
    HAS("\"auroc\":\t0.1,");
    HAS("\"nothing\":\tnull");
    cr_expect_eq(unlink(path), 0);
    cr_expect_eq(mkdir(path, 0755), 0);
    cr_expect_eq(dn_json_write(tree, path), DN_ERROR_FILE, "a folder in the way");
    cr_expect_eq(dn_json_write(tree, "/no/such/folder/x"), DN_ERROR_FILE);
    cr_expect_eq(rmdir(path), 0);
    cr_expect_eq(rmdir(folder), 0, "temporary files are left");
    cJSON_Delete(tree);
}
