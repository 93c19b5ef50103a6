/* A recipe as text. libcyaml could save it, but with six digits and not for large integers; so the structs become a
 * tree by the same schema. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "apps/recipe_resolve.h"
#include "core/alloc.h"

static dn__node *node_of(const cyaml_schema_value_t *schema, const void *data);

static int64_t read_integer(const void *data, size_t size)
{
    if (size == sizeof(int32_t)) {
        int32_t value;
        memcpy(&value, data, sizeof value);
        return value;
    }
    int64_t value;
    memcpy(&value, data, sizeof value);
    return value;
}

static const char *choice_name(const cyaml_schema_value_t *schema, int64_t value)
{
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        if (schema->enumeration.strings[i].val == value) return schema->enumeration.strings[i].str;
    }
    return "?"; /* not a value of the enum: reading it back says so */
}

static dn__node *scalar_of(const cyaml_schema_value_t *schema, const void *data)
{
    char text[DN__NUMBER];
    double number;
    switch (schema->type) {
    case CYAML_INT: snprintf(text, sizeof text, "%lld", (long long)read_integer(data, schema->data_size)); break;
    case CYAML_UINT:
        snprintf(text, sizeof text, "%llu", (unsigned long long)read_integer(data, schema->data_size));
        break;
    case CYAML_ENUM: return dn__node_new(DN__SCALAR, choice_name(schema, read_integer(data, schema->data_size)));
    case CYAML_BOOL: return dn__node_new(DN__SCALAR, *(const bool *)data ? "true" : "false");
    default: memcpy(&number, data, sizeof number); dn__number_text(text, number);
    }
    return dn__node_new(DN__SCALAR, text);
}

static dn__node *text_of(const char *text)
{
    dn__node *node = dn__node_new(DN__SCALAR, text ? text : "");
    if (node) node->quoted = true;
    return node;
}

static dn__node *list_of(const cyaml_schema_value_t *schema, const char *entries, unsigned n)
{
    dn__node *list = dn__node_new(DN__LIST, NULL);
    for (unsigned i = 0; list && i < n; i++) {
        if (dn__node_add(list, NULL, node_of(schema->sequence.entry, entries + (size_t)i * schema->data_size))) {
            dn__node_free(list);
            return NULL;
        }
    }
    return list;
}

static dn__node *field_of(const cyaml_schema_field_t *field, const char *structure)
{
    const char *data = structure + field->data_offset;
    if (field->value.type != CYAML_SEQUENCE) return node_of(&field->value, data);
    unsigned n;
    const char *entries;
    memcpy(&n, structure + field->count_offset, sizeof n);
    memcpy(&entries, data, sizeof entries);
    return list_of(&field->value, entries, n);
}

static dn__node *node_of(const cyaml_schema_value_t *schema, const void *data)
{
    if (schema->type == CYAML_STRING) return text_of(*(char *const *)data);
    if (schema->type != CYAML_MAPPING) return scalar_of(schema, data);
    dn__node *map = dn__node_new(DN__MAP, NULL);
    for (const cyaml_schema_field_t *field = schema->mapping.fields; map && field->key; field++) {
        if (dn__node_add(map, field->key, field_of(field, data))) {
            dn__node_free(map);
            return NULL;
        }
    }
    return map;
}

char *dn_recipe_text(const dn_recipe *recipe)
{
    dn__node *root = node_of(&dn__recipe_schema, recipe);
    char *text = root ? dn__tree_text(root) : NULL;
    dn__node_free(root);
    return text;
}
