#include "ood/expression.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/nearest.h"
#include "ood/expression_private.h"
#include "ood/methods.h"

enum { WORD_MAX = 63, NAMES_MAX = 64 };

/** A stretch of the expression. */
typedef struct word {
    const char *start;
    size_t length;
} word;

/** A method as it was written: its name, then its options' values, its own first. */
typedef struct written_call {
    const dn_method *method;
    double value[DN__OPTIONS_MAX];
} written_call;

#define WORD_ARGUMENTS(w) (int)((w).length < WORD_MAX ? (w).length : WORD_MAX), (w).start

/* How every message starts. A text of any length may be given: the end of the message must survive. */
#define SCORE "score '%.200s': "

static bool same(word w, const char *name)
{
    return strlen(name) == w.length && strncmp(w.start, name, w.length) == 0;
}

/** @return the first such character, or NULL */
static const char *find(word in, char end)
{
    return in.length ? memchr(in.start, end, in.length) : NULL;
}

/** @return the stretch before `end`, or all of it if that is NULL; `*rest` moves behind that character */
static word cut(word *rest, const char *end)
{
    const word all = *rest;
    if (!end) end = all.start + all.length;
    const word before = {all.start, (size_t)(end - all.start)};
    const size_t gone = before.length < all.length ? before.length + 1 : all.length;
    *rest = (word){all.start + gone, all.length - gone};
    return before;
}

/** Leaves the error text for a name that is not among the known ones. */
static dn_status explain_unknown(const char *text, const char *what, word unknown, const char *const *names,
                                 size_t count)
{
    char name[WORD_MAX + 1] = "", known[1024] = "";
    if (unknown.length <= WORD_MAX) memcpy(name, unknown.start, unknown.length);
    const char *nearest = dn_nearest(name, names, count);
    if (nearest && (name[1] || strcasecmp(name, nearest) == 0)) { /* one letter is one edit from every other */
        return dn_fail(DN_ERROR_ARGUMENT, SCORE "there is no %s '%s'; did you mean '%s'?", text, what, name, nearest);
    }
    size_t used = 0;
    for (size_t i = 0; i < count && used < sizeof known; i++) {
        used += (size_t)snprintf(known + used, sizeof known - used, i ? ", %s" : "%s", names[i]);
    }
    return dn_fail(DN_ERROR_ARGUMENT, SCORE "there is no %s '%.*s'; known: %s", text, what, WORD_ARGUMENTS(unknown),
                   known);
}

static dn_status find_method(const dn_method **out, word name, const char *text)
{
    const char *names[NAMES_MAX];
    size_t count;
    const dn_method *const *methods = dn_methods(&count);
    for (size_t i = 0; i < count; i++) {
        if (same(name, methods[i]->name)) {
            *out = methods[i];
            return DN_OK;
        }
        if (i < NAMES_MAX) names[i] = methods[i]->name;
    }
    if (name.length == 0) {
        return dn_fail(DN_ERROR_ARGUMENT, SCORE "a name is missing; write name:key=value, names joined by '+'", text);
    }
    const char *comma = find(name, ',');
    if (comma) {
        const word before = cut(&name, comma);
        return dn_fail(DN_ERROR_ARGUMENT, SCORE "options follow a ':', as in %.*s:%.*s", text, WORD_ARGUMENTS(before),
                       WORD_ARGUMENTS(name));
    }
    return explain_unknown(text, "method", name, names, count < NAMES_MAX ? count : NAMES_MAX);
}

static dn_status find_option(size_t *out, word key, const dn_method *method, const char *text)
{
    const char *names[DN__OPTIONS_MAX];
    const size_t count = dn__option_count(method);
    if (count == 0) {
        return dn_fail(DN_ERROR_ARGUMENT, SCORE "%s takes no options, but '%.*s' was given; leave it out", text,
                       method->name, WORD_ARGUMENTS(key));
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = dn__option(method, i)->name;
        if (same(key, names[i])) {
            *out = i;
            return DN_OK;
        }
    }
    char what[WORD_MAX + 1];
    (void)snprintf(what, sizeof what, "option of %s named", method->name);
    return explain_unknown(text, what, key, names, count);
}

/** Takes plain decimal numbers only: no "nan", "inf", hexadecimal digits or blanks. */
static bool read_number(double *out, word value)
{
    char number[WORD_MAX + 1];
    if (value.length == 0 || value.length > WORD_MAX) return false;
    memcpy(number, value.start, value.length);
    number[value.length] = '\0';
    if (number[strspn(number, "0123456789.+-eE")]) return false;
    char *end;
    *out = strtod(number, &end);
    return *end == '\0';
}

static dn_status read_word(double *out, word value, const dn_method_option *option, const char *text)
{
    size_t count = 0;
    for (; option->word[count]; count++) {
        if (!same(value, option->word[count])) continue;
        *out = (double)count;
        return DN_OK;
    }
    char what[WORD_MAX + 1];
    (void)snprintf(what, sizeof what, "value of %s named", option->name);
    return explain_unknown(text, what, value, option->word, count);
}

static dn_status read_value(double *out, word value, const dn_method_option *option, const char *text)
{
    if (option->word) return read_word(out, value, option, text);
    if (!read_number(out, value)) {
        return dn_fail(DN_ERROR_ARGUMENT, SCORE "'%.*s' is no number; %s takes one, as in %s=%g", text,
                       WORD_ARGUMENTS(value), option->name, option->name,
                       option->automatic ? option->low : option->standard);
    }
    const bool low = option->above_low ? *out <= option->low : *out < option->low;
    if (low || *out > option->high) {
        return dn_fail(DN_ERROR_ARGUMENT, SCORE "%s is %g, but it must be %s %g and at most %g", text, option->name,
                       *out, option->above_low ? "greater than" : "at least", option->low, option->high);
    }
    if (option->integer && *out != floor(*out)) {
        return dn_fail(DN_ERROR_ARGUMENT, SCORE "%s is %g, but it must be a whole number", text, option->name, *out);
    }
    return DN_OK;
}

static dn_status read_option(written_call *call, bool *given, word pair, const char *text)
{
    const char *equals = find(pair, '=');
    if (!equals) {
        return dn_fail(DN_ERROR_ARGUMENT, SCORE "'%.*s' is no option; write key=value,key=value after the ':'", text,
                       WORD_ARGUMENTS(pair));
    }
    const word key = cut(&pair, equals);
    size_t index = 0;
    DN_TRY(find_option(&index, key, call->method, text));
    if (given[index]) {
        return dn_fail(DN_ERROR_ARGUMENT, SCORE "%s is given twice; leave one out", text,
                       dn__option(call->method, index)->name);
    }
    given[index] = true;
    return read_value(&call->value[index], pair, dn__option(call->method, index), text);
}

static void set_defaults(written_call *call, const dn_method *method)
{
    *call = (written_call){.method = method};
    for (size_t i = 0; i < dn__option_count(method); i++) call->value[i] = dn__option_default(method, i);
}

static dn_status read_call(written_call *call, word part, const char *text)
{
    const dn_method *method = NULL;
    const char *colon = find(part, ':');
    bool given[DN__OPTIONS_MAX] = {false};
    DN_TRY(find_method(&method, cut(&part, colon), text));
    set_defaults(call, method);
    for (bool more = colon != NULL; more;) {
        const char *comma = find(part, ',');
        more = comma != NULL;
        DN_TRY(read_option(call, given, cut(&part, comma), text));
    }
    return DN_OK;
}

static dn_method_call own_options(const written_call *call)
{
    dn_method_call own = {.method = call->method};
    for (size_t i = 0; i < call->method->option_count; i++) own.option[i] = call->value[i];
    return own;
}

/** Writes the names of all shapings, or of all bases. */
static void name_methods(char *names, size_t size, bool bases)
{
    size_t count, used = 0;
    const dn_method *const *methods = dn_methods(&count);
    names[0] = '\0';
    for (size_t i = 0; i < count && used < size; i++) {
        if (bases ? !dn__is_base(methods[i]) : methods[i]->kind != DN_METHOD_SHAPING) continue;
        used += (size_t)snprintf(names + used, size - used, used ? ", %s" : "%s", methods[i]->name);
    }
}

static dn_status add_shaping(dn_score_expression *e, const written_call *call, const char *text)
{
    char names[512];
    if (call->method->kind != DN_METHOD_SHAPING) {
        name_methods(names, sizeof names, false);
        return dn_fail(DN_ERROR_ARGUMENT,
                       SCORE "%s is no shaping: before a '+' only shapings may stand (%s); separate scores by commas",
                       text, call->method->name, names);
    }
    if (e->shapings == DN_SHAPINGS_MAX) {
        return dn_fail(DN_ERROR_ARGUMENT, SCORE "more than %d shapings; leave some out", text, DN_SHAPINGS_MAX);
    }
    e->shaping[e->shapings++] = own_options(call);
    return DN_OK;
}

static dn_status set_base(dn_score_expression *e, const written_call *call, const char *text)
{
    const dn_method *method = call->method;
    if (e->shapings > 0 && !dn__is_base(method)) {
        char names[512];
        name_methods(names, sizeof names, true);
        return dn_fail(DN_ERROR_ARGUMENT,
                       SCORE "%s cannot follow a shaping: a score of one model's logits must (%s; energy, if it is "
                             "left out)",
                       text, method->name, names);
    }
    e->base = own_options(call);
    if (method->layered) {
        e->layers = (dn_score_layers)call->value[method->option_count];
        e->combine = (dn_score_combine)call->value[method->option_count + 1];
    }
    return DN_OK;
}

bool dn__plus_of_number(const char *text, const char *plus)
{
    return plus > text && strchr("eE=|", plus[-1]) && (isdigit((unsigned char)plus[1]) || plus[1] == '.');
}

/** @return the '+' that ends the first name and its options, or NULL */
static const char *joining_plus(word in)
{
    const char *plus = find(in, '+');
    while (plus && dn__plus_of_number(in.start, plus)) {
        plus = find((word){plus + 1, in.length - (size_t)(plus + 1 - in.start)}, '+');
    }
    return plus;
}

dn_status dn_expression_parse(dn_score_expression *out, const char *text)
{
    dn_score_expression e = {0};
    written_call call = {0};
    if (strchr(text, '|')) {
        return dn_fail(DN_ERROR_ARGUMENT,
                       SCORE "'|' joins the values of an option, as in knn:k=1|5, in a list of scores; scores are "
                             "separated by commas",
                       text);
    }
    word rest = {text, strlen(text)};
    for (bool more = true; more;) {
        const char *plus = joining_plus(rest);
        more = plus != NULL;
        DN_TRY(read_call(&call, cut(&rest, plus), text));
        if (more || call.method->kind == DN_METHOD_SHAPING) DN_TRY(add_shaping(&e, &call, text));
    }
    if (call.method->kind == DN_METHOD_SHAPING) set_defaults(&call, &dn__method_energy);
    DN_TRY(set_base(&e, &call, text));
    *out = e;
    return DN_OK;
}
