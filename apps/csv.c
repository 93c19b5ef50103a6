#include "apps/csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apps/text_file.h"
#include "core/alloc.h"

static void append(dn_csv *csv, const char *bytes, size_t count)
{
    if (csv->status != DN_OK) return;
    if (csv->used + count + 1 > csv->room) {
        const size_t room = 2 * (csv->used + count) + 1024;
        char *longer = dn_calloc(room, 1);
        if (!longer) {
            csv->status = DN_ERROR_MEMORY;
            return;
        }
        if (csv->used > 0) memcpy(longer, csv->text, csv->used);
        dn_free(csv->text);
        csv->text = longer;
        csv->room = room;
    }
    memcpy(csv->text + csv->used, bytes, count);
    csv->used += count;
    csv->text[csv->used] = '\0';
}

void dn_csv_add(dn_csv *csv, const char *format, ...)
{
    char piece[512];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    if (length >= 0 && length < (int)sizeof piece) {
        append(csv, piece, (size_t)length);
    } else if (csv->status == DN_OK) {
        csv->status = dn_fail(DN_ERROR_INTERNAL, "CSV: a piece of %d bytes, at most %zu fit", length, sizeof piece - 1);
    }
}

void dn_csv_add_text(dn_csv *csv, const char *value)
{
    if (!strpbrk(value, ",\"\r\n")) {
        append(csv, value, strlen(value));
        return;
    }
    append(csv, "\"", 1);
    for (; *value; value++) append(csv, *value == '"' ? "\"\"" : value, *value == '"' ? 2 : 1);
    append(csv, "\"", 1);
}

dn_status dn_csv_write(const dn_csv *csv, const char *path)
{
    return csv->status == DN_OK ? dn_text_write(csv->text ? csv->text : "", path) : csv->status;
}

void dn_csv_close(dn_csv *csv)
{
    dn_free(csv->text);
    *csv = (dn_csv){0};
}
