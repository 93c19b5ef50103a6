#include "apps/step_table.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/csv.h"
#include "core/alloc.h"

enum { LONGEST_LINE = 4096 };

/* ---- reading ---- */

static dn_status push(dn_step_table *t, const double *row)
{
    const size_t width = 1 + t->columns;
    DN_TRY(dn_grow((void **)&t->values, &t->room, t->rows, width * sizeof *row));
    memcpy(t->values + t->rows++ * width, row, width * sizeof *row);
    return DN_OK;
}

/* Reads one number and the comma or line end behind it. An empty field is NaN. */
static bool take_number(double *number, const char **at, char end)
{
    char *stop = NULL;
    *number = **at == end ? NAN : strtod(*at, &stop);
    if (stop == *at) return false;
    if (stop) *at = stop;
    return *(*at)++ == end;
}

static dn_status take_line(dn_step_table *t, double *row, const char *line, size_t number, int64_t last)
{
    const char *at = line;
    for (size_t i = 0; i <= t->columns; i++)
        if (!take_number(&row[i], &at, i == t->columns ? '\n' : ','))
            return dn_fail(DN_ERROR_FORMAT,
                           "%s, line %zu: %zu numbers are needed, separated by commas; delete the file to begin the "
                           "curve anew",
                           t->path, number, 1 + t->columns);
    const double before = t->rows ? t->values[(t->rows - 1) * (1 + t->columns)] : -1.0;
    if (!(row[0] > before))
        return dn_fail(DN_ERROR_FORMAT, "%s, line %zu: step %g stands behind step %g; delete the file to begin anew",
                       t->path, number, row[0], before);
    return row[0] <= (double)last ? push(t, row) : DN_OK;
}

static void add_heading(const dn_step_table *t, dn_csv *csv)
{
    dn_csv_add(csv, "step");
    for (size_t i = 0; i < t->columns; i++) {
        dn_csv_add(csv, ",");
        dn_csv_add_text(csv, t->names[i]);
    }
}

static dn_status check_heading(const dn_step_table *t, const char *line)
{
    dn_csv wanted = {0};
    const size_t length = strcspn(line, "\n");
    add_heading(t, &wanted);
    dn_status status = wanted.status;
    if (status == DN_OK && (strncmp(wanted.text, line, length) != 0 || wanted.text[length] != '\0'))
        status =
            dn_fail(DN_ERROR_FORMAT,
                    "%s, line 1: found '%.*s', expected '%s': that is of another training; delete its run to begin "
                    "anew, or name another folder",
                    t->path, (int)length, line, wanted.text);
    dn_csv_close(&wanted);
    return status;
}

static dn_status read_lines(dn_step_table *t, FILE *file, int64_t last)
{
    char line[LONGEST_LINE];
    size_t number = 0;
    double *row = dn_calloc(1 + t->columns, sizeof *row);
    dn_status status = row ? DN_OK : DN_ERROR_MEMORY;
    while (status == DN_OK && fgets(line, sizeof line, file))
        status = ++number == 1 ? check_heading(t, line) : take_line(t, row, line, number, last);
    if (status == DN_OK && ferror(file)) status = dn_fail(DN_ERROR_FILE, "cannot read '%s'", t->path);
    dn_free(row);
    return status;
}

dn_status dn_step_table_open(dn_step_table *out, const char *path, const char *const *names, size_t columns,
                             int64_t last)
{
    *out = (dn_step_table){.path = dn_strdup(path), .names = names, .columns = columns};
    if (!out->path) return DN_ERROR_MEMORY;
    FILE *file = fopen(path, "r");
    if (!file && errno == ENOENT) return DN_OK;
    dn_status status =
        file ? read_lines(out, file, last) : dn_fail(DN_ERROR_FILE, "cannot open '%s': %s", path, strerror(errno));
    if (file) (void)fclose(file);
    if (status != DN_OK) dn_step_table_close(out);
    return status;
}

void dn_step_table_close(dn_step_table *table)
{
    dn_free(table->path);
    dn_free(table->values);
    *table = (dn_step_table){0};
}

/* ---- rows ---- */

const double *dn_step_table_find(const dn_step_table *t, int64_t step)
{
    for (size_t r = 0; r < t->rows; r++) {
        const double *row = t->values + r * (1 + t->columns);
        if (row[0] == (double)step) return row + 1;
    }
    return NULL;
}

static dn_status write_all(const dn_step_table *t)
{
    dn_csv csv = {0};
    add_heading(t, &csv);
    for (size_t r = 0; r < t->rows; r++) {
        const double *row = t->values + r * (1 + t->columns);
        dn_csv_add(&csv, "\n%.0f", row[0]);
        for (size_t i = 1; i <= t->columns; i++)
            if (isfinite(row[i]))
                dn_csv_add(&csv, ",%.17g", row[i]);
            else
                dn_csv_add(&csv, ",");
    }
    dn_csv_add(&csv, "\n");
    const dn_status status = dn_csv_write(&csv, t->path);
    dn_csv_close(&csv);
    return status;
}

dn_status dn_step_table_add(dn_step_table *t, int64_t step, const double *numbers)
{
    double *row = dn_calloc(1 + t->columns, sizeof *row);
    if (!row) return DN_ERROR_MEMORY;
    row[0] = (double)step;
    memcpy(row + 1, numbers, t->columns * sizeof *numbers);
    dn_status status = push(t, row);
    dn_free(row);
    if (status != DN_OK) return status;
    status = write_all(t);
    if (status != DN_OK) t->rows--;
    return status;
}

double dn_step_table_at(const dn_step_table *t, size_t row, size_t column)
{
    return t->values[row * (1 + t->columns) + 1 + column];
}

double dn_step_table_step(const dn_step_table *t, size_t row)
{
    return t->values[row * (1 + t->columns)];
}
