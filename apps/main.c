#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apps/cli.h"
#include "apps/commands.h"
#include "apps/patience.h"
#include "core/alloc.h"
#include "core/nearest.h"

typedef struct command {
    const char *name, *help;
    int (*run)(int argc, char **argv);
} command;

#define COMMAND_ROW(name, help)  {#name, help, dn_cmd_##name},
#define COMMAND_NAME(name, help) #name,
static const command commands[] = {DN_COMMANDS(COMMAND_ROW)};
static const char *const command_names[] = {DN_COMMANDS(COMMAND_NAME)};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static void print_help(FILE *file)
{
    fputs("Usage: dunlin COMMAND [ARGUMENT...]\n"
          "Ensembles that know what they do not know: training, and scores for inputs unlike the training data.\n\n",
          file);
    for (size_t i = 0; i < N_COMMANDS; i++) fprintf(file, "  %-12s %s\n", commands[i].name, commands[i].help);
    fputs("\n  dunlin help COMMAND, dunlin COMMAND --help    the options of a command\n"
          "  dunlin --version                              the version\n\n"
          "Exit code: 0 done, 1 failed, 2 wrong usage.\n",
          file);
}

static const command *find_command(const char *name)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    const char *near = dn_nearest(name, command_names, N_COMMANDS);
    fprintf(stderr, "dunlin: there is no command '%s'", name);
    if (near) {
        fprintf(stderr, "; did you mean '%s'?\n", near);
    } else {
        fputs("; 'dunlin --help' lists them\n", stderr);
    }
    return NULL;
}

/** @param arguments [count] what stands after the command's name */
static int run_command(const char *name, char **arguments, int count)
{
    const command *found = find_command(name);
    if (!found) return DN_EXIT_USAGE;
    char *title = dn_format("dunlin %s", found->name);
    char **argv = dn_calloc((size_t)count + 2, sizeof *argv);
    int code = DN_EXIT_FAILED;
    if (title && argv) {
        argv[0] = title;
        for (int i = 0; i < count; i++) argv[i + 1] = arguments[i];
        code = found->run(count + 1, argv);
    } else {
        code = dn_cli_fail(DN_ERROR_MEMORY);
    }
    dn_free(argv);
    dn_free(title);
    return code;
}

static int is(const char *text, const char *a, const char *b)
{
    return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return DN_EXIT_USAGE;
    }
    if (is(argv[1], "--version", "-V")) return printf("dunlin %s\n", DN_VERSION) < 0;
    if (is(argv[1], "--help", "-h") || (strcmp(argv[1], "help") == 0 && argc == 2)) {
        print_help(stdout);
        return DN_EXIT_DONE;
    }
    if (strcmp(argv[1], "help") == 0) {
        char option[] = "--help", *arguments[] = {option};
        return run_command(argv[2], arguments, 1);
    }
    return run_command(argv[1], argv + 2, argc - 2);
}

int main(int argc, char **argv)
{
    dn_patience_set(argv);
    argp_err_exit_status = DN_EXIT_USAGE;
    int code = dispatch(argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == DN_EXIT_DONE) {
        fprintf(stderr, "dunlin: cannot write to standard output: %s\n", strerror(errno));
        code = DN_EXIT_FAILED;
    }
    return code;
}
