#include "apps/table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "apps/utf8.h"
#include "core/alloc.h"

enum { LONGEST_CELL = 512, GAP = 2 };

struct dn_table {
    char *columns;
    size_t n_columns;
    char **cells; /* [n_cells], row by row; a row whose first cell is NULL is a rule */
    size_t n_cells, capacity;
    dn_status status;
};

dn_status dn_table_open(dn_table **out, const char *columns)
{
    *out = NULL;
    if (!columns[0] || strspn(columns, "lr") != strlen(columns))
        return dn_fail(DN_ERROR_INTERNAL, "a table's columns are letters 'l' and 'r', found \"%s\"", columns);
    dn_table *table = dn_calloc(1, sizeof *table);
    if (!table) return DN_ERROR_MEMORY;
    table->n_columns = strlen(columns);
    table->columns = dn_strdup(columns);
    if (!table->columns) {
        dn_table_close(table);
        return DN_ERROR_MEMORY;
    }
    *out = table;
    return DN_OK;
}

void dn_table_close(dn_table *table)
{
    if (!table) return;
    for (size_t i = 0; i < table->n_cells; i++) dn_free(table->cells[i]);
    dn_free(table->cells);
    dn_free(table->columns);
    dn_free(table);
}

/** @param text NULL: part of a rule */
static void add(dn_table *table, const char *text)
{
    if (table->status != DN_OK) return;
    char *copy = text ? dn_strdup(text) : NULL;
    table->status = text && !copy ? DN_ERROR_MEMORY
                                  : dn_grow((void **)&table->cells, &table->capacity, table->n_cells, sizeof(char *));
    if (table->status == DN_OK) {
        table->cells[table->n_cells++] = copy;
    } else {
        dn_free(copy);
    }
}

void dn_table_cell(dn_table *table, const char *format, ...)
{
    char text[LONGEST_CELL];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    dn_text_disarm(text, "");
    add(table, text);
}

void dn_table_rule(dn_table *table)
{
    while (table->status == DN_OK && table->n_cells % table->n_columns != 0) add(table, "");
    for (size_t i = 0; i < table->n_columns; i++) add(table, NULL);
}

/** @return the letters of a text in UTF-8, which are the places of a terminal for all but a few scripts */
static size_t width_of(const char *text)
{
    size_t letters = 0;
    for (; *text; text++) letters += ((unsigned char)*text & 0xC0u) != 0x80u;
    return letters;
}

static size_t column_width(const dn_table *table, size_t column)
{
    size_t widest = 0;
    for (size_t i = column; i < table->n_cells; i += table->n_columns) {
        const size_t width = table->cells[i] ? width_of(table->cells[i]) : 0;
        if (width > widest) widest = width;
    }
    return widest;
}

static void repeat(FILE *file, char letter, size_t times)
{
    while (times-- > 0) fputc(letter, file);
}

/** Spaces are held back until something follows them. @param pending [in/out] */
static void print_cell(FILE *file, const char *text, size_t width, bool right, size_t *pending)
{
    const size_t spaces = width - width_of(text);
    if (text[0]) {
        repeat(file, ' ', *pending + (right ? spaces : 0));
        fputs(text, file);
        *pending = GAP + (right ? 0 : spaces);
    } else {
        *pending += width + GAP;
    }
}

static void print_rule(const dn_table *table, FILE *file)
{
    size_t total = (table->n_columns - 1) * GAP;
    for (size_t column = 0; column < table->n_columns; column++) total += column_width(table, column);
    repeat(file, '-', total);
    fputc('\n', file);
}

dn_status dn_table_print(const dn_table *table, FILE *file)
{
    DN_TRY(table->status);
    for (size_t row = 0; row < table->n_cells; row += table->n_columns) {
        if (!table->cells[row]) {
            print_rule(table, file);
            continue;
        }
        size_t pending = 0;
        for (size_t column = 0; column < table->n_columns && row + column < table->n_cells; column++)
            print_cell(file, table->cells[row + column], column_width(table, column), table->columns[column] == 'r',
                       &pending);
        fputc('\n', file);
    }
    return DN_OK;
}
