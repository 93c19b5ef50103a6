/* lint sample: core/good.c
 * Everything here looks like something banned and is not: malloc(1) in a comment, and this is no unfinished mark. */
#include "core/alloc.h"
#include <string.h>

#if defined(__CUDACC__)
#define DN_BOTH __host__ __device__
#else
#define DN_BOTH
#endif

#define OPEN_BRACE {

struct pool {
    void (*free)(void *);
};

static const char *text = "printf(\"%d\", atoi(x)) /" "work/ // exit(1)";
static const int table[] = {1, 2, 3};

extern "C" {

static int dn_free_all(struct pool *p, struct pool q)
{
    p->free(p);
    q.free(p);
    dn_free(p);
    my_rand(p);
    free(p); /* lint: allow banned, because the sample shows how a line is excused */
    return '{' == '"' ? 1 : 0;
}

/* Sixty lines and complexity fifteen: at the limits. */
static int at_the_limits(int a)
{
    if (a == 1) a++;
    if (a == 1) a++;
    if (a == 1) a++;
    if (a == 1) a++;
    if (a == 1) a++;
    for (; a < 3; a++) a++;
    while (a < 3) a++;
    do { a++; } while (a < 3);
    if (a == 1 && a == 2) a++;
    if (a == 1 || a == 2) a++;
    a = a ? 1 : 2;
    switch (a) {
    case 1: return 1;
    case 2: return 2;
    case 3: return 3;
    case 4: return 4;
    }







































    return 0;
}
}
