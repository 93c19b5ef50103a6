/* lint sample: core/bad.c */
#include "core/status.h"
#include "layers/conv.h" /* finds dependency */
#include "apps/command.h" /* finds dependency */
#include "cuda/stream.h" /* finds dependency */
#include <cuda_runtime.h> /* finds dependency */

#ifdef DN_HAVE_CUDA /* finds cuda-condition */
#endif
#if defined(DN_CUDA) && 1 /* finds cuda-condition */
#endif

static void banned(char *a, const char *b)
{
    sprintf(a, "%s", b); /* finds banned */
    strcpy(a, b); /* finds banned */ strcat (a, b); /* finds banned */
    strncpy(a, b, 1); /* finds banned */
    if (atoi(b) + atof(b) > rand()) /* finds banned, finds banned, finds banned */
        system(b); /* finds banned */
    char *c = malloc(1), *d = calloc(1, 1); /* finds banned, finds banned */
    c = realloc(c, 2); /* finds banned */
    free(c); /* finds banned */
    free(d); /* lint: allow banned */ /* an excuse without a reason is none: finds banned */
    free(d); /* lint: allow complexity, because of another rule: finds banned */
    gets(a); /* finds banned */
    strtok(a, b); /* finds banned */
    alloca(1); /* finds banned */
    printf("%s", a); /* finds banned */
    fprintf(stdout, "%s", a); /* finds banned */
    puts(a); /* finds banned */
    exit(1); /* finds banned */
}

static int too_branched(int a) /* finds complexity */
{
    if (a == 1 && a == 2) a++;
    if (a == 1 || a == 2) a++;
    if (a == 1 || a == 2) a++;
    if (a == 1 || a == 2) a++;
    if (a == 1 || a == 2) a++;
    for (; a < 3; a++) a++;
    while (a < 3) a++;
    do { a++; } while (a < 3);
    a = a ? 1 : 2;
    switch (a) {
    case 1: return 1;
    }
    return a;
}

static int too_long(int a) /* finds function-length */
{
























































    return a;

}
/* To make this line too long takes a while, since it may have a hundred and twenty columns: finds line-length */            ;
/* A path: /home/someone, finds machine-path; a mark: TODO, finds unfinished */
