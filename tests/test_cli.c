/* The program from outside: exit codes, help, what it prints where. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/cli.h"
#include "apps/table.h"
#include "core/alloc.h"

extern char **environ;

static char out[20000], err[20000];

static void read_back(int descriptor, char *text, size_t size)
{
    lseek(descriptor, 0, SEEK_SET);
    const ssize_t got = read(descriptor, text, size - 1);
    text[got > 0 ? got : 0] = '\0';
    close(descriptor);
}

/** Runs build/dunlin, beside the folder of this test. @param arguments end with NULL @return its exit code */
static int run(const char *const *arguments)
{
    char program[512] = "", *argv[16] = {program};
    cr_assert_gt(readlink("/proc/self/exe", program, sizeof program - 16), 0);
    for (int up = 0; up < 2; up++) *strrchr(program, '/') = '\0';
    snprintf(program + strlen(program), 16, "/dunlin");
    cr_assert_eq(access(program, X_OK), 0, "%s is not built", program);
    for (int i = 0; arguments[i]; i++) argv[i + 1] = (char *)arguments[i];
    char out_name[] = "/tmp/dn-cli-XXXXXX", err_name[] = "/tmp/dn-cli-XXXXXX";
    const int out_file = mkstemp(out_name), err_file = mkstemp(err_name);
    unlink(out_name);
    unlink(err_name);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out_file, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err_file, STDERR_FILENO);
    pid_t child = -1;
    cr_assert_eq(posix_spawn(&child, program, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    waitpid(child, &status, 0);
    read_back(out_file, out, sizeof out);
    read_back(err_file, err, sizeof err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define RUN(...)        run((const char *const[]){__VA_ARGS__, NULL})
#define HAS(text, part) cr_expect(strstr((text), (part)), "no '%s' in: %s", (part), (text))

Test(cli, help_and_version)
{
    cr_expect_eq(RUN("--help"), 0);
    HAS(out, "Usage: dunlin COMMAND");
    HAS(out, "  data  ");
    cr_expect_str_eq(err, "");
    cr_expect_eq(RUN("help"), 0);
    HAS(out, "Usage: dunlin COMMAND");
    cr_expect_eq(RUN("--version"), 0);
    HAS(out, "dunlin ");
    cr_expect_eq(run((const char *const[]){NULL}), 2);
    HAS(err, "Usage: dunlin COMMAND");
    cr_expect_str_eq(out, "");
}

Test(cli, unknown_commands)
{
    cr_expect_eq(RUN("dta"), 2);
    HAS(err, "there is no command 'dta'; did you mean 'data'?");
    cr_expect_eq(RUN("help", "daat"), 2);
    HAS(err, "did you mean 'data'?");
    cr_expect_eq(RUN("frobnicate"), 2);
    HAS(err, "dunlin --help");
    cr_expect_eq(RUN(""), 2);
    cr_expect_eq(RUN("bench", "foo"), 2);
    HAS(err, "dunlin bench: what to time: there is no 'foo'; known: ops, step");
}

/** Every row of `dunlin --help` is a command that explains itself and refuses unknown options. */
Test(cli, every_command_has_help)
{
    char commands[20000], *rest = commands;
    cr_assert_eq(RUN("--help"), 0);
    memcpy(commands, out, sizeof commands);
    int found = 0;
    for (char *line; (line = strsep(&rest, "\n"));) {
        char name[32], usage[64];
        if (sscanf(line, "  %31[a-z] ", name) != 1 || strncmp(line, "  dunlin", 8) == 0) continue;
        found++;
        snprintf(usage, sizeof usage, "Usage: dunlin %s", name);
        cr_expect_eq(RUN("help", name), 0, "%s", name);
        HAS(out, usage);
        HAS(out, "--help");
        cr_expect_eq(RUN(name, "--help"), 0, "%s", name);
        HAS(out, usage);
        cr_expect_eq(RUN(name, "--no-such-option"), 2, "%s", name);
        HAS(err, "no-such-option");
    }
    cr_expect_geq(found, 1);
}

Test(cli, data_command)
{
    cr_expect_eq(RUN("help", "data"), 0);
    HAS(out, "list");
    HAS(out, "dunlin data ACTION --help");
    cr_expect_eq(RUN("data", "info", "--help"), 0);
    HAS(out, "Usage: dunlin data info");
    HAS(out, "--data=DIR");
    HAS(out, "--json=FILE");
    HAS(out, "--limit=N");
    HAS(out, "--seed=N");
    cr_expect_eq(RUN("data", "list", "--data", "/nowhere"), 0);
    HAS(out, "glyphs:train");
    HAS(out, "missing");
    cr_expect_eq(RUN("data", "info", "glyphs:test", "--limit", "40"), 0);
    HAS(out, "32x32x1");
    HAS(out, "standard deviation");
    cr_expect_eq(RUN("data", "info", "glyphs:test", "--limit", "40", "--json", "-"), 0);
    cr_expect_eq(out[0], '{');
    HAS(out, "\"mean\"");
    cr_expect_eq(RUN("data", "info", "glyhps"), 2);
    HAS(err, "glyphs");
    cr_expect_eq(RUN("data", "info", "mnist:train", "--data", "/nowhere"), 1);
    HAS(err, "/nowhere");
    cr_expect_eq(RUN("data"), 2);
    cr_expect_eq(RUN("data", "info"), 2);
    cr_expect_eq(RUN("data", "list", "x"), 2);
    cr_expect_eq(RUN("data", "info", "x", "y"), 2);
    cr_expect_eq(RUN("data", "lst"), 2);
    HAS(err, "did you mean 'list'?");
    cr_expect_eq(RUN("data", "info", "glyphs", "--limit", "0"), 2);
    HAS(err, "--limit: found '0', expected a whole number from 1");
    cr_expect_eq(RUN("data", "list", "--json", "/no/such/folder/x.json"), 1);
    HAS(err, "/no/such/folder/x.json");
    cr_expect_eq(RUN("data", "info", "glyphs", "--sheet", "/no/such/folder/x.png"), 1);
    HAS(err, "/no/such/folder/x.png");
    cr_expect_eq(RUN("data", "info", "glyphs:test", "--limit", "40", "--sheet", "/dev/full"), 1);
    HAS(err, "/dev/full");
}

Test(cli, a_full_output_is_an_error)
{
    const int full = open("/dev/full", O_WRONLY), kept = dup(STDOUT_FILENO);
    if (full < 0) cr_skip_test("no /dev/full");
    close(kept);
    char program[512] = "";
    cr_assert_gt(readlink("/proc/self/exe", program, sizeof program - 16), 0);
    for (int up = 0; up < 2; up++) *strrchr(program, '/') = '\0';
    snprintf(program + strlen(program), 16, "/dunlin");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, full, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    char data[] = "data", list[] = "list", *argv[] = {program, data, list, NULL};
    pid_t child = -1;
    cr_assert_eq(posix_spawn(&child, program, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    waitpid(child, &status, 0);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    close(full);
}

/** A file's name may hold what a terminal takes for an order. */
Test(cli, names_do_not_drive_the_terminal)
{
    cr_expect_eq(RUN("data", "info", "folder:/nowhere/\x1b[2J\x7f\r\u00e9"), 1);
    HAS(err, "/nowhere/?[2J??\u00e9");
    dn_table *table = NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    cr_assert_eq(dn_table_open(&table, "lr"), DN_OK);
    dn_table_cell(table, "%s", "\x1b[31mcat\n");
    dn_table_cell(table, "%s", "\u00e9\t");
    cr_expect_eq(dn_table_print(table, file), DN_OK);
    fclose(file);
    cr_expect_str_eq(text, "?[31mcat?  \u00e9?\n");
    dn_free(text);
    dn_table_close(table);
}

Test(cli, numbers)
{
    int64_t i = 7;
    uint64_t u = 7;
    double d = 7;
    cr_expect(dn_cli_parse_int("n", "-12", -20, 20, &i) == DN_OK && i == -12);
    cr_expect(dn_cli_parse_int("n", "9223372036854775807", 0, INT64_MAX, &i) == DN_OK && i == INT64_MAX);
    static const char *const bad[] = {"", " 1", "1 ", "1x", "x", "21", "-21", "9223372036854775808", "1.5", "0x1"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        cr_expect_eq(dn_cli_parse_int("n", bad[k], -20, 20, &i), DN_ERROR_ARGUMENT, "'%s'", bad[k]);
    cr_expect_eq(i, INT64_MAX, "a refused number is not stored");
    cr_expect(dn_cli_parse_u64("s", "18446744073709551615", &u) == DN_OK && u == UINT64_MAX);
    static const char *const bad_u[] = {"", "-1", "+1", " 1", "18446744073709551616", "1e3"};
    for (size_t k = 0; k < sizeof bad_u / sizeof *bad_u; k++)
        cr_expect_eq(dn_cli_parse_u64("s", bad_u[k], &u), DN_ERROR_ARGUMENT, "'%s'", bad_u[k]);
    cr_expect(dn_cli_parse_double("d", "1e-3", 0, 1, &d) == DN_OK && d == 1e-3);
    static const char *const bad_d[] = {"", "nan", "inf", "1.1", "-0.1", "0.5x", " 0.5", "1e999"};
    for (size_t k = 0; k < sizeof bad_d / sizeof *bad_d; k++)
        cr_expect_eq(dn_cli_parse_double("d", bad_d[k], 0, 1, &d), DN_ERROR_ARGUMENT, "'%s'", bad_d[k]);
    cr_expect(strstr(dn_error_last(), "d: found '1e999', expected a number from 0 to 1"), "%s", dn_error_last());
}

Test(cli, choices)
{
    static const char *const names[] = {"first", "closest", "band"};
    size_t index = 9;
    cr_expect(dn_cli_choose("--rule", "band", names, 3, &index) == DN_OK && index == 2);
    cr_expect_eq(dn_cli_choose("--rule", "frist", names, 3, &index), DN_ERROR_ARGUMENT);
    HAS(dn_error_last(), "--rule: there is no 'frist'; did you mean 'first'?");
    cr_expect_eq(dn_cli_choose("--rule", "q", names, 3, &index), DN_ERROR_ARGUMENT);
    HAS(dn_error_last(), "known: first, closest, band");
}
