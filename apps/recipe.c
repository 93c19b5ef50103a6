#include "apps/recipe.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apps/recipe_resolve.h"
#include "apps/recipe_shipped.h"
#include "core/alloc.h"
#include "core/nearest.h"

/* libcyaml speaks through a log; what it says last is kept. */
typedef struct last_words {
    char text[256];
} last_words;

static void keep_words(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
    last_words *words = context;
    (void)level;
    vsnprintf(words->text, sizeof words->text, format, arguments);
}

static cyaml_config_t configuration(last_words *words)
{
    return (cyaml_config_t){.log_fn = keep_words,
                            .log_ctx = words,
                            .mem_fn = cyaml_mem,
                            .log_level = CYAML_LOG_ERROR,
                            .flags = CYAML_CFG_NO_ALIAS};
}

void dn_recipe_close(dn_recipe *recipe)
{
    last_words words;
    const cyaml_config_t config = configuration(&words);
    if (recipe) cyaml_free(&config, &dn__recipe_schema, recipe, 0);
}

/* Structs from a resolved tree, which libcyaml takes as it is. */
static dn_status load(dn_recipe **out, const dn__node *root, const char *label)
{
    last_words words = {""};
    const cyaml_config_t config = configuration(&words);
    char *text = dn__tree_text(root);
    if (!text) return dn_fail_context(DN_ERROR_FORMAT, "recipe %s", label);
    cyaml_data_t *data = NULL;
    const cyaml_err_t error =
        cyaml_load_data((const uint8_t *)text, strlen(text), &config, &dn__recipe_schema, &data, NULL);
    dn_free(text);
    if (error != CYAML_OK || !data) {
        return dn_fail(DN_ERROR_INTERNAL, "recipe %s: libcyaml: %s %s", label, cyaml_strerror(error), words.text);
    }
    *out = data;
    return DN_OK;
}

/* Without a name of its own a recipe has that of its file: "runs/my.yaml" is "my". */
static dn_status name_root(dn__node *root, const char *label)
{
    dn__node *name = dn__node_get(root, "name");
    if (!name || *name->text) return DN_OK;
    const char *slash = strrchr(label, '/'), *base = slash ? slash + 1 : label;
    size_t length = strlen(base);
    if (length > 5 && !strcmp(base + length - 5, ".yaml")) length -= 5;
    dn_free(name->text);
    name->text = dn_format("%.*s", (int)length, base);
    return name->text ? DN_OK : DN_ERROR_MEMORY;
}

static dn_status finish(dn_recipe **out, dn__node *root, const char *label, const char *const *overrides,
                        int n_overrides)
{
    if (root->kind != DN__MAP) return dn__recipe_fail(label, root, "a recipe is a map of keys, such as 'train:'");
    for (int i = 0; i < n_overrides; i++) DN_TRY(dn__recipe_override(root, label, overrides[i]));
    DN_TRY(dn__recipe_resolve(root, label));
    DN_TRY(name_root(root, label));
    DN_TRY(load(out, root, label));
    if (!(*out)->mi.batch) (*out)->mi.batch = (*out)->train.batch;
    if (!(*out)->leave_out.batch) (*out)->leave_out.batch = (*out)->train.batch;
    const dn_status status = dn__recipe_check(*out, root, label);
    if (status != DN_OK) {
        dn_recipe_close(*out);
        *out = NULL;
    }
    return status;
}

static dn_status parse_bytes(dn_recipe **out, const char *yaml, size_t bytes, const char *label,
                             const char *const *overrides, int n_overrides)
{
    const dn__recipe_origin origin = {label, NULL};
    dn__node *root = NULL;
    *out = NULL;
    if (memchr(yaml, 0, bytes)) return dn_fail(DN_ERROR_FORMAT, "recipe %s: not text: it holds zero bytes", label);
    DN_TRY(dn__tree_parse(&root, yaml, bytes, &origin));
    if (!root || dn__node_empty(root)) {
        dn__node_free(root);
        return dn_fail(DN_ERROR_FORMAT, "recipe %s: empty; state at least data.train, data.test and model.name", label);
    }
    const dn_status status = finish(out, root, label, overrides, n_overrides);
    dn__node_free(root);
    return status;
}

dn_status dn_recipe_parse(dn_recipe **out, const char *yaml, const char *label, const char *const *overrides,
                          int n_overrides)
{
    return parse_bytes(out, yaml, strlen(yaml), label, overrides, n_overrides);
}

static dn_status read_file(char **text, size_t *bytes, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return dn_fail(DN_ERROR_FILE, "recipe %s: cannot be opened: %s", path, strerror(errno));
    *text = dn_calloc(DN__RECIPE_BYTES + 1, 1);
    if (!*text) {
        fclose(file);
        return DN_ERROR_MEMORY;
    }
    errno = 0;
    *bytes = fread(*text, 1, DN__RECIPE_BYTES + 1, file);
    const int failed = ferror(file) ? errno : 0;
    fclose(file);
    if (!failed) return DN_OK;
    dn_free(*text);
    return dn_fail(DN_ERROR_FILE, "recipe %s: cannot be read: %s", path, strerror(failed));
}

static dn_status open_file(dn_recipe **out, const char *path, const char *const *overrides, int n_overrides)
{
    char *text = NULL;
    size_t bytes = 0;
    DN_TRY(read_file(&text, &bytes, path));
    const dn_status status = parse_bytes(out, text, bytes, path, overrides, n_overrides);
    dn_free(text);
    return status;
}

static dn_status fail_unknown(const char *name)
{
    char list[1024] = "";
    for (int i = 0; i < dn__shipped_count; i++) {
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", dn__shipped_names[i]);
    }
    const char *near = dn_nearest(name, dn__shipped_names, (size_t)dn__shipped_count);
    return dn_fail(DN_ERROR_ARGUMENT,
                   "no recipe '%.60s'%s%s%s (shipped: %s; a file needs a '/' in its name or .yaml at its end)", name,
                   near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "", list);
}

dn_status dn_recipe_open(dn_recipe **out, const char *name, const char *const *overrides, int n_overrides)
{
    const size_t length = strlen(name);
    *out = NULL;
    if (strchr(name, '/') || (length >= 5 && !strcmp(name + length - 5, ".yaml"))) {
        return open_file(out, name, overrides, n_overrides);
    }
    for (int i = 0; i < dn__shipped_count; i++) {
        if (!strcmp(name, dn__shipped_names[i])) {
            return dn_recipe_parse(out, dn__shipped_texts[i], name, overrides, n_overrides);
        }
    }
    return fail_unknown(name);
}

int dn_recipe_list(const char *const **names, const char *const **descriptions)
{
    *names = dn__shipped_names;
    *descriptions = dn__shipped_descriptions;
    return dn__shipped_count;
}
