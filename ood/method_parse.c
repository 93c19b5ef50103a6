/** Reads score expressions: `name` or `name:key=value,key=value`. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/nearest.h"
#include "ood/method.h"

enum { WORD_MAX = 63 };

/** A stretch of the expression. */
typedef struct word {
    const char *start;
    size_t length;
} word;

#define WORD_ARGUMENTS(w) (int)((w).length < WORD_MAX ? (w).length : WORD_MAX), (w).start

static bool same(word w, const char *name)
{
    return strlen(name) == w.length && strncmp(w.start, name, w.length) == 0;
}

/** @return the stretch before the first `end` character or the end of `*rest`, which moves behind that character; it
 *  becomes NULL if there is none */
static word cut(const char **rest, char end)
{
    const word w = {*rest, strcspn(*rest, (const char[]){end, '\0'})};
    *rest = w.start[w.length] ? w.start + w.length + 1 : NULL;
    return w;
}

/** Leaves the error text for a name that is not among the known ones. */
static void explain_unknown(const char *expression, const char *what, word unknown, const char *const *names,
                            size_t count)
{
    char text[WORD_MAX + 1] = "", known[512] = "";
    if (unknown.length <= WORD_MAX) memcpy(text, unknown.start, unknown.length);
    const char *nearest = dn_nearest(text, names, count);
    if (nearest) {
        dn_fail(DN_ERROR_ARGUMENT, "score '%s': there is no %s '%s'; did you mean '%s'?", expression, what, text,
                nearest);
        return;
    }
    size_t used = 0;
    for (size_t i = 0; i < count && used < sizeof known; i++) {
        used += (size_t)snprintf(known + used, sizeof known - used, i ? ", %s" : "%s", names[i]);
    }
    dn_fail(DN_ERROR_ARGUMENT, "score '%s': there is no %s '%.*s'; known: %s", expression, what,
            WORD_ARGUMENTS(unknown), known);
}

static dn_status find_method(const dn_method **out, word name, const char *expression)
{
    enum { NAMES_MAX = 64 };
    const char *names[NAMES_MAX];
    size_t count;
    const dn_method *methods = dn_methods(&count);
    for (size_t i = 0; i < count; i++) {
        if (same(name, methods[i].name)) {
            *out = &methods[i];
            return DN_OK;
        }
        if (i < NAMES_MAX) names[i] = methods[i].name;
    }
    explain_unknown(expression, "method", name, names, count < NAMES_MAX ? count : NAMES_MAX);
    return DN_ERROR_ARGUMENT;
}

static dn_status find_option(size_t *out, word key, const dn_method *method, const char *expression)
{
    const char *names[DN_METHOD_OPTIONS_MAX];
    if (method->option_count == 0) {
        return dn_fail(DN_ERROR_ARGUMENT, "score '%s': %s takes no options, but '%.*s' was given; leave it out",
                       expression, method->name, WORD_ARGUMENTS(key));
    }
    for (size_t i = 0; i < method->option_count; i++) {
        if (same(key, method->option[i].name)) {
            *out = i;
            return DN_OK;
        }
        names[i] = method->option[i].name;
    }
    explain_unknown(expression, "option", key, names, method->option_count);
    return DN_ERROR_ARGUMENT;
}

/** Takes plain decimal numbers only: no "nan", "inf", hexadecimal digits or blanks. */
static bool read_number(double *out, word value)
{
    char text[WORD_MAX + 1];
    if (value.length == 0 || value.length > WORD_MAX) return false;
    if (strspn(value.start, "0123456789.+-eE") < value.length) return false;
    memcpy(text, value.start, value.length);
    text[value.length] = '\0';
    char *end;
    *out = strtod(text, &end);
    return *end == '\0';
}

static dn_status read_value(double *out, word value, const dn_method_option *option, const char *expression)
{
    if (!read_number(out, value)) {
        return dn_fail(DN_ERROR_ARGUMENT, "score '%s': '%.*s' is no number; %s takes one, as in %s=%g", expression,
                       WORD_ARGUMENTS(value), option->name, option->name, option->standard);
    }
    const bool low = option->above_low ? *out <= option->low : *out < option->low;
    if (low || *out > option->high) {
        return dn_fail(DN_ERROR_ARGUMENT, "score '%s': %s is %g, but it must be %s %g and at most %g", expression,
                       option->name, *out, option->above_low ? "greater than" : "at least", option->low, option->high);
    }
    if (option->integer && *out != (double)(long long)*out) {
        return dn_fail(DN_ERROR_ARGUMENT, "score '%s': %s is %g, but it must be a whole number", expression,
                       option->name, *out);
    }
    return DN_OK;
}

/** Names are joined by '+'; a '+' before a digit belongs to a number. */
static bool joins_names(const char *expression)
{
    for (const char *plus = strchr(expression, '+'); plus; plus = strchr(plus + 1, '+')) {
        if (!isdigit((unsigned char)plus[1]) && plus[1] != '.') return true;
    }
    return false;
}

dn_status dn_method_parse(dn_method_call *out, const char *expression)
{
    const char *rest = expression;
    dn_method_call call = {0};
    bool given[DN_METHOD_OPTIONS_MAX] = {false};
    if (joins_names(expression)) {
        return dn_fail(DN_ERROR_ARGUMENT, "score '%s': methods cannot be joined by '+'; ask for one at a time",
                       expression);
    }
    DN_TRY(find_method(&call.method, cut(&rest, ':'), expression));
    for (size_t i = 0; i < call.method->option_count; i++) call.option[i] = call.method->option[i].standard;
    while (rest) {
        const word pair = cut(&rest, ',');
        const char *equals = memchr(pair.start, '=', pair.length);
        if (!equals) {
            return dn_fail(DN_ERROR_ARGUMENT,
                           "score '%s': '%.*s' is no option; write key=value,key=value after the ':'", expression,
                           WORD_ARGUMENTS(pair));
        }
        const word key = {pair.start, (size_t)(equals - pair.start)};
        const word value = {equals + 1, pair.length - key.length - 1};
        size_t index = 0;
        DN_TRY(find_option(&index, key, call.method, expression));
        if (given[index]) {
            return dn_fail(DN_ERROR_ARGUMENT, "score '%s': %s is given twice; leave one out", expression,
                           call.method->option[index].name);
        }
        DN_TRY(read_value(&call.option[index], value, &call.method->option[index], expression));
        given[index] = true;
    }
    *out = call;
    return DN_OK;
}
