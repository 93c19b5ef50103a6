/** Scores of features by hand and beside slow, obvious definitions. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/random.h"
#include "ood/row.h"
#include "ood/scorer.h"
#include "ood/weibull.h"

enum { N = 9, M = 130, C = 4, D = 6 };

/** Class 3 has no fit rows of its label, though some are taken for it; class 2 is never predicted correctly. */
typedef struct data {
    double f[N][D], ff[M][D], z[N][C], zf[M][C], w[C][D], b[C];
    int32_t y[M];
    dn_matrix layer, fit_layer;
    dn_score_input input, set;
    dn_score_fit fit;
} data;

static size_t top(const double *z)
{
    size_t best = 0;
    for (size_t c = 1; c < C; c++) best = z[c] > z[best] ? c : best;
    return best;
}

static void connect(data *x, size_t n, size_t m)
{
    x->layer = (dn_matrix){.members = 1, .rows = n, .columns = D, .type = DN_F64, .data = x->f};
    x->fit_layer = (dn_matrix){.members = 1, .rows = m, .columns = D, .type = DN_F64, .data = x->ff};
    x->input = (dn_score_input){.logits = {.members = 1, .rows = n, .columns = C, .type = DN_F64, .data = x->z},
                                .layer = &x->layer,
                                .layers = 1};
    x->set = (dn_score_input){.logits = {.members = 1, .rows = m, .columns = C, .type = DN_F64, .data = x->zf},
                              .layer = &x->fit_layer,
                              .layers = 1,
                              .labels = x->y};
    x->fit = (dn_score_fit){.set = &x->set, .weight = x->w[0], .bias = x->b};
}

static void draw(data *x)
{
    dn_random_sequence r = {.seed = 11};
    for (int i = 0; i < C * D; i++) x->w[i / D][i % D] = (double)dn_random_next_normal(&r);
    for (int i = 0; i < C; i++) x->b[i] = 0.1 * (double)dn_random_next_normal(&r);
    for (int i = 0; i < N * D; i++) x->f[i / D][i % D] = 3 * (double)dn_random_next_normal(&r);
    for (int i = 0; i < M * D; i++) x->ff[i / D][i % D] = (double)dn_random_next_normal(&r);
    for (int i = 0; i < N * C; i++) x->z[i / C][i % C] = x->b[i % C] + dn__dot(x->w[i % C], x->f[i / C], D);
    for (int i = 0; i < M * C; i++) x->zf[i / C][i % C] = x->b[i % C] + dn__dot(x->w[i % C], x->ff[i / C], D);
    for (int i = 0; i < M; i++) {
        const size_t predicted = top(x->zf[i]);
        x->y[i] = predicted == 3 ? 2 : predicted == 2 || i % 9 == 0 ? (int32_t)(i % 2) : (int32_t)predicted;
    }
    connect(x, N, M);
}

static void score(double *scores, const char *text, const data *x)
{
    dn_score_expression e;
    cr_assert_eq(dn_expression_parse(&e, text), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_score(scores, &e, &x->input, DN_REDUCE_DEFAULT, &x->fit), DN_OK, "%s", dn_error_last());
}

static void expect_near(double got, double want, const char *what)
{
    cr_expect(fabs(got - want) <= 1e-12 * fmax(1, fabs(want)), "%s: %.17g, expected %.17g", what, got, want);
}

/** @param to [D] mean of the fit rows with that label that are predicted to have it, or zeros */
static void correct_mean(double *to, const data *x, size_t class)
{
    double count = 0;
    memset(to, 0, D * sizeof *to);
    for (int i = 0; i < M; i++) {
        if (x->y[i] != (int32_t) class || top(x->zf[i]) != class) continue;
        for (int d = 0; d < D; d++) to[d] += x->ff[i][d];
        count++;
    }
    for (int d = 0; d < D && count > 0; d++) to[d] /= count;
}

Test(feature_methods, she)
{
    data x;
    draw(&x);
    double predicted[N], largest[N], mean[D];
    score(predicted, "she", &x);
    score(largest, "she:rule=max", &x);
    for (int i = 0; i < N; i++) {
        double best = -INFINITY;
        for (size_t c = 0; c < C; c++) {
            correct_mean(mean, &x, c);
            best = fmax(best, dn__dot(mean, x.f[i], D));
        }
        expect_near(largest[i], -best / D, "she:rule=max");
        correct_mean(mean, &x, top(x.z[i]));
        expect_near(predicted[i], -dn__dot(mean, x.f[i], D), "she");
    }
}

static dn_scorer *open_scorer(const char *text, const data *x)
{
    dn_score_expression e;
    dn_scorer *scorer = NULL;
    cr_assert_eq(dn_expression_parse(&e, text), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_scorer_open(&scorer, &e, 1, DN_REDUCE_DEFAULT, &x->input, &x->fit), DN_OK, "%s", dn_error_last());
    return scorer;
}

/** The gradient by features, the logits held: no class changes within so small a step. */
static void check_gradient(const char *text)
{
    data x;
    draw(&x);
    dn_scorer *scorer = open_scorer(text, &x);
    const dn__score_item *item = &scorer->item[0];
    const dn_method *method = item->expression.base.method;
    const dn_fitted by = {item->expression.base.option, item->state[0]};
    const dn_score_rows rows = {.rows = N, .columns = C, .logits = x.z[0], .dim = D, .features = x.f[0]};
    dn_workspace *space = NULL;
    cr_assert_eq(dn_workspace_open(&space), DN_OK);
    double gradient[N][D], above[N], below[N];
    const double step = 1e-5;
    cr_assert_eq(method->gradient(gradient[0], &rows, &by, space), DN_OK);
    for (int d = 0; d < D; d++) {
        for (int i = 0; i < N; i++) x.f[i][d] += step;
        cr_assert_eq(method->score.single(above, &rows, &by, space), DN_OK);
        for (int i = 0; i < N; i++) x.f[i][d] -= 2 * step;
        cr_assert_eq(method->score.single(below, &rows, &by, space), DN_OK);
        for (int i = 0; i < N; i++) x.f[i][d] += step;
        for (int i = 0; i < N; i++) {
            const double want = (above[i] - below[i]) / (2 * step);
            cr_expect(fabs(gradient[i][d] - want) <= 1e-8, "%s: row %d, feature %d: %g, expected %g", text, i, d,
                      gradient[i][d], want);
        }
    }
    dn_workspace_close(space);
    dn_scorer_close(scorer);
}

Test(feature_methods, gradients_of_she)
{
    check_gradient("she");
    check_gradient("she:rule=max");
}

Test(feature_methods, notes_of_classes_without_correct_rows)
{
    data x;
    draw(&x);
    dn_scorer *scorer = open_scorer("she", &x);
    cr_expect(strstr(dn_scorer_notes(scorer), "classes 2, 3: no fit rows"), "%s", dn_scorer_notes(scorer));
    dn_scorer_close(scorer);
    scorer = open_scorer("openmax", &x);
    cr_expect(strstr(dn_scorer_notes(scorer), "classes 2, 3: fewer than 3 fit rows"), "%s", dn_scorer_notes(scorer));
    dn_scorer_close(scorer);
}

/** The last layer's gradient of KL(uniform, p), entry by entry: d/dw_cd = (p_c - 1/C) f_d. */
Test(feature_methods, gradnorm)
{
    data x;
    draw(&x);
    double scores[N];
    score(scores, "gradnorm", &x);
    for (int i = 0; i < N; i++) {
        double sum = 0, total = 0;
        for (int c = 0; c < C; c++) sum += exp(x.z[i][c]);
        for (int c = 0; c < C; c++)
            for (int d = 0; d < D; d++) total += fabs((exp(x.z[i][c]) / sum - 1.0 / C) * x.f[i][d]);
        expect_near(scores[i], -total, "gradnorm");
    }
}

Test(feature_methods, distances_to_boundaries_and_means)
{
    data x;
    draw(&x);
    double mean[D] = {0}, fdbd[N], nci[N];
    for (int i = 0; i < M * D; i++) mean[i % D] += x.ff[i / D][i % D] / M;
    score(fdbd, "fdbd", &x);
    score(nci, "nci:alpha=.25", &x);
    for (int i = 0; i < N; i++) {
        const size_t y = top(x.z[i]);
        double squares = 0, sum = 0, along = 0, norm1 = 0;
        for (int d = 0; d < D; d++) {
            squares += pow(x.f[i][d] - mean[d], 2);
            along += x.w[y][d] * (x.f[i][d] - mean[d]);
            norm1 += fabs(x.f[i][d]);
        }
        for (size_t c = 0; c < C; c++) {
            double apart = 0;
            for (int d = 0; d < D; d++) apart += pow(x.w[c][d] - x.w[y][d], 2);
            if (c != y) sum += fabs(x.z[i][c] - x.z[i][y]) / sqrt(apart) / sqrt(squares);
        }
        expect_near(fdbd[i], -sum / (C - 1), "fdbd");
        expect_near(nci[i], -(along / sqrt(squares) + 0.25 * norm1), "nci");
    }
}

/** Equal weights of two classes, a row at the mean of the fit features: what divides is 1e-10. */
Test(feature_methods, norms_of_zero_divide_as_1e_10)
{
    static data x;
    for (int i = 0; i < M; i++) x.ff[i][0] = 2;
    x.f[0][0] = 2;
    x.z[0][1] = 1;
    connect(&x, 1, M);
    double value;
    score(&value, "fdbd", &x);
    expect_near(value / 1e20, -1, "fdbd");
    score(&value, "nci:alpha=1", &x);
    expect_near(value, -2, "nci");
}

/* ---- gram ---- */

/** The definition: the outer product of f^p with itself, p-th roots of its entries, sums up to the diagonal. */
static double gram_statistic(const double *f, int order, int row)
{
    double sum = 0;
    for (int j = 0; j <= row; j++) {
        const double product = pow(f[row], order) * pow(f[j], order);
        sum += copysign(pow(fabs(product), 1.0 / order), product);
    }
    return sum;
}

static double gram_floor(const data *x, int order)
{
    double sum = 0, count = 0;
    for (int i = 0; i < M; i++) {
        for (int d = 0; d < D && i % 10 != 9; d++) {
            sum += fabs(gram_statistic(x->ff[i], order, d));
            count++;
        }
    }
    return 1e-6 * sum / count;
}

static double gram_deviation(const data *x, const double *f, size_t predicted)
{
    bool any = false;
    for (int i = 0; i < M; i++) any = any || (i % 10 != 9 && top(x->zf[i]) == predicted);
    double total = 0;
    for (int order = 1; order <= 5; order++) {
        const double floor = gram_floor(x, order);
        for (int d = 0; d < D; d++) {
            double least = INFINITY, largest = -INFINITY;
            for (int i = 0; i < M; i++) {
                if (i % 10 == 9 || (any && top(x->zf[i]) != predicted)) continue;
                least = fmin(least, gram_statistic(x->ff[i], order, d));
                largest = fmax(largest, gram_statistic(x->ff[i], order, d));
            }
            const double v = gram_statistic(f, order, d);
            total += fmax(least - v, 0) / fmax(fabs(least), floor) + fmax(v - largest, 0) / fmax(fabs(largest), floor);
        }
    }
    return total;
}

static void check_gram(const data *x)
{
    double scores[N], mean = 0;
    score(scores, "gram", x);
    for (int i = 9; i < M; i += 10) mean += gram_deviation(x, x->ff[i], top(x->zf[i]));
    mean /= M * 0.1; /* M is a multiple of 10 */
    cr_assert(mean > 0);
    for (int i = 0; i < N; i++) {
        const double want = gram_deviation(x, x->f[i], top(x->z[i])) / mean;
        cr_expect(fabs(scores[i] - want) <= 1e-10 * fmax(1, want), "row %d: %.17g, expected %.17g", i, scores[i], want);
    }
}

Test(feature_methods, gram)
{
    data x;
    draw(&x);
    check_gram(&x);
    /* No fit row is predicted as class 1 any more, but rows to score are. */
    for (int i = 0; i < M; i++) x.zf[i][1] = -1e3;
    for (int i = 0; i < N; i++) x.z[i][1] = 1e3;
    check_gram(&x);
    /* A unit that is 0 in all fit rows. */
    for (int i = 0; i < M; i++) x.ff[i][2] = 0;
    check_gram(&x);
}

/** f = (a, b, 0...): odd and even statistics are a a, b (a + b), here both; ranges are points. */
Test(feature_methods, gram_by_hand)
{
    static data x;
    for (int i = 0; i < 10; i++) {
        x.ff[i][0] = 1;
        x.ff[i][1] = 2;
        x.zf[i][0] = 1;
    }
    x.f[0][0] = 2;
    x.f[0][1] = 1;
    x.z[0][0] = 1;
    connect(&x, 1, 10);
    double value;
    score(&value, "gram", &x);
    /* (1, 6) becomes (4, 3) in each of the five orders; the rows held out do not deviate. */
    expect_near(value, 5 * ((4 - 1) / 1.0 + (6 - 3) / 6.0), "gram");
    connect(&x, 1, 9);
    dn_score_expression e;
    cr_assert_eq(dn_expression_parse(&e, "gram"), DN_OK);
    cr_expect_eq(dn_score(&value, &e, &x.input, DN_REDUCE_DEFAULT, &x.fit), DN_ERROR_ARGUMENT);
    cr_expect(strstr(dn_error_last(), "9 fit rows"), "%s", dn_error_last());
}

/* ---- openmax ---- */

static double likelihood(const double *x, size_t n, double shape, double scale)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += log(shape / scale) + (shape - 1) * log(x[i] / scale) - pow(x[i] / scale, shape);
    }
    return sum;
}

Test(feature_methods, weibull_of_largest_likelihood)
{
    const double samples[][5] = {
        {1, 2, 3, 4, 5}, {1, 1, 1, 1, 1.001}, {1e-9, 1, 1, 2, 1e9}, {7e-20, 3e-20, 3e-20, 4e-20, 5e-20}};
    for (size_t s = 0; s < sizeof samples / sizeof *samples; s++) {
        const dn__weibull w = dn__weibull_fit(samples[s], 5);
        const double best = likelihood(samples[s], 5, w.shape, w.scale);
        const double slack = 1e-12 * fmax(1, fabs(best));
        cr_expect(best + slack >= likelihood(samples[s], 5, w.shape * 1.001, w.scale), "sample %zu", s);
        cr_expect(best + slack >= likelihood(samples[s], 5, w.shape / 1.001, w.scale), "sample %zu", s);
        cr_expect(best + slack >= likelihood(samples[s], 5, w.shape, w.scale * (1 + 1e-3 / w.shape)), "sample %zu", s);
        cr_expect(best + slack >= likelihood(samples[s], 5, w.shape, w.scale * (1 - 1e-3 / w.shape)), "sample %zu", s);
        /* At the maximum, the shape's equation holds. */
        double powers = 0, weighted = 0, logs = 0;
        for (int i = 0; i < 5; i++) {
            const double power = pow(samples[s][i] / w.scale, w.shape);
            powers += power;
            weighted += power * log(samples[s][i]);
            logs += log(samples[s][i]) / 5;
        }
        cr_expect(fabs(powers / 5 - 1) < 1e-8, "sample %zu: %g", s, powers);
        cr_expect(fabs((weighted / powers - logs) * w.shape - 1) < 1e-6, "sample %zu", s);
    }
}

Test(feature_methods, weibull_of_few_distances)
{
    const double equal[] = {3, 3, 3}, zeros[] = {0, 0, 0}, one[] = {0, 2, 0}, two[] = {0, 1, 2};
    const dn__weibull step = dn__weibull_fit(equal, 3), none = dn__weibull_fit(zeros, 3),
                      single = dn__weibull_fit(one, 3);
    cr_expect_eq(dn__weibull_cdf(&step, 3), 0);
    cr_expect_eq(dn__weibull_cdf(&step, 3.0001), 1);
    cr_expect_eq(dn__weibull_cdf(&none, 0), 0);
    cr_expect_eq(dn__weibull_cdf(&none, 1e-300), 1);
    cr_expect_eq(dn__weibull_cdf(&single, 2), 0);
    const dn__weibull without = dn__weibull_fit(two, 3), with = dn__weibull_fit(two + 1, 2);
    cr_expect_eq(without.shape, with.shape);
    cr_expect_eq(without.scale, with.scale);
}

/** Distances within class 0 are all 1, so that its distribution is a step; class 1 has too few rows. */
Test(feature_methods, openmax_by_hand)
{
    static data x;
    const double fit[][C] = {{11, 0, 0, 0}, {9, 0, 0, 0}, {10, 1, 0, 0}, {10, -1, 0, 0}, {0, 5, 0, 0}};
    memcpy(x.zf, fit, sizeof fit);
    x.y[4] = 1;
    const double rows[][C] = {{10, 0.5, 0, 0}, {6, 4, 0, 0}, {4, 6, 0, 0}, {-4, -5, -6, -7}};
    memcpy(x.z, rows, sizeof rows);
    connect(&x, 4, 5);
    double s[4];
    score(s, "openmax:alpha=2", &x);
    /* Within the step nothing is taken off; behind it everything, or half as second of two. */
    expect_near(s[0], 1 / (exp(10) + exp(0.5) + 3), "inside");
    expect_near(s[1], exp(6) / (1 + exp(4) + 2 + exp(6)), "outside");
    expect_near(s[2], exp(2) / (exp(2) + exp(6) + 2 + exp(2)), "second");
    expect_near(s[3], exp(-4) / (1 + exp(-5) + exp(-6) + exp(-7) + exp(-4)), "negative");
    score(s, "openmax:alpha=100", &x);
    expect_near(s[2], exp(3) / (exp(1) + exp(6) + 2 + exp(3)), "alpha beyond the classes");
}

/** What openmax knows of a class: the mean logits and the distances of its correctly classified fit rows. */
typedef struct tail {
    double mean[C], distance[M];
    size_t count;
} tail;

static tail find_tail(const data *x, size_t class)
{
    tail t = {.count = 0};
    for (int i = 0; i < M; i++) {
        if (top(x->zf[i]) != class || x->y[i] != (int32_t) class) continue;
        for (int c = 0; c < C; c++) t.mean[c] += x->zf[i][c];
        t.count++;
    }
    for (int c = 0; c < C && t.count > 0; c++) t.mean[c] /= (double)t.count;
    size_t at = 0;
    for (int i = 0; i < M; i++) {
        if (top(x->zf[i]) == class && x->y[i] == (int32_t) class) t.distance[at++] = dn__distance(x->zf[i], t.mean, C);
    }
    return t;
}

/** @return the part of its logit that the class loses to "unknown" */
static double part_off(const data *x, const double *z, size_t class)
{
    size_t rank = 0;
    for (size_t c = 0; c < C; c++) rank += z[c] > z[class];
    const tail t = find_tail(x, class);
    if (rank >= 3 || t.count < 3) return 0;
    const dn__weibull w = dn__weibull_fit(t.distance, t.count);
    return (3.0 - (double)rank) / 3.0 * dn__weibull_cdf(&w, dn__distance(z, t.mean, C));
}

/** Beside the definition, with distributions that the tests above check. */
Test(feature_methods, openmax)
{
    data x;
    draw(&x);
    double scores[N], off[C];
    score(scores, "openmax:tail=130", &x);
    for (int i = 0; i < N; i++) {
        double unknown = 0, sum = 0;
        for (size_t c = 0; c < C; c++) {
            off[c] = part_off(&x, x.z[i], c);
            unknown += x.z[i][c] * off[c];
        }
        for (int c = 0; c < C; c++) sum += exp(x.z[i][c] * (1 - off[c]) - unknown);
        expect_near(scores[i], 1 / (1 + sum), "openmax");
    }
}

Test(feature_methods, lengths_of_any_size)
{
    const double large[] = {3e200, -4e200}, small[] = {3e-200, 4e-200}, plain[] = {3, 4}, zeros[] = {0, 0};
    expect_near(dn__distance(large, NULL, 2) / 5e200, 1, "large");
    expect_near(dn__distance(small, NULL, 2) / 5e-200, 1, "small");
    expect_near(dn__distance(plain, plain, 2), 0, "equal");
    expect_near(dn__distance(plain, zeros, 2), 5, "plain");
}
