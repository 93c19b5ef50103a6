/** Progress on stderr: one line that is redrawn on a terminal, a line now and then elsewhere. */
#ifndef DN_APPS_PROGRESS_H
#define DN_APPS_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/status.h"

typedef struct dn_progress dn_progress;

typedef enum dn_progress_style { DN_PROGRESS_AUTO, DN_PROGRESS_BAR, DN_PROGRESS_LINES } dn_progress_style;

typedef struct dn_progress_options {
    const char *label;       /**< "train" */
    int64_t total;           /**< steps; 0: unknown */
    int64_t first;           /**< steps that were done before, in a resumed run */
    int64_t images_per_step; /**< of all members together; 0: not shown */
    bool bytes;              /**< steps are bytes, shown as 34.0M/170M */
    bool quiet;              /**< print nothing */
    dn_progress_style style; /**< AUTO: a bar if the stream is a terminal */
    FILE *stream;            /**< NULL: stderr */
    double (*clock)(void);   /**< seconds; NULL: the monotonic clock */
} dn_progress_options;

/** What is known at a step besides its number; leave out what is not shown. */
typedef struct dn_progress_values {
    bool has_loss, has_accuracy;
    double loss;     /**< NaN and infinity are shown as such */
    double accuracy; /**< 0..1 */
} dn_progress_values;

/** @param out free with dn_progress_close() @param options the label is copied */
dn_status dn_progress_open(dn_progress **out, const dn_progress_options *options) DN_NODISCARD;

/** Prints the last state with the whole time and the mean rate, and frees. NULL is allowed. */
void dn_progress_close(dn_progress *progress);

/** Says that `step` steps are done. Draws at most ten times a second (a bar) or once in five seconds (lines), so that
 *  it may be called at every step. @param values NULL: none */
void dn_progress_update(dn_progress *progress, int64_t step, const dn_progress_values *values);

/** @return whether the next update would draw: values that cost something need not be fetched otherwise */
bool dn_progress_is_due(const dn_progress *progress);

/** Prints a note (printf style) on a line of its own, above the bar. */
void dn_progress_note(dn_progress *progress, const char *format, ...) DN_PRINTF(2, 3);

/** Writes "0:05", "12:34", "1:02:03" or "3d 04:05:06"; "--:--" for what is no time. @return text */
const char *dn_duration_text(double seconds, char text[24]);

/** Writes "0.34", "12.1", "311", "39.8k", "1.20M"; "-" for what is no finite number. @return text */
const char *dn_rate_text(double rate, char text[24]);

#endif
