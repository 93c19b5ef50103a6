/* Fits mahalanobis, rmds and vim to a drawn fit set; bench/fits.py drives it, to time it in turns with its peers.
 *
 * usage: bench_fits FOLDER ROWS DIM CLASSES
 *
 * Draws features around class means, labels and a head, writes them to FOLDER (features.f32, labels.i32, weight.f64,
 * bias.f64) and prints `ready`. For every line on standard input it then fits and answers with the seconds that took;
 * at the end of input it writes the three methods' scores of the first rows to scores.f64, for a comparison.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/alloc.h"
#include "core/random.h"
#include "ood/score.h"

enum { METHODS = 3, SCORED = 1000 };

typedef struct data {
    size_t rows, dim, classes;
    float *features;       /* [rows,dim] */
    double *logits;        /* [rows,classes] W f + b */
    int32_t *labels;       /* [rows] */
    double *weight, *bias; /* [classes,dim] [classes] */
} data;

static dn_status draw(data *d)
{
    d->features = dn_calloc(d->rows, d->dim * sizeof *d->features);
    d->logits = dn_calloc(d->rows, d->classes * sizeof *d->logits);
    d->labels = dn_calloc(d->rows, sizeof *d->labels);
    d->weight = dn_calloc(d->classes, d->dim * sizeof *d->weight);
    d->bias = dn_calloc(d->classes, sizeof *d->bias);
    if (!d->features || !d->logits || !d->labels || !d->weight || !d->bias) return DN_ERROR_MEMORY;
    dn_random_sequence random = {.seed = 1};
    for (size_t i = 0; i < d->classes * d->dim; i++) d->weight[i] = (double)dn_random_next_normal(&random);
    for (size_t c = 0; c < d->classes; c++) d->bias[c] = (double)dn_random_next_normal(&random);
    for (size_t r = 0; r < d->rows; r++) {
        const size_t class = r % d->classes;
        float *f = d->features + r * d->dim, before = 0.0f;
        d->labels[r] = (int32_t) class;
        for (size_t j = 0; j < d->dim; j++) { /* neighbours are correlated, and rectified as behind a ReLU */
            before = 0.5f * before + dn_random_next_normal(&random) + (float)d->weight[class * d->dim + j];
            f[j] = before > 0.0f ? before : 0.0f;
        }
        for (size_t c = 0; c < d->classes; c++) {
            double z = d->bias[c];
            for (size_t j = 0; j < d->dim; j++) z += d->weight[c * d->dim + j] * (double)f[j];
            d->logits[r * d->classes + c] = z;
        }
    }
    return DN_OK;
}

static dn_status write_numbers(const char *folder, const char *name, const void *numbers, size_t bytes)
{
    char *path = dn_format("%s/%s", folder, name);
    if (!path) return DN_ERROR_MEMORY;
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(numbers, 1, bytes, file) == bytes;
    if (file && fclose(file) != 0) good = false;
    const dn_status status = good ? DN_OK : dn_fail(DN_ERROR_FILE, "%s cannot be written", path);
    dn_free(path);
    return status;
}

static dn_status write_data(const data *d, const char *folder)
{
    DN_TRY(write_numbers(folder, "features.f32", d->features, d->rows * d->dim * sizeof *d->features));
    DN_TRY(write_numbers(folder, "labels.i32", d->labels, d->rows * sizeof *d->labels));
    DN_TRY(write_numbers(folder, "weight.f64", d->weight, d->classes * d->dim * sizeof *d->weight));
    return write_numbers(folder, "bias.f64", d->bias, d->classes * sizeof *d->bias);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/** Fits once per line of input. @param scores [METHODS,SCORED] of the first rows, after the last fit */
static dn_status serve(const data *d, double *scores, size_t scored)
{
    const char *const names[METHODS] = {"mahalanobis", "rmds", "vim"};
    dn_score_expression expressions[METHODS];
    double *out[METHODS];
    for (size_t i = 0; i < METHODS; i++) {
        DN_TRY(dn_expression_parse(&expressions[i], names[i]));
        out[i] = scores + i * scored;
    }
    const dn_matrix features = {1, d->rows, d->dim, DN_F32, d->features, NULL, NULL};
    const dn_matrix first = {1, scored, d->dim, DN_F32, d->features, NULL, NULL};
    const dn_score_input set = {.logits = {1, d->rows, d->classes, DN_F64, d->logits, NULL, NULL},
                                .layer = &features,
                                .layers = 1,
                                .labels = d->labels};
    const dn_score_input asked = {
        .logits = {1, scored, d->classes, DN_F64, d->logits, NULL, NULL}, .layer = &first, .layers = 1};
    const dn_score_fit fit = {.set = &set, .weight = d->weight, .bias = d->bias};
    dn_scorer *scorer = NULL;
    dn_status status = DN_OK;
    puts("ready");
    fflush(stdout);
    for (char line[16]; status == DN_OK && fgets(line, sizeof line, stdin);) {
        dn_scorer_close(scorer);
        const double start = now();
        status = dn_scorer_open(&scorer, expressions, METHODS, DN_REDUCE_DEFAULT, &asked, &fit);
        printf("%.6f\n", now() - start);
        fflush(stdout);
    }
    if (status == DN_OK && scorer) status = dn_scorer_run(scorer, out, &asked);
    dn_scorer_close(scorer);
    return status;
}

int main(int count, char **argument)
{
    if (count != 5) {
        fputs("usage: bench_fits FOLDER ROWS DIM CLASSES; bench/fits.sh starts it\n", stderr);
        return 2;
    }
    data d = {.rows = strtoul(argument[2], NULL, 10),
              .dim = strtoul(argument[3], NULL, 10),
              .classes = strtoul(argument[4], NULL, 10)};
    if (d.rows == 0 || d.dim < 2 || d.classes < 2) {
        fputs("bench_fits: at least one row, two features and two classes\n", stderr);
        return 2;
    }
    const size_t scored = d.rows < SCORED ? d.rows : SCORED;
    double *scores = dn_calloc(METHODS * scored, sizeof *scores);
    dn_status status = scores ? draw(&d) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = write_data(&d, argument[1]);
    if (status == DN_OK) status = serve(&d, scores, scored);
    if (status == DN_OK) status = write_numbers(argument[1], "scores.f64", scores, METHODS * scored * sizeof *scores);
    if (status != DN_OK) fprintf(stderr, "bench_fits: %s\n", dn_error_last());
    dn_free(scores);
    dn_free(d.features);
    dn_free(d.logits);
    dn_free(d.labels);
    dn_free(d.weight);
    dn_free(d.bias);
    return status == DN_OK ? 0 : 1;
}
