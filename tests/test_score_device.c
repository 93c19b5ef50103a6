/* Scores whose heavy products run on a device, beside the same without: on devices of this host, on the emulator, on a
 * GPU where there is one, and on one that is none, which computes late and can be told to fail. */
#include <math.h>
#include <omp.h>

#include "core/random.h"
#include "ood/device_bank.h"
#include "ood/device_gram.h"
#include "ood/linear_algebra.h"
#include "ood/products.h"
#include "ood/score.h"
#include "tests/fake_gpu.h"

enum { M = 300, N = 600 /* more than two blocks of rows */, D = 24, C = 4, FAKE = -1 };

static const char *const names[] = {"cpu", "ref", "cuda-emu", "cuda"};
enum { NAMES = sizeof names / sizeof *names };

/* @param number of the name, or FAKE @return NULL if this build lacks it, which is said */
static dn_device *open_device(int number)
{
    if (number == FAKE) return open_fake("");
    dn_device *device = NULL;
    const dn_status status = dn_device_open(&device, names[number], NULL);
    if (status == DN_ERROR_UNSUPPORTED) fprintf(stderr, "%s skipped: %s\n", names[number], dn_error_last());
    cr_assert(status == DN_OK || status == DN_ERROR_UNSUPPORTED, "%s", dn_error_last());
    return device;
}

typedef struct problem {
    float f[M][D], q[N][D];
    double wide[M][D];        /* f as double, with digits that single precision has not */
    double zf[M][C], z[N][C]; /* logits */
    int32_t labels[M];
    double weight[C][D], bias[C];
} problem;

/* Rows around class means; some are copies of others, in the fit set and among the queries. */
static problem *make(void)
{
    problem *p = dn_calloc(1, sizeof *p);
    cr_assert_not_null(p);
    dn_random_sequence r = {.seed = 3};
    for (int c = 0; c < C; c++) p->bias[c] = (double)dn_random_next_normal(&r);
    for (int c = 0; c < C; c++) {
        for (int d = 0; d < D; d++) p->weight[c][d] = (double)dn_random_next_normal(&r);
    }
    for (int i = 0; i < M; i++) {
        p->labels[i] = i % C;
        for (int d = 0; d < D; d++) {
            p->f[i][d] = i % 7 == 3 ? p->f[i - 3][d] : dn_random_next_normal(&r) + (float)p->weight[i % C][d];
            p->wide[i][d] = (double)p->f[i][d] * (1 + 0x1p-30);
        }
        for (int c = 0; c < C; c++) p->zf[i][c] = (double)dn_random_next_normal(&r);
    }
    for (int i = 0; i < N; i++) {
        for (int d = 0; d < D; d++) p->q[i][d] = i % 5 == 4 ? p->f[i % M][d] : dn_random_next_normal(&r);
        for (int c = 0; c < C; c++) p->z[i][c] = (double)dn_random_next_normal(&r);
    }
    return p;
}

/* Fits and scores. @param scores [N] */
static dn_status score(double *scores, const problem *p, const char *text, bool wide, dn_device *device)
{
    dn_score_expression expression;
    cr_assert_eq(dn_expression_parse(&expression, text), DN_OK, "%s", dn_error_last());
    const dn_matrix layer = {.members = 1, .rows = N, .columns = D, .type = DN_F32, .data = p->q};
    const dn_matrix fit_layer = {.members = 1,
                                 .rows = M,
                                 .columns = D,
                                 .type = wide ? DN_F64 : DN_F32,
                                 .data = wide ? (const void *)p->wide : (const void *)p->f};
    const dn_score_input input = {
        .logits = {.members = 1, .rows = N, .columns = C, .type = DN_F64, .data = p->z}, .layer = &layer, .layers = 1};
    const dn_score_input set = {.logits = {.members = 1, .rows = M, .columns = C, .type = DN_F64, .data = p->zf},
                                .layer = &fit_layer,
                                .layers = 1,
                                .labels = p->labels};
    const dn_score_fit fit = {.set = &set, .weight = p->weight[0], .bias = p->bias, .device = device};
    return dn_score(scores, &expression, &input, DN_REDUCE_DEFAULT, &fit);
}

/* ---- the same scores ---- */

static bool are_same_bytes(const void *a, const void *b, size_t bytes)
{
    return memcmp(a, b, bytes) == 0;
}

static void check_same_bytes(const problem *p, const char *text, bool wide, dn_device *device)
{
    double expected[N], scores[N];
    cr_assert_eq(score(expected, p, text, wide, NULL), DN_OK, "%s", dn_error_last());
    for (int threads = 1; threads <= 3; threads += 2) {
        omp_set_num_threads(threads);
        cr_assert_eq(score(scores, p, text, wide, device), DN_OK, "%s: %s", text, dn_error_last());
        cr_expect(are_same_bytes(expected, scores, sizeof scores), "%s%s on %s with %d threads: other bytes", text,
                  wide ? " of doubles" : "", dn_device_name(device), threads);
    }
}

Test(score_device, neighbours_are_the_same_to_the_bit)
{
    static const char *const texts[] = {"knn:k=1", "knn:k=40", "knn:k=300", "nnguide:k=5"};
    problem *p = make();
    for (int number = FAKE; number < NAMES; number++) {
        dn_device *device = open_device(number);
        for (size_t t = 0; device && t < sizeof texts / sizeof *texts; t++) {
            check_same_bytes(p, texts[t], false, device);
            check_same_bytes(p, texts[t], true, device);
        }
        if (number == FAKE) cr_expect_not_null(fake.last[DN_OP_LINEAR].op, "it was not asked");
        dn_device_close(device);
    }
    dn_free(p);
}

/* The order of sums is all that differs: rounding errors of the covariance, relative to its size about 1e-14 here,
 * reach scores enlarged by its condition number, below 1e3, and no more. */
Test(score_device, fits_agree_to_rounding)
{
    static const char *const texts[] = {"mahalanobis", "rmds", "vim", "residual"};
    problem *p = make();
    for (int number = FAKE; number < NAMES; number++) {
        dn_device *device = open_device(number);
        for (size_t t = 0; device && t < sizeof texts / sizeof *texts; t++) {
            double expected[N], scores[N], scale = 0.0, off = 0.0;
            cr_assert_eq(score(expected, p, texts[t], false, NULL), DN_OK, "%s", dn_error_last());
            cr_assert_eq(score(scores, p, texts[t], false, device), DN_OK, "%s: %s", texts[t], dn_error_last());
            for (int i = 0; i < N; i++) {
                scale = fmax(scale, fabs(expected[i]));
                off = fmax(off, fabs(scores[i] - expected[i]));
            }
            cr_expect_leq(off, 1e-9 * scale, "%s on %s: off by %g of %g", texts[t], dn_device_name(device), off, scale);
        }
        if (number == FAKE) cr_expect_not_null(fake.last[DN_OP_GRAM].op, "it was not asked");
        dn_device_close(device);
    }
    dn_free(p);
}

/* ---- products ---- */

/* n u / (1 - n u) */
static double rounding(double terms, double unit)
{
    return terms * unit / (1.0 - terms * unit);
}

enum { ROWS = 20000 /* more than two chunks have */, DIM = 5, QUERIES = DN__PRODUCT_QUERIES };

/* One chunk's products against double arithmetic. @param first number of its first row */
static void check_products(const float *products, const float *rows, size_t count, const float *queries, size_t first)
{
    for (size_t j = 0; j < count; j += 61) {
        for (size_t i = 0; i < QUERIES; i += 17) {
            double sum = 0.0, size = 0.0;
            for (size_t d = 0; d < DIM; d++) {
                const double product = (double)rows[(first + j) * DIM + d] * (double)queries[i * DIM + d];
                sum += product;
                size += fabs(product);
            }
            const double off = fabs((double)products[j * QUERIES + i] - sum);
            cr_assert_leq(off, rounding(DIM, 0x1p-24) * size, "row %zu, query %zu: off by %g", first + j, i, off);
        }
    }
}

/* @param memory 0: the chunks take turns */
static void check_bank(dn_device *device, const float *rows, const float *queries, size_t memory)
{
    dn__device_bank *bank;
    cr_assert_eq(dn__device_bank_open(&bank, device, rows, ROWS, DIM, memory), DN_OK, "%s", dn_error_last());
    const size_t chunk = dn__device_bank_chunk(bank);
    cr_assert(chunk > 0 && chunk < ROWS / 2);
    float *products = dn_calloc(chunk * QUERIES, sizeof *products);
    for (int round = 0; round < 2; round++) {
        for (size_t first = 0; first < ROWS; first += chunk) {
            cr_assert_eq(dn__device_bank_products(products, bank, first, queries), DN_OK, "%s", dn_error_last());
            check_products(products, rows, ROWS - first < chunk ? ROWS - first : chunk, queries, first);
        }
    }
    dn_free(products);
    dn__device_bank_close(bank);
}

Test(score_device, a_bank_without_room_is_sent_in_turns)
{
    float *rows = dn_calloc((size_t)ROWS * DIM, sizeof *rows), *queries = dn_calloc(QUERIES * DIM, sizeof *queries);
    dn_random_sequence r = {.seed = 9};
    for (int i = 0; i < ROWS * DIM; i++) rows[i] = dn_random_next_normal(&r);
    for (int i = 0; i < QUERIES * DIM; i++) queries[i] = dn_random_next_normal(&r);
    size_t peak[2] = {0};
    for (int number = FAKE; number < NAMES; number++) {
        for (int turns = 0; turns <= 1; turns++) {
            dn_device *device = open_device(number);
            if (!device) break;
            check_bank(device, rows, queries, turns ? 0 : (size_t)1 << 28);
            if (number == FAKE) peak[turns] = fake.peak;
            dn_device_close(device);
        }
    }
    cr_expect_lt(peak[1], peak[0] / 2, "%zu bytes in turns, %zu bytes together", peak[1], peak[0]);
    dn_free(rows);
    dn_free(queries);
}

enum { TALL = 130, WIDE = 67, FEWER = 101 };

/* Adds x' x by a device and by BLAS. @param size [WIDE,WIDE] sums of absolute products
 * so far */
static void add_both(double *sum, double *expected, double *size, dn__device_gram *gram, size_t rows)
{
    static double x[TALL * WIDE], absolute[TALL * WIDE];
    dn_random_sequence r = {.seed = 4 + rows};
    for (int i = 0; i < TALL * WIDE; i++) {
        x[i] = (double)dn_random_next_normal(&r) / 3.0;
        absolute[i] = fabs(x[i]);
    }
    dn__add_gram(expected, x, rows, WIDE);
    dn__add_gram(size, absolute, rows, WIDE);
    cr_assert_eq(dn__device_gram_add(sum, gram, x, rows), DN_OK, "%s", dn_error_last());
}

/* What stands behind the rows must not count: the second of three sums has fewer. */
Test(score_device, gram_adds_what_blas_adds)
{
    for (int number = FAKE; number < NAMES; number++) {
        dn_device *device = open_device(number);
        if (!device) continue;
        static double sum[WIDE * WIDE], expected[WIDE * WIDE], size[WIDE * WIDE];
        for (int i = 0; i < WIDE * WIDE; i++) sum[i] = expected[i] = size[i] = i % 5;
        dn__device_gram *gram;
        cr_assert_eq(dn__device_gram_open(&gram, device, TALL, WIDE), DN_OK, "%s", dn_error_last());
        add_both(sum, expected, size, gram, TALL);
        add_both(sum, expected, size, gram, FEWER);
        add_both(sum, expected, size, gram, TALL);
        for (int i = 0; i < WIDE * WIDE; i++) {
            const bool lower = i % WIDE < i / WIDE; /* it stays as it was */
            const double allowed = lower ? 0.0 : 2.0 * rounding(3 * TALL, 0x1p-53) * size[i];
            cr_assert_leq(fabs(sum[i] - expected[i]), allowed, "(%d,%d) on %s: %.17g instead of %.17g", i / WIDE,
                          i % WIDE, dn_device_name(device), sum[i], expected[i]);
        }
        dn__device_gram_close(gram);
        dn_device_close(device);
    }
}

/* ---- errors ---- */

static void expect_failure(dn_status status, dn_status expected, const char *part, const char *other)
{
    cr_expect_eq(status, expected, "%s", dn_error_last());
    cr_expect(strstr(dn_error_last(), part) && strstr(dn_error_last(), other), "found: %s", dn_error_last());
}

Test(score_device, no_room_is_an_error)
{
    double scores[N];
    problem *p = make();
    dn_device *device = open_fake("");
    fake.memory = 4096;
    expect_failure(score(scores, p, "knn:k=3", false, device), DN_ERROR_MEMORY, "300 fit rows of 24 features",
                   "device 'fake:0'");
    expect_failure(score(scores, p, "rmds", false, device), DN_ERROR_MEMORY, "covariance of 24 features",
                   "device 'fake:0'");
    fake.lies = true; /* the memory that it says it has is not there */
    expect_failure(score(scores, p, "nnguide:k=3", false, device), DN_ERROR_MEMORY, "nnguide", "device 'fake:0'");
    dn_device_close(device);
    dn_free(p);
}

Test(score_device, a_fault_is_an_error)
{
    static const char *const texts[] = {"knn:k=3", "nnguide:k=3", "mahalanobis", "vim"};
    double scores[N];
    problem *p = make();
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        dn_device *device = open_fake("");
        fake.fault = t < 2 ? DN_OP_LINEAR : DN_OP_GRAM;
        expect_failure(score(scores, p, texts[t], false, device), DN_ERROR_INTERNAL, "illegal memory access",
                       "--device fake:0,sync");
        dn_device_close(device);
    }
    dn_free(p);
}
