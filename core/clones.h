/** Vector code for the machine that runs it. */
#ifndef DN_CORE_CLONES_H
#define DN_CORE_CLONES_H

/** Before a function: it is compiled for several instruction sets, and the best one is chosen when the program starts.
 *  Not under the sanitizers, whose start-up the choice would precede. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define DN_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define DN_CLONES
#endif

#endif
