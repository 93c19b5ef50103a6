/* Overrides "key.key=value": the path is followed through the schema, which also says how the value is to be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/recipe_resolve.h"
#include "core/alloc.h"

typedef struct target {
    const char *label, *override;
    dn__node *node;                     /* the list or map that holds the last name of the path */
    const cyaml_schema_value_t *schema; /* of that list or map */
    char path[DN__PATH];                /* of that list or map */
} target;

static dn_status fail(const target *t, const char *text)
{
    const dn__node place = {.override = t->override};
    return dn__recipe_fail(t->label, &place, "%s", text);
}

static dn__node_kind kind_of(const cyaml_schema_value_t *schema)
{
    return schema->type == CYAML_MAPPING ? DN__MAP : schema->type == CYAML_SEQUENCE ? DN__LIST : DN__SCALAR;
}

/* @param value receives the schema of what `name` is inside of the target. @param index receives its position among the
 * children; one after the last if it is not there yet. */
static dn_status find_name(const target *t, const char *name, const cyaml_schema_value_t **value, size_t *index)
{
    const dn__node place = {.override = t->override};
    if (t->schema->type == CYAML_MAPPING) {
        const cyaml_schema_field_t *field = dn__recipe_field(t->schema, name);
        if (!field) return dn__recipe_unknown_key(t->label, &place, t->path, name, t->schema);
        *value = &field->value;
        for (*index = 0; *index < t->node->n && strcmp(t->node->children[*index]->key, name) != 0;) ++*index;
        return DN_OK;
    }
    if (t->schema->type != CYAML_SEQUENCE) {
        return dn__recipe_fail(t->label, &place, "%s is a single value, there is no '%.60s' in it", t->path, name);
    }
    char *end = NULL;
    *index = strtoul(name, &end, 10);
    *value = t->schema->sequence.entry;
    if (!*name || strspn(name, "0123456789") != strlen(name) || *index > t->node->n) {
        return dn__recipe_fail(t->label, &place, "%s is a list of %zu, '%.60s' must be a position from 0 to %zu",
                               t->path, t->node->n, name, t->node->n);
    }
    return DN_OK;
}

/* Puts `node` where `name` stands in the target, in place of what may be there. */
static dn_status put(target *t, const char *name, size_t index, dn__node *node)
{
    if (!node) return DN_ERROR_MEMORY;
    node->override = t->override;
    DN_TRY(dn__node_add(t->node, t->node->kind == DN__MAP ? name : NULL, node));
    if (index + 1 < t->node->n) {
        t->node->children[t->node->n - 1] = t->node->children[index];
        t->node->children[index] = node;
        dn__node_remove(t->node, t->node->n - 1);
    }
    return DN_OK;
}

/* Moves the target into `name`, which is made if the recipe does not state it. */
static dn_status enter(target *t, const char *name)
{
    const cyaml_schema_value_t *value = t->schema;
    size_t index = 0;
    DN_TRY(find_name(t, name, &value, &index));
    const dn__node_kind kind = kind_of(value);
    if (kind != DN__SCALAR && (index == t->node->n || dn__node_empty(t->node->children[index]))) {
        DN_TRY(put(t, name, index, dn__node_new(kind, NULL)));
    }
    const size_t used = strlen(t->path);
    snprintf(t->path + used, sizeof t->path - used, "%s%.60s", used ? "." : "", name);
    t->schema = value;
    if (kind == DN__SCALAR) return DN_OK; /* the next name fails */
    t->node = t->node->children[index];
    if (t->node->kind == kind) return DN_OK;
    return dn__recipe_fail(t->label, t->node, "%s must be a %s", t->path, kind == DN__MAP ? "map" : "list");
}

/* @return the length of the first entry of `text`: up to a comma outside of brackets and quotes */
static size_t entry_length(const char *text)
{
    int depth = 0;
    char quote = 0;
    size_t i = 0;
    for (; text[i] && (text[i] != ',' || depth > 0 || quote); i++) {
        if (quote) {
            quote = text[i] == quote ? 0 : quote;
        } else if (text[i] == '"' || text[i] == '\'') {
            quote = text[i];
        } else {
            depth += (text[i] == '[') - (text[i] == ']');
        }
    }
    return i;
}

/* Adds an entry without the blanks and quotes around it. */
static dn_status add_entry(const target *t, dn__node *list, const char *text, size_t length)
{
    while (length && *text == ' ') text++, length--;
    while (length && text[length - 1] == ' ') length--;
    const bool quoted = length > 1 && (*text == '"' || *text == '\'') && text[length - 1] == *text;
    char *copy = dn_format("%.*s", (int)(length - 2 * quoted), text + quoted);
    if (!copy) return DN_ERROR_MEMORY;
    dn__node *entry = dn__node_new(DN__SCALAR, copy);
    dn_free(copy);
    if (entry) {
        entry->override = t->override;
        entry->quoted = length > 0; /* null and ~ are texts here */
    }
    return dn__node_add(list, NULL, entry);
}

/* "[a, b]" or "a,b". YAML itself would trip over the brackets of [mnist[0-4]:train]. */
static dn_status parse_list(const target *t, dn__node **out, const char *text)
{
    size_t length = strlen(text);
    if (*text == '[') {
        if (text[length - 1] != ']') return fail(t, "the list lacks its closing ']'");
        text++;
        length -= 2;
    }
    char *inside = dn_format("%.*s", (int)length, text);
    dn__node *list = dn__node_new(DN__LIST, NULL);
    dn_status status = inside && list ? DN_OK : DN_ERROR_MEMORY;
    const char *rest = inside;
    while (status == DN_OK && rest[strspn(rest, " ")]) {
        const size_t n = entry_length(rest);
        status =
            list->n < DN__RECIPE_CHILDREN ? add_entry(t, list, rest, n) : fail(t, "more than 1000 entries in one list");
        rest += n + (rest[n] == ',');
    }
    dn_free(inside);
    if (status == DN_OK) {
        *out = list;
        return DN_OK;
    }
    dn__node_free(list);
    return status;
}

static dn_status parse_value(const target *t, dn__node **out, const cyaml_schema_value_t *schema, const char *text)
{
    const bool list = schema->type == CYAML_SEQUENCE && schema->sequence.entry->type != CYAML_MAPPING;
    const bool yaml = schema->type == CYAML_SEQUENCE || schema->type == CYAML_MAPPING;
    const dn__recipe_origin origin = {t->label, t->override};
    if (*text && list) return parse_list(t, out, text);
    if (*text && yaml) DN_TRY(dn__tree_parse(out, text, strlen(text), &origin));
    if (*out) return DN_OK;
    *out = dn__node_new(DN__SCALAR, text); /* an empty one brings the default back */
    if (!*out) return DN_ERROR_MEMORY;
    (*out)->quoted = *text && schema->type == CYAML_STRING;
    return DN_OK;
}

static dn_status apply(target *t, char *path, const char *text)
{
    const cyaml_schema_value_t *schema = t->schema;
    size_t index = 0;
    dn__node *value = NULL;
    char *name = path;
    for (char *dot; (dot = strchr(name, '.')); name = dot + 1) {
        *dot = 0;
        DN_TRY(enter(t, name));
    }
    DN_TRY(find_name(t, name, &schema, &index));
    DN_TRY(parse_value(t, &value, schema, text));
    return put(t, name, index, value);
}

dn_status dn__recipe_override(dn__node *root, const char *label, const char *override)
{
    target t = {.label = label, .override = override, .node = root, .schema = &dn__recipe_schema};
    const char *equals = strchr(override, '=');
    if (!equals || equals == override) {
        return dn_fail(DN_ERROR_ARGUMENT, "override %.200s: expected key=value, such as train.batch=64", override);
    }
    for (const char *c = override; *c; c++) {
        if ((unsigned char)*c < ' ') return dn_fail(DN_ERROR_ARGUMENT, "an override holds control characters");
    }
    char *path = dn_format("%.*s", (int)(equals - override), override);
    if (!path) return DN_ERROR_MEMORY;
    const dn_status status = apply(&t, path, equals + 1);
    dn_free(path);
    return status;
}
