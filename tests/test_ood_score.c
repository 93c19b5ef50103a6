/** Reductions, class maps, predictions and what is refused. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "ood/score.h"

enum { E = 3, N = 5, C = 4 };

static dn_score_expression parse(const char *expression)
{
    dn_score_expression parsed;
    cr_assert_eq(dn_expression_parse(&parsed, expression), DN_OK, "%s", dn_error_last());
    return parsed;
}

static dn_score_input input_of(size_t members, size_t rows, size_t columns, dn_dtype type, const void *logits,
                               const int32_t *class_map, size_t classes)
{
    return (dn_score_input){
        .logits = {members, rows, columns, type, logits, NULL, NULL}, .class_map = class_map, .classes = classes};
}

#define INPUT(...) (&(dn_score_input[]){input_of(__VA_ARGS__)}[0])

static void score(double *scores, const char *expression, const dn_score_input *input, dn_reduce reduce)
{
    const dn_score_expression parsed = parse(expression);
    cr_assert_eq(dn_score(scores, &parsed, input, reduce, NULL), DN_OK, "%s", dn_error_last());
}

static void refuse(const char *expression, const dn_score_input *input, dn_reduce reduce, dn_status want,
                   const char *text)
{
    const dn_score_expression parsed = parse(expression);
    double scores[8];
    cr_expect_eq(dn_score(scores, &parsed, input, reduce, NULL), want, "%s: %s", expression, dn_error_last());
    cr_expect(strstr(dn_error_last(), text), "'%s' lacks '%s'", dn_error_last(), text);
}

static void expect_near(double got, double want, const char *what)
{
    cr_expect(fabs(got - want) <= 32 * 0x1p-52 * fmax(1, fabs(want)), "%s: %.17g, expected %.17g", what, got, want);
}

static void draw(double *z, size_t count, uint64_t seed)
{
    dn_random_sequence r = {.seed = seed};
    for (size_t i = 0; i < count; i++) z[i] = 2 * (double)dn_random_next_normal(&r);
}

static dn_score_input array(const double *logits)
{
    return input_of(E, N, C, DN_F64, logits, NULL, 0);
}

/** The mean logits and the logarithm of the mean probabilities, by their definitions. */
static void average(double mean[N][C], double log_mean[N][C], double z[E][N][C])
{
    memset(mean, 0, sizeof(double[N][C]));
    memset(log_mean, 0, sizeof(double[N][C]));
    for (int e = 0; e < E; e++) {
        for (int r = 0; r < N; r++) {
            double sum = 0;
            for (int c = 0; c < C; c++) sum += exp(z[e][r][c]);
            for (int c = 0; c < C; c++) mean[r][c] += z[e][r][c] / E;
            for (int c = 0; c < C; c++) log_mean[r][c] += exp(z[e][r][c]) / sum / E;
        }
    }
    for (int i = 0; i < N * C; i++) log_mean[i / C][i % C] = log(log_mean[i / C][i % C]);
}

Test(ood_score, reductions_follow_their_definitions)
{
    double z[E][N][C], mean[N][C], log_mean[N][C], own[E][N], got[N], want[N];
    draw(z[0][0], E * N * C, 11);
    average(mean, log_mean, z);
    const dn_score_input all = array(z[0][0]);
    const char *const names[] = {"msp", "max_logit", "energy:T=3", "entropy", "gen:top=3"};
    for (int i = 0; i < 5; i++) {
        for (int e = 0; e < E; e++) score(own[e], names[i], INPUT(1, N, C, DN_F64, z[e], NULL, 0), 0);
        score(got, names[i], &all, DN_REDUCE_SCORE);
        for (int r = 0; r < N; r++) expect_near(got[r], (own[0][r] + own[1][r] + own[2][r]) / 3, names[i]);
        score(want, names[i], &all, DN_REDUCE_DEFAULT);
        cr_expect_arr_eq(got, want, sizeof got);
        score(got, names[i], &all, DN_REDUCE_MIN);
        for (int r = 0; r < N; r++) cr_expect_eq(got[r], fmin(own[0][r], fmin(own[1][r], own[2][r])));
        score(got, names[i], &all, DN_REDUCE_MAX);
        for (int r = 0; r < N; r++) cr_expect_eq(got[r], fmax(own[0][r], fmax(own[1][r], own[2][r])));
        score(got, names[i], &all, DN_REDUCE_LOGIT);
        score(want, names[i], INPUT(1, N, C, DN_F64, mean, NULL, 0), 0);
        for (int r = 0; r < N; r++) expect_near(got[r], want[r], names[i]);
        score(got, names[i], &all, DN_REDUCE_PROB);
        score(want, names[i], INPUT(1, N, C, DN_F64, log_mean, NULL, 0), 0);
        for (int r = 0; r < N; r++) expect_near(got[r], want[r], names[i]);
    }
}

Test(ood_score, floats_are_read_as_their_doubles)
{
    double z[E * N * C], a[N], b[N];
    float f[E * N * C];
    draw(z, E * N * C, 12);
    for (int i = 0; i < E * N * C; i++) f[i] = (float)z[i];
    for (int i = 0; i < E * N * C; i++) z[i] = f[i];
    dn_score_input input = array(z);
    score(a, "mutual_information", &input, DN_REDUCE_DEFAULT);
    input.logits.type = DN_F32;
    input.logits.data = f;
    score(b, "mutual_information", &input, DN_REDUCE_DEFAULT);
    cr_expect_arr_eq(a, b, sizeof a);
}

Test(ood_score, blocks_and_threads_change_nothing)
{
    enum { ROWS = 3000 };
    double *z = dn_calloc(2 * ROWS * C, sizeof *z), *all = dn_calloc(ROWS, sizeof *all);
    cr_assert(z && all);
    draw(z, 2 * ROWS * C, 13);
    const dn_score_input input = input_of(2, ROWS, C, DN_F64, z, NULL, 0);
    const char *const names[] = {"gen", "pairwise_kl"};
    for (int i = 0; i < 2; i++) {
        score(all, names[i], &input, DN_REDUCE_DEFAULT);
        for (size_t r = 0; r < ROWS; r += 97) {
            double row[2][C], one;
            for (size_t e = 0; e < 2; e++) memcpy(row[e], z + (e * ROWS + r) * C, sizeof row[e]);
            score(&one, names[i], INPUT(2, 1, C, DN_F64, row, NULL, 0), DN_REDUCE_DEFAULT);
            cr_expect_eq(all[r], one);
        }
    }
    dn_free(z);
    dn_free(all);
}

/** Two members, three classes, three columns. Member 0 has classes 2 and 0 in columns 0 and 2, its column 1 is unused;
 *  member 1 has classes 1, 2, 0 in this order. One row: p_0 = (1/4, 0, 3/4), p_1 = (1/2, 1/4, 1/4). */
static const int32_t map[] = {2, -1, 0, 1, 2, 0};

static dn_score_input mapped(double z[6])
{
    const double values[] = {log(3), NAN, 0, 0, 0, log(2)};
    memcpy(z, values, sizeof values);
    return input_of(2, 1, 3, DN_F64, z, map, 3);
}

static double xlogx(double x)
{
    return x > 0 ? x * log(x) : 0;
}

static double score_mapped(const char *expression, dn_reduce reduce)
{
    double z[6], value;
    const dn_score_input input = mapped(z);
    score(&value, expression, &input, reduce);
    return value;
}

Test(ood_score, class_map_by_hand)
{
    const double h0 = -xlogx(0.25) - xlogx(0.75), h1 = -xlogx(0.5) - 2 * xlogx(0.25);
    const double pm[] = {3 / 8.0, 1 / 8.0, 4 / 8.0}, h = -xlogx(pm[0]) - xlogx(pm[1]) - xlogx(pm[2]);
    expect_near(score_mapped("predictive_entropy", 0), h, "predictive_entropy");
    expect_near(score_mapped("expected_entropy", 0), (h0 + h1) / 2, "expected_entropy");
    expect_near(score_mapped("mutual_information", 0), h - (h0 + h1) / 2, "mutual_information");
    expect_near(score_mapped("ensemble_msp", 0), 0.5, "ensemble_msp");
    expect_near(score_mapped("variance", 0), (1 / 64.0) + (1 / 64.0) + (1 / 16.0), "variance");
    expect_near(score_mapped("variation_ratio", 0), 0.5, "variation_ratio"); /* votes 2 and 0 */
    const double least = 1e-12;
    const double kl = (0.25 - 0.5) * log(0.25 / 0.5) + (least - 0.25) * log(least / 0.25) + (0.75 - 0.25) * log(3);
    expect_near(score_mapped("pairwise_kl", 0), kl / 2, "pairwise_kl");
    expect_near(score_mapped("leave_out:T=1", 0), h0 - 0.75 + h1 - 0.5, "leave_out");
    expect_near(score_mapped("msp", DN_REDUCE_SCORE), (0.25 + 0.5) / 2, "msp, score");
    expect_near(score_mapped("msp", DN_REDUCE_MAX), 0.5, "msp, max");
    expect_near(score_mapped("msp", DN_REDUCE_PROB), 0.5, "msp, prob");
    expect_near(score_mapped("entropy", DN_REDUCE_PROB), h, "entropy, prob");
    expect_near(score_mapped("max_logit", DN_REDUCE_PROB), -log(0.5), "max_logit, prob");
    expect_near(score_mapped("max_logit", DN_REDUCE_SCORE), -(log(3) + log(2)) / 2, "max_logit, score");
}

Test(ood_score, a_class_that_all_members_leave_out_changes_nothing)
{
    double z[6], value;
    dn_score_input input = mapped(z);
    const char *const names[] = {"msp", "max_logit", "energy:T=2", "entropy", "gen"};
    const int32_t wider[] = {3, -1, 0, 1, 3, 0}; /* class 2 is now nobody's */
    for (int i = 0; i < 5; i++) {
        input.class_map = map;
        input.classes = 3;
        score(&value, names[i], &input, DN_REDUCE_PROB);
        double with_gap;
        input.class_map = wider;
        input.classes = 4;
        score(&with_gap, names[i], &input, DN_REDUCE_PROB);
        expect_near(with_gap, value, names[i]);
    }
}

Test(ood_score, the_plain_class_map_is_no_class_map)
{
    double z[E * N * C], a[N], b[N];
    int32_t plain[E * C];
    draw(z, E * N * C, 14);
    for (int i = 0; i < E * C; i++) plain[i] = i % C;
    size_t count;
    const dn_method *const *methods = dn_methods(&count);
    for (size_t i = 0; i < count; i++) {
        dn_score_input input = array(z);
        if (methods[i]->needs != DN_NEEDS_LOGITS || methods[i]->pass != DN_PASS_NONE) continue;
        score(a, methods[i]->name, &input, DN_REDUCE_DEFAULT);
        input.class_map = plain;
        input.classes = C;
        score(b, methods[i]->name, &input, DN_REDUCE_DEFAULT);
        cr_expect_arr_eq(a, b, sizeof a, "%s", methods[i]->name);
    }
}

Test(ood_score, predictions)
{
    double z[6], p[3];
    int32_t label, member_labels[2];
    const dn_score_input input = mapped(z);
    const dn_ensemble_prediction out = {&label, p, member_labels};
    cr_assert_eq(dn_ensemble_predict(&out, &input), DN_OK, "%s", dn_error_last());
    cr_expect_eq(label, 2);
    cr_expect(member_labels[0] == 2 && member_labels[1] == 0);
    expect_near(p[0], 3 / 8.0, "p[0]");
    expect_near(p[1], 1 / 8.0, "p[1]");
    expect_near(p[2], 4 / 8.0, "p[2]");
    cr_expect_eq(dn_score_input_classes(&input), 3);
}

Test(ood_score, predictions_take_the_lowest_class_of_equals)
{
    /* Columns stand in falling class order: of two equal logits the higher column has the lower class. */
    const double z[] = {1, 1, 0, 0, /* rows of member 0 */ 1, 1, 0, 2 /* rows of member 1 */};
    const int32_t falling[] = {2, 1, 1, 0};
    int32_t labels[2], member_labels[4];
    const dn_score_input input = input_of(2, 2, 2, DN_F64, z, falling, 3);
    const dn_ensemble_prediction out = {.labels = labels, .member_labels = member_labels};
    cr_assert_eq(dn_ensemble_predict(&out, &input), DN_OK, "%s", dn_error_last());
    const int32_t members[] = {1, 1, 0, 0};
    cr_expect_arr_eq(member_labels, members, sizeof members);
    cr_expect_eq(labels[0], 1);
    cr_expect_eq(labels[1], 0);
}

Test(ood_score, reductions_that_mean_nothing_are_refused)
{
    double z[E * N * C], mapped_z[6];
    draw(z, E * N * C, 15);
    const dn_score_input input = array(z), with_map = mapped(mapped_z);
    refuse("energy", &input, DN_REDUCE_PROB, DN_ERROR_ARGUMENT, "T=1");
    refuse("predictive_entropy", &input, DN_REDUCE_PROB, DN_ERROR_ARGUMENT, "leave the reduction out");
    refuse("variance", &input, DN_REDUCE_SCORE, DN_ERROR_ARGUMENT, "leave the reduction out");
    refuse("msp", &with_map, DN_REDUCE_LOGIT, DN_ERROR_ARGUMENT, "class map");
    refuse("msp", &input, DN_REDUCE_COUNT, DN_ERROR_ARGUMENT, "does not exist");
    dn_reduce reduce;
    for (int i = DN_REDUCE_SCORE; i < DN_REDUCE_COUNT; i++) {
        cr_expect_eq(dn_reduce_parse(&reduce, dn_reduce_name((dn_reduce)i)), DN_OK);
        cr_expect_eq((int)reduce, i);
    }
    cr_expect_eq(dn_reduce_parse(&reduce, "logits"), DN_ERROR_ARGUMENT);
    cr_expect(strstr(dn_error_last(), "did you mean 'logit'"), "%s", dn_error_last());
    cr_expect_eq(dn_reduce_parse(&reduce, "average"), DN_ERROR_ARGUMENT);
    cr_expect(strstr(dn_error_last(), "choose score"), "%s", dn_error_last());
}

Test(ood_score, bad_arrays_are_refused)
{
    double z[E * N * C];
    draw(z, E * N * C, 16);
    const struct {
        dn_score_input input;
        const char *text;
    } cases[] = {
        {input_of(0, N, C, DN_F64, z, NULL, 0), "at least 1 member"},
        {input_of(E, 0, C, DN_F64, z, NULL, 0), "0 rows"},
        {input_of(E, N, 1, DN_F64, z, NULL, 0), "2 columns"},
        {input_of(E, N, C, DN_F64, NULL, NULL, 0), "logits"},
        {input_of(E, SIZE_MAX / 2, C, DN_F64, z, NULL, 0), "memory"},
        {input_of(E, N, C, DN_I32, z, NULL, 0), "i32"},
        {input_of(E, N, C, DN_F64, z, NULL, C + 1), "class map"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        refuse("msp", &cases[i].input, DN_REDUCE_DEFAULT, DN_ERROR_SHAPE, cases[i].text);
    }
    z[(1 * N + 3) * C + 2] = INFINITY;
    const dn_score_input bad = array(z);
    refuse("msp", &bad, DN_REDUCE_DEFAULT, DN_ERROR_NUMERIC, "member 1, row 3, column 2");
    int32_t label[N];
    cr_expect_eq(dn_ensemble_predict(&(dn_ensemble_prediction){.labels = label}, &bad), DN_ERROR_NUMERIC);
    const double large[] = {1.7e308, 1.7e308, 1.7e308, 1.7e308};
    const dn_score_input overflowing = input_of(2, 1, 2, DN_F64, large, NULL, 0);
    refuse("max_logit", &overflowing, DN_REDUCE_SCORE, DN_ERROR_NUMERIC, "row 0");
}

Test(ood_score, bad_class_maps_are_refused)
{
    double z[6];
    const int32_t beyond[] = {0, 1, 2, 0, 3, 1}, negative[] = {0, 1, -2, 0, 1, 2}, twice[] = {0, 1, 2, 2, 0, 2};
    const int32_t lonely[] = {0, 1, 2, -1, -1, 2};
    const struct {
        const int32_t *map;
        size_t classes;
        const char *text;
    } cases[] = {{beyond, 3, "member 1, column 1 is class 3"},
                 {negative, 3, "member 0, column 2 is class -2"},
                 {twice, 3, "member 1 has class 2 in columns 0 and 2"},
                 {lonely, 3, "member 1 uses 1 columns"},
                 {map, 1, "1 classes"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dn_score_input input = mapped(z);
        z[1] = 0;
        input.class_map = cases[i].map;
        input.classes = cases[i].classes;
        refuse("msp", &input, DN_REDUCE_DEFAULT, DN_ERROR_SHAPE, cases[i].text);
    }
}
