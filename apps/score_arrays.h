/** The arrays that `dunlin score` reads: any framework's logits, features, last layer, fit set. Errors name files. */
#ifndef DN_APPS_SCORE_ARRAYS_H
#define DN_APPS_SCORE_ARRAYS_H

#include "datasets/npy.h"
#include "ood/score.h"

/** Names of files as dn_array_file_open() takes them, or NULL. Arrays of one model may lack the first axis, E. */
typedef struct dn_score_files {
    const char *logits, *fit_logits;               /**< [E,N,C], [E,M,C] */
    const char *features[DN_SCORE_LAYERS_MAX];     /**< [n_features] [E,N,D] of each layer, the penultimate last */
    const char *fit_features[DN_SCORE_LAYERS_MAX]; /**< [n_fit_features] [E,M,D] */
    size_t n_features, n_fit_features;
    const char *fit_labels;              /**< [M] integers */
    const char *head_weight, *head_bias; /**< [E,C,D], [E,C] */
    const char *class_map;               /**< [E,C] integers, -1: the column is not used */
    size_t classes;                      /**< of the class map; 0: its largest entry + 1 */
} dn_score_files;

enum { DN_SCORE_ARRAYS_MAX = 2 * DN_SCORE_LAYERS_MAX + 6 };

typedef struct dn_score_arrays {
    dn_score_input input, fit_set;
    dn_score_fit fit;
    /* What these point to. */
    dn_matrix layer[DN_SCORE_LAYERS_MAX], fit_layer[DN_SCORE_LAYERS_MAX];
    double *weight, *bias;
    int32_t *labels, *class_map;
    dn_npy *file[DN_SCORE_ARRAYS_MAX];
    size_t files;
} dn_score_arrays;

/** Reads what is named. @param out free with dn_score_arrays_close(), also after an error
 *  @return as dn_array_file_open(); DN_ERROR_SHAPE for an array that is not of the form above */
dn_status dn_score_arrays_open(dn_score_arrays *out, const dn_score_files *files) DN_NODISCARD;
void dn_score_arrays_close(dn_score_arrays *arrays);

/** @return N */
size_t dn_score_arrays_rows(const dn_score_arrays *arrays);

#endif
