/** What bench/logits.py compares NumPy with: the library scoring an array of logits, driven line by line.
 *
 * usage: bench_logits FILE ROWS COLUMNS f32|f64       FILE: the numbers as they lie in memory, rows one after the other
 *
 * The first rows are the fit set, their largest logits the labels, every third of which is moved on by one. For every
 * line on stdin with expressions, separated by commas, all are scored in one run, and its seconds and the mean of all
 * scores are printed. Fits are not part of the time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/alloc.h"
#include "ood/score.h"

enum { FIT_ROWS = 20000 };

typedef struct bench {
    dn_score_input input, fit_set;
    dn_score_fit fit;
    double **scores; /* [count] [rows] */
} bench;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double number(const void *numbers, dn_dtype type, size_t i)
{
    return type == DN_F32 ? (double)((const float *)numbers)[i] : ((const double *)numbers)[i];
}

static dn_status load(bench *b, char **argument)
{
    const size_t rows = strtoul(argument[2], NULL, 10), columns = strtoul(argument[3], NULL, 10);
    const dn_dtype type = strcmp(argument[4], "f32") == 0 ? DN_F32 : DN_F64;
    const size_t fit_rows = rows < FIT_ROWS ? rows : FIT_ROWS;
    void *numbers = dn_calloc(rows * columns, dn_dtype_size(type));
    int32_t *labels = dn_calloc(fit_rows, sizeof *labels);
    FILE *file = fopen(argument[1], "rb");
    const bool read =
        numbers && labels && file && fread(numbers, dn_dtype_size(type), rows * columns, file) == rows * columns;
    if (file) fclose(file);
    if (!read) return dn_fail(DN_ERROR_FILE, "%s: not [%zu, %zu] of %s", argument[1], rows, columns, argument[4]);
    for (size_t r = 0; r < fit_rows; r++) {
        size_t best = 0;
        for (size_t c = 1; c < columns; c++) {
            if (number(numbers, type, r * columns + c) > number(numbers, type, r * columns + best)) best = c;
        }
        labels[r] = (int32_t)((best + (r % 3 == 0)) % columns);
    }
    b->input.logits = (dn_matrix){1, rows, columns, type, numbers, NULL, NULL};
    b->fit_set.logits = (dn_matrix){1, fit_rows, columns, type, numbers, NULL, NULL};
    b->fit_set.labels = labels;
    b->fit.set = &b->fit_set;
    return DN_OK;
}

static dn_status run(bench *b, const dn_expression_list *list)
{
    const size_t rows = b->input.logits.rows;
    dn_scorer *scorer;
    DN_TRY(dn_scorer_open(&scorer, list->expression, list->count, DN_REDUCE_DEFAULT, &b->input, &b->fit));
    const double start = seconds();
    const dn_status status = dn_scorer_run(scorer, b->scores, &b->input);
    const double end = seconds();
    dn_scorer_close(scorer);
    if (status != DN_OK) return status;
    double sum = 0;
    for (size_t i = 0; i < list->count; i++) {
        for (size_t r = 0; r < rows; r++) sum += b->scores[i][r];
    }
    printf("%.9f %.17g\n", end - start, sum / (double)rows / (double)list->count);
    fflush(stdout);
    return DN_OK;
}

/** One line: makes room for its scores, once for all of the same number. */
static dn_status serve(bench *b, const char *line)
{
    static size_t room;
    dn_expression_list list = {0};
    dn_status status = dn_expression_list_add(&list, line);
    if (status == DN_OK && list.count > room) {
        double **scores = dn_calloc(list.count, sizeof *scores);
        if (!scores) return DN_ERROR_MEMORY;
        for (size_t i = 0; i < list.count; i++) {
            scores[i] = i < room ? b->scores[i] : dn_calloc(b->input.logits.rows, sizeof **scores);
            if (!scores[i]) return DN_ERROR_MEMORY;
        }
        dn_free(b->scores);
        b->scores = scores;
        room = list.count;
    }
    if (status == DN_OK) status = run(b, &list);
    dn_expression_list_close(&list);
    return status;
}

int main(int count, char **argument)
{
    bench b = {0};
    char line[1024];
    if (count != 5) {
        fprintf(stderr, "usage: bench_logits FILE ROWS COLUMNS f32|f64\n");
        return 2;
    }
    dn_status status = load(&b, argument);
    while (status == DN_OK && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        status = serve(&b, line);
    }
    if (status != DN_OK) fprintf(stderr, "bench_logits: %s\n", dn_error_last());
    return status == DN_OK ? 0 : 1;
}
