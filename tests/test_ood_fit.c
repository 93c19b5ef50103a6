/** Scores that are fitted: which rows a fit sees, what is shared, layers, class maps, arrays from files, what is
 *  refused. The methods' own formulas have tests of their own. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "ood/score.h"

enum { E = 2, N = 7, M = 90, C = 3, D = 4 };

/** An ensemble's outputs for rows to score and for fit rows, z = W f + b. */
typedef struct data {
    float f[E][N][D], ff[E][M][D];
    double z[E][N][C], zf[E][M][C], w[E][C][D], b[E][C];
    int32_t y[M];
    dn_matrix layer, fit_layer;
    dn_score_input input, set;
    dn_score_fit fit;
} data;

static void fill_logits(double *z, const float *f, const double *w, const double *b)
{
    for (int c = 0; c < C; c++) {
        z[c] = b[c];
        for (int d = 0; d < D; d++) z[c] += w[c * D + d] * (double)f[d];
    }
}

static dn_matrix matrix(size_t rows, size_t columns, dn_dtype type, const void *x)
{
    return (dn_matrix){.members = E, .rows = rows, .columns = columns, .type = type, .data = x};
}

static void draw(data *x, uint64_t seed)
{
    dn_random_sequence r = {.seed = seed};
    memset(x, 0, sizeof *x);
    for (int i = 0; i < M; i++) x->y[i] = (int32_t)dn_random_next_below(&r, C);
    for (int i = 0; i < E * C * D; i++) ((double *)x->w)[i] = (double)dn_random_next_normal(&r);
    for (int i = 0; i < E * C; i++) ((double *)x->b)[i] = (double)dn_random_next_normal(&r);
    for (int i = 0; i < E * N * D; i++) ((float *)x->f)[i] = 2 * dn_random_next_normal(&r);
    for (int e = 0; e < E; e++)
        for (int i = 0; i < M; i++)
            for (int d = 0; d < D; d++) x->ff[e][i][d] = dn_random_next_normal(&r) + (d == x->y[i] ? 3.0F : 0.0F);
    for (int e = 0; e < E; e++) {
        for (int i = 0; i < N; i++) fill_logits(x->z[e][i], x->f[e][i], x->w[e][0], x->b[e]);
        for (int i = 0; i < M; i++) fill_logits(x->zf[e][i], x->ff[e][i], x->w[e][0], x->b[e]);
    }
    x->layer = matrix(N, D, DN_F32, x->f);
    x->fit_layer = matrix(M, D, DN_F32, x->ff);
    x->input = (dn_score_input){.logits = matrix(N, C, DN_F64, x->z), .layer = &x->layer, .layers = 1};
    x->set =
        (dn_score_input){.logits = matrix(M, C, DN_F64, x->zf), .layer = &x->fit_layer, .layers = 1, .labels = x->y};
    x->fit = (dn_score_fit){.set = &x->set, .weight = x->w[0][0], .bias = x->b[0]};
}

static dn_score_expression parse(const char *text)
{
    dn_score_expression e;
    cr_assert_eq(dn_expression_parse(&e, text), DN_OK, "%s", dn_error_last());
    return e;
}

static void score(double *scores, const char *text, const data *x, dn_reduce reduce)
{
    const dn_score_expression e = parse(text);
    cr_assert_eq(dn_score(scores, &e, &x->input, reduce, &x->fit), DN_OK, "%s", dn_error_last());
}

static void refuse(const char *text, const data *x, dn_reduce reduce, dn_status want, const char *message)
{
    double scores[N];
    const dn_score_expression e = parse(text);
    cr_expect_eq(dn_score(scores, &e, &x->input, reduce, &x->fit), want, "%s: %s", text, dn_error_last());
    cr_expect(strstr(dn_error_last(), message), "%s: '%s' lacks '%s'", text, dn_error_last(), message);
}

/** Everything that arrays are enough for. */
static dn_expression_list every_method(void)
{
    dn_expression_list all = {0}, list = {0};
    cr_assert_eq(dn_expression_list_add(&all, "all"), DN_OK, "%s", dn_error_last());
    for (size_t i = 0; i < all.count; i++) {
        const dn_method *m = all.expression[i].base.method;
        if (m->pass != DN_PASS_NONE && m->pass != DN_PASS_SCORE) continue;
        cr_assert_eq(dn_expression_list_add(&list, all.text[i]), DN_OK, "%s", dn_error_last());
    }
    dn_expression_list_close(&all);
    return list;
}

/** @return [count] pointers to [N] */
static double **tables(size_t count)
{
    double **scores = dn_calloc(count, sizeof *scores);
    for (size_t i = 0; i < count; i++) scores[i] = dn_calloc(N, sizeof **scores);
    return scores;
}

static void free_tables(double **scores, size_t count)
{
    for (size_t i = 0; i < count; i++) dn_free(scores[i]);
    dn_free(scores);
}

Test(ood_fit, many_expressions_at_once_are_the_same_as_each_alone)
{
    data x;
    double alone[N];
    draw(&x, 1);
    dn_expression_list list = every_method();
    double **together = tables(list.count);
    dn_scorer *scorer;
    cr_assert_geq(list.count, 30);
    cr_assert_eq(dn_scorer_open(&scorer, list.expression, list.count, DN_REDUCE_DEFAULT, &x.input, &x.fit), DN_OK, "%s",
                 dn_error_last());
    for (int again = 0; again < 2; again++) { /* a scorer keeps nothing of what it scored */
        cr_assert_eq(dn_scorer_run(scorer, together, &x.input), DN_OK, "%s", dn_error_last());
        for (size_t i = 0; i < list.count; i++) {
            score(alone, list.text[i], &x, DN_REDUCE_DEFAULT);
            cr_expect_arr_eq(together[i], alone, sizeof alone, "%s", list.text[i]);
        }
    }
    dn_scorer_close(scorer);
    free_tables(together, list.count);
    dn_expression_list_close(&list);
}

Test(ood_fit, members_are_fitted_on_their_own_rows_and_reduced)
{
    data x;
    draw(&x, 2);
    dn_expression_list list = every_method();
    for (size_t i = 0; i < list.count; i++) {
        double own[E][N], got[N];
        if (list.expression[i].base.method->kind == DN_METHOD_ENSEMBLE) continue;
        for (size_t e = 0; e < E; e++) {
            data one = x;
            one.layer = (dn_matrix){1, N, D, DN_F32, x.f[e], NULL, NULL};
            one.fit_layer = (dn_matrix){1, M, D, DN_F32, x.ff[e], NULL, NULL};
            one.input.layer = &one.layer;
            one.set.layer = &one.fit_layer;
            one.input.logits = (dn_matrix){1, N, C, DN_F64, x.z[e], NULL, NULL};
            one.set.logits = (dn_matrix){1, M, C, DN_F64, x.zf[e], NULL, NULL};
            one.fit = (dn_score_fit){.set = &one.set, .weight = x.w[e][0], .bias = x.b[e]};
            score(own[e], list.text[i], &one, DN_REDUCE_DEFAULT);
        }
        score(got, list.text[i], &x, DN_REDUCE_SCORE);
        for (int r = 0; r < N; r++) cr_expect_eq(got[r], (own[0][r] + own[1][r]) / 2, "%s", list.text[i]);
        score(got, list.text[i], &x, DN_REDUCE_MIN);
        for (int r = 0; r < N; r++) cr_expect_eq(got[r], fmin(own[0][r], own[1][r]), "%s", list.text[i]);
        score(got, list.text[i], &x, DN_REDUCE_MAX);
        for (int r = 0; r < N; r++) cr_expect_eq(got[r], fmax(own[0][r], own[1][r]), "%s", list.text[i]);
    }
    dn_expression_list_close(&list);
}

/* ---- rows from elsewhere ---- */

typedef struct source {
    dn_matrix behind;
    int calls;
} source;

static dn_status read_source(void *context, size_t member, size_t first, size_t rows, void *to)
{
    source *s = context;
    const size_t bytes = dn_dtype_size(s->behind.type) * s->behind.columns;
    memcpy(to, (const char *)s->behind.data + (member * s->behind.rows + first) * bytes, rows * bytes);
    s->calls++;
    return DN_OK;
}

static dn_status read_nothing(void *context, size_t member, size_t first, size_t rows, void *to)
{
    (void)context, (void)member, (void)first, (void)rows, (void)to;
    return dn_fail(DN_ERROR_FILE, "the disk is gone");
}

static dn_matrix from_source(source *s, dn_matrix behind)
{
    *s = (source){behind, 0};
    behind.data = NULL;
    behind.read = read_source;
    behind.context = s;
    return behind;
}

Test(ood_fit, rows_may_come_from_a_reader)
{
    data x, y;
    source s[4];
    draw(&x, 3);
    y = x;
    y.layer = from_source(&s[0], x.layer);
    y.fit_layer = from_source(&s[1], x.fit_layer);
    y.input.layer = &y.layer;
    y.set.layer = &y.fit_layer;
    y.input.logits = from_source(&s[2], x.input.logits);
    y.set.logits = from_source(&s[3], x.set.logits);
    y.fit.set = &y.set;
    dn_expression_list list = every_method();
    for (size_t i = 0; i < list.count; i++) {
        double want[N], got[N];
        score(want, list.text[i], &x, DN_REDUCE_DEFAULT);
        score(got, list.text[i], &y, DN_REDUCE_DEFAULT);
        cr_expect_arr_eq(got, want, sizeof got, "%s", list.text[i]);
    }
    for (int i = 0; i < 4; i++) cr_expect_gt(s[i].calls, 0);
    y.layer.read = read_nothing;
    refuse("she", &y, DN_REDUCE_DEFAULT, DN_ERROR_FILE, "the disk is gone");
    y.fit_layer.read = read_nothing;
    refuse("knn:k=1", &y, DN_REDUCE_DEFAULT, DN_ERROR_FILE, "the disk is gone");
    dn_expression_list_close(&list);
}

/* ---- members with different classes ---- */

Test(ood_fit, a_member_is_fitted_on_rows_of_its_own_classes)
{
    /* Member 0 knows classes 2 and 0 (columns 0 and 2), member 1 knows 1 and 2. */
    static const int32_t map[E * C] = {2, -1, 0, -1, 1, 2};
    static const int32_t known[E][2] = {{0, 2}, {1, 2}}, column[E][2] = {{2, 0}, {1, 2}};
    data x;
    draw(&x, 4);
    x.input.class_map = x.set.class_map = map;
    x.input.classes = x.set.classes = C;
    const char *const names[] = {"mahalanobis", "knn:k=3", "temp_scale", "react+energy", "vim:dim=1"};
    for (int i = 0; i < 5; i++) {
        double own[E][N], got[N];
        for (size_t e = 0; e < E; e++) {
            data one = x; /* the same member by hand: two classes, two columns, only rows of these */
            double z[N][2], zf[M][2], w[2][D], b[2];
            size_t rows = 0;
            for (int k = 0; k < 2; k++) {
                memcpy(w[k], x.w[e][column[e][k]], sizeof w[k]);
                b[k] = x.b[e][column[e][k]];
                for (int r = 0; r < N; r++) z[r][k] = x.z[e][r][column[e][k]];
            }
            for (int r = 0; r < M; r++) {
                if (x.y[r] != known[e][0] && x.y[r] != known[e][1]) continue;
                for (int k = 0; k < 2; k++) zf[rows][k] = x.zf[e][r][column[e][k]];
                memcpy(one.ff[0][rows], x.ff[e][r], sizeof one.ff[0][0]);
                one.y[rows++] = x.y[r] == known[e][1];
            }
            one.layer = (dn_matrix){1, N, D, DN_F32, x.f[e], NULL, NULL};
            one.fit_layer = (dn_matrix){1, rows, D, DN_F32, one.ff[0], NULL, NULL};
            one.input = (dn_score_input){.logits = {1, N, 2, DN_F64, z, NULL, NULL}, .layer = &one.layer, .layers = 1};
            one.set = (dn_score_input){
                .logits = {1, rows, 2, DN_F64, zf, NULL, NULL}, .layer = &one.fit_layer, .layers = 1, .labels = one.y};
            one.fit = (dn_score_fit){.set = &one.set, .weight = w[0], .bias = b};
            score(own[e], names[i], &one, DN_REDUCE_DEFAULT);
        }
        score(got, names[i], &x, DN_REDUCE_SCORE);
        for (int r = 0; r < N; r++)
            cr_expect(fabs(got[r] - (own[0][r] + own[1][r]) / 2) <= 1e-10 * (1 + fabs(got[r])),
                      "%s row %d: %.17g %.17g", names[i], r, got[r], (own[0][r] + own[1][r]) / 2);
    }
    for (int r = 0; r < M; r++) x.y[r] = 0;
    refuse("mahalanobis", &x, DN_REDUCE_DEFAULT, DN_ERROR_ARGUMENT, "no row of the classes of member 1");
}

/* ---- layers ---- */

Test(ood_fit, layers_are_combined_as_asked)
{
    data x;
    draw(&x, 5);
    float other[E][N][2], fit_other[E][M][2];
    for (int i = 0; i < E * N; i++)
        for (int d = 0; d < 2; d++) ((float *)other)[2 * i + d] = ((float *)x.f)[D * i + d] * 3 + 1;
    for (int i = 0; i < E * M; i++)
        for (int d = 0; d < 2; d++) ((float *)fit_other)[2 * i + d] = ((float *)x.ff)[D * i + d] * 3 + 1;
    const dn_matrix layers[2] = {matrix(N, 2, DN_F32, other), x.layer};
    const dn_matrix fit_layers[2] = {matrix(M, 2, DN_F32, fit_other), x.fit_layer};
    data both = x, first = x;
    both.input.layer = layers, both.input.layers = 2;
    both.set.layer = fit_layers, both.set.layers = 2;
    both.fit.set = &both.set;
    first.input.layer = layers, first.set.layer = fit_layers;
    first.fit = (dn_score_fit){.set = &first.set};
    double a[N], b[N], got[N];
    score(a, "mahalanobis", &first, DN_REDUCE_DEFAULT);
    score(b, "mahalanobis", &x, DN_REDUCE_DEFAULT);
    score(got, "mahalanobis", &both, DN_REDUCE_DEFAULT);
    cr_expect_arr_eq(got, b, sizeof got, "the last layer is the one that is read");
    score(got, "mahalanobis:layers=all", &both, DN_REDUCE_DEFAULT);
    for (int r = 0; r < N; r++) cr_expect_float_eq(got[r], a[r] + b[r], 1e-12 * (a[r] + b[r]));
    /* One member, so that each layer's fit scores are those of the same data scored as rows. */
    score(got, "mahalanobis:layers=all,combine=std", &both, DN_REDUCE_DEFAULT);
    double fit_scores[E][2][M], want[N];
    memset(want, 0, sizeof want);
    for (size_t e = 0; e < E; e++) {
        for (size_t l = 0; l < 2; l++) {
            const size_t dim = layers[l].columns;
            const dn_matrix rows = {1, M, dim, DN_F32, (const float *)fit_layers[l].data + e * M * dim, NULL, NULL};
            const dn_matrix test = {1, N, dim, DN_F32, (const float *)layers[l].data + e * N * dim, NULL, NULL};
            const dn_score_input set = {
                .logits = {1, M, C, DN_F64, x.zf[e], NULL, NULL}, .layer = &rows, .layers = 1, .labels = x.y};
            const dn_score_input input = {.logits = {1, N, C, DN_F64, x.z[e], NULL, NULL}, .layer = &test, .layers = 1};
            const dn_score_fit fit = {.set = &set};
            const dn_score_expression plain = parse("mahalanobis");
            double own[N], mean = 0, square = 0;
            cr_assert_eq(dn_score(fit_scores[e][l], &plain, &set, DN_REDUCE_DEFAULT, &fit), DN_OK);
            cr_assert_eq(dn_score(own, &plain, &input, DN_REDUCE_DEFAULT, &fit), DN_OK);
            for (int r = 0; r < M; r++) mean += fit_scores[e][l][r] / M;
            for (int r = 0; r < M; r++) square += pow(fit_scores[e][l][r] - mean, 2) / M;
            for (int r = 0; r < N; r++) want[r] += own[r] / sqrt(square) / 2 / E;
        }
    }
    for (int r = 0; r < N; r++) cr_expect_float_eq(got[r], want[r], 1e-10 * want[r]);
    score(got, "mahalanobis:layers=all,combine=fisher", &both, DN_REDUCE_MAX);
    for (int r = 0; r < N; r++) cr_expect(got[r] >= 0 && got[r] <= 4 * log(M + 1.0) + 1e-9, "%g", got[r]);
}

/* ---- what is refused ---- */

Test(ood_fit, missing_arrays_are_named)
{
    data x;
    draw(&x, 6);
    const data full = x;
    x.fit.set = NULL;
    refuse("mahalanobis", &x, DN_REDUCE_DEFAULT, DN_ERROR_ARGUMENT, "fit features, fit labels");
    x = full;
    x.fit.set = &x.set;
    x.set.labels = NULL;
    refuse("temp_scale", &x, DN_REDUCE_DEFAULT, DN_ERROR_ARGUMENT, "also needs: fit labels");
    x.fit.weight = NULL;
    refuse("react+energy", &x, DN_REDUCE_DEFAULT, DN_ERROR_ARGUMENT, "the head");
    x.input.layers = 0;
    refuse("knn", &x, DN_REDUCE_DEFAULT, DN_ERROR_ARGUMENT, "also needs: features");
    x = full;
    x.fit.set = &x.set;
    x.input.logits = (dn_matrix){0};
    double scores[N];
    score(scores, "knn:k=2", &x, DN_REDUCE_DEFAULT); /* distances need no logits */
    refuse("msp", &x, DN_REDUCE_DEFAULT, DN_ERROR_ARGUMENT, "also needs: logits");
}

Test(ood_fit, arrays_that_do_not_fit_together_are_refused)
{
    data x;
    draw(&x, 7);
    const data full = x;
    x.fit.set = &x.set;
    x.y[11] = C;
    refuse("mahalanobis", &x, DN_REDUCE_DEFAULT, DN_ERROR_SHAPE, "row 11 (counted from 0) is class 3");
    x.y[11] = -1;
    refuse("temp_scale", &x, DN_REDUCE_DEFAULT, DN_ERROR_SHAPE, "class -1");
    x = full;
    x.fit.set = &x.set;
    x.set.layer = &x.fit_layer;
    x.fit_layer.columns = D - 1;
    refuse("knn:k=2", &x, DN_REDUCE_DEFAULT, DN_ERROR_SHAPE, "3 columns, but features have 4");
    x.fit_layer = full.fit_layer;
    x.fit_layer.rows = M - 1;
    refuse("knn:k=2", &x, DN_REDUCE_DEFAULT, DN_ERROR_SHAPE, "do not belong to");
    x.fit_layer = full.fit_layer;
    x.fit_layer.data = x.ff;
    x.ff[1][41][2] = NAN;
    refuse("knn:k=2", &x, DN_REDUCE_DEFAULT, DN_ERROR_NUMERIC, "fit features: member 1, row 41, column 2");
    refuse("knn:k=2", &x, DN_REDUCE_PROB, DN_ERROR_ARGUMENT, "only scores of logits");
    refuse("gradnorm", &full, DN_REDUCE_LOGIT, DN_ERROR_ARGUMENT, "only scores of logits");
    refuse("react+energy", &full, DN_REDUCE_PROB, DN_ERROR_ARGUMENT, "T=1");
    refuse("odin", &full, DN_REDUCE_DEFAULT, DN_ERROR_ARGUMENT, "dunlin evaluate");
    refuse("mahalanobis:eps=.01", &full, DN_REDUCE_DEFAULT, DN_ERROR_ARGUMENT, "dunlin evaluate");
}

Test(ood_fit, a_class_without_rows_is_noted_once)
{
    data x;
    draw(&x, 8);
    for (int r = 0; r < M; r++) x.y[r] = r % 2; /* class 2 has none */
    const dn_score_expression both[] = {parse("mahalanobis"), parse("rmds")};
    dn_scorer *scorer;
    cr_assert_eq(dn_scorer_open(&scorer, both, 2, DN_REDUCE_DEFAULT, &x.input, &x.fit), DN_OK, "%s", dn_error_last());
    const char *notes = dn_scorer_notes(scorer), *found = strstr(notes, "class 2");
    cr_assert_not_null(found, "notes: %s", notes);
    cr_expect_null(strstr(found + 1, "class 2"), "notes: %s", notes);
    dn_scorer_close(scorer);
}

Test(ood_fit, numbers_that_nothing_reads_must_be_finite_too)
{
    data x;
    draw(&x, 9);
    x.z[1][4][2] = NAN;
    refuse("knn:k=2", &x, DN_REDUCE_DEFAULT, DN_ERROR_NUMERIC, "logits: member 1, row 4, column 2");
    x.z[1][4][2] = 0.0;
    x.f[0][3][1] = INFINITY;
    refuse("msp", &x, DN_REDUCE_DEFAULT, DN_ERROR_NUMERIC, "features: member 0, row 3, column 1");
    x.f[0][3][1] = 0.0F;
    x.zf[1][M - 1][0] = -INFINITY;
    refuse("knn:k=2", &x, DN_REDUCE_DEFAULT, DN_ERROR_NUMERIC, "fit logits: member 1, row 89, column 0");
    x.zf[1][M - 1][0] = 0.0;
    x.ff[0][70][0] = NAN;
    refuse("kl_matching", &x, DN_REDUCE_DEFAULT, DN_ERROR_NUMERIC, "fit features: member 0, row 70, column 0");
}
