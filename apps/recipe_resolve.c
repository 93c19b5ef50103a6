#include "apps/recipe_resolve.h"

#include <stdio.h>
#include <string.h>

#include "apps/recipe_value.h"
#include "core/nearest.h"

/* Where the walk is: "mi.sources.0.alpha" for people, "mi.sources.*.alpha" for the table of keys. */
typedef struct place {
    const char *label;
    char path[DN__PATH], pattern[DN__PATH];
} place;

static place below(const place *at, const char *key, const char *pattern)
{
    place next = {.label = at->label};
    const char *dot = at->path[0] ? "." : "";
    snprintf(next.path, sizeof next.path, "%.100s%s%.100s", at->path, dot, key);
    snprintf(next.pattern, sizeof next.pattern, "%.100s%s%.100s", at->pattern, dot, pattern);
    return next;
}

static void append(char *list, size_t size, const char *between, const char *text)
{
    const size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used ? between : "", text);
}

/* Keys of that name in all sections: 'batch' at the top may be train.batch. */
static void list_elsewhere(char *list, size_t size, const char *key)
{
    for (int i = 0; i < dn__recipe_n_keys; i++) {
        const char *path = dn__recipe_keys[i].path, *last = strrchr(path, '.');
        if (last && !strchr(path, '*') && !strcmp(last + 1, key)) append(list, size, "' or '", path);
    }
}

dn_status dn__recipe_unknown_key(const char *label, const dn__node *at, const char *parent, const char *key,
                                 const cyaml_schema_value_t *mapping)
{
    enum { MOST_KEYS = 16 };
    const char *known[MOST_KEYS], *dot = *parent ? "." : "";
    char list[256] = "", far[256] = "";
    size_t n = 0;
    for (const cyaml_schema_field_t *field = mapping->mapping.fields; field->key && n < MOST_KEYS; field++) {
        append(list, sizeof list, ", ", field->key);
        known[n++] = field->key;
    }
    const char *near = dn_nearest(key, known, n);
    if (near) {
        return dn__recipe_fail(label, at, "unknown key '%s%s%.60s', did you mean '%s%s%s'?", parent, dot, key, parent,
                               dot, near);
    }
    list_elsewhere(far, sizeof far, key);
    if (*far) return dn__recipe_fail(label, at, "unknown key '%s%s%.60s', did you mean '%s'?", parent, dot, key, far);
    return dn__recipe_fail(label, at, "unknown key '%s%s%.60s'; known here: %s", parent, dot, key, list);
}

/* What a field without a value becomes. */
static dn_status add_default(dn__node *map, const cyaml_schema_field_t *field, const place *at)
{
    if (field->value.type == CYAML_MAPPING) return dn__node_add(map, field->key, dn__node_new(DN__MAP, NULL));
    if (field->value.type == CYAML_SEQUENCE) return dn__node_add(map, field->key, dn__node_new(DN__LIST, NULL));
    const dn__recipe_key *row = dn__recipe_key_find(at->pattern);
    if (!row) return dn_fail(DN_ERROR_INTERNAL, "recipe key '%s' has no default in the table", at->pattern);
    if (!row->fallback) return dn__recipe_fail(at->label, map, "%s must be stated: %s", at->path, row->meaning);
    return dn__node_add(map, field->key, dn__node_new(DN__SCALAR, row->fallback));
}

static dn_status resolve_node(dn__node *node, const cyaml_schema_value_t *schema, const place *at);

static dn_status resolve_map(dn__node *node, const cyaml_schema_value_t *schema, const place *at)
{
    for (size_t i = 0; i < node->n;) {
        dn__node *child = node->children[i];
        if (!dn__recipe_field(schema, child->key)) {
            return dn__recipe_unknown_key(at->label, child, at->path, child->key, schema);
        }
        if (dn__node_empty(child)) {
            dn__node_remove(node, i); /* `key:` with nothing after it states nothing */
        } else {
            i++;
        }
    }
    for (const cyaml_schema_field_t *field = schema->mapping.fields; field->key; field++) {
        const place next = below(at, field->key, field->key);
        if (!dn__node_get(node, field->key)) DN_TRY(add_default(node, field, &next));
        DN_TRY(resolve_node(dn__node_get(node, field->key), &field->value, &next));
    }
    return DN_OK;
}

static dn_status resolve_list(dn__node *node, const cyaml_schema_value_t *schema, const place *at)
{
    const cyaml_schema_value_t *entry = schema->sequence.entry;
    for (size_t i = 0; i < node->n; i++) {
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        place next = below(at, index, "*");
        /* Numbers and texts in a list have the list's own row of the table. */
        if (entry->type != CYAML_MAPPING) memcpy(next.pattern, at->pattern, sizeof next.pattern);
        if (dn__node_empty(node->children[i])) {
            return dn__recipe_fail(at->label, node->children[i], "%s has no value", next.path);
        }
        DN_TRY(resolve_node(node->children[i], entry, &next));
    }
    return DN_OK;
}

static dn_status resolve_node(dn__node *node, const cyaml_schema_value_t *schema, const place *at)
{
    const bool map = schema->type == CYAML_MAPPING, list = schema->type == CYAML_SEQUENCE;
    const dn__node_kind wanted = map ? DN__MAP : list ? DN__LIST : DN__SCALAR;
    if (node->kind != wanted) {
        static const char *const kinds[] = {"a single value", "a list", "a map"};
        static const char *const forms[] = {"value", "[a, b]", "{key: value}"};
        return dn__recipe_fail(at->label, node, "%s must be %s, found %s; write %s: %s", at->path, kinds[wanted],
                               kinds[node->kind], at->path, forms[wanted]);
    }
    if (map) return resolve_map(node, schema, at);
    if (list) return resolve_list(node, schema, at);
    return dn__value_resolve(node, schema, dn__recipe_key_find(at->pattern), at->label, at->path);
}

dn_status dn__recipe_resolve(dn__node *root, const char *label)
{
    const place at = {.label = label};
    return resolve_node(root, &dn__recipe_schema, &at);
}
