#include "core/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* Milliseconds: of processor time between two signs of life of a child, and of nothing happening at all. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
enum { MOST_WORK = 200, MOST_WAIT = 20000 };
#else
enum { MOST_WORK = 10000, MOST_WAIT = 180000 };
#endif

/* How it went, in the child's words. Small enough for a pipe that nobody reads yet. */
typedef struct verdict {
    dn_status status;
    char text[1020];
} verdict;

/* ---- pipes ---- */

dn_status dn__child_send(int pipe, const void *from, size_t bytes)
{
    for (const char *at = from; bytes > 0;) {
        const ssize_t put = write(pipe, at, bytes);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) return dn_fail(DN_ERROR_FILE, "a pipe was closed: %s", strerror(errno));
        at += put, bytes -= (size_t)put;
    }
    return DN_OK;
}

dn_status dn__child_receive(int pipe, void *to, size_t bytes)
{
    for (char *at = to; bytes > 0;) {
        struct pollfd wait = {.fd = pipe, .events = POLLIN};
        const int ready = poll(&wait, 1, MOST_WAIT);
        if (ready < 0 && errno == EINTR) continue;
        const ssize_t got = ready > 0 ? read(pipe, at, bytes) : 0;
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return dn_fail(DN_ERROR_FILE, "a child process %s", ready ? "ended early" : "stands still");
        at += got, bytes -= (size_t)got;
    }
    return DN_OK;
}

/* ---- the child ---- */

void dn__child_busy(uint64_t bytes)
{
    const time_t more = (time_t)(bytes >> 24U);
    const struct itimerval limit = {
        .it_value = {.tv_sec = MOST_WORK / 1000 + more, .tv_usec = MOST_WORK % 1000 * 1000}};
    (void)setitimer(ITIMER_PROF, &limit, NULL); /* its signal ends the process */
}

void dn__child_alive(void)
{
    dn__child_busy(0);
}

void dn__child_limit_memory(uint64_t bytes)
{
    char line[128] = "";
    struct rlimit limit;
    FILE *file = fopen("/proc/self/statm", "r");
    const bool known = file && fgets(line, sizeof line, file);
    if (file) fclose(file);
    const rlim_t pages = strtoull(line, NULL, 10); /* the first number: all that is mapped */
    if (!known || pages == 0 || getrlimit(RLIMIT_AS, &limit) != 0) return;
    const rlim_t most = pages * (rlim_t)sysconf(_SC_PAGESIZE) + bytes;
    if (limit.rlim_max == RLIM_INFINITY || most < limit.rlim_max) limit.rlim_cur = most;
    (void)setrlimit(RLIMIT_AS, &limit);
}

static void prepare_child(void)
{
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, SIGPROF);
    signal(SIGPROF, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_UNBLOCK, &ours, NULL);
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    dn__child_alive();
}

static void be_child(dn__child_work *work, void *context, int data, int words)
{
    prepare_child();
    verdict v = {.status = work(context, data)};
    if (v.status != DN_OK) snprintf(v.text, sizeof v.text, "%s", dn_error_last());
    (void)!dn__child_send(words, &v, sizeof v);
    _exit(0); /* lint: allow banned, because exit handlers and open files are the parent's */
}

/* ---- the parent ---- */

/** What a child left that did not give a verdict. */
static dn_status crashed(const char *path, int ended)
{
    static const char cure[] =
        "it is damaged, or made to do harm; get it or write it anew, or save the array with numpy.save";
    if (WIFSIGNALED(ended) && (WTERMSIG(ended) == SIGPROF || WTERMSIG(ended) == SIGKILL))
        return dn_fail(DN_ERROR_FORMAT, "%s: reading the file does not come to an end: %s", path, cure);
    if (WIFSIGNALED(ended))
        return dn_fail(DN_ERROR_FORMAT, "%s: the file crashes the library that reads it (signal %d): %s", path,
                       WTERMSIG(ended), cure);
    return dn_fail(DN_ERROR_FORMAT, "%s: the file crashes the library that reads it (exit code %d): %s", path,
                   WEXITSTATUS(ended), cure);
}

static dn_status be_parent(const char *path, pid_t child, dn__child_take *take, void *context, int data, int words)
{
    verdict v = {.status = DN_OK};
    int ended = 0;
    const dn_status taken = take ? take(context, data) : DN_OK;
    char text[sizeof v.text];
    snprintf(text, sizeof text, "%s", taken == DN_OK ? "" : dn_error_last());
    close(data); /* a child that still sends ends */
    const bool heard = dn__child_receive(words, &v, sizeof v) == DN_OK;
    close(words);
    if (!heard) kill(child, SIGKILL); /* it may stand still; one that is gone already does not mind */
    while (waitpid(child, &ended, 0) < 0 && errno == EINTR) continue;
    v.text[sizeof v.text - 1] = '\0';
    /* What is wrong with what was sent comes before the child's words: they may be that nobody listens. */
    if (taken != DN_OK && taken != DN_ERROR_FILE) return dn_fail(taken, "%s: %s", path, text);
    if (!heard) return crashed(path, ended);
    if (v.status != DN_OK) return dn_fail(v.status, "%s", v.text);
    return taken == DN_OK ? DN_OK : dn_fail(taken, "%s: %s", path, text);
}

dn_status dn__child_run(const char *path, dn__child_work *work, dn__child_take *take, void *context)
{
    int data[2], words[2];
    if (pipe(data) != 0) return dn_fail(DN_ERROR_FILE, "%s: cannot make a pipe: %s", path, strerror(errno));
    if (pipe(words) != 0) {
        close(data[0]), close(data[1]);
        return dn_fail(DN_ERROR_FILE, "%s: cannot make a pipe: %s", path, strerror(errno));
    }
    const pid_t child = fork();
    if (child == 0) {
        close(data[0]), close(words[0]);
        be_child(work, context, data[1], words[1]);
    }
    close(data[1]), close(words[1]);
    if (child > 0) return be_parent(path, child, take, context, data[0], words[0]);
    const int reason = errno;
    close(data[0]), close(words[0]);
    return dn_fail(DN_ERROR_MEMORY, "%s: cannot start a process to read it in: %s", path, strerror(reason));
}
