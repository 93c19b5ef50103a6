/** A recipe's YAML as a small tree that remembers where each part was stated, so that errors can say it.
 *  YAML in, YAML out; what the keys mean is not known here. */
#ifndef DN_APPS_RECIPE_TREE_H
#define DN_APPS_RECIPE_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

/** Bounds that no honest recipe meets; they keep hostile ones cheap. */
enum { DN__RECIPE_BYTES = 1 << 20, DN__RECIPE_DEPTH = 12, DN__RECIPE_CHILDREN = 1000 };

typedef enum dn__node_kind { DN__SCALAR, DN__LIST, DN__MAP } dn__node_kind;

typedef struct dn__node dn__node;
struct dn__node {
    dn__node_kind kind;
    char *key;           /**< inside a map */
    char *text;          /**< of a scalar */
    bool quoted;         /**< a scalar that is text whatever it looks like */
    dn__node **children; /**< [n] of a list or map */
    size_t n, capacity;
    int line;             /**< counted from 1; 0: stated by an override or a default */
    const char *override; /**< borrowed: the "key=value" that stated it; NULL: none */
};

/** Where errors come from: which recipe, and what its text said before defaults were filled in. */
typedef struct dn__recipe_origin {
    const char *label;    /**< "my.yaml" */
    const char *override; /**< the override being read; NULL: the recipe itself */
} dn__recipe_origin;

/** Reads one YAML document. Aliases, anchors, several documents, more than DN__RECIPE_DEPTH levels, doubled keys and
 *  control characters are errors. @param out free with dn__node_free(); NULL for an empty text */
dn_status dn__tree_parse(dn__node **out, const char *yaml, size_t bytes, const dn__recipe_origin *origin);

/** @return the tree as YAML, or NULL with an error text; free with dn_free() */
char *dn__tree_text(const dn__node *root);

/** @return a node with a copy of `text` (NULL for lists and maps), or NULL with an error text */
dn__node *dn__node_new(dn__node_kind kind, const char *text);
void dn__node_free(dn__node *node);

/** Appends `child` (with a copy of `key`, NULL in a list), which `parent` owns from now on. The child is freed if that
 *  fails, and a NULL child is a failure with the text that is already there. */
dn_status dn__node_add(dn__node *parent, const char *key, dn__node *child);

/** Takes child `index` out and frees it. */
void dn__node_remove(dn__node *parent, size_t index);

/** @return the child of that key, or NULL */
dn__node *dn__node_get(const dn__node *map, const char *key);

/** @return the deepest node on the way of `path` ("mi.sources.0.alpha") that exists: `root` at least */
const dn__node *dn__node_nearest(const dn__node *root, const char *path);

/** @return whether it says nothing: `key:`, `key: ~` or `key: null` */
bool dn__node_empty(const dn__node *node);

/** dn_fail() with the place before the text: "recipe my.yaml, line 7: ..." or "override train.batch=x: ...".
 *  @param node whose place it is; NULL: the recipe as a whole */
dn_status dn__recipe_fail(const char *label, const dn__node *node, const char *format, ...) DN_PRINTF(3, 4);

#endif
