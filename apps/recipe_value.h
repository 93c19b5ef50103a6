/** Single values of a recipe. Library-private. */
#ifndef DN_APPS_RECIPE_VALUE_H
#define DN_APPS_RECIPE_VALUE_H

#include "apps/recipe_schema.h"
#include "apps/recipe_tree.h"

/** Checks a scalar's type and range and brings it into one spelling: decimal numbers, true and false, quoted texts.
 *  @param key its row in the table, or that of its list */
dn_status dn__value_resolve(dn__node *node, const cyaml_schema_value_t *schema, const dn__recipe_key *key,
                            const char *label, const char *path);

#endif
