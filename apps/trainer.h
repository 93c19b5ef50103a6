/** Training a network: steps, checkpoints, what to do when it goes wrong. */
#ifndef DN_APPS_TRAINER_H
#define DN_APPS_TRAINER_H

#include "apps/checkpoint.h"
#include "apps/network.h"
#include "core/executor.h"

/** How far training is, told about five times a second. */
typedef struct dn_training_news {
    int64_t step, steps, steps_per_epoch;
    int64_t images_per_step;   /**< of all members and streams */
    double loss, accuracy;     /**< means over members and the steps since the last news; NaN: no step since */
    double mutual_information; /**< NaN where there is none */
} dn_training_news;

typedef struct dn_training_options {
    const char *checkpoint; /**< the file to write and, on resuming, to start from */
    const char *data_dir;   /**< for the sources of pseudo-OOD images; NULL: the default */
    bool resume;
    bool plan_only; /**< end after on_plan: nothing is allocated or written */
    /** When all is ready and before the first checkpoint is written: makes its folder. NULL: it is there. */
    dn_status (*begin)(void *context, const dn_network *network);
    /** Before anything is allocated. @param process_bytes what the process has, and will need beside the plan */
    void (*on_plan)(void *context, const dn_plan *plan, size_t process_bytes);
    /** Whenever the checkpoint on disk has become one of a multiple of train.checkpoint_every (0 too) or of the last
     *  step, and when training is resumed from such a one: breaks add no steps. The network may be used for inference
     *  as long as this runs. An error ends the training. NULL: nobody asks. */
    dn_status (*on_checkpoint)(void *context, const dn_network *network, const dn_history *history);
    void (*on_news)(void *context, const dn_training_news *news); /**< first before the first step, without values */
    bool (*stop)(void *context); /**< asked between steps: true ends training with a checkpoint */
    void *context;
} dn_training_options;

/** Trains to the end of the recipe. @param train the recipe's training set; its images are freed as soon as they are on
 *  the device. @param history receives the losses; free with dn_history_close()
 *  @return DN_ERROR_INTERRUPTED if stopped, DN_ERROR_NUMERIC if a loss became NaN: the text names the step and the op;
 *  or if a parameter did, which its name is for. No checkpoint ever holds such a value. */
dn_status dn_train(dn_network *network, dn_dataset *train, const dn_training_options *options, dn_history *history);

#endif
