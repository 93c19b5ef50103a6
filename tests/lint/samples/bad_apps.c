/* lint sample: apps/bad.c */
#include "bench/clock.h" /* finds dependency */
#include "cuda/stream.h" /* finds dependency */
#include "ood/score.h"

int main(int argc, char **argv)
{
    printf("%s\n", argv[argc - 1]);
    exit(argc);
}
