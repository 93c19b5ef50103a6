#include "apps/cli.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/utf8.h"
#include "core/nearest.h"

int dn_cli_fail(dn_status status)
{
    if (status == DN_OK) return DN_EXIT_DONE;
    char text[2048];
    snprintf(text, sizeof text, "%s", dn_error_last());
    dn_text_disarm(text, "\n\t");
    fprintf(stderr, "dunlin: %s\n", text);
    return status == DN_ERROR_ARGUMENT ? DN_EXIT_USAGE : DN_EXIT_FAILED;
}

/** strtol and its kin skip spaces; an option's value has none. */
static int begins_number(const char *text)
{
    return text[0] != '\0' && !isspace((unsigned char)text[0]);
}

dn_status dn_cli_parse_int(const char *what, const char *text, int64_t low, int64_t high, int64_t *value)
{
    char *end = NULL;
    errno = 0;
    const intmax_t number = strtoimax(text, &end, 10);
    if (begins_number(text) && *end == '\0' && errno == 0 && number >= low && number <= high) {
        *value = number;
        return DN_OK;
    }
    return dn_fail(DN_ERROR_ARGUMENT, "%s: found '%s', expected a whole number from %lld to %lld", what, text,
                   (long long)low, (long long)high);
}

dn_status dn_cli_parse_u64(const char *what, const char *text, uint64_t *value)
{
    char *end = NULL;
    errno = 0;
    const uintmax_t number = strtoumax(text, &end, 10);
    if (isdigit((unsigned char)text[0]) && *end == '\0' && errno == 0 && number <= UINT64_MAX) {
        *value = number;
        return DN_OK;
    }
    return dn_fail(DN_ERROR_ARGUMENT, "%s: found '%s', expected a whole number from 0 to %" PRIu64, what, text,
                   UINT64_MAX);
}

dn_status dn_cli_parse_double(const char *what, const char *text, double low, double high, double *value)
{
    char *end = NULL;
    const double number = strtod(text, &end);
    if (begins_number(text) && *end == '\0' && isfinite(number) && number >= low && number <= high) {
        *value = number;
        return DN_OK;
    }
    return dn_fail(DN_ERROR_ARGUMENT, "%s: found '%s', expected a number from %g to %g", what, text, low, high);
}

dn_status dn_cli_choose(const char *what, const char *text, const char *const *names, size_t n, size_t *index)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *index = i;
        return DN_OK;
    }
    const char *near = dn_nearest(text, names, n);
    if (near) return dn_fail(DN_ERROR_ARGUMENT, "%s: there is no '%s'; did you mean '%s'?", what, text, near);
    char known[512] = "";
    for (size_t i = 0, used = 0; i < n && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", names[i]);
    return dn_fail(DN_ERROR_ARGUMENT, "%s: there is no '%s'; known: %s", what, text, known);
}

dn_status dn_cli_open_device(dn_device **out, const char *name, int threads)
{
    if (threads > 0) omp_set_num_threads(threads);
    return dn_device_open(out, name ? name : "cpu", &(dn_device_options){.threads = threads});
}
