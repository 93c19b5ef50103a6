/** What a run's network says of a data set, extracted once and kept in the run's folder.
 *
 * Every set and every way of passing it through the network (ood/pass.h) has one file RUN/outputs/NAME.h5 with logits
 * [E,N,K], layer/NAME [E,N,D] (maps averaged over their pixels) and, where the set has labels of the network's classes,
 * labels [N]. It is used again as long as the network and the set are the same, bit by bit, and nothing in it is
 * damaged; otherwise it is made anew. It is written and read in blocks of rows: memory does not grow with the set,
 * which itself is in memory only while it passes through the network.
 */
#ifndef DN_APPS_OUTPUTS_H
#define DN_APPS_OUTPUTS_H

#include "apps/network.h"
#include "core/store.h"
#include "ood/pass.h"
#include "ood/score.h"

/** What is known of a set that was looked at before: its other passes need not look again. */
typedef struct dn_known_set {
    char *set;
    uint64_t seed, print;
    int64_t limit, rows;
    bool labelled;
    char **item_names; /**< [rows]; NULL: items have no names */
} dn_known_set;

/** A network's files of outputs. */
typedef struct dn_output_files {
    const dn_network *network; /**< borrowed */
    char *folder;              /**< RUN/outputs */
    const char *data_dir;      /**< borrowed; NULL: see dn_dataset_options */
    dn_pass_layers layers;     /**< that the network has */
    uint64_t network_print;
    bool refresh, quiet;
    bool unkept;    /**< it was said that the folder cannot be written */
    int64_t images; /**< that went through the network so far: an image counts once, whatever the members */
    double seconds; /**< that this took, reading data sets included */
    char **fresh;   /**< [fresh_count] files that were made here: they are not refreshed again */
    size_t fresh_count, fresh_capacity;
    dn_known_set *known; /**< [known_count] */
    size_t known_count, known_capacity;
} dn_output_files;

/** @param run RUN or its checkpoint @param out clear with dn_output_files_close()
 *  @param refresh no file that is there is used @param quiet no progress and no notes */
dn_status dn_output_files_open(dn_output_files *out, const dn_network *network, const char *run, const char *data_dir,
                               bool refresh, bool quiet) DN_NODISCARD;
void dn_output_files_close(dn_output_files *files);

/** What the items of a set that was passed are called, such as their files. @return [rows], borrowed; NULL: nothing */
char *const *dn_output_files_item_names(const dn_output_files *files, const char *set);

/** What is asked for. */
typedef struct dn_output_request {
    const char *set;  /**< expression */
    uint64_t seed;    /**< of sets that are drawn, and of dropout */
    int64_t limit;    /**< 0: all rows; else the first so many */
    uint64_t layers;  /**< bits of the layers that must be there, the last one of dn_pass_layers is added where the pass
                          gives layers */
    const char *pass; /**< text that tells passes of different results apart; NULL: the plain pass */
    dn_pass_options options; /**< type, layers and seed are filled in */
} dn_output_request;

/** An open file of outputs. */
typedef struct dn_outputs {
    char *set;
    dn_store *store;
    uint64_t set_print; /**< fingerprint of the images and labels */
    int64_t rows;
    int members;     /**< M: of dropout more than the network has, see ood/pass.h */
    int32_t *labels; /**< [N] classes of the network; NULL: the set has no such labels */
    dn_matrix logits;
    uint64_t layer_bits;
    size_t layers;
    dn_matrix layer[DN_PASS_LAYERS_MAX]; /**< those asked for, in the network's order; the last are the penultimate */
    struct dn_output_array *arrays;      /**< what the matrices read */
    const dn_network *network;
} dn_outputs;

/** Opens the outputs, after making them where that is needed. A folder that cannot be written is noted; then they are
 *  in a temporary file. @param out free with dn_outputs_close()
 *  @return DN_ERROR_INTERRUPTED if the user stopped it: nothing half-done is left */
dn_status dn_outputs_open(dn_outputs **out, dn_output_files *files, const dn_output_request *request) DN_NODISCARD;
void dn_outputs_close(dn_outputs *outputs); /**< NULL is allowed */

/** The outputs as the scores of ood/ take them; borrows. Members as in the network only (no dropout). */
dn_score_input dn_outputs_input(const dn_outputs *outputs);

/** The same with some of its layers. @param layers bits, all of them in outputs->layer_bits
 *  @param room [DN_PASS_LAYERS_MAX] for the layers; borrowed */
dn_score_input dn_outputs_choose(const dn_outputs *outputs, uint64_t layers, dn_matrix *room);

/** Where a part's matrix begins. */
typedef struct dn_outputs_source {
    const dn_matrix *of;
    size_t member, first;
} dn_outputs_source;

/** Some rows of some members, as an input of their own. */
typedef struct dn_outputs_part {
    dn_score_input input; /**< of dropout without a class map */
    dn_matrix layer[DN_PASS_LAYERS_MAX];
    dn_outputs_source source[1 + DN_PASS_LAYERS_MAX];
} dn_outputs_part;

/** @param out borrows the outputs, and must not move while it is used */
void dn_outputs_take_part(dn_outputs_part *out, const dn_outputs *outputs, size_t member, size_t members, size_t first,
                          size_t rows);

/** Shares of rows named rightly: by the ensemble and by each member. A leave-out member cannot name its left-out
 *  classes: only rows of its own classes count for it. */
typedef struct dn_accuracy_report {
    double ensemble;
    double *member; /**< [E] */
} dn_accuracy_report;

/** What the ensemble names each row. @param named [N] @param probability [N] of that class; NULL: not wanted */
dn_status dn_outputs_name(int32_t *named, double *probability, const dn_outputs *outputs) DN_NODISCARD;

/** Which rows the ensemble names rightly. @param right receives [N], 1 or 0; free with dn_free() @param share of them;
 *  NULL: not wanted @return DN_ERROR_ARGUMENT for a set without labels of the network's classes */
dn_status dn_outputs_right(uint8_t **right, double *share, const dn_outputs *outputs) DN_NODISCARD;

/** @param outputs of a set with labels @param out free out->member with dn_free() */
dn_status dn_outputs_accuracy(dn_accuracy_report *out, const dn_outputs *outputs) DN_NODISCARD;

#endif
