/** A sequence of oneDNN primitives that does one op: the primitive itself, and reorders before and after it where it
 *  wants another layout than Dunlin's plain one. Version 2 of the C API; only this folder knows it.
 */
#ifndef DN_CORE_CPU_ONEDNN_WORK_H
#define DN_CORE_CPU_ONEDNN_WORK_H

#include <oneapi/dnnl/dnnl.h>
#include <stdatomic.h>

#include "core/cpu/select.h"

/** Where a stage finds an operand: input or output number `at` of the op, or `at` bytes into the workspace. */
typedef enum dn_onednn_place { DN_AT_INPUT, DN_AT_OUTPUT, DN_AT_WORKSPACE } dn_onednn_place;

typedef struct dn_onednn_argument {
    int name; /**< DNNL_ARG_... */
    dnnl_memory_desc_t layout;
    dn_onednn_place place;
    size_t at;
} dn_onednn_argument;

typedef struct dn_onednn_stage {
    dnnl_primitive_t primitive;
    dn_onednn_argument arguments[6];
    int count;
} dn_onednn_stage;

typedef struct dn_onednn_work {
    dnnl_engine_t engine;
    dn_onednn_stage stages[8];
    int count;
    size_t workspace;
    bool sum_rows;     /**< output 1 [K] is to be the column sums of input 1 [rows,K]: done outside of oneDNN */
    atomic_int failed; /**< the dnnl_status_t of the first run that failed */
    char name[48];     /**< what the main primitive is called */
} dn_onednn_work;

/** One operand of the main primitive, as Dunlin holds it. */
typedef struct dn_onednn_operand {
    int name;           /**< DNNL_ARG_... */
    dnnl_query_t query; /**< how to ask the primitive for the layout it wants */
    int query_index;
    dn_onednn_place place; /**< input or output */
    size_t at;
    dnnl_memory_desc_t plain;
} dn_onednn_operand;

/** Leaves the function if oneDNN refuses. */
#define DN_ONEDNN_TRY(call)                                        \
    do {                                                           \
        const dnnl_status_t dn_dnnl_status = (call);               \
        if (dn_dnnl_status != dnnl_success) return dn_dnnl_status; \
    } while (0)

/** Appends the primitive of `description` with its reorders; takes the description over. */
dnnl_status_t dn__onednn_append(dn_onednn_work *work, dnnl_primitive_desc_t description,
                                const dn_onednn_operand *operands, int count);

/** @return attributes with the scratch memory given by the caller (the library's own belongs to the thread that made
 *  the primitive), and y = max(0, .) at the end if asked for; NULL if out of memory. Destroy when used. */
dnnl_primitive_attr_t dn__onednn_attributes(bool relu);

void dn__onednn_run(const dn_call *call);
void dn__onednn_destroy(void *state);
dn_status dn__onednn_check(void *state);

/** Builders, one for each family; variants are tried in order from 0 until one is taken.
 *  @return dnnl_unimplemented: not this variant; dnnl_invalid_arguments from the first variant that does not exist */
typedef dnnl_status_t dn_onednn_builder(dn_onednn_work *work, const dn_call *shapes, int variant);
dn_onednn_builder dn__onednn_convolution, dn__onednn_linear;

#endif
