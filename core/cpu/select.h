/** Choosing kernels: for every op the CPU backend asks oneDNN, then its own tuned kernels, and takes the reference
 *  kernel where both decline.
 */
#ifndef DN_CORE_CPU_SELECT_H
#define DN_CORE_CPU_SELECT_H

#include "core/cpu/kernel.h"

/** A kernel that is ready for one op's shapes and one number of threads. */
typedef struct dn_cpu_prepared {
    dn_kernel *run;                  /**< NULL: nothing to run (views) */
    void *state;                     /**< goes to dn_call.prepared; several threads may run on it at once */
    size_t workspace;                /**< bytes of scratch memory for one run */
    void (*destroy)(void *state);    /**< NULL: there is no state */
    dn_status (*check)(void *state); /**< reports a run that failed; NULL: runs cannot fail */
    char name[64];                   /**< such as "onednn brgconv:avx512_core", "tuned" or "ref" */
} dn_cpu_prepared;

/** Fills `out` if it has a kernel for this op and these shapes, else leaves out->run NULL; it may then put the reason
 *  into out->name. @param shapes only op, members, threads and the infos are filled
 *  @return an error only for what no other kernel can cure */
typedef dn_status dn_cpu_offer(dn_cpu_prepared *out, const dn_call *shapes);

dn_cpu_offer dn__offer_onednn, dn__offer_tuned;

/** Makes the best kernel ready.
 *  @param tuned false: only reference kernels  @param is_double the reference kernels for double
 *  @param out release with dn__cpu_release() */
dn_status dn__cpu_prepare(dn_cpu_prepared *out, const dn_call *shapes, bool tuned, bool is_double);
void dn__cpu_release(dn_cpu_prepared *prepared);

/** @return the version of oneDNN that is linked, or "without oneDNN" */
const char *dn__onednn_version(void);

#endif
