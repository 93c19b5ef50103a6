/** What a recipe's keys are: their places in the structs of apps/recipe.h (as a libcyaml schema), and their defaults,
 *  ranges and meanings. Library-private. */
#ifndef DN_APPS_RECIPE_SCHEMA_H
#define DN_APPS_RECIPE_SCHEMA_H

#include <cyaml/cyaml.h>
#include <stdbool.h>

/** A dn_recipe, by pointer. */
extern const cyaml_schema_value_t dn__recipe_schema;

/** One key of the file. */
typedef struct dn__recipe_key {
    const char *path;     /**< "mi.sources.*.alpha", '*' for each entry of a list */
    const char *fallback; /**< the default as YAML; "[]" for lists; NULL: must be stated */
    double low, high;     /**< of numbers; -INFINITY, INFINITY: any finite one */
    bool above, below;    /**< low, high themselves are out of range */
    const char *meaning;  /**< one line */
} dn__recipe_key;

extern const dn__recipe_key dn__recipe_keys[];
extern const int dn__recipe_n_keys;

/** @return the row of a path, or NULL */
const dn__recipe_key *dn__recipe_key_find(const char *path);

/** @return the field of a mapping by name, or NULL */
const cyaml_schema_field_t *dn__recipe_field(const cyaml_schema_value_t *mapping, const char *key);

#endif
