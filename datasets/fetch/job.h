/** What the steps of fetching one file share. Library-private. */
#ifndef DN_DATASETS_FETCH_JOB_H
#define DN_DATASETS_FETCH_JOB_H

#include "datasets/fetch/fetch.h"

typedef struct dn__job {
    const dn_fetch_file *file;
    const dn_fetch_options *options;
    const char *label; /**< the file's name without folders */
} dn__job;

/** Tells the user how far a step is. @param what as for dn_fetch_options.progress
 *  @return DN_ERROR_INTERRUPTED if the user wants an end */
dn_status dn__job_progress(const dn__job *job, const char *what, int64_t done, int64_t total) DN_NODISCARD;

/** Tells the user something (printf style). */
void dn__job_note(const dn__job *job, const char *format, ...) DN_PRINTF(2, 3);

#endif
