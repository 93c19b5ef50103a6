/** Numbers of callers become doubles, and those that are none are noticed wherever they stand. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

#include "ood/widen.h"

enum { COUNT = 77 }; /* whole vectors and a rest */

/** 0 and -0 are two numbers here. */
static bool same(double a, double b)
{
    return a == b && !signbit(a) == !signbit(b);
}

Test(widen, keeps_every_finite_number)
{
    float narrow[COUNT];
    double wide[COUNT], to[COUNT];
    const float special[] = {0.0F, -0.0F, FLT_MAX, -FLT_MAX, FLT_MIN, FLT_TRUE_MIN, -FLT_TRUE_MIN, 1.5F};
    const double special_wide[] = {0.0, -0.0, DBL_MAX, -DBL_MAX, DBL_MIN, DBL_TRUE_MIN, -DBL_TRUE_MIN, 1.5};
    for (int i = 0; i < COUNT; i++) {
        narrow[i] = special[i % 8];
        wide[i] = special_wide[i % 8];
    }
    cr_expect(dn__widen(to, narrow, COUNT));
    for (int i = 0; i < COUNT; i++) {
        const double want = (double)narrow[i];
        cr_expect(same(to[i], want), "%d: %g, expected %g", i, to[i], want);
    }
    cr_expect(dn__all_finite(wide, COUNT));
    cr_expect(dn__widen(to, narrow, 0));
    cr_expect(dn__all_finite(wide, 0));
}

Test(widen, notices_what_is_no_number)
{
    const double wrong[] = {INFINITY, -INFINITY, NAN, -NAN};
    float narrow[COUNT] = {0};
    double wide[COUNT] = {0}, to[COUNT];
    for (int i = 0; i < COUNT; i++) {
        narrow[i] = (float)wrong[i % 4];
        wide[i] = wrong[i % 4];
        cr_expect(!dn__widen(to, narrow, COUNT), "f32 %d", i);
        cr_expect(!dn__all_finite(wide, COUNT), "%d", i);
        narrow[i] = 0;
        wide[i] = 0;
    }
}
