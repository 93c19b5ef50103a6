#include "datasets/fetch/job.h"

#include <stdarg.h>
#include <stdio.h>

dn_status dn__job_progress(const dn__job *job, const char *what, int64_t done, int64_t total)
{
    const dn_fetch_options *o = job->options;
    if (!o->progress || o->progress(o->context, what, job->label, done, total)) return DN_OK;
    return dn_fail(DN_ERROR_INTERRUPTED, "%s: stopped while %s; the same command goes on from here", job->label, what);
}

void dn__job_note(const dn__job *job, const char *format, ...)
{
    char text[1024];
    if (!job->options->note) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    job->options->note(job->options->context, text);
}
