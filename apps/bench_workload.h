/** What benchmarks run: the training program of a recipe on random images, so that no files are needed. */
#ifndef DN_APPS_BENCH_WORKLOAD_H
#define DN_APPS_BENCH_WORKLOAD_H

#include "apps/objective.h"
#include "core/executor.h"

typedef struct dn_workload_options {
    const char *recipe;           /**< a shipped one by name, or a file */
    const char *const *overrides; /**< [n_overrides] */
    int n_overrides;
    const char *device; /**< NULL: cpu */
    int threads;        /**< 0: all cores */
    const char *shape;  /**< "HxWxC"; NULL: as in the recipe's training set, 32x32x3 for own files */
    int classes;        /**< 0: as the recipe's training set has them, 10 for own files */
    int64_t images;     /**< 0: 50,000, or as many as 160 MB hold; never more than the recipe's train.limit */
} dn_workload_options;

typedef struct dn_workload {
    dn_device *device;
    dn_network *network;
    dn_dataset *data; /**< random; its images are on the device alone */
    dn_objective objective;
    dn_executor *executor;
    size_t planned;        /**< bytes of the host: what the process had before, and the plan if it is the host's */
    int64_t images_a_step; /**< of all members and streams */
} dn_workload;

/** Makes everything ready for dn_executor_run(): the very program that training runs.
 *  @param workload close in any case */
dn_status dn_workload_open(dn_workload *workload, const dn_workload_options *options) DN_NODISCARD;
void dn_workload_close(dn_workload *workload);

/** Random u8 images and labels, the same ones for the same seed. @param out free with dn_dataset_close() */
dn_status dn_random_dataset(dn_dataset **out, int64_t n, const int shape[3], int classes, uint64_t seed) DN_NODISCARD;

#endif
