#include "apps/threshold.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/json.h"
#include "apps/metric_report.h"
#include "core/alloc.h"

enum { VERSION = 1 };
static const char KIND[] = "dunlin threshold";

static int compare(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double dn_threshold_choose(double *scores, size_t n, double share, double *reached)
{
    qsort(scores, n, sizeof *scores, compare);
    size_t accepted = (size_t)ceil(share * (double)n);
    if (accepted < 1) accepted = 1;
    if (accepted > n) accepted = n;
    const double last = scores[accepted - 1];
    while (accepted < n && scores[accepted] == last) accepted++; /* equal scores go together */
    *reached = (double)accepted / (double)n;
    return nextafter(last, INFINITY);
}

/* ---- writing ---- */

static void add_hex(cJSON *tree, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%016" PRIx64, value);
    cJSON_AddStringToObject(tree, name, text);
}

dn_status dn_threshold_save(const dn_threshold *t, const char *path)
{
    cJSON *tree = cJSON_CreateObject();
    cJSON_AddStringToObject(tree, "kind", KIND);
    cJSON_AddNumberToObject(tree, "version", VERSION);
    cJSON_AddStringToObject(tree, "method", t->method);
    cJSON_AddStringToObject(tree, "reduce", dn_reduce_name(t->reduce));
    dn_metric_json_number(tree, "threshold", t->threshold);
    dn_metric_json_number(tree, "share_asked", t->asked);
    dn_metric_json_number(tree, "share_accepted", t->reached);
    cJSON_AddStringToObject(tree, "set", t->set);
    add_hex(tree, "seed", t->seed);
    cJSON_AddStringToObject(tree, "set_rows", t->half ? "random half" : "all");
    cJSON_AddNumberToObject(tree, "rows", (double)t->rows);
    dn_metric_json_number(tree, "share_of_others_accepted", t->others_accepted);
    cJSON_AddStringToObject(tree, "fit", t->fit);
    add_hex(tree, "fit_fingerprint", t->fit_print);
    add_hex(tree, "network_fingerprint", t->network_print);
    const dn_status status = dn_json_write(tree, path);
    cJSON_Delete(tree);
    return status;
}

/* ---- reading ---- */

static dn_status get_text(char **out, const cJSON *tree, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(tree, name));
    if (!text) return dn_fail(DN_ERROR_FORMAT, "there is no text '%s'", name);
    *out = dn_strdup(text);
    return *out ? DN_OK : DN_ERROR_MEMORY;
}

static dn_status get_number(double *out, const cJSON *tree, const char *name, double low, double high)
{
    const cJSON *item = cJSON_GetObjectItem(tree, name);
    if (!cJSON_IsNumber(item)) return dn_fail(DN_ERROR_FORMAT, "there is no number '%s'", name);
    *out = item->valuedouble;
    if (*out >= low && *out <= high) return DN_OK;
    return dn_fail(DN_ERROR_FORMAT, "'%s' is %g, expected %g to %g", name, *out, low, high);
}

static dn_status get_hex(uint64_t *out, const cJSON *tree, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(tree, name));
    if (!text || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return dn_fail(DN_ERROR_FORMAT, "'%s' is not 16 hexadecimal digits", name);
    *out = strtoull(text, NULL, 16);
    return DN_OK;
}

static dn_status get_rows(dn_threshold *out, const cJSON *tree)
{
    char *which = NULL;
    double rows = 0.0;
    DN_TRY(get_text(&which, tree, "set_rows"));
    out->half = strcmp(which, "all") != 0;
    dn_free(which);
    DN_TRY(get_number(&rows, tree, "rows", 1.0, 0x1p53));
    out->rows = (int64_t)rows;
    out->others_accepted = NAN;
    return cJSON_IsNull(cJSON_GetObjectItem(tree, "share_of_others_accepted"))
               ? DN_OK
               : get_number(&out->others_accepted, tree, "share_of_others_accepted", 0.0, 1.0);
}

static dn_status read_tree(dn_threshold *out, const cJSON *tree)
{
    double version = 0.0;
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItem(tree, "kind"));
    const char *reduce = cJSON_GetStringValue(cJSON_GetObjectItem(tree, "reduce"));
    if (!kind || strcmp(kind, KIND) != 0) return dn_fail(DN_ERROR_FORMAT, "it is not a threshold of a run");
    DN_TRY(get_number(&version, tree, "version", 1.0, VERSION));
    DN_TRY(get_text(&out->method, tree, "method"));
    if (!reduce) return dn_fail(DN_ERROR_FORMAT, "there is no text 'reduce'");
    if (strcmp(reduce, dn_reduce_name(DN_REDUCE_DEFAULT)) != 0) DN_TRY(dn_reduce_parse(&out->reduce, reduce));
    DN_TRY(get_number(&out->threshold, tree, "threshold", -1.7976931348623157e308, 1.7976931348623157e308));
    DN_TRY(get_number(&out->asked, tree, "share_asked", 0.0, 1.0));
    DN_TRY(get_number(&out->reached, tree, "share_accepted", 0.0, 1.0));
    DN_TRY(get_text(&out->set, tree, "set"));
    DN_TRY(get_hex(&out->seed, tree, "seed"));
    DN_TRY(get_rows(out, tree));
    DN_TRY(get_text(&out->fit, tree, "fit"));
    DN_TRY(get_hex(&out->fit_print, tree, "fit_fingerprint"));
    return get_hex(&out->network_print, tree, "network_fingerprint");
}

dn_status dn_threshold_load(dn_threshold *out, const char *path)
{
    *out = (dn_threshold){0};
    cJSON *tree = NULL;
    DN_TRY(dn_json_read(&tree, path));
    const dn_status status = read_tree(out, tree);
    cJSON_Delete(tree);
    return status == DN_OK ? DN_OK : dn_fail_context(DN_ERROR_FORMAT, "%s", path);
}

void dn_threshold_clear(dn_threshold *t)
{
    dn_free(t->method);
    dn_free(t->set);
    dn_free(t->fit);
    *t = (dn_threshold){0};
}
