#include "apps/progress.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "apps/clock.h"
#include "core/alloc.h"

enum { LINE = 256, LARGEST_BAR = 30, SMALLEST_BAR = 5 };
static const double BAR_INTERVAL = 0.1, LINE_INTERVAL = 5.0; /* seconds between two drawings */
static const double RATE_MEMORY = 10.0;                      /* seconds after which an old rate weighs 1/e */

struct dn_progress {
    dn_progress_options options;
    char *label;
    bool bar, drawn, line_open; /* line_open: the cursor stands behind a bar */
    int64_t step;
    dn_progress_values values;
    double started, last_time; /* of the last drawing */
    int64_t last_step;
    double rate; /* steps per second, smoothed; 0: not known yet */
};

/* ---- texts ---- */

const char *dn_duration_text(double seconds, char text[24])
{
    if (!isfinite(seconds) || seconds < 0 || seconds > 1e9) {
        snprintf(text, 24, "--:--");
        return text;
    }
    const long long whole = llround(seconds);
    const int s = (int)(whole % 60), m = (int)(whole / 60 % 60), h = (int)(whole / 3600 % 24), d = (int)(whole / 86400);
    if (d > 0) {
        snprintf(text, 24, "%dd %02d:%02d:%02d", d, h, m, s);
    } else if (h > 0) {
        snprintf(text, 24, "%d:%02d:%02d", h, m, s);
    } else {
        snprintf(text, 24, "%d:%02d", m, s);
    }
    return text;
}

const char *dn_rate_text(double rate, char text[24])
{
    static const char *const units[] = {"", "k", "M", "G"};
    if (!isfinite(rate) || rate < 0 || rate > 1e15) {
        snprintf(text, 24, "-");
        return text;
    }
    int unit = 0;
    for (; rate >= 999.5 && unit < 3; unit++) rate /= 1000;
    const int decimals = rate >= 99.95 ? 0 : (rate >= 9.995 ? 1 : 2);
    snprintf(text, 24, "%.*f%s", decimals, rate, units[unit]);
    return text;
}

/** Appends to a line that is cut where it is full. */
static void append(char line[LINE], const char *format, ...) DN_PRINTF(2, 3);
static void append(char line[LINE], const char *format, ...)
{
    const size_t used = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, LINE - used, format, arguments);
    va_end(arguments);
}

static void append_count(char line[LINE], const dn_progress *progress, int64_t count)
{
    char text[24];
    if (progress->options.bytes) {
        append(line, "%s", dn_rate_text((double)count, text));
    } else {
        append(line, "%lld", (long long)count);
    }
}

static void append_rates(char line[LINE], const dn_progress *progress, double rate)
{
    char text[24];
    append(line, "  %s %s/s", dn_rate_text(rate, text), progress->options.bytes ? "bytes" : "steps");
    if (progress->options.images_per_step > 0)
        append(line, "  %s images/s", dn_rate_text(rate * (double)progress->options.images_per_step, text));
}

static void append_values(char line[LINE], const dn_progress_values *values)
{
    if (values->has_loss) append(line, "  loss %.4g", values->loss);
    if (values->has_accuracy) append(line, "  accuracy %.1f%%", 100 * values->accuracy);
}

/** What stands behind the bar: step, share, rates, time left or used, values. */
static void describe(char line[LINE], const dn_progress *progress, double now, bool last)
{
    char text[24];
    const int64_t total = progress->options.total;
    const double used = now - progress->started;
    const int64_t done = progress->step - progress->options.first;
    append_count(line, progress, progress->step);
    if (total > 0) {
        append(line, "/");
        append_count(line, progress, total);
        append(line, "  %.0f%%", 100.0 * (double)progress->step / (double)total);
    }
    const double rate = last && used > 0 ? (double)done / used : progress->rate;
    if (rate > 0) append_rates(line, progress, rate);
    if (last) {
        append(line, "  in %s", dn_duration_text(used, text));
    } else if (total > 0 && rate > 0) {
        append(line, "  ETA %s", dn_duration_text((double)(total - progress->step) / rate, text));
    }
    append_values(line, &progress->values);
}

/* ---- drawing ---- */

static int terminal_width(FILE *stream)
{
    struct winsize size;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    return 80;
}

static void append_bar(char line[LINE], const dn_progress *progress, int width)
{
    const int64_t total = progress->options.total;
    if (total <= 0 || width < SMALLEST_BAR) return;
    double share = (double)progress->step / (double)total;
    if (share > 1) share = 1;
    if (share < 0) share = 0;
    const int full = (int)(share * width);
    append(line, "[");
    for (int i = 0; i < width; i++) append(line, "%c", i < full ? '#' : '.');
    append(line, "] ");
}

static void draw_bar(dn_progress *progress, double now, bool last)
{
    FILE *stream = progress->options.stream;
    char about[LINE] = "", line[LINE] = "";
    describe(about, progress, now, last);
    const int width = terminal_width(stream);
    const int used = (int)(strlen(progress->label) + 1 + strlen(about));
    int bar = width - 1 - used - 3; /* brackets and a space */
    if (bar > LARGEST_BAR) bar = LARGEST_BAR;
    append(line, "%s ", progress->label);
    append_bar(line, progress, bar);
    append(line, "%s", about);
    /* One place stays free: some terminals break the line when the last is filled. K erases what an older line left. */
    fprintf(stream, "\r%.*s\033[K", width - 1, line);
    progress->line_open = true;
}

static void draw(dn_progress *progress, double now, bool last)
{
    const double passed = now - progress->last_time;
    const int64_t steps = progress->step - progress->last_step;
    if (passed > 0 && steps > 0) {
        const double fresh = (double)steps / passed, weight = 1 - exp(-passed / RATE_MEMORY);
        progress->rate = progress->rate > 0 ? progress->rate + weight * (fresh - progress->rate) : fresh;
    }
    if (progress->bar) {
        draw_bar(progress, now, last);
    } else {
        char line[LINE] = "";
        describe(line, progress, now, last);
        fprintf(progress->options.stream, "%s %s\n", progress->label, line);
    }
    fflush(progress->options.stream);
    progress->last_time = now;
    progress->last_step = progress->step;
    progress->drawn = true;
}

/* ---- public ---- */

dn_status dn_progress_open(dn_progress **out, const dn_progress_options *options)
{
    *out = NULL;
    dn_progress *progress = dn_calloc(1, sizeof *progress);
    if (!progress) return DN_ERROR_MEMORY;
    progress->options = *options;
    progress->label = dn_strdup(options->label ? options->label : "");
    if (!progress->label) {
        dn_free(progress);
        return DN_ERROR_MEMORY;
    }
    dn_progress_options *o = &progress->options;
    if (!o->stream) o->stream = stderr;
    if (!o->clock) o->clock = dn_seconds;
    progress->bar = o->style == DN_PROGRESS_BAR || (o->style == DN_PROGRESS_AUTO && isatty(fileno(o->stream)));
    progress->started = progress->last_time = o->clock();
    progress->step = progress->last_step = o->first;
    *out = progress;
    return DN_OK;
}

bool dn_progress_is_due(const dn_progress *progress)
{
    if (progress->options.quiet) return false;
    const double passed = progress->options.clock() - progress->last_time;
    return passed >= (progress->bar ? BAR_INTERVAL : LINE_INTERVAL);
}

void dn_progress_update(dn_progress *progress, int64_t step, const dn_progress_values *values)
{
    progress->step = step;
    if (values) progress->values = *values;
    if (dn_progress_is_due(progress)) draw(progress, progress->options.clock(), false);
}

void dn_progress_note(dn_progress *progress, const char *format, ...)
{
    if (progress->options.quiet) return;
    FILE *stream = progress->options.stream;
    if (progress->line_open) fputs("\r\033[K", stream);
    progress->line_open = false;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stream, format, arguments);
    va_end(arguments);
    fputc('\n', stream);
    fflush(stream);
}

void dn_progress_close(dn_progress *progress)
{
    if (!progress) return;
    if (!progress->options.quiet && (progress->drawn || progress->step != progress->options.first)) {
        draw(progress, progress->options.clock(), true);
        if (progress->line_open) fputc('\n', progress->options.stream);
        fflush(progress->options.stream);
    }
    dn_free(progress->label);
    dn_free(progress);
}
