/* lint sample: tests/test_bad.c */
#include <criterion/criterion.h>

#include "apps/command.h"
#include "core/alloc.h"

Test(bad, uses_the_heap)
{
    char *a = malloc(1); /* finds banned */
    printf("%s", a);
    exit(0);
}

Test(bad, is_too_branched, .timeout = 10) /* finds complexity */
{
    cr_expect(1 && 2 && 3 && 4 && 5 && 6 && 7 && 8 && 9 && 10 && 11 && 12 && 13 && 14 && 15 && 16);
}
