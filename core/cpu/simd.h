/** What the tuned kernels share: vector code for the machine that runs it, and work split over threads. */
#ifndef DN_CORE_CPU_SIMD_H
#define DN_CORE_CPU_SIMD_H

#include "core/clones.h"
#include "core/cpu/kernel.h"

/** Works on items first..last-1; `part` is the number of this share of the work. */
typedef void dn_part(const dn_call *call, void *context, int part, int64_t first, int64_t last);

/** @return into how many parts dn__split() cuts `items` of `elements` elements each: it depends on sizes and
 *  call->threads only, so that sums over parts repeat */
int dn__parts(const dn_call *call, int64_t items, int64_t elements);

/** Cuts 0..items-1 into dn__parts() nearly equal parts and does them at the same time. */
void dn__split(const dn_call *call, int64_t items, int64_t elements, dn_part *part, void *context);

/** sums[k] = sum over rows of x [rows,K], whose last dimension is K. */
void dn__sum_rows(const dn_call *call, const float *x, const dn_tensor_info *info, float *sums);

#endif
