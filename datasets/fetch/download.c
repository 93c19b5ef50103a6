#include "datasets/fetch/download.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/alloc.h"
#include "datasets/fetch/answer.h"
#include "datasets/fetch/libraries.h"
#include "datasets/fetch/part.h"

enum {
    ATTEMPTS = 4,
    MOST_ATTEMPTS = 100,
    PATIENCE = 30,
    CONNECT_SECONDS = 30,
    SLOWEST = 100,
    SLOW_SECONDS = 60,
    MOST_REDIRECTS = 5
};
static const int64_t MOST_BYTES = INT64_C(1) << 31; /* of a file whose size is not published */

/** How an attempt ended. */
typedef enum ending {
    COMPLETE,
    BROKEN,  /* may go on in another attempt */
    REFUSED, /* another attempt would end the same way */
    STOPPED  /* by the user or the disk: the status says which */
} ending;

typedef struct attempt {
    const dn__job *job;
    const char *address;
    const dn__curl *lib;
    CURL *handle;
    dn__part *part;
    dn__answer answer;
    int64_t had; /* bytes of the part when the server was asked */
    bool begun;  /* the answer was looked at, the part is ready for its bytes */
    double last; /* when something came */
    ending end;  /* BROKEN until something else is known */
    dn_status status;
} attempt;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int64_t most_bytes(const attempt *a)
{
    return a->job->file->bytes > 0 ? a->job->file->bytes : MOST_BYTES;
}

/* ---- the answer ---- */

static bool refuse(attempt *a, ending end, dn_status status)
{
    a->end = end;
    a->status = status;
    return false;
}

/** Looks at the answer before its first byte is kept. @return false to end the transfer */
static bool begin(attempt *a)
{
    const dn__answer *answer = &a->answer;
    const int64_t expected = a->job->file->bytes, most = most_bytes(a);
    int64_t total = answer->total;
    a->begun = true;
    if (answer->code == 206) {
        if (answer->first != a->had)
            return refuse(a, REFUSED,
                          dn_fail(DN_ERROR_FORMAT, "%s: sent bytes from %" PRId64 " on, asked for %" PRId64, a->address,
                                  answer->first, a->had));
    } else {
        total = answer->length;
        const dn_status status = dn__part_restart(a->part, a->address, dn__answer_validator(answer));
        if (status != DN_OK) return refuse(a, STOPPED, status);
        if (a->had > 0)
            dn__job_note(a->job, "%s: the server does not go on with what is here: from the start again",
                         a->job->label);
    }
    if (total > most || (expected > 0 && total >= 0 && total != expected))
        return refuse(a, REFUSED,
                      dn_fail(DN_ERROR_FORMAT, "%s: is a file of %" PRId64 " bytes, expected %s%" PRId64, a->address,
                              total, expected > 0 ? "" : "at most ", most));
    return true;
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    attempt *a = context;
    a->last = seconds();
    dn__answer_line(&a->answer, line, size * count);
    return size * count;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    attempt *a = context;
    const size_t n = size * count;
    a->last = seconds();
    if (!a->begun && !begin(a)) return 0;
    if ((int64_t)n > most_bytes(a) - a->part->bytes) {
        refuse(
            a, REFUSED,
            dn_fail(DN_ERROR_FORMAT, "%s: sends more than the expected %" PRId64 " bytes", a->address, most_bytes(a)));
        return 0;
    }
    const dn_status status = dn__part_add(a->part, bytes, n);
    if (status == DN_OK) return n;
    refuse(a, STOPPED, status);
    return 0;
}

static int on_progress(void *context, curl_off_t to_come, curl_off_t come, curl_off_t to_go, curl_off_t gone)
{
    attempt *a = context;
    (void)to_come, (void)come, (void)to_go, (void)gone;
    const int64_t expected = a->job->file->bytes;
    const int64_t length = a->answer.code == 206 ? a->answer.total : a->answer.length; /* of a part: the rest's */
    const int64_t total = expected > 0 ? expected : (a->begun && length >= 0 ? length : 0);
    const dn_status status = dn__job_progress(a->job, "downloading", a->part->bytes, total);
    const double patience = a->job->options->patience > 0 ? a->job->options->patience : PATIENCE;
    if (status != DN_OK) {
        refuse(a, STOPPED, status);
    } else if (seconds() - a->last > patience) {
        refuse(a, BROKEN, dn_fail(DN_ERROR_FORMAT, "%s: sent nothing for %g s", a->address, patience));
    }
    return a->status != DN_OK;
}

/* ---- one request ---- */

/** What may be asked, how long is waited, whom is trusted. */
static void set_rules(const attempt *a)
{
    const dn__curl *lib = a->lib;
    const bool secure = strncmp(a->address, "https:", 6) == 0;
#if LIBCURL_VERSION_NUM >= 0x075500
    lib->curl_easy_setopt(a->handle, CURLOPT_PROTOCOLS_STR, "http,https");
    lib->curl_easy_setopt(a->handle, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
#else
    lib->curl_easy_setopt(a->handle, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    lib->curl_easy_setopt(a->handle, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTPS | (secure ? 0 : CURLPROTO_HTTP)));
#endif
    lib->curl_easy_setopt(a->handle, CURLOPT_FOLLOWLOCATION, 1L);
    lib->curl_easy_setopt(a->handle, CURLOPT_MAXREDIRS, (long)MOST_REDIRECTS);
    lib->curl_easy_setopt(a->handle, CURLOPT_SSL_VERIFYPEER, 1L);
    lib->curl_easy_setopt(a->handle, CURLOPT_SSL_VERIFYHOST, 2L);
    const char *own_authorities = getenv("SSL_CERT_FILE");
    if (own_authorities) lib->curl_easy_setopt(a->handle, CURLOPT_CAINFO, own_authorities);
    lib->curl_easy_setopt(a->handle, CURLOPT_FAILONERROR, 1L);
    lib->curl_easy_setopt(a->handle, CURLOPT_NOSIGNAL, 1L);
    lib->curl_easy_setopt(a->handle, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    lib->curl_easy_setopt(a->handle, CURLOPT_LOW_SPEED_LIMIT, (long)SLOWEST); /* bytes per second */
    lib->curl_easy_setopt(a->handle, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
    lib->curl_easy_setopt(a->handle, CURLOPT_USERAGENT, "dunlin");
}

static void set_callbacks(attempt *a)
{
    const dn__curl *lib = a->lib;
    lib->curl_easy_setopt(a->handle, CURLOPT_HEADERFUNCTION, on_header);
    lib->curl_easy_setopt(a->handle, CURLOPT_HEADERDATA, a);
    lib->curl_easy_setopt(a->handle, CURLOPT_WRITEFUNCTION, on_body);
    lib->curl_easy_setopt(a->handle, CURLOPT_WRITEDATA, a);
    lib->curl_easy_setopt(a->handle, CURLOPT_NOPROGRESS, 0L);
    lib->curl_easy_setopt(a->handle, CURLOPT_XFERINFOFUNCTION, on_progress);
    lib->curl_easy_setopt(a->handle, CURLOPT_XFERINFODATA, a);
}

/** After an answer with all that the server wanted to send. */
static void judge_body(attempt *a)
{
    const int64_t expected = a->job->file->bytes;
    if (!a->begun && !begin(a)) return; /* an empty body */
    if (expected == 0 || a->part->bytes == expected) {
        a->end = COMPLETE;
        return;
    }
    a->status = dn_fail(DN_ERROR_FORMAT, "%s: ended after %" PRId64 " of %" PRId64 " bytes", a->address, a->part->bytes,
                        expected);
}

/** After the answer that there is nothing at the place where the part ends. */
static void judge_range(attempt *a)
{
    if (a->job->file->bytes == 0 && a->answer.total == a->part->bytes) {
        a->end = COMPLETE; /* it was before */
        return;
    }
    a->status = dn__part_restart(a->part, a->address, "");
    if (a->status != DN_OK) {
        a->end = STOPPED;
    } else {
        a->status = dn_fail(DN_ERROR_FORMAT, "%s: has another file now", a->address);
    }
}

static void judge_refusal(attempt *a)
{
    const int code = a->answer.code;
    const bool may_be_better_later = code == 408 || code == 429 || code >= 500;
    a->end = may_be_better_later ? BROKEN : REFUSED;
    a->status = dn_fail(DN_ERROR_FORMAT, "%s: the server says %d", a->address, code);
}

static void judge_failure(attempt *a, CURLcode code)
{
    const bool wrong_address = code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT ||
                               code == CURLE_TOO_MANY_REDIRECTS || code == CURLE_PEER_FAILED_VERIFICATION;
    a->end = wrong_address ? REFUSED : BROKEN;
    a->status = dn_fail(DN_ERROR_FORMAT, "%s: %s", a->address, a->lib->curl_easy_strerror(code));
}

/** Judges a transfer that the callbacks did not end. */
static void judge(attempt *a, CURLcode code)
{
    if (a->answer.code == 416 && a->had > 0) {
        judge_range(a);
    } else if (code == CURLE_OK && (a->answer.code == 200 || a->answer.code == 206)) {
        judge_body(a);
    } else if (code == CURLE_OK || code == CURLE_HTTP_RETURNED_ERROR) {
        judge_refusal(a);
    } else {
        judge_failure(a, code);
    }
}

static ending ask(attempt *a)
{
    char range[64];
    struct curl_slist *headers = NULL;
    a->handle = a->lib->curl_easy_init();
    char *if_range = dn_format("If-Range: %s", a->part->validator);
    if (!a->handle || !if_range) {
        a->end = STOPPED;
        a->status = dn_fail(DN_ERROR_MEMORY, "%s: not enough memory to ask for it", a->address);
    } else {
        a->lib->curl_easy_setopt(a->handle, CURLOPT_URL, a->address);
        set_rules(a);
        set_callbacks(a);
        snprintf(range, sizeof range, "%" PRId64 "-", a->had);
        if (a->had > 0) a->lib->curl_easy_setopt(a->handle, CURLOPT_RANGE, range);
        if (a->had > 0 && a->part->validator[0]) headers = a->lib->curl_slist_append(NULL, if_range);
        if (headers) a->lib->curl_easy_setopt(a->handle, CURLOPT_HTTPHEADER, headers);
        const CURLcode code = a->lib->curl_easy_perform(a->handle);
        if (a->status == DN_OK) judge(a, code);
    }
    if (a->handle) a->lib->curl_easy_cleanup(a->handle);
    if (headers) a->lib->curl_slist_free_all(headers);
    dn_free(if_range);
    return a->end;
}

/* ---- attempts ---- */

/** Waits, asking ten times a second whether the user wants an end. */
static dn_status wait_for(const dn__job *job, double pause, int64_t done)
{
    const int slices = 1 + (int)(10 * pause);
    const struct timespec slice = {.tv_nsec = (long)(1e9 * pause / slices)};
    for (int i = 0; i < slices; i++) {
        nanosleep(&slice, NULL);
        DN_TRY(dn__job_progress(job, "downloading", done, job->file->bytes));
    }
    return DN_OK;
}

static dn_status try_again_and_again(const dn__job *job, const char *address, const dn__curl *lib, dn__part *part)
{
    const int most = job->options->attempts > 0 ? job->options->attempts : ATTEMPTS;
    const double first_pause = job->options->pause > 0 ? job->options->pause : 1;
    double pause = first_pause;
    for (int attempts = 1, vain = 0; attempts <= MOST_ATTEMPTS; attempts++) {
        attempt a = {.job = job,
                     .address = address,
                     .lib = lib,
                     .part = part,
                     .had = part->bytes,
                     .end = BROKEN,
                     .last = seconds()};
        const ending end = ask(&a);
        if (end == COMPLETE) return DN_OK;
        if (end != BROKEN) return a.status;
        const bool came_further = part->bytes > a.had;
        vain = came_further ? 0 : vain + 1;
        pause = came_further ? first_pause : (vain > 1 ? 2 * pause : pause);
        if (vain >= most) return a.status;
        dn__job_note(job, "%s; again in %.3g s", dn_error_last(), pause);
        DN_TRY(wait_for(job, pause, part->bytes));
    }
    return dn_fail(DN_ERROR_FORMAT, "%s: broke off %d times", address, MOST_ATTEMPTS);
}

dn_status dn__download(const dn__job *job, const char *address, const char *part_path)
{
    dn__part part;
    const dn__curl *lib = NULL;
    DN_TRY(dn__load_curl(&lib));
    dn_status status = dn__part_open(&part, part_path, address);
    const bool opened = status == DN_OK; /* what cannot be opened may still hold bytes */
    const int64_t expected = job->file->bytes;
    if (status == DN_OK && expected > 0 && part.bytes > expected) status = dn__part_restart(&part, address, "");
    if (status == DN_OK && (expected == 0 || part.bytes < expected))
        status = try_again_and_again(job, address, lib, &part);
    dn__part_close(&part);
    if (status != DN_OK && opened && part.bytes == 0) dn__part_remove(part_path);
    return status;
}
