/** From what a recipe states to all that it means. Library-private. */
#ifndef DN_APPS_RECIPE_RESOLVE_H
#define DN_APPS_RECIPE_RESOLVE_H

#include "apps/recipe.h"
#include "apps/recipe_schema.h"
#include "apps/recipe_tree.h"

enum { DN__PATH = 256, DN__NUMBER = 40 };

/** Compares the tree with the schema: every key known, every value of its type and in its range. Fills defaults in and
 *  brings scalars into one spelling, so that libcyaml accepts the result. */
dn_status dn__recipe_resolve(dn__node *root, const char *label);

/** Applies "key.key=value" to what the recipe states, before defaults. An index may be the one after the last entry. */
dn_status dn__recipe_override(dn__node *root, const char *label, const char *override);

/** Rules that join several keys: enough members, switches in order, ... @param root to say in which line */
dn_status dn__recipe_check(const dn_recipe *recipe, const dn__node *root, const char *label);

/** Error for a key that `mapping` does not have. @param parent path of the mapping, "" for the recipe itself */
dn_status dn__recipe_unknown_key(const char *label, const dn__node *at, const char *parent, const char *key,
                                 const cyaml_schema_value_t *mapping);

/** Writes the shortest text that reads back as the same number. @param text [DN__NUMBER] */
void dn__number_text(char *text, double value);

#endif
