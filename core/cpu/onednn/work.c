#include "core/cpu/onednn/work.h"

#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/cpu/simd.h"

static size_t reserve(dn_onednn_work *work, const dnnl_memory_desc_t *layout)
{
    enum { LINE = 64 };
    const size_t at = work->workspace;
    work->workspace += (dnnl_memory_desc_get_size(layout) + LINE - 1) / LINE * LINE;
    return at;
}

dnnl_primitive_attr_t dn__onednn_attributes(bool relu)
{
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t after = NULL;
    if (dnnl_primitive_attr_create(&attributes) != dnnl_success) return NULL;
    dnnl_status_t status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success && relu) {
        status = dnnl_post_ops_create(&after);
        if (status == dnnl_success) status = dnnl_post_ops_append_eltwise(after, 1, dnnl_eltwise_relu, 0, 0);
        if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(attributes, after);
        if (after) dnnl_post_ops_destroy(after);
    }
    if (status == dnnl_success) return attributes;
    dnnl_primitive_attr_destroy(attributes);
    return NULL;
}

/* Makes a stage of a description, which is destroyed; its scratch memory becomes the first argument. */
static dnnl_status_t add_stage(dn_onednn_work *work, dnnl_primitive_desc_t description)
{
    dn_onednn_stage *stage = &work->stages[work->count];
    const dnnl_memory_desc_t *scratch = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    stage->count = 0;
    if (scratch && dnnl_memory_desc_get_size(scratch) > 0)
        stage->arguments[stage->count++] = (dn_onednn_argument){
            .name = DNNL_ARG_SCRATCHPAD, .layout = *scratch, .place = DN_AT_WORKSPACE, .at = reserve(work, scratch)};
    const dnnl_status_t status = dnnl_primitive_create(&stage->primitive, description);
    dnnl_primitive_desc_destroy(description);
    if (status == dnnl_success) work->count++;
    return status;
}

static void add_argument(dn_onednn_work *work, int name, const dnnl_memory_desc_t *layout, dn_onednn_place place,
                         size_t at)
{
    dn_onednn_stage *stage = &work->stages[work->count - 1];
    stage->arguments[stage->count++] = (dn_onednn_argument){.name = name, .layout = *layout, .place = place, .at = at};
}

/* Between the op's memory and a place in the workspace, in the direction that the operand needs. */
static dnnl_status_t add_reorder(dn_onednn_work *work, const dn_onednn_operand *operand,
                                 const dnnl_memory_desc_t *wanted, size_t at)
{
    const bool output = operand->place == DN_AT_OUTPUT;
    const dnnl_memory_desc_t *from = output ? wanted : &operand->plain, *to = output ? &operand->plain : wanted;
    dnnl_primitive_attr_t attributes = dn__onednn_attributes(false);
    if (!attributes) return dnnl_out_of_memory;
    dnnl_primitive_desc_t description;
    const dnnl_status_t status =
        dnnl_reorder_primitive_desc_create(&description, from, work->engine, to, work->engine, attributes);
    dnnl_primitive_attr_destroy(attributes);
    DN_ONEDNN_TRY(status);
    DN_ONEDNN_TRY(add_stage(work, description));
    add_argument(work, output ? DNNL_ARG_FROM : DNNL_ARG_TO, wanted, DN_AT_WORKSPACE, at);
    add_argument(work, output ? DNNL_ARG_TO : DNNL_ARG_FROM, &operand->plain, operand->place, operand->at);
    return dnnl_success;
}

dnnl_status_t dn__onednn_append(dn_onednn_work *work, dnnl_primitive_desc_t description,
                                const dn_onednn_operand *operands, int count)
{
    enum { MOST = 5 };
    dnnl_memory_desc_t wanted[MOST];
    size_t at[MOST];
    bool reordered[MOST];
    const char *name = "?";
    dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name);
    snprintf(work->name, sizeof work->name, "%s", name);
    for (int i = 0; i < count; i++) {
        wanted[i] = *dnnl_primitive_desc_query_md(description, operands[i].query, operands[i].query_index);
        reordered[i] = !dnnl_memory_desc_equal(&wanted[i], &operands[i].plain);
        at[i] = reordered[i] ? reserve(work, &wanted[i]) : operands[i].at;
    }
    dnnl_status_t status = dnnl_success;
    for (int i = 0; i < count && status == dnnl_success; i++)
        if (reordered[i] && operands[i].place == DN_AT_INPUT)
            status = add_reorder(work, &operands[i], &wanted[i], at[i]);
    if (status != dnnl_success) dnnl_primitive_desc_destroy(description);
    DN_ONEDNN_TRY(status);
    DN_ONEDNN_TRY(add_stage(work, description));
    for (int i = 0; i < count; i++)
        add_argument(work, operands[i].name, &wanted[i], reordered[i] ? DN_AT_WORKSPACE : operands[i].place, at[i]);
    for (int i = 0; i < count; i++)
        if (reordered[i] && operands[i].place == DN_AT_OUTPUT)
            DN_ONEDNN_TRY(add_reorder(work, &operands[i], &wanted[i], at[i]));
    return dnnl_success;
}

/* The library takes all addresses as writable, though it only reads its inputs. */
static void *address_of(const dn_call *call, const dn_onednn_argument *argument)
{
    if (argument->place == DN_AT_WORKSPACE) return (char *)call->workspace + argument->at;
    return argument->place == DN_AT_INPUT ? (void *)call->in[argument->at] : call->out[argument->at];
}

/* Memory objects are made for each run, because threads share the stage; they only hold an address. */
static dnnl_status_t run_stage(const dn_onednn_work *work, const dn_onednn_stage *stage, dnnl_stream_t stream,
                               const dn_call *call)
{
    dnnl_exec_arg_t arguments[6];
    int made = 0;
    dnnl_status_t status = dnnl_success;
    for (; made < stage->count && status == dnnl_success; made++) {
        const dn_onednn_argument *argument = &stage->arguments[made];
        arguments[made].arg = argument->name;
        status =
            dnnl_memory_create(&arguments[made].memory, &argument->layout, work->engine, address_of(call, argument));
        if (status != dnnl_success) break;
    }
    if (status == dnnl_success) status = dnnl_primitive_execute(stage->primitive, stream, made, arguments);
    while (made > 0) dnnl_memory_destroy(arguments[--made].memory);
    return status;
}

/* Some primitives ask OpenMP again how many threads there are when they run. */
void dn__onednn_run(const dn_call *call)
{
    dn_onednn_work *work = call->prepared;
    const int before = omp_get_max_threads();
    omp_set_num_threads(call->threads);
    dnnl_stream_t stream = NULL;
    dnnl_status_t status = dnnl_stream_create(&stream, work->engine, dnnl_stream_default_flags);
    for (int i = 0; i < work->count && status == dnnl_success; i++)
        status = run_stage(work, &work->stages[i], stream, call);
    if (stream) {
        dnnl_stream_wait(stream);
        dnnl_stream_destroy(stream);
    }
    omp_set_num_threads(before);
    if (work->sum_rows && call->out[1]) dn__sum_rows(call, call->in[1], call->in_info[1], call->out[1]);
    if (status != dnnl_success) atomic_store(&work->failed, (int)status);
}

void dn__onednn_destroy(void *state)
{
    dn_onednn_work *work = state;
    for (int i = 0; i < work->count; i++) dnnl_primitive_destroy(work->stages[i].primitive);
    if (work->engine) dnnl_engine_destroy(work->engine);
    dn_free(work);
}

dn_status dn__onednn_check(void *state)
{
    dn_onednn_work *work = state;
    const int status = atomic_load(&work->failed);
    if (status == (int)dnnl_success) return DN_OK;
    return dn_fail(status == (int)dnnl_out_of_memory ? DN_ERROR_MEMORY : DN_ERROR_INTERNAL,
                   "oneDNN's %s failed with status %d; device 'ref' works without oneDNN", work->name, status);
}
