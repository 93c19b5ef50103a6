#include "apps/recipe_value.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/recipe_resolve.h"
#include "core/alloc.h"
#include "core/nearest.h"

void dn__number_text(char *text, double value)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, DN__NUMBER, "%.*g", digits, value);
        if (strtod(text, NULL) == value) return;
    }
}

static dn_status set_text(dn__node *node, const char *text)
{
    char *copy = dn_strdup(text);
    if (!copy) return DN_ERROR_MEMORY;
    dn_free(node->text);
    node->text = copy;
    node->quoted = false;
    return DN_OK;
}

static bool in_range(double value, const dn__recipe_key *key)
{
    return isfinite(value) && (key->above ? value > key->low : value >= key->low) &&
           (key->below ? value < key->high : value <= key->high);
}

static dn_status fail_number(const dn__node *node, const dn__recipe_key *key, const char *noun, const char *label,
                             const char *path)
{
    char range[100] = "", low[DN__NUMBER], high[DN__NUMBER];
    dn__number_text(low, key->low);
    dn__number_text(high, key->high);
    const bool no_low = isinf(key->low), no_high = isinf(key->high);
    if (!no_low)
        snprintf(range, sizeof range, key->above ? " above %s" : no_high ? " of at least %s" : " from %s", low);
    const size_t used = strlen(range);
    if (!no_high) {
        const char *word = key->below ? "to below" : key->above ? "and at most" : "to";
        snprintf(range + used, sizeof range - used, " %s %s", word, high);
    }
    return dn__recipe_fail(label, node, "%s must be %s%s, found '%.60s'", path, noun, range, node->text);
}

static dn_status resolve_integer(dn__node *node, const dn__recipe_key *key, const char *label, const char *path)
{
    char *end = NULL, text[DN__NUMBER];
    errno = 0;
    const long long value = strtoll(node->text, &end, 10);
    const bool plain = strspn(node->text, "-0123456789") == strlen(node->text);
    if (!plain || end == node->text || *end || errno || !in_range((double)value, key)) {
        return fail_number(node, key, "an integer", label, path);
    }
    snprintf(text, sizeof text, "%lld", value);
    return set_text(node, text);
}

static dn_status resolve_unsigned(dn__node *node, const dn__recipe_key *key, const char *label, const char *path)
{
    char *end = NULL, text[DN__NUMBER];
    errno = 0;
    const unsigned long long value = strtoull(node->text, &end, 10);
    const bool plain = *node->text && strspn(node->text, "0123456789") == strlen(node->text);
    if (!plain || *end || errno) {
        return dn__recipe_fail(label, node, "%s must be an integer from 0 to 18446744073709551615, found '%.60s'", path,
                               node->text);
    }
    if (!in_range((double)value, key)) return fail_number(node, key, "an integer", label, path);
    snprintf(text, sizeof text, "%llu", value);
    return set_text(node, text);
}

static dn_status resolve_number(dn__node *node, const dn__recipe_key *key, const char *label, const char *path)
{
    char *end = NULL, text[DN__NUMBER];
    const double value = strtod(node->text, &end);
    const bool decimal = strspn(node->text, "+-.0123456789eE") == strlen(node->text);
    if (!decimal || end == node->text || *end || !in_range(value, key)) {
        return fail_number(node, key, isinf(key->low) && isinf(key->high) ? "a finite number" : "a number", label,
                           path);
    }
    dn__number_text(text, value);
    return set_text(node, text);
}

static dn_status resolve_bool(dn__node *node, const char *label, const char *path)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    for (int i = 0; i < 6; i++) {
        if (!strcmp(node->text, words[i])) return set_text(node, words[i % 2]);
    }
    return dn__recipe_fail(label, node, "%s must be true or false, found '%.60s'", path, node->text);
}

static dn_status resolve_choice(dn__node *node, const cyaml_schema_value_t *schema, const char *label, const char *path)
{
    enum { MOST_CHOICES = 16 };
    const char *known[MOST_CHOICES];
    char list[256] = "";
    size_t n = 0;
    for (; n < schema->enumeration.count && n < MOST_CHOICES; n++) {
        known[n] = schema->enumeration.strings[n].str;
        if (!strcmp(node->text, known[n])) return set_text(node, known[n]);
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", n ? ", " : "", known[n]);
    }
    const char *near = dn_nearest(node->text, known, n);
    return dn__recipe_fail(label, node, "%s is one of %s; found '%.60s'%s%s%s", path, list, node->text,
                           near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

dn_status dn__value_resolve(dn__node *node, const cyaml_schema_value_t *schema, const dn__recipe_key *key,
                            const char *label, const char *path)
{
    if (!key) return dn_fail(DN_ERROR_INTERNAL, "recipe key '%s' is not in the table of keys", path);
    switch (schema->type) {
    case CYAML_INT: return resolve_integer(node, key, label, path);
    case CYAML_UINT: return resolve_unsigned(node, key, label, path);
    case CYAML_FLOAT: return resolve_number(node, key, label, path);
    case CYAML_BOOL: return resolve_bool(node, label, path);
    case CYAML_ENUM: return resolve_choice(node, schema, label, path);
    case CYAML_STRING: node->quoted = true; return DN_OK;
    default: return dn_fail(DN_ERROR_INTERNAL, "recipe key '%s' has an unknown type in the schema", path);
    }
}
