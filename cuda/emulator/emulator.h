/** What tests may set in the emulator, beside the runtime's functions. */
#ifndef DN_CUDA_EMULATOR_EMULATOR_H
#define DN_CUDA_EMULATOR_EMULATOR_H

#include <stdint.h>

#include "cuda/gpu.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Chooses the order in which threads run, which also differs from launch to launch. The environment's DN_EMULATOR_SEED
 *  is the default. */
void dn__emu_set_seed(dn_gpu *gpu, uint64_t seed);

/** Lets the records of accesses run out of time after `left` barriers, so that a test sees what happens then. */
void dn__emu_set_time(dn_gpu *gpu, uint32_t left);

#ifdef __cplusplus
}
#endif
#endif
