// What the tests of the emulator share: one emulated GPU, arrays on it, and the text of a launch's fault.
#ifndef DN_TESTS_EMULATOR_RIG_H
#define DN_TESTS_EMULATOR_RIG_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/bf16.cuh"
#include "cuda/emulator/emulator.h"

namespace DN_TARGET
{

struct rig {
    const dn_gpu_runtime *runtime = &dn__gpu_emulated;
    dn_gpu *gpu = nullptr;
    dn_gpu_stream stream = nullptr;
    void *memory[8] = {};
    int n_memory = 0;

    rig()
    {
        cr_assert_eq(runtime->open(&gpu, 0), DN_OK, "%s", dn_error_last());
        stream = runtime->stream(gpu);
    }
    rig(const rig &) = delete;
    rig &operator=(const rig &) = delete;
    ~rig()
    {
        while (n_memory) runtime->release(gpu, memory[--n_memory]);
        runtime->close(gpu);
    }

    // Device memory for n elements, with what `host` holds if it is given.
    template <class T> T *device(const T *host, size_t n)
    {
        void *p = nullptr;
        cr_assert_eq(runtime->allocate(gpu, n * sizeof(T), &p), DN_OK, "%s", dn_error_last());
        memory[n_memory++] = p;
        if (host) cr_assert_eq(runtime->upload(gpu, p, host, n * sizeof(T)), DN_OK, "%s", dn_error_last());
        return static_cast<T *>(p);
    }
    template <class T> void download(T *host, const T *from, size_t n)
    {
        cr_assert_eq(runtime->download(gpu, host, from, n * sizeof(T)), DN_OK, "%s", dn_error_last());
    }
};

// The launch before must have failed with a text that holds both words.
inline void expect_fault(rig &r, const char *word, const char *other = "")
{
    const dn_status status = r.runtime->wait(r.gpu);
    cr_assert_eq(status, DN_ERROR_INTERNAL, "no fault was found, expected: %s", word);
    cr_expect(strstr(dn_error_last(), word) && strstr(dn_error_last(), other), "found: %s\nexpected: %s, %s",
              dn_error_last(), word, other);
}

inline void expect_fine(rig &r)
{
    cr_assert_eq(r.runtime->wait(r.gpu), DN_OK, "%s", dn_error_last());
}

// Small whole numbers: sums of products are exact in any order.
inline void fill_small(float *x, size_t n, uint32_t purpose)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits[4];
        dn_random_block(bits, 7, purpose, 0, 0, static_cast<uint32_t>(i));
        x[i] = static_cast<float>(dn_random_to_below(bits[0], 17)) - 8.0f;
    }
}

} // namespace DN_TARGET
#endif
