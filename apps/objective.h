/** What is trained: the program of one training step, as the recipe's kind of ensemble defines it. */
#ifndef DN_APPS_OBJECTIVE_H
#define DN_APPS_OBJECTIVE_H

#include "apps/network.h"

enum { DN_HISTORY = 256 /* steps that the losses of a program reach back */ };

/** Images of one draw of a step that come from a file: they stand in for a gather from a resident set. */
typedef struct dn_feed {
    const dn_dataset *set;
    dn_tensor indices; /**< the draw: i32 [N], of each member or shared */
    dn_tensor images;  /**< [copies N,H,W,C] as stored, shared: what is read for a step */
    dn_tensor places;  /**< i32 [N], like indices: where a member's images stand in `images` */
    int64_t hold;      /**< the draw is by the step number rounded down to a multiple of this */
    int pool;          /**< which pool it is from; -1: from all items */
} dn_feed;

enum { DN_FEEDS_MAX = 2 + 64 /* a batch, a left-out one, and one for each source */ };

typedef struct dn_objective {
    dn_program *program;
    dn_tensor step;               /**< i32 [1], shared */
    dn_tensor loss;               /**< history [DN_HISTORY] of each member: cross entropy, and what its kind adds */
    dn_tensor accuracy;           /**< history [DN_HISTORY] of each member, on the batches trained on */
    dn_tensor mutual_information; /**< history [DN_HISTORY], shared, of the pseudo-OOD batches; DN_NONE unless mi */
    int64_t steps;                /**< of the whole training */
    int64_t steps_per_epoch;

    /* What the program reads and the trainer has to put there. */
    dn_resident train;
    dn_tensor train_images;   /**< DN_NONE: streamed, and so below */
    dn_resident *sources;     /**< [n_sources] data sets of pseudo-OOD images; .images is NULL for other kinds */
    dn_tensor *source_images; /**< [n_sources] */
    unsigned n_sources;
    dn_tensor labels;                /**< i32 [M], shared, or of each member */
    dn_tensor pool[2], pool_size[2]; /**< leave_out: i32 [M] and [1] of each member; [0]: own classes, [1]: left out */

    dn_feed feeds[DN_FEEDS_MAX]; /**< the draws from sets that stay in their files */
    int n_feeds;
    int32_t *pools, *pool_sizes; /**< leave_out: i32 [2][E,M] and [2][E] as in `pool`, for those who read ahead */
} dn_objective;

/** Builds and seals the program. @param train the recipe's training set; its images are taken over, or read while the
 *  objective is in use
 *  @param data_dir where sources of kind `data` are looked for. @param out free with dn_objective_close() */
dn_status dn_objective_open(dn_objective *out, const dn_network *network, dn_dataset *train, const char *data_dir);
void dn_objective_close(dn_objective *objective);

/** For those who build the program: the images of a draw. @param images the external tensor of `from`
 *  @param hold see dn_feed @param pool see dn_feed @return [N,H,W,C] in 0..1, of each member if the draw is */
dn_tensor dn__draw_images(dn_objective *objective, const dn_resident *from, dn_tensor images, dn_tensor indices,
                          int64_t hold, int pool);

/** Reads the images of all feeds for a step; may be called by several threads at once.
 *  @param to [dn_objective_feed_bytes()] the feeds' images one after the other */
dn_status dn_objective_read_ahead(const dn_objective *objective, int64_t step, void *to);
size_t dn_objective_feed_bytes(const dn_objective *objective);

struct dn_executor;

/** Puts what was read for a step where the program takes it. */
dn_status dn_objective_feed(const dn_objective *objective, struct dn_executor *executor, const void *images);

/** dn_objective_open() and an executor for the program: the set's images belong to the
 *  device then. Nothing else is allocated yet: the executor's plan can be looked at.
 *  @param executor close before the objective */
dn_status dn_objective_place(dn_objective *out, struct dn_executor **executor, const dn_network *network,
                             dn_dataset *train, const char *data_dir);

/** Gives a new executor of the program its data: images, labels, pools. */
dn_status dn_objective_load(dn_objective *objective, struct dn_executor *executor, const dn_network *network,
                            const dn_dataset *train);

/** @return the images that one step of such a recipe works through, of all members and streams */
int64_t dn_objective_images_a_step(const dn_recipe *recipe);

#endif
