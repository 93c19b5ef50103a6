#include "datasets/fetch/answer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/** @return the value of the header `name` without spaces around it, or NULL if the line is another one */
static const char *value_of(char *line, const char *name)
{
    const size_t length = strlen(name);
    if (strncasecmp(line, name, length) != 0 || line[length] != ':') return NULL;
    char *value = line + length + 1;
    value += strspn(value, " \t");
    size_t end = strlen(value);
    while (end > 0 && strchr(" \t\r\n", value[end - 1])) end--;
    value[end] = '\0';
    return value;
}

/** @return a whole number >= 0 that begins the text, or -1; *rest is what follows it */
static int64_t number(const char *text, const char **rest)
{
    char *end = NULL;
    if (text[0] < '0' || text[0] > '9') return -1;
    const long long value = strtoll(text, &end, 10); /* too large a number becomes the largest */
    *rest = end;
    return value;
}

/** Reads "bytes 100-199/200"; the total, or with "bytes * /200" the range, may be unknown. */
static void read_range(dn__answer *answer, const char *value)
{
    const char *rest = value, *slash = strchr(value, '/');
    if (strncasecmp(value, "bytes ", 6) == 0) answer->first = number(value + 6, &rest);
    if (slash) answer->total = number(slash + 1, &rest);
}

/** Keeps a validator only if it fits: part of one would never match. */
static void keep(char into[DN__VALIDATOR], const char *value)
{
    snprintf(into, DN__VALIDATOR, "%s", strlen(value) < DN__VALIDATOR ? value : "");
}

void dn__answer_line(dn__answer *answer, const char *line, size_t length)
{
    char text[1024];
    const char *value = NULL, *rest = NULL;
    if (length >= sizeof text) return; /* none that is of interest is so long */
    memcpy(text, line, length);
    text[length] = '\0';
    if (strncasecmp(text, "HTTP/", 5) == 0) {
        const char *space = strchr(text, ' ');
        *answer =
            (dn__answer){.code = space ? (int)strtol(space, NULL, 10) : 0, .length = -1, .first = -1, .total = -1};
    } else if ((value = value_of(text, "Content-Length"))) {
        answer->length = number(value, &rest);
    } else if ((value = value_of(text, "Content-Range"))) {
        read_range(answer, value);
    } else if ((value = value_of(text, "ETag"))) {
        keep(answer->etag, value);
    } else if ((value = value_of(text, "Last-Modified"))) {
        keep(answer->modified, value);
    }
}

const char *dn__answer_validator(const dn__answer *answer)
{
    return answer->etag[0] == '"' ? answer->etag : answer->modified; /* W/"..." is a weak one: If-Range forbids it */
}
