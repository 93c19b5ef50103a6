// What the kernel files in this folder share. Each holds one small kernel in its right form and in forms with one
// mistake each, chosen by a template argument, so that a mutant differs from the right form by the mistake and by
// nothing else. See test_cuda_mutants.c.
#ifndef DN_TESTS_MUTANTS_CUH
#define DN_TESTS_MUTANTS_CUH

#include "cuda/operand.cuh"

namespace DN_TARGET
{

enum mistake {
    RIGHT,
    NO_BARRIER_BEFORE_USE, // shared memory is read before others have written it
    NO_BARRIER_AFTER_USE,  // and written again before others have read it
    STORES_PAST_THE_EDGE,  // <= instead of <
    LOADS_PAST_THE_EDGE,   // the same for a tile that is read
    LEAVES_THE_LAST_TILE,  // a grid of n / tile blocks instead of ceil(n / tile)
    LEAVES_THE_TAIL,       // a thread's loop ends before a ragged rest
    MISALIGNED_VECTORS,    // 16-byte accesses wherever the count allows, whatever the address
    MEMBERS_SIDE_BY_SIDE,  // takes members' copies to lie packed, whatever the stride
    BARRIER_IN_A_BRANCH    // which some threads do not enter
};

} // namespace DN_TARGET

#endif
