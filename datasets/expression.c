#include "datasets/expression.h"

#include <stdbool.h>
#include <string.h>

#include "core/alloc.h"
#include "core/nearest.h"

#define GRAMMAR "name[classes][:split][@HxWxC]"

static char *copy_of(const char *begin, size_t length)
{
    char *copy = dn_calloc(length + 1, 1);
    if (copy) memcpy(copy, begin, length);
    return copy;
}

/* Reads a decimal number of at most nine digits and moves `*at` behind it; -1 if there is none. */
static int read_number(const char **at)
{
    int value = 0, digits = 0;
    for (; **at >= '0' && **at <= '9'; ++*at)
        if (++digits <= 9) value = value * 10 + (**at - '0');
    return digits >= 1 && digits <= 9 ? value : -1;
}

static dn_status parse_size(dn__expression *e, const char *size)
{
    int *const sides[3] = {&e->height, &e->width, &e->channels};
    const int most[3] = {DN__LONGEST_SIDE, DN__LONGEST_SIDE, 3};
    const char *at = size;
    for (int i = 0; i < 3; i++) {
        *sides[i] = read_number(&at);
        const bool right_end = i < 2 ? *at++ == 'x' : *at == 0;
        if (*sides[i] < 1 || *sides[i] > most[i] || !right_end)
            return dn_fail(DN_ERROR_ARGUMENT,
                           "size '@%s', expected @HxWxC such as @32x32x3: height and "
                           "width 1 to %d, channels 1 to 3",
                           size, DN__LONGEST_SIDE);
    }
    return DN_OK;
}

/* A path may hold '@' too, so that a size is only what is written in digits and 'x'. */
static const char *find_size(const char *rest)
{
    const char *last = strrchr(rest, '@');
    return last && last[1 + strspn(last + 1, "0123456789x")] == 0 ? last : NULL;
}

dn_status dn__expression_parse(dn__expression *out, const char *text)
{
    *out = (dn__expression){0};
    const char *at = text + strcspn(text, "[]:@");
    if (at == text || *at == ']') return dn_fail(DN_ERROR_ARGUMENT, "expected " GRAMMAR ", such as mnist[0-4]:train");
    out->name = copy_of(text, (size_t)(at - text));
    if (!out->name) return DN_ERROR_MEMORY;
    if (*at == '[') {
        const char *close = strchr(at, ']');
        if (!close) return dn_fail(DN_ERROR_ARGUMENT, "']' is missing after the classes");
        out->classes = copy_of(at + 1, (size_t)(close - at - 1));
        if (!out->classes) return DN_ERROR_MEMORY;
        at = close + 1;
    }
    if (*at == ':') {
        const char *end = find_size(++at);
        if (!end) end = at + strlen(at);
        if (end == at) return dn_fail(DN_ERROR_ARGUMENT, "the split after ':' is empty");
        out->split = copy_of(at, (size_t)(end - at));
        if (!out->split) return DN_ERROR_MEMORY;
        at = end;
    }
    if (*at == '@') return parse_size(out, at + 1);
    if (*at) return dn_fail(DN_ERROR_ARGUMENT, "found '%s', expected " GRAMMAR, at);
    return DN_OK;
}

void dn__expression_clear(dn__expression *e)
{
    dn_free(e->name);
    dn_free(e->classes);
    dn_free(e->split);
    *e = (dn__expression){0};
}

static int class_by_name(const char *name, int classes, char *const *names)
{
    for (int i = 0; names && i < classes; i++)
        if (strcmp(name, names[i]) == 0) return i;
    return -1;
}

/* One item of a list: "3", "0-4" or a name; gives the first and last class that it means. */
static dn_status parse_item(int *first, int *last, const char *item, int classes, char *const *names)
{
    const char *at = item;
    *first = *last = read_number(&at);
    if (*first >= 0 && *at == '-') {
        at++;
        *last = read_number(&at);
    }
    if (*at == 0 && *first >= 0 && *last >= *first) {
        if (*last < classes) return DN_OK;
        return dn_fail(DN_ERROR_ARGUMENT, "class %d in '[%s]', expected 0 to %d", *last, item, classes - 1);
    }
    *first = *last = class_by_name(item, classes, names);
    if (*first >= 0) return DN_OK;
    const char *near = names ? dn_nearest(item, (const char *const *)names, (size_t)classes) : NULL;
    if (near)
        return dn_fail(DN_ERROR_ARGUMENT,
                       "unknown class '%s'; the nearest is '%s' (number %d); expected a name, a "
                       "number 0 to %d, or a rising range such as 0-4",
                       item, near, class_by_name(near, classes, names), classes - 1);
    return dn_fail(DN_ERROR_ARGUMENT, "unknown class '%s', expected a number 0 to %d, or a rising range such as 0-4",
                   item, classes - 1);
}

static dn_status choose(int *chosen, int *count, char *list, int classes, char *const *names)
{
    for (char *item = list, *comma = list; comma; item = comma + 1) {
        int first = 0, last = 0;
        comma = strchr(item, ',');
        if (comma) *comma = 0;
        DN_TRY(parse_item(&first, &last, item, classes, names));
        for (int c = first; c <= last; c++) {
            for (int i = 0; i < *count; i++)
                if (chosen[i] == c) return dn_fail(DN_ERROR_ARGUMENT, "class %d is listed twice, expected once", c);
            chosen[(*count)++] = c;
        }
    }
    return DN_OK;
}

dn_status dn__classes_parse(int **chosen, int *count, const char *list, int classes, char *const *names)
{
    *chosen = NULL, *count = 0;
    int *numbers = dn_calloc((size_t)classes, sizeof *numbers); /* no class twice: never more than there are */
    char *copy = dn_strdup(list);
    const dn_status status = numbers && copy ? choose(numbers, count, copy, classes, names) : DN_ERROR_MEMORY;
    dn_free(copy);
    if (status == DN_OK)
        *chosen = numbers;
    else
        dn_free(numbers);
    return status;
}
