#include "datasets/expression.h"

#include <stdbool.h>
#include <string.h>

#include "core/alloc.h"
#include "core/nearest.h"

#define GRAMMAR "name[classes][:split][@HxWxC[/METHOD]]"
#define METHODS "bilinear, bicubic, crop or cut"

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

/* What follows a size: "/bicubic/crop", in any order. */
static dn_status parse_methods(dn_size *size, const char *methods, const char *text)
{
    static const char *const names[] = {"bilinear", "bicubic", "crop", "cut"};
    for (const char *at = methods; *at;) {
        const size_t length = strcspn(++at, "/");
        size_t m = 0;
        while (m < 4 && (strlen(names[m]) != length || strncmp(names[m], at, length) != 0)) m++;
        switch (m) {
        case 0: size->filter = DN_FILTER_BILINEAR; break;
        case 1: size->filter = DN_FILTER_BICUBIC; break;
        case 2: size->fit = DN_FIT_CROP; break;
        case 3: size->fit = DN_FIT_CUT; break;
        default:
            return dn_fail(DN_ERROR_ARGUMENT, "size '@%s': '%.*s' is no way to resize, expected " METHODS, text,
                           (int)length, at);
        }
        at += length;
    }
    return DN_OK;
}

static dn_status parse_size(dn_size *size, const char *text)
{
    int *const sides[3] = {&size->height, &size->width, &size->channels};
    const int most[3] = {DN__LONGEST_SIDE, DN__LONGEST_SIDE, 3};
    const char *at = text;
    for (int i = 0; i < 3; i++) {
        *sides[i] = read_number(&at);
        const bool right_end = i < 2 ? *at++ == 'x' : *at == 0 || *at == '/';
        if (*sides[i] < 1 || *sides[i] > most[i] || !right_end)
            return dn_fail(DN_ERROR_ARGUMENT,
                           "size '@%s', expected @HxWxC such as @32x32x3 or @32x32x3/crop: height and "
                           "width 1 to %d, channels 1 to 3",
                           text, DN__LONGEST_SIDE);
    }
    return parse_methods(size, at, text);
}

/* A path may hold '@' too, so that a size is only what is written in digits and 'x', with '/' after two of these. */
static const char *find_size(const char *rest)
{
    const char *last = strrchr(rest, '@');
    if (!last) return NULL;
    const char *end = last + 1 + strspn(last + 1, "0123456789x");
    int times = 0;
    for (const char *at = last; at < end; at++) times += *at == 'x';
    return *end == 0 || (*end == '/' && times == 2 && end[1]) ? last : NULL;
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
    if (*at == '@') return parse_size(&out->size, at + 1);
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
    *first = *last = class_by_name(item, classes, names); /* first of all: a class may be called 10 */
    if (*first >= 0) return DN_OK;
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
