#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    fuzz_take_coverage(); /* makes room for it, the first time */
    fuzz_records(bytes, n);
    fuzz_take_coverage();
    return 0;
}
