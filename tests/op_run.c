#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "tests/op_cases.h"

typedef struct operand {
    void *first;             /* what the input holds at first, or the double reference's result */
    char *floats, *expected; /* between sentinels: for the kernel under test; for the float reference */
    size_t bytes;            /* of all members, for the kernel under test */
    int64_t count;
} operand;

struct op_run {
    const op_case *c;
    operand in[DN_OP_MAX_IN], out[DN_OP_MAX_OUT];
    dn_tensor_info wide_in[DN_OP_MAX_IN], wide_out[DN_OP_MAX_OUT]; /* the same in double */
    dn_call call, expected, wide;                                  /* under test, float and double reference */
    void *wide_data[DN_OP_MAX_IN + DN_OP_MAX_OUT];
};

static bool present(const dn_tensor_info *info)
{
    return info->shape.rank > 0;
}

static char *guarded(size_t bytes)
{
    char *memory = dn_calloc_aligned(bytes + 2 * OP_GUARD);
    if (memory) memset(memory, OP_PATTERN, bytes + 2 * OP_GUARD);
    return memory ? memory + OP_GUARD : NULL;
}

static void free_guarded(char *memory)
{
    if (memory) dn_free(memory - OP_GUARD);
}

static bool guards_intact(const char *memory, size_t bytes)
{
    bool intact = true;
    for (size_t i = 0; i < OP_GUARD; i++)
        intact = intact && (unsigned char)memory[-1 - (long)i] == OP_PATTERN &&
                 (unsigned char)memory[bytes + i] == OP_PATTERN;
    return intact;
}

/* Inputs that must be positive, or keep away from a kink. */
static float real_value(const op_case *c, int input, float u)
{
    switch (c->op.kind) {
    case DN_OP_BATCH_NORM:
    case DN_OP_BATCH_NORM_INFER: return input == 1 || input == 4 ? .5f + u : input == 0 ? 3 * u - 1 : 2 * u - 1;
    case DN_OP_BATCH_NORM_GRAD:
    case DN_OP_BATCH_NORM_INFER_GRAD: return input == 2 || input == 5 ? .5f + u : 2 * u - 1;
    case DN_OP_NORMALIZE: return input == 2 ? .5f + u : u;
    case DN_OP_NORMALIZE_GRAD: return input == 1 ? .5f + u : u;
    case DN_OP_ADAM: return input == 3 ? u : input == 4 ? .01f : 2 * u - 1;
    case DN_OP_SGD: return input == 3 ? .01f : 2 * u - 1;
    case DN_OP_SOFTMAX_GRAD: return input == 1 ? u / 4 : 2 * u - 1;
    case DN_OP_LOG_SOFTMAX_GRAD: return input == 1 ? -3 * u : 2 * u - 1;
    default: return 2 * u - 1;
    }
}

static void fill_input(const op_case *c, int input, operand *to, dn_dtype type)
{
    dn_random_sequence random = {.seed = 7, .purpose = (uint32_t)c->op.kind, .step = (uint32_t)input};
    for (int64_t i = 0; i < to->count; i++) {
        if (type == DN_F32) {
            float *reals = to->first;
            reals[i] = real_value(c, input, dn_random_next_uniform(&random, 0, 1));
        } else if (type == DN_I32) {
            const int32_t drawn = (int32_t)dn_random_next_below(&random, (uint32_t)c->limit);
            int32_t *integers = to->first;
            integers[i] = to->count == 1 ? 5 : drawn;
        } else {
            const uint32_t below = c->limit > 0 ? (uint32_t)c->limit : 256;
            uint8_t *bytes = to->first;
            bytes[i] = (uint8_t)dn_random_next_below(&random, below);
        }
    }
}

/* Moves x off the point where the relu behind batch norm switches, which rounding may cross. */
static void leave_kinks(op_run *run)
{
    if (run->c->op.kind != DN_OP_BATCH_NORM_GRAD && run->c->op.kind != DN_OP_BATCH_NORM_INFER_GRAD) return;
    float *x = run->in[1].first;
    const float *gamma = run->in[2].first, *beta = run->in[3].first;
    const float *mean = run->in[4].first, *last = run->in[5].first;
    const int64_t channels = run->in[2].count;
    for (int64_t i = 0; i < run->in[1].count; i++) {
        const int64_t c = i % channels;
        const bool moving = run->c->op.kind == DN_OP_BATCH_NORM_INFER_GRAD;
        const double rstd = moving ? 1 / sqrt(last[c] + run->c->op.args.norm.epsilon) : last[c];
        if (fabs(gamma[c] * (x[i] - mean[c]) * rstd + beta[c]) < 1e-4) x[i] += .01f;
    }
}

static bool make_operand(operand *o, const dn_tensor_info *info, int members)
{
    if (!present(info)) return true;
    o->count = dn_shape_count(&info->shape) * (info->shared ? 1 : members);
    o->bytes = (size_t)o->count * dn_dtype_size(info->dtype);
    o->first = dn_calloc((size_t)o->count, sizeof(double));
    o->floats = guarded(o->bytes);
    o->expected = guarded(o->bytes);
    return o->first && o->floats && o->expected;
}

/* A double copy of an operand; integers stay as they are. */
static void *widen(const operand *o, const dn_tensor_info *info)
{
    double *wide = dn_calloc((size_t)o->count, sizeof(double));
    if (!wide) return NULL;
    const float *reals = o->first;
    if (info->dtype == DN_F32)
        for (int64_t i = 0; i < o->count; i++) wide[i] = reals[i];
    else
        memcpy(wide, o->first, o->bytes);
    return wide;
}

static void connect(const op_case *c, dn_call *call, const dn_tensor_info *in, const dn_tensor_info *out)
{
    *call = (dn_call){.op = &c->op, .seed = 11, .member = 3, .members = c->members, .threads = 1};
    for (int k = 0; k < DN_OP_MAX_IN; k++)
        if (present(&in[k])) {
            call->in_info[k] = &in[k];
            call->in_stride[k] = in[k].shared ? 0 : dn__bytes(&in[k]);
        }
    for (int k = 0; k < DN_OP_MAX_OUT; k++)
        if (present(&out[k])) {
            call->out_info[k] = &out[k];
            call->out_stride[k] = out[k].shared ? 0 : dn__bytes(&out[k]);
        }
}

/* The operands of the double reference; its results are kept. */
static bool run_wide(op_run *run)
{
    const op_case *c = run->c;
    for (int k = 0; k < DN_OP_MAX_IN; k++) {
        run->wide_in[k] = c->in[k];
        /* A gathered data set keeps its type. */
        const bool real = c->in[k].dtype == DN_F32 && !(c->op.kind == DN_OP_GATHER && k == 0);
        if (real) run->wide_in[k].dtype = DN_F64;
        if (!present(&c->in[k])) continue;
        run->wide_data[k] = real ? widen(&run->in[k], &c->in[k]) : NULL;
        run->wide.in[k] = real ? run->wide_data[k] : run->in[k].first;
        if (!run->wide.in[k]) return false;
    }
    for (int k = 0; k < DN_OP_MAX_OUT; k++) {
        run->wide_out[k] = c->out[k];
        if (c->out[k].dtype == DN_F32) run->wide_out[k].dtype = DN_F64;
        if (!present(&c->out[k])) continue;
        const int from = c->alias[k];
        run->wide_data[DN_OP_MAX_IN + k] = dn_calloc((size_t)run->out[k].count, sizeof(double));
        run->wide.out[k] = from >= 0 ? run->wide_data[from] : run->wide_data[DN_OP_MAX_IN + k];
        if (!run->wide.out[k]) return false;
    }
    const dn_call kept = run->wide;
    connect(c, &run->wide, run->wide_in, run->wide_out);
    memcpy(run->wide.in, kept.in, sizeof kept.in);
    memcpy(run->wide.out, kept.out, sizeof kept.out);
    dn__ref_kernels_f64[c->op.kind](&run->wide);
    return true;
}

/* Points a call at float buffers, with inputs as at first and outputs poisoned. */
static void aim(op_run *run, dn_call *call, bool expected)
{
    const op_case *c = run->c;
    connect(c, call, c->in, c->out);
    for (int k = 0; k < DN_OP_MAX_IN; k++) {
        if (!present(&c->in[k])) continue;
        char *data = expected ? run->in[k].expected : run->in[k].floats;
        memcpy(data, run->in[k].first, run->in[k].bytes);
        call->in[k] = data;
    }
    for (int k = 0; k < DN_OP_MAX_OUT; k++) {
        if (!present(&c->out[k])) continue;
        const operand *o = c->alias[k] >= 0 ? &run->in[c->alias[k]] : &run->out[k];
        call->out[k] = expected ? o->expected : o->floats;
        if (c->alias[k] < 0) memset(call->out[k], 0xff, run->out[k].bytes); /* a NaN in every type that has one */
    }
}

op_run *op_run_new(const op_case *c)
{
    op_run *run = dn_calloc(1, sizeof *run);
    if (!run) return NULL;
    run->c = c;
    bool made = true;
    for (int k = 0; k < DN_OP_MAX_IN && made; k++) made = make_operand(&run->in[k], &c->in[k], c->members);
    for (int k = 0; k < DN_OP_MAX_OUT && made; k++) made = make_operand(&run->out[k], &c->out[k], c->members);
    for (int k = 0; k < DN_OP_MAX_IN && made; k++)
        if (present(&c->in[k])) fill_input(c, k, &run->in[k], c->in[k].dtype);
    if (made) leave_kinks(run);
    if (!made || !run_wide(run)) {
        op_run_close(run);
        return NULL;
    }
    aim(run, &run->expected, true);
    dn__ref_kernels_f32[c->op.kind](&run->expected);
    return run;
}

void op_run_close(op_run *run)
{
    if (!run) return;
    for (int k = 0; k < DN_OP_MAX_IN + DN_OP_MAX_OUT; k++) {
        operand *o = k < DN_OP_MAX_IN ? &run->in[k] : &run->out[k - DN_OP_MAX_IN];
        dn_free(o->first);
        free_guarded(o->floats);
        free_guarded(o->expected);
        dn_free(run->wide_data[k]);
    }
    dn_free(run);
}

dn_call *op_run_call(op_run *run)
{
    aim(run, &run->call, false);
    return &run->call;
}

static bool same_bits(float a, float b)
{
    uint32_t bits_a, bits_b;
    memcpy(&bits_a, &a, sizeof a);
    memcpy(&bits_b, &b, sizeof b);
    return bits_a == bits_b;
}

/* The largest |error| / tolerance of output k; tolerance = 4 eps sqrt(terms) rms of the right result. */
static double compare_reals(const op_run *run, int k, double factor, int64_t *worst)
{
    const double *right = run->wide.out[k];
    const float *got = run->call.out[k], *expected = run->expected.out[k];
    const int64_t n = run->out[k].count;
    double squares = 0, largest = 0;
    for (int64_t i = 0; i < n; i++) squares += isfinite(right[i]) ? right[i] * right[i] : 0;
    const double tolerance = 4 * FLT_EPSILON * sqrt(run->c->terms[k]) * factor * sqrt(squares / (double)n) + FLT_MIN;
    for (int64_t i = 0; i < n; i++) {
        double off = fabs(got[i] - right[i]) / tolerance;
        if (isnan(right[i]))
            off = isnan(got[i]) ? 0 : INFINITY;
        else if (isnan(off) || (run->c->exact && !same_bits(got[i], expected[i])))
            off = INFINITY;
        if (off > largest) {
            largest = off;
            *worst = i;
        }
    }
    return largest;
}

/* @return whether input k, which is no output's memory, or the sentinels around any input have changed */
static bool input_changed(const op_run *run, int k)
{
    const op_case *c = run->c;
    const operand *o = &run->in[k];
    if (!present(&c->in[k])) return false;
    if (!guards_intact(o->floats, o->bytes)) return true;
    for (int out = 0; out < DN_OP_MAX_OUT; out++)
        if (present(&c->out[out]) && c->alias[out] == k) return false;
    return memcmp(o->floats, o->first, o->bytes) != 0;
}

static double compare_output(const op_run *run, int k, double factor, int64_t *worst)
{
    const operand *o = &run->out[k];
    if (run->c->alias[k] < 0 && !guards_intact(o->floats, o->bytes)) return INFINITY;
    if (run->c->out[k].dtype == DN_F32) return compare_reals(run, k, factor, worst);
    return memcmp(run->call.out[k], run->expected.out[k], o->bytes) == 0 ? 0 : INFINITY;
}

double op_run_compare(op_run *run, double factor, char *what, size_t size)
{
    double largest = 0;
    snprintf(what, size, "-");
    for (int k = 0; k < DN_OP_MAX_OUT; k++) {
        if (!present(&run->c->out[k])) continue;
        int64_t worst = 0;
        const double off = compare_output(run, k, factor, &worst);
        if (off <= largest) continue;
        snprintf(what, size, "output %d, element %lld", k, (long long)worst);
        largest = off;
    }
    for (int k = 0; k < DN_OP_MAX_IN; k++) {
        if (!input_changed(run, k)) continue;
        snprintf(what, size, "input %d or its sentinels were overwritten", k);
        largest = INFINITY;
    }
    return largest;
}
