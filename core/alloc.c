#include "core/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *dn_calloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);
    if (!memory) dn_fail(DN_ERROR_MEMORY, "cannot allocate %zu elements of %zu bytes", count, size);
    return memory;
}

void *dn_calloc_aligned(size_t bytes)
{
    enum { ALIGNMENT = 64 };
    void *memory = NULL;
    if (bytes <= SIZE_MAX - ALIGNMENT) {
        const size_t rounded = (bytes + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
        memory = aligned_alloc(ALIGNMENT, rounded);
        if (memory) memset(memory, 0, rounded);
    }
    if (!memory) dn_fail(DN_ERROR_MEMORY, "cannot allocate %zu bytes", bytes);
    return memory;
}

char *dn_strdup(const char *text)
{
    const size_t bytes = strlen(text) + 1;
    char *copy = dn_calloc(bytes, 1);
    if (copy) memcpy(copy, text, bytes);
    return copy;
}

char *dn_format(const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : dn_calloc((size_t)length + 1, 1);
    if (text) vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

dn_status dn_grow(void **items, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity) return DN_OK;
    const size_t wanted = *capacity ? *capacity * 2 : 16;
    if (wanted < *capacity || wanted > SIZE_MAX / size) return dn_fail(DN_ERROR_MEMORY, "an array grew too long");
    void *larger = realloc(*items, wanted * size);
    if (!larger) return dn_fail(DN_ERROR_MEMORY, "cannot allocate %zu elements of %zu bytes", wanted, size);
    memset((char *)larger + *capacity * size, 0, (wanted - *capacity) * size);
    *items = larger;
    *capacity = wanted;
    return DN_OK;
}

void *dn_shrink(void *memory, size_t bytes)
{
    void *smaller = realloc(memory, bytes ? bytes : 1);
    if (smaller) return smaller;
    return memory; /* still there, only larger than needed */
}

void dn_free(void *memory)
{
    free(memory);
}
