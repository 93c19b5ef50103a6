#include "apps/contact_sheet.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "datasets/resize.h"

enum {
    SMALLEST = 64, /* pixels of an image's longer side, where whole factors allow it */
    LARGEST = 128,
    GAP = 4,
    MARGIN = 40, /* for the class numbers */
    LINES = 10,  /* of a set without classes */
    PAPER = 255,
    INK = 40,
    DIGIT = 15 /* its height */
};

/* ---- which images ---- */

typedef struct picks {
    int lines;
    int64_t item[DN_SHEET_MOST_CLASSES][DN_SHEET_COLUMNS]; /* -1: there are not so many */
} picks;

static void pick_class(int64_t line[DN_SHEET_COLUMNS], const dn_dataset *set, int class)
{
    int64_t count = 0, seen = 0;
    int taken = 0;
    for (int64_t i = 0; i < set->n; i++) count += set->labels[i] == class;
    const int64_t wanted = count < DN_SHEET_COLUMNS ? count : DN_SHEET_COLUMNS;
    for (int64_t i = 0; i < set->n && taken < wanted; i++)
        if (set->labels[i] == class && seen++ == taken * count / wanted) line[taken++] = i;
}

static void pick(picks *p, const dn_dataset *set)
{
    const int64_t all = LINES * DN_SHEET_COLUMNS, some = set->n < all ? set->n : all;
    memset(p->item, 0xff, sizeof p->item); /* -1 */
    if (set->classes) {
        p->lines = set->classes < DN_SHEET_MOST_CLASSES ? set->classes : DN_SHEET_MOST_CLASSES;
        for (int l = 0; l < p->lines; l++) pick_class(p->item[l], set, l);
        return;
    }
    p->lines = (int)((some + DN_SHEET_COLUMNS - 1) / DN_SHEET_COLUMNS);
    for (int64_t i = 0; i < some; i++) p->item[i / DN_SHEET_COLUMNS][i % DN_SHEET_COLUMNS] = i * set->n / some;
}

/* ---- their pixels ---- */

static uint8_t to_byte(double value, double low, double high)
{
    const double x = high > low ? 255 * (value - low) / (high - low) : 0;
    return (uint8_t)(fmin(fmax(x, 0), 255) + 0.5);
}

/* Floats become bytes, other channels than one or three become one. */
static dn_status make_visible(dn_dataset *some)
{
    const int channels = some->channels, kept = channels == 3 ? 3 : 1;
    if (some->type == DN_U8 && kept == channels) return DN_OK;
    const int64_t pixels = some->n * some->height * some->width;
    const uint8_t *bytes = some->images;
    const float *floats = some->images;
    double low = 0, high = 1;
    for (int64_t i = 0; i < pixels * channels && some->type == DN_F32; i++) {
        low = fmin(low, (double)floats[i]);
        high = fmax(high, (double)floats[i]);
    }
    uint8_t *shown = dn_calloc((size_t)pixels, (size_t)kept);
    if (!shown) return DN_ERROR_MEMORY;
    for (int64_t i = 0; i < pixels * kept; i++) {
        const int64_t from = i / kept * channels + i % kept;
        shown[i] = some->type == DN_U8 ? bytes[from] : to_byte((double)floats[from], low, high);
    }
    dn_free(some->images);
    some->images = shown, some->type = DN_U8, some->channels = kept;
    return DN_OK;
}

/* Copies the picked images, [N,H,W,3] bytes of at most the largest size. */
static dn_status take(dn_dataset *some, const dn_dataset *set, const picks *p)
{
    int64_t items[DN_SHEET_MOST_CLASSES * DN_SHEET_COLUMNS];
    for (int i = 0; i < p->lines * DN_SHEET_COLUMNS; i++) {
        const int64_t item = p->item[i / DN_SHEET_COLUMNS][i % DN_SHEET_COLUMNS];
        if (item >= 0) items[some->n++] = item;
    }
    some->images = dn_calloc((size_t)some->n, dn_dataset_image_bytes(set));
    if (!some->images) return DN_ERROR_MEMORY;
    some->type = set->type, some->height = set->height, some->width = set->width, some->channels = set->channels;
    DN_TRY(dn_dataset_gather(set, items, some->n, some->images));
    DN_TRY(make_visible(some));
    const int longest = set->height > set->width ? set->height : set->width;
    dn_size size = {.height = set->height, .width = set->width, .channels = 3};
    if (longest > LARGEST) {
        size.height = (int)fmax(1, (double)size.height * LARGEST / longest);
        size.width = (int)fmax(1, (double)size.width * LARGEST / longest);
    }
    return dn_dataset_resize(some, &size);
}

/* ---- drawing ---- */

static uint8_t *at(const dn_image *sheet, int y, int x)
{
    return sheet->pixels + ((size_t)y * (size_t)sheet->width + (size_t)x) * 3;
}

static void fill(const dn_image *sheet, int y, int x, int side, const uint8_t colour[3])
{
    for (int i = 0; i < side * side; i++) memcpy(at(sheet, y + i / side, x + i % side), colour, 3);
}

/* Digits of 3x5 dots, three pixels each; fifteen bits from the upper left one.
 * @param x of the last digit's right edge */
static void draw_number(const dn_image *sheet, int y, int x, int number)
{
    static const uint16_t digits[10] = {0x7b6f, 0x2c97, 0x73e7, 0x73cf, 0x5bc9, 0x79cf, 0x79ef, 0x7249, 0x7bef, 0x7bcf};
    static const uint8_t ink[3] = {INK, INK, INK};
    enum { DOT = 3, WIDE = 3, HIGH = 5 };
    do {
        x -= (WIDE + 1) * DOT;
        for (int i = 0; i < WIDE * HIGH; i++)
            if (digits[number % 10] >> (WIDE * HIGH - 1 - i) & 1)
                fill(sheet, y + i / WIDE * DOT, x + i % WIDE * DOT, DOT, ink);
        number /= 10;
    } while (number > 0);
}

static void draw_images(const dn_image *sheet, const dn_dataset *some, const picks *p, int factor, int margin)
{
    const uint8_t *from = some->images;
    const int high = some->height * factor + GAP, wide = some->width * factor + GAP;
    for (int i = 0; i < p->lines * DN_SHEET_COLUMNS; i++) {
        const int line = i / DN_SHEET_COLUMNS, column = i % DN_SHEET_COLUMNS;
        if (p->item[line][column] < 0) continue;
        for (int pixel = 0; pixel < some->height * some->width; pixel++, from += 3)
            fill(sheet, GAP + line * high + pixel / some->width * factor,
                 margin + GAP + column * wide + pixel % some->width * factor, factor, from);
    }
}

dn_status dn_contact_sheet(dn_image *out, const dn_dataset *set)
{
    picks p;
    dn_dataset some = {0};
    *out = (dn_image){.channels = 3};
    if (set->n < 1) return dn_fail(DN_ERROR_ARGUMENT, "data set '%s' is empty: there is nothing to draw", set->name);
    pick(&p, set);
    dn_status status = take(&some, set, &p);
    if (status == DN_OK) {
        const int longest = some.height > some.width ? some.height : some.width;
        const int factor = longest < SMALLEST ? (SMALLEST + longest - 1) / longest : 1,
                  margin = set->classes ? MARGIN : 0;
        const int line = some.height * factor + GAP;
        out->height = GAP + p.lines * line;
        out->width = margin + GAP + DN_SHEET_COLUMNS * (some.width * factor + GAP);
        out->pixels = dn_calloc((size_t)out->height * (size_t)out->width, 3);
        status = out->pixels ? DN_OK : DN_ERROR_MEMORY;
        if (out->pixels) {
            memset(out->pixels, PAPER, (size_t)out->height * (size_t)out->width * 3);
            draw_images(out, &some, &p, factor, margin);
            for (int l = 0; l < p.lines && set->classes && line > DIGIT; l++)
                draw_number(out, GAP + l * line + (line - GAP - DIGIT) / 2, MARGIN, l);
        }
    }
    dn_free(some.images);
    return status;
}
