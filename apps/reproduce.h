/** Published experiments, run again from the data to the table: what `dunlin reproduce` does.
 *
 * An experiment is a static description and one function that runs it with one seed. The function calls the services
 * below: train a part, score it, put figures. Everything else (seeds, resuming, the table, files) is the framework's.
 * What a part has done stays in its run folder OUT/seed-N/PART: the same command goes on where it was broken off.
 */
#ifndef DN_APPS_REPRODUCE_H
#define DN_APPS_REPRODUCE_H

#include "apps/checkpoint.h"
#include "ood/metrics.h"

enum { DN_PUBLISHED_COLUMNS = 2, DN_PARTS_MOST = 8 };

/** One figure of the table, in its order. Texts are what the table shows and what dn_reproduce_put() names. */
typedef struct dn_published {
    const char *set, *score, *figure;
    double value[DN_PUBLISHED_COLUMNS]; /**< by dn_experiment.column; NaN: not published */
} dn_published;

/** What `--part` names, with the data sets that it reads: they are looked for before anything is trained. */
typedef struct dn_experiment_part {
    const char *name;
    const char *const *sets; /**< expressions, NULL at the end */
} dn_experiment_part;

typedef struct dn_reproduction dn_reproduction;

typedef struct dn_experiment {
    const char *name, *about;                 /**< of `dunlin reproduce --list` */
    const char *source;                       /**< who published what */
    const char *address;                      /**< where */
    const char *column[DN_PUBLISHED_COLUMNS]; /**< headings of published figures; the second may be NULL */
    const char *settings;                     /**< how it is run, where it departs from the source, one paragraph */
    const char *reduced;                      /**< what --quick reduces */
    const dn_published *published;            /**< [n_published] */
    int n_published;
    dn_experiment_part part[DN_PARTS_MOST]; /**< [n_parts] */
    int n_parts;
    const char *weights;                         /**< the part that takes --weights; NULL: none does */
    dn_status (*seed)(const dn_reproduction *r); /**< runs it with r->seed */
} dn_experiment;

/** What the user asked for. */
typedef struct dn_reproduce_options {
    const char *out;      /**< folder; NULL: runs/reproduce/NAME, with --quick NAME-quick */
    const char *data_dir; /**< NULL: see dn_dataset_options */
    const char *part;     /**< NULL: all */
    const char *weights;  /**< file of a trained network; NULL: none */
    const char *json;     /**< NULL: only OUT/results.json */
    const char *command;  /**< for people who repeat it */
    int seeds;            /**< 0..seeds-1 */
    bool quick, quiet;
} dn_reproduce_options;

/** Runs an experiment with every seed, writes OUT/results.json, OUT/results.md and OUT/report.html, prints the table.
 *  @return DN_ERROR_INTERRUPTED if the user stopped it, what was done is kept; errors of the services */
dn_status dn_reproduce(const dn_experiment *experiment, dn_device *device,
                       const dn_reproduce_options *options) DN_NODISCARD;

/** @return all experiments, NULL at the end */
const dn_experiment *const *dn_experiments(void);

/* ---- for experiments ---- */

/** A seed's run as the experiment sees it; read only. */
struct dn_reproduction {
    const dn_experiment *experiment;
    const dn_reproduce_options *options;
    dn_device *device;
    uint64_t seed;
    const char *folder;               /**< OUT/seed-N */
    struct dn_reproduced *reproduced; /**< where figures go */
};

/** @return whether --part asks for it: by its name, or by none */
bool dn_reproduce_wants(const dn_reproduction *r, const char *part);

/** A network to be trained. */
typedef struct dn_part_request {
    const char *name;             /**< its run is r->folder/name */
    const char *recipe;           /**< shipped name or file */
    const char *const *overrides; /**< [n_overrides] key=value; train.seed is the seed's, unless it is among them */
    int n_overrides;
    bool keep_best; /**< the checkpoint of the best test accuracy is kept, the first of equals */
    /** After each checkpoint, see dn_training_options; NULL: nobody asks. */
    dn_status (*on_checkpoint)(void *context, const dn_network *network, const dn_history *history);
    void *context;
} dn_part_request;

/** A trained network. */
typedef struct dn_part {
    char *run;                   /**< the folder to evaluate: with keep_best its folder `best` */
    double accuracy;             /**< on the recipe's test set, of that network; NaN without labels */
    double loss, train_accuracy; /**< means over the last epoch of training, and over members */
    int64_t step;                /**< that the network is of */
} dn_part;

/** Trains a network, goes on with one that was broken off, or takes one that is done.
 *  @param out clear with dn_part_close() @return DN_ERROR_ARGUMENT if its folder holds one of another recipe */
dn_status dn_reproduce_train(dn_part *out, const dn_reproduction *r, const dn_part_request *request) DN_NODISCARD;
void dn_part_close(dn_part *part);

/** Takes the trained network of --weights instead: a weight file of Keras becomes the run r->folder/NAME-weights, made
 *  anew each time. @param model of dn_model_options
 *  @param out clear with dn_part_close(), also after a failure; without loss and training accuracy */
dn_status dn_reproduce_import(dn_part *out, const dn_reproduction *r, const char *name, const char *model) DN_NODISCARD;

/** A data set or a score: what the table calls it, and the expression. */
typedef struct dn_labelled {
    const char *label, *expression;
} dn_labelled;

typedef struct dn_score_request {
    const char *run;
    const char *id;         /**< expression; NULL: the recipe's data.test */
    const dn_labelled *ood; /**< [n_ood] */
    int n_ood;
    const dn_labelled *scores; /**< [n_scores] expressions without sweeps */
    int n_scores;
    const char *fit, *layers;   /**< see dn_scoring_options; NULL: as there */
    dn_metrics_options metrics; /**< where FPR95 is read */
    double noise; /**< what is uniform in [0, noise) is added to the first `n_noisy` scores, drawn by the seed */
    int n_noisy;
    const dn_metric *figures; /**< [n_figures] that are put, by the names of dn_reproduce_figure() */
    int n_figures;
} dn_score_request;

/** Scores a trained network and puts the figures of each set and score. */
dn_status dn_reproduce_score(const dn_reproduction *r, const dn_score_request *request) DN_NODISCARD;

/** @return "AUROC", "AUPR", "AUPR in", "FPR95", "TNR95", "detection error", "best accuracy", "best threshold" */
const char *dn_reproduce_figure(dn_metric metric);

/** Puts a figure of this seed into the table: beside the published one of these texts, or as a row at the end. */
dn_status dn_reproduce_put(const dn_reproduction *r, const char *set, const char *score, const char *figure,
                           double value) DN_NODISCARD;

/** Adds a point to a curve of this seed, which stands in OUT/results.json and in the report. */
dn_status dn_reproduce_point(const dn_reproduction *r, const char *title, const char *x_label, const char *y_label,
                             const char *series, double x, double y) DN_NODISCARD;

/** Names a run that belongs into the report (of seed 0 only, as one stands for all). */
dn_status dn_reproduce_show(const dn_reproduction *r, const char *run) DN_NODISCARD;

/** Prints a line on stderr, unless --quiet. */
void dn_reproduce_note(const dn_reproduction *r, const char *format, ...) DN_PRINTF(2, 3);

#endif
