/* The images that a run got wrong with the most confidence, as small pictures. */
#include <math.h>
#include <string.h>

#include "apps/predict.h"
#include "apps/report_private.h"
#include "core/alloc.h"
#include "datasets/image.h"

enum { MOST_SIDE = 96, NAME = 128 };

/* ---- pictures ---- */

/* An image as its set holds it. */
typedef struct source {
    const dn_dataset *set;
    void *pixels; /* [H,W,C] of the set's type */
} source;

/* @return a pixel's value as a byte; values of own arrays are 0..1 */
static double value_at(const source *s, int y, int x, int channel)
{
    const dn_dataset *set = s->set;
    const int at = (y * set->width + x) * set->channels + (channel < set->channels ? channel : 0);
    if (set->type == DN_U8) return ((const uint8_t *)s->pixels)[at];
    const double value = 255.0 * (double)((const float *)s->pixels)[at];
    return value > 0.0 ? value < 255.0 ? value : 255.0 : 0.0;
}

/* The mean of a square of pixels, as far as it lies within the image. */
static uint8_t mean_of_square(const source *s, int top, int left, int side, int channel)
{
    double sum = 0.0;
    int count = 0;
    for (int y = top; y < top + side && y < s->set->height; y++)
        for (int x = left; x < left + side && x < s->set->width; x++, count++) sum += value_at(s, y, x, channel);
    return (uint8_t)(sum / count + 0.5);
}

/* Large images shrink by a whole factor. */
static dn_status pack(dn__report_pick *pick, const source *s)
{
    const dn_dataset *set = s->set;
    const int largest = set->height > set->width ? set->height : set->width;
    const int side = (largest + MOST_SIDE - 1) / MOST_SIDE;
    dn_image image = {.height = (set->height + side - 1) / side,
                      .width = (set->width + side - 1) / side,
                      .channels = set->channels == 3 ? 3 : 1};
    const size_t count = (size_t)image.height * (size_t)image.width * (size_t)image.channels;
    if (!(image.pixels = dn_calloc(count, 1))) return DN_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const size_t pixel = i / (size_t)image.channels;
        const int y = (int)(pixel / (size_t)image.width), x = (int)(pixel % (size_t)image.width);
        image.pixels[i] = mean_of_square(s, y * side, x * side, side, (int)(i % (size_t)image.channels));
    }
    const dn_status status = dn_image_encode_png(&pick->png, &pick->png_bytes, &image);
    dn_free(image.pixels);
    return status;
}

static dn_status draw(dn__report_pick *pick, const dn_dataset *set)
{
    const source s = {set, dn_calloc(dn_dataset_image_bytes(set), 1)};
    dn_status status = s.pixels ? dn_dataset_gather(set, &pick->row, 1, s.pixels) : DN_ERROR_MEMORY;
    if (status == DN_OK) status = pack(pick, &s);
    dn_free(s.pixels);
    return status;
}

/* ---- choice ---- */

/* Puts a row in its place if it is among the largest so far; of equals the first rows stay. */
static void offer(int64_t *rows, double *keys, int *n, int64_t row, double key)
{
    int place = *n;
    while (place > 0 && key > keys[place - 1]) place--;
    if (place == DN__REPORT_PICKS) return;
    if (*n < DN__REPORT_PICKS) (*n)++;
    for (int i = *n - 1; i > place; i--) {
        rows[i] = rows[i - 1];
        keys[i] = keys[i - 1];
    }
    rows[place] = row;
    keys[place] = key;
}

/* What the ensemble says of each row. */
typedef struct names {
    int32_t *named;
    double *probability;
} names;

static dn_status open_names(names *out, const dn_outputs *outputs)
{
    out->named = dn_calloc((size_t)outputs->rows, sizeof *out->named);
    out->probability = dn_calloc((size_t)outputs->rows, sizeof *out->probability);
    return out->named && out->probability ? dn_outputs_name(out->named, out->probability, outputs) : DN_ERROR_MEMORY;
}

static void close_names(names *n)
{
    dn_free(n->named);
    dn_free(n->probability);
}

/* @return the class that the set itself gives the row */
static char *truth_of(const dn__report_run *run, const dn_outputs *outputs, const dn_dataset *set, int64_t row)
{
    char name[NAME];
    if (outputs->labels) return dn_strdup(dn__report_class(run, outputs->labels[row], name, sizeof name));
    return dn_strdup(set->class_names[set->labels[row]]);
}

static dn_status describe(dn__report_pick *pick, const dn__report_run *run, const dn_outputs *outputs,
                          const dn_dataset *set, const names *n, const double *scores)
{
    char name[NAME];
    const bool known = outputs->labels || (set->labels && set->class_names);
    pick->probability = n->probability[pick->row];
    pick->score = scores[pick->row];
    pick->named = dn_strdup(dn__report_class(run, n->named[pick->row], name, sizeof name));
    pick->item = set->item_names ? dn_strdup(set->item_names[pick->row]) : dn_format("row %lld", (long long)pick->row);
    pick->truth = known ? truth_of(run, outputs, set, pick->row) : NULL;
    return pick->named && pick->item && (pick->truth || !known) ? draw(pick, set) : DN_ERROR_MEMORY;
}

static dn_status take(dn__report_picks *out, const dn__report_run *run, const dn_outputs *outputs,
                      const dn_dataset *set, const double *scores, bool known)
{
    names n = {0};
    int64_t rows[DN__REPORT_PICKS] = {0};
    double keys[DN__REPORT_PICKS] = {0};
    int count = 0;
    *out = (dn__report_picks){.height = set->height, .width = set->width};
    dn_status status = open_names(&n, outputs);
    for (int64_t i = 0; i < outputs->rows && status == DN_OK; i++) {
        const bool wrong = known ? n.named[i] != outputs->labels[i] : scores[i] < run->threshold;
        out->wrong += wrong;
        if (wrong || !known) offer(rows, keys, &count, i, known ? n.probability[i] : -scores[i]);
    }
    for (int i = 0; i < count && status == DN_OK; i++) {
        out->pick[out->n].row = rows[i];
        status = describe(&out->pick[out->n++], run, outputs, set, &n, scores);
    }
    close_names(&n);
    return status;
}

dn_status dn__report_picks_known(dn__report_picks *out, const dn__report_run *run, const dn_outputs *outputs,
                                 const dn_dataset *set, const double *scores)
{
    return take(out, run, outputs, set, scores, true);
}

dn_status dn__report_picks_unknown(dn__report_picks *out, const dn__report_run *run, const dn_outputs *outputs,
                                   const dn_dataset *set, const double *scores)
{
    return take(out, run, outputs, set, scores, false);
}

void dn__report_picks_close(dn__report_picks *picks)
{
    for (int i = 0; i < picks->n; i++) {
        dn_free(picks->pick[i].named);
        dn_free(picks->pick[i].truth);
        dn_free(picks->pick[i].item);
        dn_free(picks->pick[i].png);
    }
    *picks = (dn__report_picks){0};
}
