#include "apps/recipe_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"

dn__node *dn__node_new(dn__node_kind kind, const char *text)
{
    dn__node *node = dn_calloc(1, sizeof *node);
    if (!node) return NULL;
    node->kind = kind;
    if (text && !(node->text = dn_strdup(text))) {
        dn_free(node);
        return NULL;
    }
    return node;
}

/* Recursion is safe: no tree is deeper than DN__RECIPE_DEPTH. */
void dn__node_free(dn__node *node)
{
    if (!node) return;
    for (size_t i = 0; i < node->n; i++) dn__node_free(node->children[i]);
    dn_free(node->children);
    dn_free(node->key);
    dn_free(node->text);
    dn_free(node);
}

dn_status dn__node_add(dn__node *parent, const char *key, dn__node *child)
{
    if (!child) return DN_ERROR_MEMORY;
    void *children = parent->children;
    if (key) {
        dn_free(child->key);
        child->key = dn_strdup(key);
    }
    if ((key && !child->key) || dn_grow(&children, &parent->capacity, parent->n, sizeof(dn__node *))) {
        dn__node_free(child);
        return DN_ERROR_MEMORY;
    }
    parent->children = children;
    parent->children[parent->n++] = child;
    return DN_OK;
}

void dn__node_remove(dn__node *parent, size_t index)
{
    dn__node_free(parent->children[index]);
    parent->n--;
    memmove(parent->children + index, parent->children + index + 1, (parent->n - index) * sizeof(dn__node *));
}

dn__node *dn__node_get(const dn__node *map, const char *key)
{
    if (map->kind != DN__MAP) return NULL;
    for (size_t i = 0; i < map->n; i++) {
        if (!strcmp(map->children[i]->key, key)) return map->children[i];
    }
    return NULL;
}

static const dn__node *step_down(const dn__node *node, const char *name, size_t length)
{
    for (size_t i = 0; node->kind == DN__MAP && i < node->n; i++) {
        const char *key = node->children[i]->key;
        if (strlen(key) == length && !memcmp(key, name, length)) return node->children[i];
    }
    if (node->kind != DN__LIST) return NULL;
    const unsigned long index = strtoul(name, NULL, 10);
    return index < node->n ? node->children[index] : NULL;
}

const dn__node *dn__node_nearest(const dn__node *root, const char *path)
{
    const dn__node *node = root;
    while (*path) {
        const size_t length = strcspn(path, ".");
        const dn__node *below = step_down(node, path, length);
        if (!below) break;
        node = below;
        path += length + (path[length] == '.');
    }
    return node;
}

bool dn__node_empty(const dn__node *node)
{
    if (node->kind != DN__SCALAR || node->quoted) return false;
    return !*node->text || !strcmp(node->text, "~") || !strcmp(node->text, "null");
}

dn_status dn__recipe_fail(const char *label, const dn__node *node, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (node && node->override) return dn_fail(DN_ERROR_ARGUMENT, "override %.200s: %s", node->override, text);
    if (node && node->line > 0) return dn_fail(DN_ERROR_FORMAT, "recipe %s, line %d: %s", label, node->line, text);
    return dn_fail(DN_ERROR_FORMAT, "recipe %s: %s", label, text);
}
