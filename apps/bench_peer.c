#include "apps/bench_peer.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "apps/bench_spread.h"
#include "apps/cli.h"
#include "apps/clock.h"
#include "core/alloc.h"

enum { LONGEST_LINE = 1024, LONGEST_WAIT_MS = 5000, LOOK_MS = 10 };

extern char **environ;

struct dn_peer {
    char *command, *name;
    int threads;
    double patience;
    pid_t process; /* 0: has ended and is waited for; a group of its own, so that a shell's children end with it */
    int to, from;  /* pipes, -1: closed */
    char held[LONGEST_LINE]; /* read but not yet taken */
    size_t n_held;
    struct sigaction old_pipe; /* what SIGPIPE did before: writing to a dead peer shall be an error, not our end */
};

/* ---- processes ---- */

static void sleep_ms(long ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* Waits for the process' end. @return whether it has ended */
static bool wait_for_end(dn_peer *peer, long ms, int *how)
{
    for (long waited = 0; peer->process; waited += LOOK_MS) {
        const pid_t ended = waitpid(peer->process, how, WNOHANG);
        if (ended == peer->process || (ended < 0 && errno != EINTR)) peer->process = 0;
        if (!peer->process || waited >= ms) break;
        sleep_ms(LOOK_MS);
    }
    return !peer->process;
}

static void close_pipe(int *descriptor)
{
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = -1;
}

static dn_status spawn(dn_peer *peer, int its_input, int its_output)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t reset;
    sigemptyset(&reset);
    sigaddset(&reset, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, its_input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, its_output, STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigdefault(&attributes, &reset);
    char shell[] = "sh", option[] = "-c", *argv[] = {shell, option, peer->command, NULL};
    const int error = posix_spawn(&peer->process, "/bin/sh", &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error == 0) return DN_OK;
    peer->process = 0;
    return dn_fail(DN_ERROR_FILE, "cannot start the peer '%s': %s", peer->command, strerror(error));
}

static dn_status start(dn_peer *peer)
{
    int input[2], output[2];
    if (pipe(input) != 0) return dn_fail(DN_ERROR_FILE, "cannot open a pipe to the peer: %s", strerror(errno));
    if (pipe(output) != 0) {
        close(input[0]);
        close(input[1]);
        return dn_fail(DN_ERROR_FILE, "cannot open a pipe to the peer: %s", strerror(errno));
    }
    const int ends[] = {input[0], input[1], output[0], output[1]};
    for (int i = 0; i < 4; i++) fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    peer->to = input[1];
    peer->from = output[0];
    const dn_status status = spawn(peer, input[0], output[1]);
    close(input[0]);
    close(output[1]);
    return status;
}

/* ---- lines ---- */

/* Text of others for our messages: no control characters. */
static const char *printable(const char *text, char clean[96])
{
    snprintf(clean, 96, "%.92s%s", text, strlen(text) > 92 ? "..." : "");
    for (char *c = clean; *c; c++)
        if (iscntrl((unsigned char)*c)) *c = '?';
    return clean;
}

static dn_status fail_ended(dn_peer *peer, const char *when)
{
    int how = 0;
    if (!wait_for_end(peer, LONGEST_WAIT_MS, &how))
        return dn_fail(DN_ERROR_FILE, "the peer '%s' closed its output %s", peer->command, when);
    if (WIFSIGNALED(how))
        return dn_fail(DN_ERROR_FILE, "the peer '%s' was ended by signal %d %s", peer->command, WTERMSIG(how), when);
    return dn_fail(DN_ERROR_FILE, "the peer '%s' ended with exit code %d %s", peer->command, WEXITSTATUS(how), when);
}

static dn_status send_line(dn_peer *peer, const char *line)
{
    for (size_t done = 0, all = strlen(line); done < all;) {
        const ssize_t written = write(peer->to, line + done, all - done);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return fail_ended(peer, "before it was asked to run");
        done += (size_t)written;
    }
    return DN_OK;
}

/* Takes a whole line out of what is held. @return whether there is one */
static bool take_line(dn_peer *peer, char line[LONGEST_LINE])
{
    const char *end = memchr(peer->held, '\n', peer->n_held);
    if (!end) return false;
    const size_t length = (size_t)(end - peer->held);
    memcpy(line, peer->held, length);
    line[length] = '\0';
    peer->n_held -= length + 1;
    memmove(peer->held, end + 1, peer->n_held);
    return true;
}

/* @param when for messages: "before it was ready" */
static dn_status receive_line(dn_peer *peer, char line[LONGEST_LINE], const char *when)
{
    const double end = dn_seconds() + peer->patience;
    while (!take_line(peer, line)) {
        const double left = end - dn_seconds();
        struct pollfd ready = {.fd = peer->from, .events = POLLIN};
        if (left <= 0.0)
            return dn_fail(DN_ERROR_FILE, "the peer '%s' said nothing for %.3g seconds %s", peer->command,
                           peer->patience, when);
        if (poll(&ready, 1, left > 1.0 ? 1000 : (int)ceil(1e3 * left)) <= 0) continue;
        if (peer->n_held == LONGEST_LINE)
            return dn_fail(DN_ERROR_FORMAT, "the peer '%s' printed more than %d bytes without a line break %s",
                           peer->command, LONGEST_LINE, when);
        const ssize_t got = read(peer->from, peer->held + peer->n_held, LONGEST_LINE - peer->n_held);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return fail_ended(peer, when);
        peer->n_held += (size_t)got;
    }
    return DN_OK;
}

/* ---- the protocol ---- */

static dn_status greet(dn_peer *peer)
{
    char line[LONGEST_LINE], clean[96], name[64], version[64], count[8], rest = 0;
    int64_t threads = 0;
    DN_TRY(receive_line(peer, line, "before it was ready"));
    const int found = sscanf(line, "ready %63s %63s threads %7s%c", name, version, count, &rest);
    if (found != 3 || dn_cli_parse_int("threads", count, 1, 65536, &threads) != DN_OK)
        return dn_fail(DN_ERROR_FORMAT, "the peer '%s' printed '%s', expected 'ready NAME VERSION threads N'",
                       peer->command, printable(line, clean));
    peer->threads = (int)threads;
    peer->name = dn_format("%s %s", name, version);
    return peer->name ? DN_OK : DN_ERROR_MEMORY;
}

dn_status dn_peer_open(dn_peer **out, const char *command, double patience)
{
    *out = NULL;
    dn_peer *peer = dn_calloc(1, sizeof *peer);
    if (!peer) return DN_ERROR_MEMORY;
    peer->to = peer->from = -1;
    peer->patience = patience;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, &peer->old_pipe);
    peer->command = dn_strdup(command);
    dn_status status = peer->command ? start(peer) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = greet(peer);
    if (status == DN_OK)
        *out = peer;
    else
        dn_peer_close(peer);
    return status;
}

void dn_peer_close(dn_peer *peer)
{
    if (!peer) return;
    int how = 0;
    close_pipe(&peer->to);
    close_pipe(&peer->from);
    if (!wait_for_end(peer, LONGEST_WAIT_MS, &how)) {
        kill(-peer->process, SIGTERM);
        if (!wait_for_end(peer, LONGEST_WAIT_MS / 5, &how)) {
            kill(-peer->process, SIGKILL);
            waitpid(peer->process, &how, 0);
        }
    }
    sigaction(SIGPIPE, &peer->old_pipe, NULL);
    dn_free(peer->command);
    dn_free(peer->name);
    dn_free(peer);
}

const char *dn_peer_name(const dn_peer *peer)
{
    return peer->name;
}

int dn_peer_threads(const dn_peer *peer)
{
    return peer->threads;
}

dn_status dn_peer_run(dn_peer *peer, const dn_peer_work *work, double *seconds)
{
    char line[LONGEST_LINE], clean[96], *end = NULL;
    snprintf(line, sizeof line,
             "run model=%.64s width=%d dropout=%g members=%d batch=%d images=%lld shape=%dx%dx%d classes=%d "
             "layout=%.64s steps=%d\n",
             work->model, work->width, work->dropout, work->members, work->batch, (long long)work->images,
             work->shape[0], work->shape[1], work->shape[2], work->classes, work->layout, work->steps);
    DN_TRY(send_line(peer, line));
    DN_TRY(receive_line(peer, line, "while it ran"));
    if (strncmp(line, "error ", 6) == 0)
        return dn_fail(DN_ERROR_UNSUPPORTED, "the peer '%s' cannot run model %s, layout %s: %s", peer->name,
                       work->model, work->layout, printable(line + 6, clean));
    const double value = strtod(line, &end);
    if (end == line || *end || !isfinite(value) || value <= 0.0)
        return dn_fail(DN_ERROR_FORMAT, "the peer '%s' printed '%s', expected seconds or 'error TEXT'", peer->name,
                       printable(line, clean));
    *seconds = value;
    return DN_OK;
}
