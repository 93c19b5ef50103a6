/* The metrics of two score arrays, timed within this process, for bench/metrics.py: reading files is not counted.
 *
 * usage: bench_metrics ID.npy OOD.npy    f64 [n] each
 * Reads lines "metrics" and "bootstrap N" from standard input and answers each with one line:
 *     SECONDS AUROC AUPR_OUT FPR95          SECONDS LOW HIGH    of AUROC
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "datasets/npy.h"
#include "ood/bootstrap.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static dn_status measure_metrics(const dn_score_sets *sets)
{
    dn_metrics m;
    const double start = now();
    DN_TRY(dn_metrics_compute(&m, sets->id, sets->n_id, sets->ood, sets->n_ood, NULL));
    printf("%.9f %.17g %.17g %.17g\n", now() - start, m.auroc, m.aupr_out, m.fpr95);
    return DN_OK;
}

static dn_status measure_bootstrap(const dn_score_sets *sets, size_t resamples)
{
    dn_interval intervals[DN_METRIC_COUNT];
    const double start = now();
    DN_TRY(dn_bootstrap(intervals, sets, &(dn_bootstrap_options){.resamples = resamples}));
    const dn_interval auroc = intervals[DN_METRIC_AUROC];
    printf("%.9f %.17g %.17g\n", now() - start, auroc.low, auroc.high);
    return DN_OK;
}

static dn_status serve(const dn_score_sets *sets)
{
    static const char bootstrap[] = "bootstrap ";
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        if (strcmp(line, "metrics\n") == 0) {
            DN_TRY(measure_metrics(sets));
        } else if (strncmp(line, bootstrap, sizeof bootstrap - 1) == 0) {
            DN_TRY(measure_bootstrap(sets, strtoul(line + sizeof bootstrap - 1, NULL, 10)));
        } else {
            return dn_fail(DN_ERROR_ARGUMENT, "found '%s', expected metrics or bootstrap N", line);
        }
        (void)fflush(stdout);
    }
    return DN_OK;
}

static dn_status read_scores(dn_npy **array, const char *path)
{
    DN_TRY(dn_npy_open(array, path));
    if ((*array)->type == DN_F64 && (*array)->rank == 1) return DN_OK;
    return dn_fail(DN_ERROR_FORMAT, "%s: expected f64 [n]", path);
}

int main(int argc, char **argv)
{
    dn_npy *id = NULL, *ood = NULL;
    if (argc != 3) {
        (void)fputs("usage: bench_metrics ID.npy OOD.npy, f64 [n] each\n", stderr);
        return 2;
    }
    dn_status status = read_scores(&id, argv[1]);
    if (status == DN_OK) status = read_scores(&ood, argv[2]);
    if (status == DN_OK) status = serve(&(dn_score_sets){id->data, ood->data, (size_t)id->count, (size_t)ood->count});
    if (status != DN_OK) (void)fprintf(stderr, "bench_metrics: %s\n", dn_error_last());
    dn_npy_close(id);
    dn_npy_close(ood);
    return status != DN_OK;
}
