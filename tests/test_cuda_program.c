/* A whole training program on the emulated GPU, where this build has it. */
#include <math.h>
#include <string.h>

#include "tests/small_training.h"

enum { STEPS = 3 };

static float *train(const char *name, size_t *bytes)
{
    dn_device *device = NULL;
    const dn_status status = dn_device_open(&device, name, NULL);
    if (status == DN_ERROR_UNSUPPORTED) cr_skip_test("%s", dn_error_last());
    cr_assert_eq(status, DN_OK, "%s", dn_error_last());
    training t = open_training(device);
    run_rig(&t.r, STEPS);
    float *all = (float *)(void *)read_all(&t, bytes);
    close_training(&t);
    return all;
}

/* Launched, captured and replayed is the same as launched op by op; and the same again. */
Test(cuda_program, the_same_bytes_however_it_runs)
{
    static const char *const names[] = {"cuda-emu", "cuda-emu:0,sync", "cuda-emu"};
    size_t bytes = 0;
    float *first = train(names[0], &bytes);
    for (int i = 1; i < 3; i++) {
        float *again = train(names[i], &bytes);
        cr_expect_eq(memcmp(first, again, bytes), 0, "'%s' computes something else", names[i]);
        dn_free(again);
    }
    dn_free(first);
}

/* The kernels sum in f32 where the definition sums in double, over at most 288 terms; Adam's steps of about 1e-3 pass
 * on the relative error of a gradient, which is large where it nearly cancels. */
Test(cuda_program, like_the_definition)
{
    size_t bytes = 0;
    float *emulated = train("cuda-emu", &bytes), *defined = train("ref", &bytes);
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < bytes / sizeof *defined; i++) {
        cr_expect(fabsf(emulated[i] - defined[i]) <= 2e-3F * STEPS, "number %zu: %g instead of %g", i,
                  (double)emulated[i], (double)defined[i]);
        sum += pow((double)emulated[i] - (double)defined[i], 2);
        squares += pow((double)defined[i], 2);
    }
    cr_expect_leq(sqrt(sum / squares), 1e-5, "relative distance %g", sqrt(sum / squares));
    dn_free(emulated);
    dn_free(defined);
}
