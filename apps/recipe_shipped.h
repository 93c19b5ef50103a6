/** The recipes of apps/recipes, compiled in by cmake/embed.cmake. Library-private. */
#ifndef DN_APPS_RECIPE_SHIPPED_H
#define DN_APPS_RECIPE_SHIPPED_H

#include <stddef.h>

extern const int dn__shipped_count;
extern const char *const dn__shipped_names[];        /**< [count] sorted */
extern const char *const dn__shipped_descriptions[]; /**< [count] */
extern const char *const dn__shipped_texts[];        /**< [count] YAML, ends with 0 */

#endif
