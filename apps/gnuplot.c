#include "apps/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/utf8.h"
#include "core/alloc.h"
#include "core/whole_file.h"

extern char **environ;

static const char *const no_gnuplot =
    "cannot start gnuplot, which draws the pictures: %s; install it (Debian: gnuplot-nox), or leave the picture out";

/* ---- the file ---- */

/* @return gnuplot's terminal, set so that font sizes are pixels; NULL for another ending */
static const char *terminal_of(const char *path)
{
    const char *ending = strrchr(path, '.');
    if (ending && strcmp(ending, ".svg") == 0) return "svg";
    return ending && strcmp(ending, ".png") == 0 ? "pngcairo fontscale 0.75" : NULL;
}

/* ---- the process ---- */

/* @param input, output, messages descriptors that become gnuplot's 0, 1 and 2 @return 0 or an errno */
static int spawn(pid_t *process, char *option, int input, int output, int messages)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t reset;
    sigemptyset(&reset);
    sigaddset(&reset, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, messages, STDERR_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigdefault(&attributes, &reset);
    char name[] = "gnuplot", *argv[] = {name, option, NULL};
    const int error = posix_spawnp(process, name, &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* @return whether it ended well */
static bool wait_for(pid_t process)
{
    int how = 0;
    while (waitpid(process, &how, 0) < 0)
        if (errno != EINTR) return false;
    return WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

dn_status dn_gnuplot_check_program(void)
{
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0) return dn_fail(DN_ERROR_FILE, "/dev/null: cannot open: %s", strerror(errno));
    pid_t process = 0;
    char option[] = "--version";
    const int error = spawn(&process, option, nothing, nothing, nothing);
    close(nothing);
    if (error != 0) return dn_fail(DN_ERROR_UNSUPPORTED, no_gnuplot, strerror(error));
    return wait_for(process) ? DN_OK : dn_fail(DN_ERROR_UNSUPPORTED, no_gnuplot, "it does not run");
}

/* Says what gnuplot said: the last line that holds more than a place. */
static dn_status fail_gnuplot(FILE *messages, const char *path)
{
    char line[256] = "", last[256] = "no message";
    rewind(messages);
    while (fgets(line, sizeof line, messages)) {
        line[strcspn(line, "\n")] = '\0';
        const char *text = line + strspn(line, " \t^");
        if (*text) memcpy(last, line, sizeof last);
    }
    const char *text = last + strspn(last, " \t");
    return dn_fail(DN_ERROR_UNSUPPORTED, "%s: gnuplot could not draw the picture: %s", path, text);
}

/* Sends the script. A gnuplot that has ended shall be an error of the pipe, not our end. */
static dn_status send_script(int *pipe_end, const char *header, dn_gnuplot_script *script, const void *what)
{
    FILE *to = fdopen(*pipe_end, "w");
    if (!to) return dn_fail(DN_ERROR_FILE, "cannot write to gnuplot: %s", strerror(errno));
    *pipe_end = -1;
    struct sigaction ignore, before;
    memset(&ignore, 0, sizeof ignore);
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, &before);
    fputs(header, to);
    script(to, what);
    const bool failed = ferror(to) != 0;
    const bool sent = fclose(to) == 0 && !failed;
    sigaction(SIGPIPE, &before, NULL);
    return sent ? DN_OK : dn_fail(DN_ERROR_FILE, "cannot write to gnuplot: it has ended");
}

typedef struct job {
    const char *path, *header;
    dn_gnuplot_script *script;
    const void *what;
} job;

static dn_status run(const job *j, int output, FILE *messages)
{
    int ends[2];
    if (pipe(ends) != 0) return dn_fail(DN_ERROR_FILE, "cannot open a pipe to gnuplot: %s", strerror(errno));
    for (int i = 0; i < 2; i++) fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    pid_t process = 0;
    char option[] = "--default-settings";
    const int error = spawn(&process, option, ends[0], output, fileno(messages));
    close(ends[0]);
    dn_status status = error ? dn_fail(DN_ERROR_UNSUPPORTED, no_gnuplot, strerror(error)) : DN_OK;
    if (status == DN_OK) status = send_script(&ends[1], j->header, j->script, j->what);
    if (ends[1] >= 0) close(ends[1]);
    /* Its own words say more than a broken pipe. */
    if (error == 0 && !wait_for(process)) status = fail_gnuplot(messages, j->path);
    return status;
}

/* ---- */

dn_status dn_gnuplot_check(const char *path)
{
    if (!terminal_of(path))
        return dn_fail(DN_ERROR_ARGUMENT, "'%s': a picture's name ends in .svg or .png, which says its form", path);
    DN_TRY(dn_gnuplot_check_program());
    dn_whole_file file; /* can it be written? */
    const dn_status status = dn_whole_file_open(&file, path);
    dn_whole_file_close(&file);
    return status;
}

dn_status dn_gnuplot_draw(const char *path, int width, int height, dn_gnuplot_script *script, const void *what)
{
    DN_TRY(dn_gnuplot_check(path));
    dn_whole_file file;
    dn_status status = dn_whole_file_open(&file, path);
    FILE *messages = tmpfile();
    char *header = dn_format("set encoding utf8\nset terminal %s size %d,%d font 'sans-serif,12' noenhanced "
                             "background rgb '#ffffff'\n",
                             terminal_of(path), width, height);
    if (status == DN_OK && !(messages && header))
        status = dn_fail(DN_ERROR_FILE, "%s: no temporary file: %s", path, strerror(errno));
    const job j = {path, header, script, what};
    if (status == DN_OK) status = run(&j, fileno(file.file), messages);
    if (status == DN_OK) status = dn_whole_file_commit(&file);
    if (messages) fclose(messages);
    dn_free(header);
    dn_whole_file_close(&file);
    return status;
}

dn_status dn_gnuplot_svg(FILE *to, int width, int height, dn_gnuplot_script *script, const void *what)
{
    FILE *messages = tmpfile();
    char *header = dn_format("set encoding utf8\nset terminal svg size %d,%d font 'sans-serif,12' noenhanced rounded\n",
                             width, height);
    const job j = {"report", header, script, what};
    dn_status status = !header ? DN_ERROR_MEMORY : messages ? DN_OK : DN_ERROR_FILE;
    if (status == DN_ERROR_FILE) status = dn_fail(status, "no temporary file: %s", strerror(errno));
    if (status == DN_OK) status = run(&j, fileno(to), messages);
    if (messages) fclose(messages);
    dn_free(header);
    return status;
}

/* ---- texts ---- */

void dn_gnuplot_text(FILE *to, const char *text, int letters)
{
    fputc('\'', to);
    for (int i = 0; *text; i++) {
        if (i == letters) {
            fputs("...", to);
            break;
        }
        const size_t length = dn_utf8_length(text);
        if (*text == '\'') fputc('\'', to);
        if (length) {
            fwrite(text, 1, length, to);
        } else {
            fputc('?', to);
        }
        text += length ? length : 1;
    }
    fputc('\'', to);
}
