/** What is known of an expression: its options, what it needs, its shortest text. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ood/expression_private.h"
#include "ood/methods.h"

/* In the order of the enums of expression.h. */
static const char *const layers_words[] = {"last", "all", NULL};
static const char *const combine_words[] = {"sum", "std", "fisher", NULL};

const dn_method_option dn__layer_option[DN__LAYER_OPTIONS] = {
    {.name = "layers", .text = "which layers' features are read", .high = DN_LAYERS_ALL, .word = layers_words},
    {.name = "combine", .text = "how the layers' scores become one", .high = DN_COMBINE_FISHER, .word = combine_words},
};

size_t dn__option_count(const dn_method *method)
{
    return method->option_count + (method->layered ? DN__LAYER_OPTIONS : 0);
}

const dn_method_option *dn__option(const dn_method *method, size_t index)
{
    return index < method->option_count ? &method->option[index] : &dn__layer_option[index - method->option_count];
}

double dn__option_default(const dn_method *method, size_t index)
{
    const dn_method_option *option = dn__option(method, index);
    if (option == &dn__layer_option[0]) return method->all_layers ? DN_LAYERS_ALL : DN_LAYERS_LAST;
    return option->automatic ? NAN : option->standard;
}

bool dn__is_base(const dn_method *method)
{
    const unsigned fit = DN_NEEDS_FIT_LOGITS | DN_NEEDS_FIT_LABELS;
    if (method == &dn__method_openmax) return false; /* it is defined among the scores of features */
    return method->kind == DN_METHOD_SINGLE && method->pass == DN_PASS_NONE &&
           (method->needs & ~fit) == DN_NEEDS_LOGITS;
}

unsigned dn_expression_needs(const dn_score_expression *expression)
{
    unsigned needs = expression->base.method->needs;
    if (expression->shapings == 0) return needs;
    if (needs & DN_NEEDS_FIT_LOGITS) needs |= DN_NEEDS_FIT_FEATURES;
    needs &= ~(unsigned)(DN_NEEDS_LOGITS | DN_NEEDS_FIT_LOGITS);
    needs |= DN_NEEDS_FEATURES | DN_NEEDS_HEAD;
    for (size_t i = 0; i < expression->shapings; i++) needs |= expression->shaping[i].method->needs;
    return needs;
}

static bool same_value(double a, double b)
{
    return a == b || (isnan(a) && isnan(b)); /* NAN: left to the method */
}

bool dn__call_same(const dn_method_call *a, const dn_method_call *b)
{
    if (a->method != b->method) return false;
    for (size_t i = 0; i < a->method->option_count; i++) {
        if (!same_value(a->option[i], b->option[i])) return false;
    }
    return true;
}

bool dn__expression_same(const dn_score_expression *a, const dn_score_expression *b)
{
    if (a->shapings != b->shapings || a->layers != b->layers || a->combine != b->combine) return false;
    for (size_t i = 0; i < a->shapings; i++) {
        if (!dn__call_same(&a->shaping[i], &b->shaping[i])) return false;
    }
    return dn__call_same(&a->base, &b->base);
}

/** Text that is cut at the end of its room. */
typedef struct writer {
    char *text;
    size_t size, used;
} writer;

DN_PRINTF(2, 3) static void put(writer *w, const char *format, ...)
{
    if (w->used >= w->size) return;
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(w->text + w->used, w->size - w->used, format, arguments);
    va_end(arguments);
    w->used += length > 0 ? (size_t)length : 0;
}

/** Whole numbers as such; others with the fewest digits that read back the same, as .95 and 1e-5. */
static void put_number(writer *w, double value)
{
    char text[40];
    if (value == floor(value) && fabs(value) < 1e15) {
        put(w, "%.0f", value == 0.0 ? 0.0 : value);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    const char *digits = text + (text[0] == '-');
    const size_t length = strcspn(digits, "e");
    const long exponent = digits[length] ? strtol(digits + length + 1, NULL, 10) : 0;
    put(w, "%s%.*s", digits > text ? "-" : "", (int)length - (digits[0] == '0'), digits + (digits[0] == '0'));
    if (exponent) put(w, "e%ld", exponent);
}

/** @param value [dn__option_count(method)] */
static void put_call(writer *w, const dn_method *method, const double *value)
{
    const char *before = ":";
    put(w, "%s", method->name);
    for (size_t i = 0; i < dn__option_count(method); i++) {
        const dn_method_option *option = dn__option(method, i);
        if (same_value(value[i], dn__option_default(method, i))) continue;
        put(w, "%s%s=", before, option->name);
        if (option->word) {
            put(w, "%s", option->word[(size_t)value[i]]);
        } else {
            put_number(w, value[i]);
        }
        before = ",";
    }
}

static bool is_plain_energy(const dn_method_call *call)
{
    if (call->method != &dn__method_energy) return false;
    for (size_t i = 0; i < call->method->option_count; i++) {
        if (call->option[i] != call->method->option[i].standard) return false;
    }
    return true;
}

const char *dn_expression_text(const dn_score_expression *expression, char *text, size_t size)
{
    const dn_method_call *base = &expression->base;
    writer w = {text, size, 0};
    if (size > 0) text[0] = '\0';
    for (size_t i = 0; i < expression->shapings; i++) {
        if (i > 0) put(&w, "+");
        put_call(&w, expression->shaping[i].method, expression->shaping[i].option);
    }
    if (expression->shapings > 0) {
        if (is_plain_energy(base)) return text; /* it may be left out */
        put(&w, "+");
    }
    double value[DN__OPTIONS_MAX] = {0};
    memcpy(value, base->option, sizeof base->option);
    if (base->method->layered) {
        value[base->method->option_count] = expression->layers;
        value[base->method->option_count + 1] = expression->combine;
    }
    put_call(&w, base->method, value);
    return text;
}
