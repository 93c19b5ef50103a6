/* How the page was made: command, versions, data. */
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include <cblas.h>
#include <hdf5.h>
#include <zlib.h>

#include "apps/html.h"
#include "apps/report_private.h"
#include "core/device.h"

static void put_item(FILE *to, const char *name, const char *value)
{
    dn_html_put(to, "<tr><th scope=\"row\">%s</th><td>%s</td></tr>\n", name, value);
}

/* @return what the hardware is, by the device's name; "" if the list does not know it */
static const char *describe(const char *device, char text[160])
{
    enum { MOST = 32 };
    dn_device_info rows[MOST];
    const int all = dn_device_list(rows, MOST), count = all < MOST ? all : MOST;
    text[0] = '\0';
    for (int i = 0; i < count; i++)
        if (strcmp(rows[i].name, device) == 0) memcpy(text, rows[i].description, sizeof rows[i].description);
    return text;
}

static void put_device(FILE *to, const dn_device *device)
{
    char hardware[160], text[256];
    if (!device) return;
    const char *name = dn_device_name(device);
    if (*describe(name, hardware))
        snprintf(text, sizeof text, "%s: %s", name, hardware);
    else
        snprintf(text, sizeof text, "%s, %d threads", name, dn_device_threads(device));
    put_item(to, "device of the evaluation", text);
}

static void put_versions(FILE *to, const dn__report *r)
{
    char text[256];
    struct utsname system;
    unsigned major = 0, minor = 0, release = 0;
    time_t now = time(NULL);
    struct tm date;
    fputs("<h3>Versions</h3>\n<div class=\"scroll\"><table><tbody>\n", to);
    put_item(to, "dunlin", DN_VERSION);
#if defined(__clang__)
    put_item(to, "compiler", "clang " __clang_version__);
#else
    put_item(to, "compiler", "gcc " __VERSION__);
#endif
    H5get_libversion(&major, &minor, &release);
    snprintf(text, sizeof text, "HDF5 %u.%u.%u, zlib %s, %s", major, minor, release, zlibVersion(),
             openblas_get_config());
    put_item(to, "libraries", text);
    put_device(to, r->device);
    if (uname(&system) == 0) {
        snprintf(text, sizeof text, "%.60s %.60s, %.60s", system.sysname, system.release, system.machine);
        put_item(to, "system", text);
    }
    if (gmtime_r(&now, &date) && strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &date))
        put_item(to, "made on", text);
    if (r->options->command) put_item(to, "command", r->options->command);
    fputs("</tbody></table></div>\n", to);
}

/* @return whether an earlier run told of the set */
static bool is_told(const dn__report *r, int run, const dn__report_set *set)
{
    for (int i = 0; i < run; i++)
        for (int k = 0; k < r->runs[i].n_sets; k++)
            if (strcmp(r->runs[i].sets[k].name, set->name) == 0 && r->runs[i].result.seed == r->runs[run].result.seed)
                return true;
    return false;
}

static void put_data(FILE *to, const dn__report *r)
{
    fputs("<h3>Data</h3>\n<div class=\"scroll\"><table><thead><tr><th scope=\"col\">set</th>"
          "<th scope=\"col\" class=n>images</th><th scope=\"col\" class=n>seed</th>"
          "<th scope=\"col\">where it comes from</th></tr></thead><tbody>\n",
          to);
    for (int i = 0; i < r->n_runs; i++)
        for (int k = 0; k < r->runs[i].n_sets; k++) {
            const dn__report_set *set = &r->runs[i].sets[k];
            if (is_told(r, i, set)) continue;
            dn_html_put(to, "<tr><td>%s</td>", set->name);
            if (set->rows >= 0)
                fprintf(to, "<td class=n>%lld</td>", (long long)set->rows);
            else
                fputs("<td class=n>training</td>", to);
            fprintf(to, "<td class=n>%llu</td>", (unsigned long long)r->runs[i].result.seed);
            dn_html_put(to, "<td class=\"long\">%s</td></tr>\n", set->provenance);
        }
    fputs("</tbody></table></div>\n", to);
}

void dn__report_about(const dn__report *r)
{
    fputs("<section id=\"about\">\n<h2>How this was made</h2>\n", r->to);
    put_versions(r->to, r);
    if (r->n_runs > 0) put_data(r->to, r);
    fputs("</section>\n", r->to);
}
