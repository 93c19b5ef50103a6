/** What an HTTP server says before the bytes. Library-private. */
#ifndef DN_DATASETS_FETCH_ANSWER_H
#define DN_DATASETS_FETCH_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "datasets/fetch/part.h"

typedef struct dn__answer {
    int code;             /**< 200, 206, 404 ...; 0: none yet */
    int64_t length;       /**< of the body; -1: not said */
    int64_t first, total; /**< of Content-Range: where the body starts in the file; -1: not said */
    char etag[DN__VALIDATOR], modified[DN__VALIDATOR];
} dn__answer;

/** Takes a header line, as the server sent it: any bytes, any length. A status line begins a new answer. */
void dn__answer_line(dn__answer *answer, const char *line, size_t length);

/** @return what If-Range can be asked with: a strong ETag, else the date, else "" */
const char *dn__answer_validator(const dn__answer *answer);

#endif
