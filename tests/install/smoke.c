/* A program of somebody else's: only installed headers, and a function that it must link. */
#include <core/random.h>
#include <core/status.h>
#include <stdio.h>

int main(void)
{
    dn_random_sequence sequence = {.seed = 1};
    const dn_status status = dn_fail(DN_ERROR_SHAPE, "a draw of %u", dn_random_next_below(&sequence, 1));
    puts(dn_error_last());
    return status == DN_ERROR_SHAPE ? 0 : 1;
}
