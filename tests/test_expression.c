/** Score expressions: what they mean, what they need, their shortest text, lists and sweeps, and what is refused. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "ood/expression.h"

enum { TEXT_MAX = 2048 };

static dn_score_expression parse(const char *text)
{
    dn_score_expression e;
    cr_assert_eq(dn_expression_parse(&e, text), DN_OK, "%s", dn_error_last());
    return e;
}

/** Holds the message against its important part. */
static void refuse(const char *text, const char *message)
{
    dn_score_expression e = {.shapings = 77};
    cr_expect_eq(dn_expression_parse(&e, text), DN_ERROR_ARGUMENT, "'%s' was accepted", text);
    cr_expect(strstr(dn_error_last(), message), "'%s' lacks '%s'", dn_error_last(), message);
    cr_expect(e.shapings == 77 && !e.base.method, "%s: the result was touched", text);
}

static void expect_text(const char *text, const char *shortest)
{
    char written[TEXT_MAX], again[TEXT_MAX];
    const dn_score_expression e = parse(text);
    cr_expect_str_eq(dn_expression_text(&e, written, sizeof written), shortest);
    const dn_score_expression back = parse(written);
    cr_expect_str_eq(dn_expression_text(&back, again, sizeof again), shortest);
}

/* ---- one expression ---- */

Test(expression, takes_defaults_and_given_options)
{
    const dn_score_expression e = parse("gen:top=5");
    cr_expect_str_eq(e.base.method->name, "gen");
    cr_expect_eq(dn_method_option_value(&e.base, "gamma"), .1);
    cr_expect_eq(dn_method_option_value(&e.base, "top"), 5);
    cr_expect_eq(e.shapings, 0);
    cr_expect_eq(e.layers, DN_LAYERS_LAST);
    cr_expect_eq(e.combine, DN_COMBINE_SUM);
}

Test(expression, reads_numbers_as_people_write_them)
{
    static const struct {
        const char *text;
        double value;
    } cases[] = {{"energy:T=2", 2},       {"energy:T=2.50", 2.5},  {"energy:T=.5", .5},
                 {"energy:T=1e3", 1e3},   {"energy:T=1e+3", 1e3},  {"energy:T=+2", 2},
                 {"energy:T=+.5e+0", .5}, {"energy:T=25E-1", 2.5}, {"energy:T=1E+.5", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].value == 0) {
            refuse(cases[i].text, "'1E+.5' is no number");
            continue;
        }
        const dn_score_expression e = parse(cases[i].text);
        cr_expect_eq(e.base.option[0], cases[i].value, "%s", cases[i].text);
    }
}

Test(expression, a_plus_joins_unless_it_belongs_to_a_number)
{
    const dn_score_expression e = parse("react:q=+.8e+0+energy:T=1e+1");
    cr_expect_eq(e.shapings, 1);
    cr_expect_eq(e.shaping[0].option[0], .8);
    cr_expect_eq(e.base.option[0], 10);
    refuse("react:q=.9+.5", "there is no method '.5'");
    refuse("react+5", "there is no method '5'");
}

Test(expression, options_may_be_words)
{
    cr_expect_eq(parse("she").base.option[0], 0);
    cr_expect_eq(parse("she:rule=predicted").base.option[0], 0);
    cr_expect_eq(parse("she:rule=max").base.option[0], 1);
    const dn_score_expression e = parse("ash:variant=b");
    cr_expect_eq(dn_method_option_value(&e.shaping[0], "variant"), 1);
    cr_expect_eq(dn_method_option_value(&e.shaping[0], "p"), .9);
}

Test(expression, automatic_options_are_nan_until_they_are_given)
{
    const dn_score_expression automatic = parse("vim"), given = parse("vim:dim=7");
    cr_expect(isnan(dn_method_option_value(&automatic.base, "dim")));
    cr_expect_eq(dn_method_option_value(&given.base, "dim"), 7);
}

Test(expression, layered_methods_have_layers_and_combine)
{
    const dn_score_expression e = parse("knn:layers=all,k=3,combine=fisher");
    cr_expect_eq(e.layers, DN_LAYERS_ALL);
    cr_expect_eq(e.combine, DN_COMBINE_FISHER);
    cr_expect_eq(dn_method_option_value(&e.base, "k"), 3);
    cr_expect_eq(parse("mahalanobis:combine=std").combine, DN_COMBINE_STD);
    cr_expect_eq(parse("gram").layers, DN_LAYERS_ALL);
    cr_expect_eq(parse("gram:layers=last").layers, DN_LAYERS_LAST);
    refuse("msp:layers=all", "msp takes no options, but 'layers' was given; leave it out");
    refuse("gen:layers=all", "there is no option of gen named 'layers'; known: gamma, top");
    refuse("knn:layers=first", "there is no value of layers named 'first'; known: last, all");
    refuse("knn:combine=fischer", "did you mean 'fisher'?");
    refuse("knn:layers=all,layers=all", "layers is given twice; leave one out");
}

Test(expression, shapings_stack_in_their_order)
{
    const dn_score_expression e = parse("react:q=.95+scale+gen:gamma=.05");
    cr_assert_eq(e.shapings, 2);
    cr_expect_str_eq(e.shaping[0].method->name, "react");
    cr_expect_eq(e.shaping[0].option[0], .95);
    cr_expect_str_eq(e.shaping[1].method->name, "scale");
    cr_expect_str_eq(e.base.method->name, "gen");
    cr_expect_eq(e.base.option[0], .05);
}

Test(expression, energy_follows_if_the_last_is_a_shaping)
{
    const dn_score_expression e = parse("scale+react");
    cr_assert_eq(e.shapings, 2);
    cr_expect_str_eq(e.shaping[1].method->name, "react");
    cr_expect_str_eq(e.base.method->name, "energy");
    cr_expect_eq(e.base.option[0], 1);
}

Test(expression, only_scores_of_one_models_logits_follow_a_shaping)
{
    static const char *const bases[] = {"msp", "max_logit", "energy", "entropy", "gen", "temp_scale", "kl_matching"};
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "react+%s", bases[i]);
        cr_expect_str_eq(parse(text).base.method->name, bases[i]);
    }
    static const char *const others[] = {"knn",       "mahalanobis", "vim",      "gradnorm",  "predictive_entropy",
                                         "leave_out", "odin",        "rankfeat", "mc_dropout"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char text[64], message[128];
        (void)snprintf(text, sizeof text, "react+%s", others[i]);
        (void)snprintf(message, sizeof message, "%s cannot follow a shaping: a score of one model's logits must (msp, ",
                       others[i]);
        refuse(text, message);
    }
    refuse("knn+msp", "knn is no shaping: before a '+' only shapings may stand (react, vra, ash, scale, dice); "
                      "separate scores by commas");
    refuse("msp+react", "msp is no shaping");
    refuse("react+msp+energy", "msp is no shaping");
}

Test(expression, stacks_have_a_limit)
{
    char text[TEXT_MAX] = "react";
    size_t length = strlen(text);
    for (int i = 1; i < DN_SHAPINGS_MAX; i++) {
        length += (size_t)snprintf(text + length, sizeof text - length, "+scale:p=.%d", i);
    }
    cr_expect_eq(parse(text).shapings, DN_SHAPINGS_MAX);
    (void)snprintf(text + length, sizeof text - length, "+msp");
    cr_expect_eq(parse(text).shapings, DN_SHAPINGS_MAX);
    (void)snprintf(text + length, sizeof text - length, "+ash");
    refuse(text, "more than 8 shapings; leave some out");
}

Test(expression, says_what_is_wrong)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"msq", "score 'msq': there is no method 'msq'; did you mean 'msp'?"},
        {"xyzzyx", "there is no method 'xyzzyx'; known: msp, max_logit, energy, "},
        {"MSP", "did you mean 'msp'?"},
        {"", "a name is missing; write name:key=value, names joined by '+'"},
        {"react+", "a name is missing"},
        {"+msp", "a name is missing"},
        {"react++msp", "a name is missing"},
        {":T=1", "a name is missing"},
        {"energy:", "'' is no option; write key=value,key=value after the ':'"},
        {"energy:T", "'T' is no option"},
        {"energy:T=1,", "'' is no option"},
        {"energy:=1", "there is no option of energy named ''; known: T"},
        {"energy:t=1", "there is no option of energy named 't'; did you mean 'T'?"},
        {"gen:gama=1", "did you mean 'gamma'?"},
        {"msp:T=2", "msp takes no options, but 'T' was given; leave it out"},
        {"energy,T=2", "options follow a ':', as in energy:T=2"},
        {"energy:T=2,T=2", "T is given twice; leave one out"},
        {"energy:T=", "'' is no number; T takes one, as in T=1"},
        {"energy:T=two", "'two' is no number"},
        {"energy:T=nan", "'nan' is no number"},
        {"energy:T=inf", "'inf' is no number"},
        {"energy:T=0x1", "'0x1' is no number"},
        {"energy:T= 1", "' 1' is no number"},
        {"energy:T=1:2", "'1:2' is no number"},
        {"energy:T=1=2", "'1=2' is no number"},
        {"energy:T=1e", "'1e' is no number"},
        {"energy:T=0", "T is 0, but it must be greater than 0 and at most 1e+06"},
        {"energy:T=-1", "T is -1, but it must be greater than 0"},
        {"energy:T=1e999", "T is inf, but it must be greater than 0 and at most 1e+06"},
        {"gen:top=0", "top is 0, but it must be at least 1 and at most 1e+09"},
        {"gen:top=2.5", "top is 2.5, but it must be a whole number"},
        {"vim:dim=x", "'x' is no number; dim takes one, as in dim=1"},
        {"react:q=1.5", "q is 1.5, but it must be at least 0 and at most 1"},
        {"ash:variant=x", "there is no value of variant named 'x'; known: p, b, s"},
        {"she:rule=mx", "there is no value of rule named 'mx'; did you mean 'max'?"},
        {"she:rule=", "there is no value of rule named ''; known: predicted, max"},
        {"knn:k=1|5", "'|' joins the values of an option, as in knn:k=1|5, in a list of scores"},
        {"msp|energy", "scores are separated by commas"},
        {"all", "there is no method 'all'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) refuse(cases[i].text, cases[i].message);
}

Test(expression, messages_survive_texts_of_any_length)
{
    enum { LENGTH = 100000 };
    char *text = dn_calloc(LENGTH + 1, 1);
    memset(text, 'x', LENGTH);
    refuse(text, "there is no method 'xxx");
    (void)snprintf(text, LENGTH, "energy:T=");
    text[9] = '1';
    memset(text + 10, '0', LENGTH - 10);
    refuse(text, "is no number");
    memset(text, '+', LENGTH);
    refuse(text, "a name is missing");
    dn_free(text);
}

/* ---- needs ---- */

Test(expression, needs_what_the_method_needs)
{
    enum {
        Z = DN_NEEDS_LOGITS,
        F = DN_NEEDS_FEATURES,
        H = DN_NEEDS_HEAD,
        FIT_Z = DN_NEEDS_FIT_LOGITS,
        FIT_F = DN_NEEDS_FIT_FEATURES,
        FIT_Y = DN_NEEDS_FIT_LABELS
    };
    static const struct {
        const char *text;
        unsigned needs;
    } cases[] = {{"msp", Z},
                 {"temp_scale", Z | FIT_Z | FIT_Y},
                 {"kl_matching", Z | FIT_Z},
                 {"predictive_entropy", Z},
                 {"react", F | H | FIT_F},
                 {"react+temp_scale", F | H | FIT_F | FIT_Y},
                 {"react+kl_matching", F | H | FIT_F},
                 {"vra+max_logit", F | H | FIT_F},
                 {"ash", F | H},
                 {"scale+gen", F | H},
                 {"ash+scale+msp", F | H},
                 {"ash+kl_matching", F | H | FIT_F},
                 {"ash+temp_scale", F | H | FIT_F | FIT_Y},
                 {"dice", F | H | FIT_F},
                 {"scale+react", F | H | FIT_F}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const dn_score_expression e = parse(cases[i].text);
        cr_expect_eq(dn_expression_needs(&e), cases[i].needs, "%s: %u, expected %u", cases[i].text,
                     dn_expression_needs(&e), cases[i].needs);
    }
}

/* ---- text ---- */

Test(expression, text_is_as_short_as_it_can_be)
{
    expect_text("msp", "msp");
    expect_text("gen:gamma=.1,top=100", "gen");
    expect_text("gen:top=5,gamma=0.050", "gen:gamma=.05,top=5");
    expect_text("energy:T=1e+3", "energy:T=1000");
    expect_text("energy:T=0.00001", "energy:T=1e-5");
    expect_text("energy:T=12.5e-7", "energy:T=1.25e-6");
    expect_text("energy:T=0.1234567890123456", "energy:T=.1234567890123456");
    expect_text("react+energy", "react");
    expect_text("react+energy:T=1", "react");
    expect_text("react+energy:T=2", "react+energy:T=2");
    expect_text("react:q=.9+ash:variant=s,p=.8+msp", "react+ash:p=.8+msp");
    expect_text("ash:variant=b", "ash:variant=b");
    expect_text("she:rule=predicted", "she");
    expect_text("knn:layers=all,k=7,combine=std", "knn:k=7,layers=all,combine=std");
    expect_text("knn:layers=last,combine=sum", "knn");
    expect_text("gram:layers=all", "gram");
    expect_text("gram:layers=last", "gram:layers=last");
    expect_text("vim:dim=24", "vim:dim=24");
}

Test(expression, text_stays_within_its_room)
{
    const dn_score_expression e = parse("react:q=.95+gen:gamma=.05");
    char whole[64], part[64];
    dn_expression_text(&e, whole, sizeof whole);
    for (size_t size = 1; size <= strlen(whole) + 1; size++) {
        memset(part, '#', sizeof part);
        cr_expect_eq(dn_expression_text(&e, part, size), part);
        cr_expect_eq(strlen(part), size - 1);
        cr_expect_eq(strncmp(part, whole, size - 1), 0);
        cr_expect_eq(part[size], '#');
    }
    memset(part, '#', sizeof part);
    dn_expression_text(&e, part, 0);
    cr_expect_eq(part[0], '#');
}

/* ---- lists ---- */

/** @param want texts, separated by blanks */
static void expect_list(const char *text, const char *want)
{
    dn_expression_list list = {0};
    char got[TEXT_MAX] = "", again[TEXT_MAX], once[TEXT_MAX];
    cr_assert_eq(dn_expression_list_add(&list, text), DN_OK, "%s", dn_error_last());
    size_t length = 0;
    for (size_t i = 0; i < list.count; i++) {
        length += (size_t)snprintf(got + length, sizeof got - length, i ? " %s" : "%s", list.text[i]);
        const dn_score_expression e = parse(list.text[i]);
        cr_expect_str_eq(dn_expression_text(&e, once, sizeof once),
                         dn_expression_text(&list.expression[i], again, sizeof again));
    }
    cr_expect_str_eq(got, want, "%s: got '%s', expected '%s'", text, got, want);
    dn_expression_list_close(&list);
    cr_expect_eq(list.count, 0);
    cr_expect_null(list.text);
}

Test(expression_list, commas_separate_names_but_not_options)
{
    expect_list("msp", "msp");
    expect_list("msp,energy:T=2,gen:gamma=.5,top=3,entropy", "msp energy:T=2 gen:gamma=.5,top=3 entropy");
    expect_list("ash:variant=b,p=.75+gen:top=5,gamma=.2,msp", "ash:variant=b,p=.75+gen:top=5,gamma=.2 msp");
    expect_list("react+scale+gen,react,msp", "react+scale+gen react msp");
}

Test(expression_list, sweeps_multiply)
{
    expect_list("knn:k=1|5|10", "knn:k=1 knn:k=5 knn:k=10");
    expect_list("gen:gamma=.1|.2,top=3|4",
                "gen:gamma=.1,top=3 gen:gamma=.1,top=4 gen:gamma=.2,top=3 gen:gamma=.2,top=4");
    expect_list("ash:variant=p|b", "ash:variant=p ash:variant=b");
    expect_list("react:q=.8|.95+energy:T=1e+1|+2",
                "react:q=.8+energy:T=1e+1 react:q=.8+energy:T=+2 react:q=.95+energy:T=1e+1 react:q=.95+energy:T=+2");
    expect_list("knn:k=5,layers=last|all,msp", "knn:k=5,layers=last knn:k=5,layers=all msp");
    expect_list("energy:T=2", "energy:T=2");
}

Test(expression_list, nothing_is_there_twice)
{
    expect_list("msp,msp", "msp");
    expect_list("gen,gen:gamma=.1,gen:top=100", "gen");
    expect_list("react,react+energy,react:q=.9", "react");
    expect_list("energy:T=1|2|1|2.0", "energy:T=1 energy:T=2");
    expect_list("vim,vim", "vim");
    expect_list("knn,knn:layers=all,knn:layers=last", "knn knn:layers=all");
    dn_expression_list list = {0};
    cr_assert_eq(dn_expression_list_add(&list, "msp,energy"), DN_OK);
    cr_assert_eq(dn_expression_list_add(&list, "energy,entropy"), DN_OK);
    cr_expect_eq(list.count, 3);
    dn_expression_list_close(&list);
}

Test(expression_list, all_is_every_method)
{
    size_t count;
    const dn_method *const *methods = dn_methods(&count);
    dn_expression_list list = {0};
    cr_assert_eq(dn_expression_list_add(&list, "all,knn:k=3,msp"), DN_OK, "%s", dn_error_last());
    cr_assert_eq(list.count, count + 1);
    for (size_t i = 0; i < count; i++) {
        const dn_score_expression *e = &list.expression[i];
        const bool shaping = methods[i]->kind == DN_METHOD_SHAPING;
        cr_expect_str_eq(list.text[i], methods[i]->name);
        cr_expect_str_eq(shaping ? e->shaping[0].method->name : e->base.method->name, methods[i]->name);
    }
    cr_expect_str_eq(list.text[count], "knn:k=3");
    dn_expression_list_close(&list);
}

Test(expression_list, an_error_leaves_it_as_it_was)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "list of scores '': a name is missing; expected scores such as msp,energy, or 'all'"},
        {"entropy,", "a name is missing"},
        {",entropy", "a name is missing"},
        {"entropy,,gen", "a name is missing"},
        {"entropy,msq", "did you mean 'msp'?"},
        {"entropy, gen", "there is no method ' gen'; did you mean 'gen'?"},
        {"gen:top=5|0", "score 'gen:top=0': top is 0"},
        {"gen:top=5||6", "score 'gen:top=': '' is no number"},
        {"gen:top=|6", "'' is no number"},
        {"gen:top=6|", "'' is no number"},
        {"entropy|gen", "'|' joins the values of an option, as in knn:k=1|5"},
        {"gen:gamma|top=5", "'|' joins the values of an option"},
        {"all,nothing", "there is no method 'nothing'"},
    };
    dn_expression_list list = {0};
    cr_assert_eq(dn_expression_list_add(&list, "msp,energy:T=2"), DN_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_expect_eq(dn_expression_list_add(&list, cases[i].text), DN_ERROR_ARGUMENT, "%s", cases[i].text);
        cr_expect(strstr(dn_error_last(), cases[i].message), "'%s' lacks '%s'", dn_error_last(), cases[i].message);
        cr_assert_eq(list.count, 2, "%s", cases[i].text);
        cr_expect_str_eq(list.text[1], "energy:T=2");
    }
    cr_assert_eq(dn_expression_list_add(&list, "entropy"), DN_OK);
    cr_expect_eq(list.count, 3);
    dn_expression_list_close(&list);
}

/** @return "energy:T=1|2|...|n" with `after` behind it; free with dn_free() */
static char *long_sweep(int n, const char *after)
{
    const size_t size = 32 + 8 * (size_t)n;
    char *text = dn_calloc(size, 1);
    size_t length = (size_t)snprintf(text, size, "gen:top=1");
    for (int i = 2; i <= n; i++) length += (size_t)snprintf(text + length, size - length, "|%d", i);
    (void)snprintf(text + length, size - length, "%s", after);
    return text;
}

Test(expression_list, sweeps_have_a_limit)
{
    dn_expression_list list = {0};
    char *most = long_sweep(4096, ""), *one_more = long_sweep(4097, ""), *twice = long_sweep(2049, ",gamma=1|2");
    cr_expect_eq(dn_expression_list_add(&list, one_more), DN_ERROR_ARGUMENT);
    cr_expect(strstr(dn_error_last(), "the sweep has more than 4096 points; give fewer values"), "%s", dn_error_last());
    cr_expect_eq(dn_expression_list_add(&list, twice), DN_ERROR_ARGUMENT);
    cr_expect(strstr(dn_error_last(), "more than 4096 points"), "%s", dn_error_last());
    cr_expect_eq(dn_expression_list_add(&list, most), DN_OK, "%s", dn_error_last());
    cr_expect_eq(list.count, 4096);
    cr_expect_eq(dn_expression_list_add(&list, "msp"), DN_ERROR_ARGUMENT);
    cr_expect(strstr(dn_error_last(), "there are more than 4096 scores; ask for fewer at a time"), "%s",
              dn_error_last());
    cr_expect_eq(list.count, 4096);
    dn_expression_list_close(&list);
    dn_free(most);
    dn_free(one_more);
    dn_free(twice);
}

/* ---- random texts ---- */

static uint32_t draw(dn_random_sequence *r, uint32_t n)
{
    return dn_random_to_below(dn_random_next(r), n);
}

/** A text of the grammar's pieces, often nearly right. */
static void write_pieces(char *text, size_t size, dn_random_sequence *r)
{
    static const char *const pieces[] = {
        "msp",     "energy",   "gen",   "react",     "ash",     "scale",      "dice", "vra",   "knn",   "she",
        "gram",    "all",      "+",     "+",         "+",       ":",          ":",    ",",     ",",     "|",
        "|",       "=",        "q=",    "p=",        "T=",      "k=",         "top=", "rule=", "gamma", "layers=",
        "combine", "variant=", "all",   "std",       "max",     "b",          ".9",   "1",     "5",     "1e+3",
        "+.5",     "e",        "E",     "-",         "predict", ".",          "0",    " ",     "=|",    "|+",
        "=+",      "::",       "react", ":q=.5|.75", "+energy", ":T=2|3,T=4", "+gen", "%s",    "\xff",  "\n"};
    const uint32_t count = draw(r, 14);
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        const char *piece = pieces[draw(r, sizeof pieces / sizeof *pieces)];
        length += (size_t)snprintf(text + length, size - length, "%s", piece);
    }
}

static void write_characters(char *text, dn_random_sequence *r)
{
    static const char characters[] = "abemnpqrst+|:,=.0159eE-";
    const uint32_t length = draw(r, 24);
    for (uint32_t i = 0; i < length; i++) text[i] = characters[draw(r, sizeof characters - 1)];
    text[length] = '\0';
}

/** What is accepted reads back from its text; what is not leaves a message. */
static void try_text(const char *text, size_t *accepted)
{
    dn_score_expression e;
    const dn_status status = dn_expression_parse(&e, text);
    cr_assert(status == DN_OK || (status == DN_ERROR_ARGUMENT && strstr(dn_error_last(), "score ")), "%s", text);
    if (status == DN_OK) {
        char once[TEXT_MAX], again[TEXT_MAX];
        const dn_score_expression back = parse(dn_expression_text(&e, once, sizeof once));
        cr_assert_str_eq(once, dn_expression_text(&back, again, sizeof again), "%s", text);
        cr_assert(strlen(once) <= strlen(text) + 24, "%s became %s", text, once);
        ++*accepted;
    }
    dn_expression_list list = {0};
    const dn_status listed = dn_expression_list_add(&list, text);
    cr_assert(listed == DN_OK || (listed == DN_ERROR_ARGUMENT && list.count == 0), "%s: %s", text, dn_error_last());
    cr_assert(status != DN_OK || list.count == 1, "%s is one expression, but a list of %zu", text, list.count);
    dn_expression_list_close(&list);
}

Test(expression, random_texts_are_right_or_refused)
{
    dn_random_sequence r = {.seed = 11};
    size_t accepted = 0;
    for (int i = 0; i < 60000; i++) {
        char text[512];
        if (i % 2) {
            write_pieces(text, sizeof text, &r);
        } else {
            write_characters(text, &r);
        }
        try_text(text, &accepted);
    }
    cr_expect_gt(accepted, 100, "only %zu texts were right", accepted);
}
