/* How the members of an ensemble share the cores.
 *
 *   ops:      [ per member . . . . ] [once] [ per member . . ]
 *   thread 0:  e=0 all ops, e=2 ...   all    e=0 ...
 *   thread 1:  e=1 all ops, e=3 ...  threads e=1 ...
 *
 * A run of per-member ops is worked through member by member, so that a member's data stays in its core's cache. Ops
 * that run once (they join members, or everything they write is shared) are the barriers between such runs; only they
 * write shared memory, so members that are at different ops never meet.
 */
#include <omp.h>

#include "core/cpu/compiled.h"

int dn__cpu_members_alone(int members, int threads)
{
    return members / threads * threads;
}

static void run_op(const dn_compiled *c, int op, int member, int mode, int thread)
{
    const dn_cpu_prepared *kernel = &c->ops[op].mode[mode];
    if (!kernel->run) return;
    dn_call call = c->calls[(size_t)op * (size_t)c->program->members + (size_t)member];
    call.threads = mode == DN_CPU_ALONE ? 1 : c->device->threads;
    call.prepared = kernel->state;
    call.workspace = c->workspace + (size_t)thread * c->workspace_stride;
    kernel->run(&call);
}

static void run_members(const dn_compiled *c, int first, int last)
{
    const int members = c->program->members, threads = c->device->threads;
    const int alone = dn__cpu_members_alone(members, threads);
    if (alone > 0) {
#pragma omp parallel num_threads(threads) if (threads > 1)
        {
            const int thread = omp_get_thread_num();
            for (int e = thread; e < alone; e += omp_get_num_threads())
                for (int op = first; op < last; op++) run_op(c, op, e, DN_CPU_ALONE, thread);
        }
    }
    for (int e = alone; e < members; e++)
        for (int op = first; op < last; op++) run_op(c, op, e, DN_CPU_TOGETHER, 0);
}

void dn__cpu_run_once(const dn_compiled *c, int first, int last)
{
    const int mode = c->device->threads > 1 ? DN_CPU_TOGETHER : DN_CPU_ALONE;
    for (int op = first; op < last;) {
        int end = op;
        while (end < last && !c->ops[end].once) end++;
        if (end > op) run_members(c, op, end);
        if (end < last) run_op(c, end, 0, mode, 0);
        op = end + 1;
    }
}
