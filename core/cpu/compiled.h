/** A program made ready for the CPU. */
#ifndef DN_CORE_CPU_COMPILED_H
#define DN_CORE_CPU_COMPILED_H

#include "core/backend.h"
#include "core/cpu/select.h"

enum { DN_CPU_ALONE, DN_CPU_TOGETHER, DN_CPU_MODES }; /* a kernel on one thread, or on all of the device's */

typedef struct dn_cpu_op {
    dn_cpu_prepared mode[DN_CPU_MODES]; /**< only the modes that the schedule uses are filled */
    bool once;                          /**< runs once for all members */
} dn_cpu_op;

struct dn_compiled {
    const dn_device *device;
    const dn_program *program;
    dn_cpu_op *ops;          /**< [n_ops] */
    dn_call *calls;          /**< [n_ops, E]; of an op that runs once only the first is filled */
    char *workspace;         /**< all threads' scratch memory */
    size_t workspace_stride; /**< bytes from one thread's to the next */
    size_t workspace_bytes;
};

/** @return how many members run one per thread: the largest multiple of the number of threads. The others run one after
 *  the other on all threads. It depends on these two numbers only, so that results repeat. */
int dn__cpu_members_alone(int members, int threads);

/** Runs ops first..last-1 once. */
void dn__cpu_run_once(const dn_compiled *compiled, int first, int last);

dn_status dn__cpu_compile(dn_compiled **out, dn_device *device, const dn_program *program);
void dn__cpu_discard(dn_compiled *compiled);
size_t dn__cpu_workspace(const dn_compiled *compiled);
const char *dn__cpu_kernel_name(const dn_compiled *compiled, int op);
dn_status dn__cpu_attach(dn_compiled *compiled, const dn_memory *memory);
dn_status dn__cpu_run(dn_compiled *compiled, int first, int last, int64_t steps);

#endif
