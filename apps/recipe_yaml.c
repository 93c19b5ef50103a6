/* YAML text to tree and back, by libyaml's events: no recursion over the input, every bound checked as it is read. */
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "apps/recipe_tree.h"
#include "core/alloc.h"

typedef struct reader {
    const dn__recipe_origin *origin;
    yaml_parser_t parser;
    dn__node *root;
    dn__node *open[DN__RECIPE_DEPTH]; /* lists and maps not yet ended, outermost first */
    int depth, documents;
    char *key; /* of the map entry whose value comes next */
} reader;

static dn_status fail_at(const reader *r, size_t line, const char *text)
{
    const dn__node place = {.line = (int)line + 1, .override = r->origin->override};
    return dn__recipe_fail(r->origin->label, &place, "%s", text);
}

static dn_status fail_syntax(const reader *r)
{
    const yaml_parser_t *p = &r->parser;
    char text[200];
    if (p->error == YAML_MEMORY_ERROR) return dn_fail(DN_ERROR_MEMORY, "not enough memory to read a recipe");
    if (p->error == YAML_READER_ERROR) {
        snprintf(text, sizeof text, "not UTF-8 text (byte %zu: %s)", p->problem_offset, p->problem);
        const dn__node place = {.override = r->origin->override};
        return dn__recipe_fail(r->origin->label, &place, "%s", text);
    }
    snprintf(text, sizeof text, "not valid YAML: %s; texts with brackets or ': ' in a list need quotes",
             p->problem ? p->problem : "cannot be read");
    return fail_at(r, p->problem_mark.line, text);
}

static dn_status check_scalar(const reader *r, const yaml_event_t *event)
{
    const unsigned char *text = event->data.scalar.value;
    for (size_t i = 0; i < event->data.scalar.length; i++) {
        if (text[i] < ' ' && text[i] != '\n' && text[i] != '\t') {
            return fail_at(r, event->start_mark.line, "control characters have no place in a recipe");
        }
    }
    return DN_OK;
}

/* Puts a new node where the document is being read; the reader's root and open nodes own it. */
static dn_status place_node(reader *r, dn__node *node, const yaml_event_t *event)
{
    if (!node) return DN_ERROR_MEMORY;
    node->line = (int)event->start_mark.line + 1;
    node->override = r->origin->override;
    if (!r->depth) {
        r->root = node;
        return DN_OK;
    }
    dn__node *parent = r->open[r->depth - 1];
    if (parent->n >= DN__RECIPE_CHILDREN) {
        dn__node_free(node);
        return fail_at(r, event->start_mark.line, "more than 1000 entries in one list or map");
    }
    const dn_status status = dn__node_add(parent, r->key, node);
    dn_free(r->key);
    r->key = NULL;
    return status;
}

static bool key_is_next(const reader *r)
{
    return r->depth && r->open[r->depth - 1]->kind == DN__MAP && !r->key;
}

static dn_status take_key(reader *r, const yaml_event_t *event)
{
    const char *key = (const char *)event->data.scalar.value;
    const dn__node *twin = dn__node_get(r->open[r->depth - 1], key);
    if (twin) {
        char text[200];
        snprintf(text, sizeof text, "key '%.60s' is stated twice, first in line %d", key, twin->line);
        return fail_at(r, event->start_mark.line, text);
    }
    r->key = dn_strdup(key);
    return r->key ? DN_OK : DN_ERROR_MEMORY;
}

static dn_status take_scalar(reader *r, const yaml_event_t *event)
{
    if (event->data.scalar.anchor) return fail_at(r, event->start_mark.line, "recipes use no anchors and aliases");
    DN_TRY(check_scalar(r, event));
    if (key_is_next(r)) return take_key(r, event);
    dn__node *node = dn__node_new(DN__SCALAR, (const char *)event->data.scalar.value);
    if (node) node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return place_node(r, node, event);
}

static dn_status take_collection(reader *r, dn__node_kind kind, const yaml_char_t *anchor, const yaml_event_t *event)
{
    if (anchor) return fail_at(r, event->start_mark.line, "recipes use no anchors and aliases");
    if (key_is_next(r)) return fail_at(r, event->start_mark.line, "a key must be a word, not a list or a map");
    if (r->depth == DN__RECIPE_DEPTH) return fail_at(r, event->start_mark.line, "nested too deeply for a recipe");
    dn__node *node = dn__node_new(kind, NULL);
    DN_TRY(place_node(r, node, event));
    r->open[r->depth++] = node;
    return DN_OK;
}

static dn_status take_event(reader *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (r->documents++) return fail_at(r, event->start_mark.line, "a second YAML document; a recipe is one");
        return DN_OK;
    case YAML_ALIAS_EVENT: return fail_at(r, event->start_mark.line, "recipes use no anchors and aliases");
    case YAML_SCALAR_EVENT: return take_scalar(r, event);
    case YAML_SEQUENCE_START_EVENT: return take_collection(r, DN__LIST, event->data.sequence_start.anchor, event);
    case YAML_MAPPING_START_EVENT: return take_collection(r, DN__MAP, event->data.mapping_start.anchor, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: r->depth--; return DN_OK;
    default: return DN_OK;
    }
}

static dn_status read_events(reader *r)
{
    for (bool done = false; !done;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&r->parser, &event)) return fail_syntax(r);
        const dn_status status = take_event(r, &event);
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        DN_TRY(status);
    }
    return DN_OK;
}

dn_status dn__tree_parse(dn__node **out, const char *yaml, size_t bytes, const dn__recipe_origin *origin)
{
    reader r = {.origin = origin};
    *out = NULL;
    if (bytes > DN__RECIPE_BYTES) {
        return dn_fail(DN_ERROR_FORMAT, "recipe %s: larger than 1 MiB, which no recipe is", origin->label);
    }
    if (!yaml_parser_initialize(&r.parser)) return dn_fail(DN_ERROR_MEMORY, "not enough memory to read a recipe");
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)yaml, bytes);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    const dn_status status = read_events(&r);
    yaml_parser_delete(&r.parser);
    dn_free(r.key);
    if (status != DN_OK) {
        dn__node_free(r.root);
        return status;
    }
    *out = r.root;
    return DN_OK;
}

typedef struct writer {
    yaml_emitter_t emitter;
    char *text;
    size_t n, capacity;
} writer;

static int append(void *data, unsigned char *bytes, size_t n)
{
    writer *w = data;
    if (w->capacity - w->n <= n) { /* one byte stays for the end */
        const size_t larger = (w->capacity + n) * 2 + 1;
        char *text = dn_calloc(larger, 1);
        if (!text) return 0;
        if (w->n) memcpy(text, w->text, w->n);
        dn_free(w->text);
        w->text = text;
        w->capacity = larger;
    }
    memcpy(w->text + w->n, bytes, n);
    w->n += n;
    return 1;
}

/* `made` says whether `event` could be initialised. The emitter frees the event in any case. */
static bool emit(writer *w, yaml_event_t *event, int made)
{
    return made && yaml_emitter_emit(&w->emitter, event);
}

static bool emit_scalar(writer *w, const char *text, bool quoted)
{
    yaml_event_t event;
    return emit(w, &event,
                yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), 1, 1,
                                             quoted ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_ANY_SCALAR_STYLE));
}

static bool emit_node(writer *w, const dn__node *node)
{
    yaml_event_t event;
    if (node->kind == DN__SCALAR) return emit_scalar(w, node->text, node->quoted);
    if (node->kind == DN__LIST) {
        const bool flat = !node->n || node->children[0]->kind == DN__SCALAR;
        const yaml_sequence_style_t style = flat ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE;
        if (!emit(w, &event, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style))) return false;
    } else if (!emit(w, &event, yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE))) {
        return false;
    }
    for (size_t i = 0; i < node->n; i++) {
        if (node->kind == DN__MAP && !emit_scalar(w, node->children[i]->key, false)) return false;
        if (!emit_node(w, node->children[i])) return false;
    }
    return emit(w, &event,
                node->kind == DN__LIST ? yaml_sequence_end_event_initialize(&event)
                                       : yaml_mapping_end_event_initialize(&event));
}

static bool emit_document(writer *w, const dn__node *root)
{
    yaml_event_t event;
    return emit(w, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING)) &&
           emit(w, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1)) && emit_node(w, root) &&
           emit(w, &event, yaml_document_end_event_initialize(&event, 1)) &&
           emit(w, &event, yaml_stream_end_event_initialize(&event)) && yaml_emitter_flush(&w->emitter);
}

char *dn__tree_text(const dn__node *root)
{
    writer w = {.text = NULL};
    if (!yaml_emitter_initialize(&w.emitter)) {
        dn_fail(DN_ERROR_MEMORY, "not enough memory to write a recipe");
        return NULL;
    }
    yaml_emitter_set_output(&w.emitter, append, &w);
    yaml_emitter_set_width(&w.emitter, -1); /* never breaks a line */
    yaml_emitter_set_unicode(&w.emitter, 1);
    const bool written = emit_document(&w, root);
    yaml_emitter_delete(&w.emitter);
    if (written) return w.text;
    dn_free(w.text);
    dn_fail(DN_ERROR_FORMAT, "the recipe cannot be written as YAML: a text in it is not UTF-8, or memory ran out");
    return NULL;
}
