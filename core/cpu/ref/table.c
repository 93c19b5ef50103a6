/* The table of reference kernels, from the list of ops: a missing kernel does not link. */
#include "core/cpu/ref/ref.h"

/* Views have no kernel; the others do, whatever else holds for them. */
#define ENTRY_DN_OP_PLAIN(name)   REF(name)
#define ENTRY_DN_OP_INPLACE(name) REF(name)
#define ENTRY_DN_OP_JOINS(name)   REF(name)
#define ENTRY_DN_OP_VIEW(name)    NULL
#define ENTRY(kind, name, flags)  [kind] = ENTRY_##flags(name),

#ifdef DN_REAL_DOUBLE
dn_kernel *const dn__ref_kernels_f64[DN_OP_COUNT] = {DN_OPS(ENTRY)};
#else
dn_kernel *const dn__ref_kernels_f32[DN_OP_COUNT] = {DN_OPS(ENTRY)};
#endif
