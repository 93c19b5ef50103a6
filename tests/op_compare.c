/* How far a result is from the double reference, and what else a kernel must not do. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/op_run_private.h"

static bool is_product(dn_op_kind kind)
{
    return kind >= DN_OP_CONV2D && kind <= DN_OP_LINEAR_WEIGHT_GRAD;
}

static double rms(const op_run *run, int k)
{
    const int64_t count = dn__count(&run->wide.info[k]);
    double squares = 0;
    for (int e = 0; e < op_copies(run, k); e++)
        for (int64_t i = 0; i < count; i++) {
            const double right = op_get(run, &run->wide, k, e, i);
            if (isfinite(right)) squares += right * right;
        }
    return sqrt(squares / ((double)op_copies(run, k) * (double)count));
}

/* The distance from 1 to the next number of the type that sums of output k have. */
static double epsilon_of(const op_run *run, int k)
{
    return run->test.info[k].dtype == DN_F64 ? DBL_EPSILON : (double)FLT_EPSILON;
}

/* The error that is allowed to every element of output k: 4 eps sqrt(terms) rms for sums in f32, or in double where
 * the output is; products of tf32 numbers, which have 11 significant bits, add 8 * 2^-11 rms. */
static double tolerance_of(const op_run *run, int k, double factor)
{
    const int out = k - DN_OP_MAX_IN;
    double relative = 4 * epsilon_of(run, k) * sqrt(run->c->terms[out]) * factor;
    if (run->c->tf32 && out == 0 && is_product(run->c->op.kind)) relative += 8 * 0x1p-11;
    return relative * rms(run, k) + FLT_MIN;
}

/* Equal, NaNs of all kinds being one; the sign of zero counts. */
static bool same_number(double a, double b)
{
    return (isnan(a) && isnan(b)) || (a == b && !signbit(a) == !signbit(b));
}

/* |error| / tolerance of one element. */
static double off_by(const op_run *run, int k, int e, int64_t i, double tolerance)
{
    const bool half = run->test.info[k].dtype == DN_BF16;
    const double got = op_get(run, &run->test, k, e, i);
    const double plain = op_get(run, &run->plain, k, e, i);
    const double expected = half ? (double)op_round_to_bf16((float)plain) : plain;
    const bool integer = run->test.info[k].dtype == DN_I32 || run->test.info[k].dtype == DN_U8;
    if ((integer || run->c->exact) && !same_number(got, expected)) return INFINITY;
    if (integer || (run->c->exact && half)) return 0;
    const double right = op_get(run, &run->wide, k, e, i);
    if (!isfinite(right)) return same_number(got, right) ? 0 : INFINITY;
    /* The roundings of the element itself count where it is far larger than the rms, as in sparse outputs. */
    const double own = (half ? 0x1p-8 : epsilon_of(run, k)) * fabs(right);
    const double off = fabs(got - right) / (tolerance + own);
    return isnan(off) ? INFINITY : off;
}

static double compare_output(const op_run *run, int k, double factor, char *what, size_t size)
{
    const double tolerance = tolerance_of(run, k, factor);
    double largest = 0;
    for (int e = 0; e < op_copies(run, k); e++)
        for (int64_t i = 0; i < dn__count(&run->test.info[k]); i++) {
            const double off = off_by(run, k, e, i, tolerance);
            if (off <= largest) continue;
            largest = off;
            snprintf(what, size, "output %d, member %d, element %" PRId64 " is %.9g instead of %.9g", k - DN_OP_MAX_IN,
                     e, i, op_get(run, &run->test, k, e, i), op_get(run, &run->wide, k, e, i));
        }
    return largest;
}

/* @return whether all bytes around and between the copies of operand k are the pattern still */
static bool sentinels_intact(const op_run *run, int k)
{
    const op_world *w = &run->test;
    const unsigned char *image = (const unsigned char *)w->image[k];
    const size_t bytes = dn__bytes(&w->info[k]), end = op_image_bytes(run, w, k);
    size_t at = 0;
    for (int e = 0; e <= op_copies(run, k); e++) {
        const bool last = e == op_copies(run, k);
        const size_t next = last ? end : OP_GUARD + (size_t)e * w->stride[k];
        for (; at < next; at++)
            if (image[at] != OP_PATTERN) return false;
        at = next + bytes;
    }
    return true;
}

static bool is_written(const op_case *c, int k)
{
    for (int out = DN_OP_MAX_IN; out < OP_OPERANDS; out++)
        if (op_present(op_case_info(c, out)) && op_case_home(c, out) == k) return true;
    return false;
}

/* @return whether a kernel wrote where it must not: around the copies of operand k, or into an input */
static bool overwritten(const op_run *run, int k, char *what, size_t size)
{
    const char *const image = run->test.image[k];
    if (!image) return false;
    const char *const kind = k < DN_OP_MAX_IN ? "input" : "output";
    const int number = k < DN_OP_MAX_IN ? k : k - DN_OP_MAX_IN;
    if (!sentinels_intact(run, k)) {
        snprintf(what, size, "bytes around %s %d were overwritten", kind, number);
        return true;
    }
    if (!run->first[k] || is_written(run->c, k)) return false;
    if (memcmp(run->first[k], image, op_image_bytes(run, &run->test, k)) == 0) return false;
    snprintf(what, size, "%s %d was overwritten", kind, number);
    return true;
}

double op_run_compare(const op_run *run, double factor, char *what, size_t size)
{
    double largest = 0;
    char text[160] = "-";
    snprintf(what, size, "-");
    for (int k = 0; k < OP_OPERANDS; k++) {
        double off = 0;
        if (k >= DN_OP_MAX_IN && op_present(&run->test.info[k]))
            off = compare_output(run, k, factor, text, sizeof text);
        if (overwritten(run, k, text, sizeof text)) off = INFINITY;
        if (off <= largest) continue;
        snprintf(what, size, "%s", text);
        largest = off;
    }
    return largest;
}

void op_run_keep(op_run *run)
{
    for (int k = 0; k < OP_OPERANDS; k++)
        if (run->kept[k]) memcpy(run->kept[k], run->test.image[k], op_image_bytes(run, &run->test, k));
}

bool op_run_same(const op_run *run, char *what, size_t size)
{
    for (int k = 0; k < OP_OPERANDS; k++) {
        if (!run->kept[k]) continue;
        const size_t bytes = op_image_bytes(run, &run->test, k);
        if (memcmp(run->kept[k], run->test.image[k], bytes) == 0) continue;
        size_t at = 0;
        while (run->kept[k][at] == run->test.image[k][at]) at++;
        snprintf(what, size, "operand %d differs from the first run's at byte %zu", k, at - OP_GUARD);
        return false;
    }
    return true;
}
