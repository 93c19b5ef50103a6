#include "tests/op_run.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "tests/op_run_private.h"

/* ---- operands ---- */

int op_copies(const op_run *run, int k)
{
    return op_case_info(run->c, k)->shared ? 1 : run->c->members;
}

int op_case_home(const op_case *c, int k)
{
    return k >= DN_OP_MAX_IN && c->alias[k - DN_OP_MAX_IN] >= 0 ? c->alias[k - DN_OP_MAX_IN] : k;
}

/* From the first copy to the end of the last. */
static size_t span(const op_run *run, const op_world *w, int k)
{
    return (size_t)(op_copies(run, k) - 1) * w->stride[k] + dn__bytes(&w->info[k]);
}

size_t op_image_bytes(const op_run *run, const op_world *w, int k)
{
    return span(run, w, k) + 2 * OP_GUARD;
}

char *op_copy_of(const op_run *run, const op_world *w, int k, int e)
{
    return w->image[op_case_home(run->c, k)] + OP_GUARD + (size_t)e * w->stride[k];
}

op_image op_run_image(const op_run *run, int k)
{
    char *const image = run->test.image[k];
    return image ? (op_image){image + OP_GUARD, span(run, &run->test, k)} : (op_image){0};
}

float op_round_to_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = isnan(x) ? 0x7fff0000u : (bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u;
    memcpy(&x, &bits, sizeof x);
    return x;
}

double op_get(const op_run *run, const op_world *w, int k, int e, int64_t i)
{
    const void *data = op_copy_of(run, w, k, e);
    switch (w->info[k].dtype) {
    case DN_F64: return ((const double *)data)[i];
    case DN_F32: return ((const float *)data)[i];
    case DN_I32: return ((const int32_t *)data)[i];
    case DN_U8: return ((const uint8_t *)data)[i];
    default: break;
    }
    const uint32_t bits = (uint32_t)((const uint16_t *)data)[i] << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

void op_put(const op_run *run, const op_world *w, int k, int e, int64_t i, double value)
{
    void *data = op_copy_of(run, w, k, e);
    switch (w->info[k].dtype) {
    case DN_F64: ((double *)data)[i] = value; return;
    case DN_F32: ((float *)data)[i] = (float)value; return;
    case DN_I32: ((int32_t *)data)[i] = (int32_t)value; return;
    case DN_U8: ((uint8_t *)data)[i] = (uint8_t)value; return;
    default: break;
    }
    const float rounded = op_round_to_bf16((float)value);
    uint32_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    ((uint16_t *)data)[i] = (uint16_t)(bits >> 16);
}

/* ---- calls ---- */

/* All results are shared, so that the op runs once, for nobody in particular. */
static bool runs_once(const op_case *c)
{
    bool shared = true;
    for (int k = 0; k < DN_OP_MAX_OUT; k++) shared = shared && (!op_present(&c->out[k]) || c->out[k].shared);
    return shared && !(dn_op_flags(c->op.kind) & DN_OP_JOINS);
}

int op_calls(const op_case *c)
{
    return runs_once(c) || (dn_op_flags(c->op.kind) & DN_OP_JOINS) ? 1 : c->members;
}

dn_call op_call_of(const op_case *c, const dn_call *all, int e)
{
    dn_call call = *all;
    call.member += e;
    call.members = c->members;
    for (int k = 0; k < DN_OP_MAX_IN; k++)
        if (call.in[k]) call.in[k] = (const char *)call.in[k] + (size_t)e * call.in_stride[k];
    for (int k = 0; k < DN_OP_MAX_OUT; k++)
        if (call.out[k]) call.out[k] = (char *)call.out[k] + (size_t)e * call.out_stride[k];
    return call;
}

/* Aims a world's call at its images. */
static void aim(const op_run *run, op_world *w)
{
    const op_case *c = run->c;
    const bool once = runs_once(c), joins = (dn_op_flags(c->op.kind) & DN_OP_JOINS) != 0;
    w->call = (dn_call){.op = &c->op, .seed = 0x1234567890abcdefu, .threads = 1, .tf32 = c->tf32};
    w->call.member = once || joins ? 0 : OP_FIRST_MEMBER;
    w->call.members = once ? 1 : c->members;
    for (int k = 0; k < OP_OPERANDS; k++) {
        if (!op_present(&w->info[k])) continue;
        if (k < DN_OP_MAX_IN) {
            w->call.in[k] = op_copy_of(run, w, k, 0);
            w->call.in_info[k] = &w->info[k];
            w->call.in_stride[k] = w->stride[k];
        } else {
            w->call.out[k - DN_OP_MAX_IN] = op_copy_of(run, w, k, 0);
            w->call.out_info[k - DN_OP_MAX_IN] = &w->info[k];
            w->call.out_stride[k - DN_OP_MAX_IN] = w->stride[k];
        }
    }
}

/* Sentinels everywhere, outputs poisoned: NaN in every type that has one. */
static void poison(const op_run *run, const op_world *w)
{
    for (int k = 0; k < OP_OPERANDS; k++) {
        if (!w->image[k]) continue;
        memset(w->image[k], OP_PATTERN, op_image_bytes(run, w, k));
        for (int e = 0; k >= DN_OP_MAX_IN && e < op_copies(run, k); e++)
            memset(op_copy_of(run, w, k, e), OP_POISON, dn__bytes(&w->info[k]));
    }
}

dn_call *op_run_reset(op_run *run)
{
    poison(run, &run->test);
    for (int k = 0; k < DN_OP_MAX_IN; k++)
        if (run->test.image[k]) memcpy(run->test.image[k], run->first[k], op_image_bytes(run, &run->test, k));
    aim(run, &run->test);
    return &run->test.call;
}

/* ---- opening and closing ---- */

/* @param bf16, f32: what operands of these types are in this world */
static bool open_world(op_run *run, op_world *w, dn_dtype bf16, dn_dtype f32)
{
    for (int k = 0; k < OP_OPERANDS; k++) {
        dn_tensor_info *info = &w->info[k];
        *info = *op_case_info(run->c, k);
        if (!op_present(info)) continue;
        if (info->dtype == DN_BF16)
            info->dtype = bf16;
        else if (info->dtype == DN_F32)
            info->dtype = f32;
        const size_t line = 64; /* the gap between members' copies is at least this */
        w->stride[k] = info->shared ? 0 : (dn__bytes(info) + line - 1) / line * line + line;
        if (op_case_home(run->c, k) != k) continue;
        w->image[k] = dn_calloc_aligned(op_image_bytes(run, w, k));
        if (!w->image[k]) return false;
    }
    return true;
}

static void run_reference(op_run *run, op_world *w, dn_kernel *kernel)
{
    aim(run, w);
    for (int e = 0; e < op_calls(run->c); e++) {
        const dn_call call = op_call_of(run->c, &w->call, e);
        kernel(&call);
    }
}

op_run *op_run_new(const op_case *c)
{
    op_run *run = dn_calloc(1, sizeof *run);
    if (!run) return NULL;
    run->c = c;
    bool made = open_world(run, &run->test, DN_BF16, DN_F32) && open_world(run, &run->plain, DN_F32, DN_F32) &&
                open_world(run, &run->wide, DN_F64, DN_F64);
    for (int k = 0; k < OP_OPERANDS && made; k++) {
        if (!run->test.image[k]) continue;
        run->kept[k] = dn_calloc(1, op_image_bytes(run, &run->test, k));
        if (k < DN_OP_MAX_IN) run->first[k] = dn_calloc(1, op_image_bytes(run, &run->test, k));
        made = run->kept[k] && (k >= DN_OP_MAX_IN || run->first[k]);
    }
    if (!made) {
        op_run_close(run);
        return NULL;
    }
    poison(run, &run->test);
    poison(run, &run->plain);
    poison(run, &run->wide);
    op_fill(run);
    for (int k = 0; k < DN_OP_MAX_IN; k++)
        if (run->test.image[k]) memcpy(run->first[k], run->test.image[k], op_image_bytes(run, &run->test, k));
    run_reference(run, &run->plain, dn__ref_kernels_f32[c->op.kind]);
    run_reference(run, &run->wide, dn__ref_kernels_f64[c->op.kind]);
    return run;
}

void op_run_close(op_run *run)
{
    if (!run) return;
    for (int k = 0; k < OP_OPERANDS; k++) {
        dn_free(run->test.image[k]);
        dn_free(run->plain.image[k]);
        dn_free(run->wide.image[k]);
        dn_free(run->first[k]);
        dn_free(run->kept[k]);
    }
    dn_free(run);
}
