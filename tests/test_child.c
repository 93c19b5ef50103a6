/* Work in a process of its own: what it sends arrives, and what becomes of it is told. */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/child.h"

enum { COUNT = 300000 }; /* more than a pipe holds */

typedef struct errand {
    int kind;
    int *received; /* [COUNT] */
} errand;

static dn_status work(void *context, int pipe)
{
    const errand *e = context;
    switch (e->kind) {
    case 1: return dn_fail(DN_ERROR_UNSUPPORTED, "a.h5: the child says why");
    case 2: raise(SIGSEGV); break;
    case 3: raise(SIGPROF); break;
    case 4: _exit(3);
    default: break;
    }
    for (int i = 0; i < COUNT; i++) e->received[i] = i;
    return dn__child_send(pipe, e->received, COUNT * sizeof *e->received);
}

static dn_status take(void *context, int pipe)
{
    const errand *e = context;
    return dn__child_receive(pipe, e->received, COUNT * sizeof *e->received);
}

static dn_status refuse(void *context, int pipe)
{
    (void)context, (void)pipe;
    return dn_fail(DN_ERROR_SHAPE, "the parent says why");
}

static void expect(dn_status got, dn_status status, const char *text)
{
    cr_expect_eq(got, status, "%s", dn_error_last());
    cr_expect(strstr(dn_error_last(), text), "'%s', expected '%s'", dn_error_last(), text);
}

Test(child, what_it_sends_arrives)
{
    errand e = {.received = dn_calloc(COUNT, sizeof *e.received)};
    cr_assert_eq(dn__child_run("a.h5", work, take, &e), DN_OK, "%s", dn_error_last());
    for (int i = 0; i < COUNT; i++) cr_assert_eq(e.received[i], i);
    dn_free(e.received);
}

Test(child, its_memory_is_its_own)
{
    errand e = {.received = dn_calloc(COUNT, sizeof *e.received)};
    expect(dn__child_run("a.h5", work, refuse, &e), DN_ERROR_SHAPE, "a.h5: the parent says why");
    cr_expect_eq(e.received[1], 0);
    dn_free(e.received);
}

Test(child, its_end_is_told)
{
    errand e = {.received = dn_calloc(COUNT, sizeof *e.received)};
    signal(SIGSEGV, SIG_DFL); /* the test's own handler would speak up */
    e.kind = 1;
    expect(dn__child_run("a.h5", work, take, &e), DN_ERROR_UNSUPPORTED, "a.h5: the child says why");
    e.kind = 2;
    expect(dn__child_run("a.h5", work, take, &e), DN_ERROR_FORMAT,
           "a.h5: the file crashes the library that reads it (signal");
    e.kind = 3;
    expect(dn__child_run("a.h5", work, NULL, &e), DN_ERROR_FORMAT, "a.h5: reading the file does not come to an end");
    e.kind = 4;
    expect(dn__child_run("a.h5", work, take, &e), DN_ERROR_FORMAT, "(exit code 3)");
    dn_free(e.received);
}
