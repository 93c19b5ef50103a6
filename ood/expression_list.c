/** Lists of expressions: commas, sweeps, `all`. */
#include <string.h>

#include "core/alloc.h"
#include "ood/expression_private.h"

/* More than anyone reads. A sweep multiplies quickly: this is found before memory is gone. */
enum { LIST_MAX = 4096 };

/* No expression has more options to sweep. */
enum { SWEEPS_MAX = (DN_SHAPINGS_MAX + 1) * DN__OPTIONS_MAX };

/** Values joined by '|', and which of them is taken. */
typedef struct sweep {
    size_t start, length; /* in the expression's text */
    size_t values, at;
} sweep;

/** Puts one element more at the end of an array whose capacity is the power of two that its count needs. */
static dn_status make_room(void **items, size_t count, size_t size)
{
    if (count & (count - 1)) return DN_OK;
    void *larger = dn_calloc(count ? 2 * count : 1, size);
    if (!larger) return DN_ERROR_MEMORY;
    if (count > 0) memcpy(larger, *items, count * size);
    dn_free(*items);
    *items = larger;
    return DN_OK;
}

/** Takes the text over, also in case of an error. */
static dn_status append(dn_expression_list *list, char *text, bool optional)
{
    dn_score_expression expression;
    dn_status status = dn_expression_parse(&expression, text);
    for (size_t i = 0; status == DN_OK && i < list->count; i++) {
        if (!dn__expression_same(&expression, &list->expression[i])) continue;
        list->optional[i] &= optional;
        dn_free(text);
        return DN_OK;
    }
    if (status == DN_OK && list->count == LIST_MAX) {
        status = dn_fail(DN_ERROR_ARGUMENT, "score '%.200s': there are more than %d scores; ask for fewer at a time",
                         text, LIST_MAX);
    }
    if (status == DN_OK) status = make_room((void **)&list->text, list->count, sizeof *list->text);
    if (status == DN_OK) status = make_room((void **)&list->expression, list->count, sizeof *list->expression);
    if (status == DN_OK) status = make_room((void **)&list->optional, list->count, sizeof *list->optional);
    if (status != DN_OK) {
        dn_free(text);
        return status;
    }
    list->text[list->count] = text;
    list->optional[list->count] = optional;
    list->expression[list->count++] = expression;
    return DN_OK;
}

/** @return length of an option's value: up to the next option or name */
static size_t value_length(const char *text, const char *value)
{
    size_t length = strcspn(value, ",+");
    while (value[length] == '+' && dn__plus_of_number(text, value + length)) {
        length += 1 + strcspn(value + length + 1, ",+");
    }
    return length;
}

/** Finds the swept values. @param sweeps [SWEEPS_MAX] @param points receives the number of expressions they make */
static dn_status find_sweeps(sweep *sweeps, size_t *count, size_t *points, const char *text)
{
    *count = 0;
    *points = 1;
    for (const char *equals = strchr(text, '='); equals; equals = strchr(equals, '=')) {
        const char *value = equals + 1;
        sweep s = {(size_t)(value - text), value_length(text, value), 1, 0};
        for (size_t i = 0; i < s.length; i++) s.values += value[i] == '|';
        equals = value + s.length;
        if (s.values == 1) continue;
        if (*count == SWEEPS_MAX || *points > LIST_MAX / s.values) {
            return dn_fail(DN_ERROR_ARGUMENT, "score '%.200s': the sweep has more than %d points; give fewer values",
                           text, LIST_MAX);
        }
        *points *= s.values;
        sweeps[(*count)++] = s;
    }
    return DN_OK;
}

/** @return the text with one of each sweep's values in its place, or NULL */
static char *write_point(const char *text, const sweep *sweeps, size_t count)
{
    char *point = dn_calloc(strlen(text) + 1, 1);
    if (!point) return NULL;
    size_t from = 0, to = 0;
    for (size_t i = 0; i < count; i++) {
        const char *value = text + sweeps[i].start;
        memcpy(point + to, text + from, sweeps[i].start - from);
        to += sweeps[i].start - from;
        for (size_t skip = 0; skip < sweeps[i].at; skip++) value = strchr(value, '|') + 1;
        size_t length = (size_t)(text + sweeps[i].start + sweeps[i].length - value);
        const char *bar = memchr(value, '|', length);
        if (bar) length = (size_t)(bar - value);
        memcpy(point + to, value, length);
        to += length;
        from = sweeps[i].start + sweeps[i].length;
    }
    memcpy(point + to, text + from, strlen(text) - from);
    return point;
}

/** Appends every point of the expression's sweeps; the last swept option varies fastest. */
static dn_status append_points(dn_expression_list *list, const char *text)
{
    sweep sweeps[SWEEPS_MAX];
    size_t count = 0, points = 0;
    DN_TRY(find_sweeps(sweeps, &count, &points, text));
    for (size_t i = 0; i < points; i++) {
        char *point = write_point(text, sweeps, count);
        if (!point) return DN_ERROR_MEMORY;
        DN_TRY(append(list, point, false));
        for (size_t s = count; s-- > 0;) {
            sweeps[s].at = (sweeps[s].at + 1) % sweeps[s].values;
            if (sweeps[s].at > 0) break;
        }
    }
    return DN_OK;
}

static dn_status append_all(dn_expression_list *list)
{
    size_t count;
    const dn_method *const *methods = dn_methods(&count);
    for (size_t i = 0; i < count; i++) {
        char *name = dn_strdup(methods[i]->name);
        if (!name) return DN_ERROR_MEMORY;
        DN_TRY(append(list, name, true));
    }
    return DN_OK;
}

/** @return length of the list's first expression: a piece such as "top=10" still belongs to the name before it */
static size_t expression_length(const char *list)
{
    size_t length = strcspn(list, ",");
    while (list[length] == ',') {
        const char *piece = list + length + 1;
        if (piece[strcspn(piece, ",:=")] != '=') break;
        length += 1 + strcspn(piece, ",");
    }
    return length;
}

static dn_status append_list(dn_expression_list *list, const char *text)
{
    for (const char *rest = text;;) {
        const size_t length = expression_length(rest);
        if (length == 0) {
            return dn_fail(DN_ERROR_ARGUMENT,
                           "list of scores '%.200s': a name is missing; expected scores such as msp,energy, or 'all'",
                           text);
        }
        char *expression = dn_format("%.*s", (int)(length < 1 << 20 ? length : 1 << 20), rest);
        if (!expression) return DN_ERROR_MEMORY;
        const dn_status status = strcmp(expression, "all") == 0 ? append_all(list) : append_points(list, expression);
        dn_free(expression);
        if (status != DN_OK) return status;
        if (rest[length] == '\0') return DN_OK;
        rest += length + 1;
    }
}

dn_status dn_expression_list_add(dn_expression_list *list, const char *text)
{
    const size_t before = list->count;
    const dn_status status = append_list(list, text);
    if (status == DN_OK) return DN_OK;
    while (list->count > before) dn_free(list->text[--list->count]);
    return status;
}

void dn_expression_list_close(dn_expression_list *list)
{
    for (size_t i = 0; i < list->count; i++) dn_free(list->text[i]);
    dn_free(list->text);
    dn_free(list->expression);
    dn_free(list->optional);
    *list = (dn_expression_list){0};
}
