/** Score formulas by hand, saturated rows, and the expressions that name methods. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "core/random.h"
#include "ood/score.h"

static dn_score_expression parse(const char *text)
{
    dn_score_expression expression;
    cr_assert_eq(dn_expression_parse(&expression, text), DN_OK, "%s", dn_error_last());
    return expression;
}

/** @param logits [members, rows, columns] @param scores [rows] */
static void score(double *scores, const char *text, const double *logits, size_t members, size_t rows, size_t columns,
                  dn_reduce reduce)
{
    const dn_score_expression expression = parse(text);
    const dn_score_input input = {.logits = {members, rows, columns, DN_F64, logits, NULL, NULL}};
    cr_assert_eq(dn_score(scores, &expression, &input, reduce, NULL), DN_OK, "%s", dn_error_last());
}

static double score_row(const char *expression, const double *logits, size_t members, size_t columns)
{
    double value;
    score(&value, expression, logits, members, 1, columns, DN_REDUCE_DEFAULT);
    return value;
}

/** Rounding errors of a few operations on numbers of size 1. */
static void expect_near(double got, double want, const char *what)
{
    cr_expect(fabs(got - want) <= 32 * 0x1p-52 * fmax(1, fabs(want)), "%s: %.17g, expected %.17g", what, got, want);
}

/** p = 1/2, 1/4, 1/8, 1/8: ln p, beside a shift of 5 that softmax does not see */
static const double p_halves[] = {5 - 0.69314718055994531, 5 - 2 * 0.69314718055994531, 5 - 3 * 0.69314718055994531,
                                  5 - 3 * 0.69314718055994531};

Test(ood_methods, one_model_by_hand)
{
    const double ln2 = 0.69314718055994531;
    expect_near(score_row("msp", p_halves, 1, 4), 0.5, "msp");
    expect_near(score_row("max_logit", p_halves, 1, 4), ln2 - 5, "max_logit");
    expect_near(score_row("energy", p_halves, 1, 4), -5, "energy");
    /* T = 1/2: z / T = 10 + 2 ln p, so that -T ln(e^10 sum p^2) */
    expect_near(score_row("energy:T=.5", p_halves, 1, 4), -0.5 * (10 + log(0.25 + 1 / 16.0 + 2 / 64.0)), "energy:T=.5");
    expect_near(score_row("entropy", p_halves, 1, 4), 1.75 * ln2, "entropy");
    expect_near(score_row("gen:gamma=1", p_halves, 1, 4), 0.25 + 3 / 16.0 + 2 * 7 / 64.0, "gen:gamma=1");
    expect_near(score_row("gen:gamma=.5,top=2", p_halves, 1, 4), 0.5 + sqrt(3) / 4, "gen:gamma=.5,top=2");
    expect_near(score_row("gen:top=1,gamma=.5", p_halves, 1, 4), 0.5, "gen:top=1");
}

Test(ood_methods, ensembles_by_hand)
{
    /* Two members, two classes: p = (3/4, 1/4) and (1/4, 3/4). */
    const double ln3 = 1.0986122886681098, z[] = {ln3, 0, 0, ln3}, h = 0.25 * log(4) + 0.75 * log(4 / 3.0);
    expect_near(score_row("predictive_entropy", z, 2, 2), log(2), "predictive_entropy");
    expect_near(score_row("expected_entropy", z, 2, 2), h, "expected_entropy");
    expect_near(score_row("mutual_information", z, 2, 2), log(2) - h, "mutual_information");
    expect_near(score_row("ensemble_msp", z, 2, 2), 0.5, "ensemble_msp");
    expect_near(score_row("variance", z, 2, 2), 2 / 16.0, "variance");
    expect_near(score_row("variation_ratio", z, 2, 2), 0.5, "variation_ratio");
    expect_near(score_row("pairwise_kl", z, 2, 2), 0.5 * ln3, "pairwise_kl");
    expect_near(score_row("leave_out:T=1", z, 2, 2), 2 * (h - 0.75), "leave_out");
    const double doubled[] = {2 * ln3, 0, 0, 2 * ln3};
    expect_near(score_row("leave_out:T=2", doubled, 2, 2), 2 * (h - 0.75), "leave_out:T=2");
}

Test(ood_methods, members_that_agree_have_nothing_to_share)
{
    const double z[] = {1, 2, -3, 1, 2, -3, 1, 2, -3};
    expect_near(score_row("mutual_information", z, 3, 3), 0, "mutual_information");
    expect_near(score_row("variance", z, 3, 3), 0, "variance");
    cr_expect_eq(score_row("variation_ratio", z, 3, 3), 0);
    cr_expect_eq(score_row("pairwise_kl", z, 3, 3), 0);
}

Test(ood_methods, rounding_never_makes_mutual_information_negative)
{
    enum { ROWS = 300 };
    double z[3][ROWS][4], s[ROWS];
    dn_random_sequence r = {.seed = 10};
    for (int i = 0; i < ROWS * 4; i++) z[0][i / 4][i % 4] = dn_random_next_normal(&r);
    memcpy(z[1], z[0], sizeof z[0]);
    memcpy(z[2], z[0], sizeof z[0]);
    score(s, "mutual_information", z[0][0], 3, ROWS, 4, DN_REDUCE_DEFAULT);
    for (int i = 0; i < ROWS; i++) cr_expect(s[i] >= 0 && s[i] < 1e-14, "row %d: %g", i, s[i]);
}

Test(ood_methods, one_member_is_an_ensemble)
{
    double z[7];
    dn_random_sequence r = {.seed = 8};
    for (int i = 0; i < 7; i++) z[i] = 3 * dn_random_next_normal(&r);
    expect_near(score_row("predictive_entropy", z, 1, 7), score_row("entropy", z, 1, 7), "predictive_entropy");
    expect_near(score_row("expected_entropy", z, 1, 7), score_row("entropy", z, 1, 7), "expected_entropy");
    expect_near(score_row("ensemble_msp", z, 1, 7), score_row("msp", z, 1, 7), "ensemble_msp");
    expect_near(score_row("leave_out:T=1", z, 1, 7), score_row("entropy", z, 1, 7) + score_row("msp", z, 1, 7) - 1,
                "leave_out");
    const char *const zero[] = {"mutual_information", "variance", "variation_ratio", "pairwise_kl"};
    for (int i = 0; i < 4; i++) cr_expect_eq(score_row(zero[i], z, 1, 7), 0, "%s", zero[i]);
}

Test(ood_methods, a_vote_goes_to_the_lowest_of_equals)
{
    /* Members vote 0 (tied with 2), 1, 1, 0: two votes each. */
    const double z[] = {1, 0, 1, /**/ 0, 3, 0, /**/ 0, 2, 1, /**/ 5, 0, 0};
    expect_near(score_row("variation_ratio", z, 4, 3), 0.5, "variation_ratio");
}

Test(ood_methods, saturated_rows_keep_their_rank)
{
    /* Each row is surer than the one before; from row 1 on, the largest p rounds to 1. */
    const double z[] = {10, 0, 0, 40, 0, 0, 60, 0, 0, 80, 0, 0, 700, 0, 0};
    const char *const names[] = {"msp", "entropy", "gen", "ensemble_msp", "predictive_entropy", "expected_entropy"};
    for (int i = 0; i < 6; i++) {
        double s[5];
        score(s, names[i], z, 1, 5, 3, DN_REDUCE_DEFAULT);
        for (int r = 0; r < 4; r++)
            cr_expect(s[r] > s[r + 1] && s[r + 1] > 0, "%s, row %d: %g, %g", names[i], r, s[r], s[r + 1]);
    }
    const double p = 2 * exp(-60.0);
    cr_expect_float_eq(score_row("msp", z + 6, 1, 3) / p, 1, 1e-13);
    cr_expect_float_eq(score_row("entropy", z + 6, 1, 3) / (p * 61), 1, 1e-13); /* p ln 1/p + (1 - p) p */
    cr_expect_float_eq(score_row("predictive_entropy", z + 6, 1, 3) / (p * 61), 1, 1e-13);
}

Test(ood_methods, a_sum_of_one_keeps_its_small_part)
{
    /* The sums of exp are 1 + 2 exp(-60), which rounds to 1. */
    const double z[] = {0, -60, -60, 0, -60, -60, 0, -60, -60};
    const double small = 2 * exp(-60.0);
    double joint;
    cr_expect_float_eq(score_row("energy", z, 1, 3) / -small, 1, 1e-13);
    score(&joint, "max_logit", z, 3, 1, 3, DN_REDUCE_PROB);
    cr_expect_float_eq(joint / small, 1, 1e-13, "-max ln pm is %g", joint);
}

Test(ood_methods, huge_logits_do_not_overflow)
{
    const double z[] = {1e308, -1e308, 0}, tied[] = {-1e300, -1e300};
    cr_expect_eq(score_row("msp", z, 1, 3), 0);
    cr_expect_eq(score_row("entropy", z, 1, 3), 0);
    cr_expect_eq(score_row("energy:T=1e-3", z, 1, 3), -1e308);
    cr_expect_eq(score_row("energy:T=1000", tied, 1, 2), 1e300);
    cr_expect_eq(score_row("gen", z, 1, 3), 0);
    cr_expect_eq(score_row("msp", tied, 1, 2), 0.5);
}

Test(ood_methods, a_shift_of_all_logits_changes_no_probability)
{
    double z[2][6], shifted[2][6];
    dn_random_sequence r = {.seed = 9};
    for (int i = 0; i < 12; i++) {
        z[i / 6][i % 6] = dn_random_next_normal(&r);
        shifted[i / 6][i % 6] = z[i / 6][i % 6] + (i < 6 ? 64 : -32);
    }
    size_t count;
    const dn_method *const *methods = dn_methods(&count);
    for (size_t i = 0; i < count; i++) {
        const char *name = methods[i]->name;
        if (methods[i]->needs != DN_NEEDS_LOGITS || methods[i]->pass != DN_PASS_NONE) continue;
        if (strcmp(name, "max_logit") == 0 || strcmp(name, "energy") == 0) continue;
        const double a = score_row(name, z[0], 2, 6), b = score_row(name, shifted[0], 2, 6);
        /* Adding 64 rounds a logit by up to 2^-47. */
        cr_expect(fabs(a - b) <= 64 * 0x1p-47, "%s: %.17g, shifted %.17g", name, a, b);
    }
}

Test(ood_methods, gen_takes_the_largest_of_many)
{
    enum { C = 300 };
    double z[C], sum = 0, want = 0;
    for (int c = 0; c < C; c++) z[c] = 4 * sin(c * 1.7);
    for (int c = 0; c < C; c++) sum += exp(z[c]);
    for (int c = 0; c < C; c++) {
        int larger = 0;
        for (int k = 0; k < C; k++) larger += z[k] > z[c] || (c > k && z[k] == z[c]);
        const double p = exp(z[c]) / sum;
        if (larger < 100) want += pow(p * (1 - p), 0.1);
    }
    const double got = score_row("gen", z, 1, C);
    cr_expect_float_eq(got, want, 1e-12, "%.17g, expected %.17g", got, want);
}

static void check_option(const dn_method_option *option, double parsed)
{
    cr_expect(option->name && option->text);
    if (option->automatic) {
        cr_expect(isnan(parsed), "%s", option->name);
        return;
    }
    cr_expect_eq(parsed, option->standard, "%s", option->name);
    if (!option->word) cr_expect(option->low <= option->standard && option->standard <= option->high);
}

Test(ood_methods, the_table_is_complete)
{
    size_t count;
    const dn_method *const *methods = dn_methods(&count);
    for (size_t i = 0; i < count; i++) {
        const dn_method *m = methods[i];
        cr_expect(m->name && m->text && m->source);
        cr_expect_eq(dn_method_find(m->name), m);
        cr_expect_eq(!m->fit, !m->close, "%s", m->name);
        cr_expect(m->kind == DN_METHOD_SINGLE     ? m->score.single != NULL
                  : m->kind == DN_METHOD_ENSEMBLE ? m->score.ensemble != NULL
                                                  : m->score.shape || m->shape_head,
                  "%s", m->name);
        const dn_score_expression e = parse(m->name);
        const dn_method_call *call = m->kind == DN_METHOD_SHAPING ? &e.shaping[0] : &e.base;
        cr_expect_eq(call->method, m);
        for (size_t k = 0; k < m->option_count; k++) {
            check_option(&m->option[k], call->option[k]);
            for (size_t l = 0; l < k; l++) cr_expect(strcmp(m->option[k].name, m->option[l].name) != 0);
        }
    }
    cr_expect_null(dn_method_find("none"));
}

Test(ood_methods, options_are_found_by_name)
{
    const dn_score_expression gen = parse("gen:top=7,gamma=2.5e-1");
    cr_expect_eq(dn_method_option_value(&gen.base, "gamma"), 0.25);
    cr_expect_eq(dn_method_option_value(&gen.base, "top"), 7);
}

/* ---- properties, over random ensembles ---- */

enum { P_ROWS = 37, P_COLUMNS = 6, P_MEMBERS = 5, P_MODEL = P_ROWS * P_COLUMNS };

static const char *const ensemble_names[] = {"predictive_entropy", "expected_entropy", "mutual_information",
                                             "ensemble_msp",       "variance",         "variation_ratio",
                                             "pairwise_kl",        "leave_out:T=2"};
enum { ENSEMBLE_NAMES = sizeof ensemble_names / sizeof *ensemble_names };

static void random_logits(double *z, int count, uint64_t seed)
{
    dn_random_sequence r = {.seed = seed};
    for (int i = 0; i < count; i++) z[i] = 4 * dn_random_next_normal(&r);
}

/** Sums over members come in another order: rounding. */
Test(ood_methods, the_order_of_members_does_not_matter)
{
    double z[P_MEMBERS * P_MODEL], turned[P_MEMBERS * P_MODEL], a[P_ROWS], b[P_ROWS];
    random_logits(z, P_MEMBERS * P_MODEL, 31);
    for (int e = 0; e < P_MEMBERS; e++)
        memcpy(turned + e * P_MODEL, z + (e + 2) % P_MEMBERS * P_MODEL, P_MODEL * sizeof *z);
    for (int i = 0; i < ENSEMBLE_NAMES; i++) {
        score(a, ensemble_names[i], z, P_MEMBERS, P_ROWS, P_COLUMNS, DN_REDUCE_DEFAULT);
        score(b, ensemble_names[i], turned, P_MEMBERS, P_ROWS, P_COLUMNS, DN_REDUCE_DEFAULT);
        for (int r = 0; r < P_ROWS; r++) expect_near(a[r], b[r], ensemble_names[i]);
    }
}

Test(ood_methods, copies_of_a_member_say_what_it_says)
{
    double z[P_MEMBERS * P_MODEL], one[P_ROWS], many[P_ROWS];
    random_logits(z, P_MODEL, 32);
    for (int e = 1; e < P_MEMBERS; e++) memcpy(z + e * P_MODEL, z, P_MODEL * sizeof *z);
    for (int i = 0; i < ENSEMBLE_NAMES; i++) {
        const bool sum = strncmp(ensemble_names[i], "leave_out", 9) == 0;
        score(one, ensemble_names[i], z, 1, P_ROWS, P_COLUMNS, DN_REDUCE_DEFAULT);
        score(many, ensemble_names[i], z, P_MEMBERS, P_ROWS, P_COLUMNS, DN_REDUCE_DEFAULT);
        for (int r = 0; r < P_ROWS; r++) expect_near(many[r], sum ? P_MEMBERS * one[r] : one[r], ensemble_names[i]);
    }
    const char *const single[] = {"msp", "entropy", "gen", "energy:T=2"};
    for (int i = 0; i < 4; i++) {
        score(one, single[i], z, 1, P_ROWS, P_COLUMNS, DN_REDUCE_DEFAULT);
        for (int reduce = DN_REDUCE_SCORE; reduce < DN_REDUCE_COUNT; reduce++) {
            if (reduce == DN_REDUCE_PROB && i == 3) continue; /* of ln p, energy is another number */
            score(many, single[i], z, P_MEMBERS, P_ROWS, P_COLUMNS, (dn_reduce)reduce);
            for (int r = 0; r < P_ROWS; r++) expect_near(many[r], one[r], single[i]);
        }
    }
}

Test(ood_methods, mutual_information_and_divergence_are_not_negative)
{
    enum { ROWS = 2000 };
    static double z[2 * ROWS * 3], s[ROWS];
    random_logits(z, 2 * ROWS * 3, 33);
    for (int i = 0; i < ROWS * 3; i++) z[ROWS * 3 + i] = z[i] + 1e-8 * (i % 7); /* nearly the same member */
    score(s, "mutual_information", z, 2, ROWS, 3, DN_REDUCE_DEFAULT);
    for (int r = 0; r < ROWS; r++) cr_expect_geq(s[r], 0);
    score(s, "pairwise_kl", z, 2, ROWS, 3, DN_REDUCE_DEFAULT);
    for (int r = 0; r < ROWS; r++) cr_expect_geq(s[r], 0);
}

/** Rows that share a vector do not see each other, and lone rows are computed alike. */
Test(ood_methods, a_row_scores_the_same_in_any_block)
{
    double z[P_MODEL], all[P_ROWS];
    random_logits(z, P_MODEL, 34);
    const char *const names[] = {"msp", "max_logit", "energy:T=3", "entropy", "gen", "gen:top=2", "leave_out"};
    for (int i = 0; i < 7; i++) {
        score(all, names[i], z, 1, P_ROWS, P_COLUMNS, DN_REDUCE_DEFAULT);
        for (int r = 0; r < P_ROWS; r++)
            cr_expect_eq(all[r], score_row(names[i], z + r * P_COLUMNS, 1, P_COLUMNS), "%s, row %d", names[i], r);
    }
}

Test(ood_methods, wrong_expressions_say_what_is_wrong)
{
    static const struct {
        const char *expression, *text;
    } cases[] = {
        {"msq", "did you mean 'msp'"},
        {"", "a name is missing"},
        {"completely_else", "known: msp, max_logit"},
        {"enrgy:T=2", "did you mean 'energy'"},
        {"msp:T=2", "msp takes no options"},
        {"gen:gama=.1", "did you mean 'gamma'"},
        {"energy:temperature=2", "known: T"},
        {"energy:", "write key=value"},
        {"energy:T", "'T' is no option"},
        {"energy:T=1,", "write key=value"},
        {"energy:T=", "is no number"},
        {"energy:T=two", "'two' is no number"},
        {"energy:T=nan", "is no number"},
        {"energy:T=0x1", "is no number"},
        {"energy:T=1e", "is no number"},
        {"energy:T=1.2.3", "is no number"},
        {"energy:T= 1", "is no number"},
        {"energy:T=0", "greater than 0"},
        {"energy:T=-1", "greater than 0"},
        {"energy:T=1e999", "at most"},
        {"energy:T=1,T=2", "given twice"},
        {"gen:top=0", "at least 1"},
        {"gen:top=2.5", "whole number"},
        {"gen:gamma=0", "greater than 0"},
        {"msp+gen", "msp"},
        {"msp+", "msp"},
        {"this_name_is_much_longer_than_any_method_can_ever_be_named_and_must_not_overflow_a_buffer:T=1", "known: msp"},
        {"energy:T=1111111111111111111111111111111111111111111111111111111111111111111111", "is no number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dn_score_expression expression;
        cr_expect_eq(dn_expression_parse(&expression, cases[i].expression), DN_ERROR_ARGUMENT, "'%s'",
                     cases[i].expression);
        cr_expect(strstr(dn_error_last(), cases[i].text), "'%s': '%s' lacks '%s'", cases[i].expression, dn_error_last(),
                  cases[i].text);
    }
}
