#include "datasets/resize.h"

#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "datasets/image.h"
#include "datasets/sets.h"

/* Weights of 8-bit images are fixed-point numbers with this many bits behind the point. */
enum { BITS = 22 };

/* For each output pixel the input pixels that it is a weighted mean of. */
typedef struct taps {
    int outputs, most;
    int *first, *count; /* [outputs] */
    double *weight;     /* [outputs,most] */
    int32_t *fixed;     /* [outputs,most], weight * 2^BITS */
} taps;

static void taps_clear(taps *t)
{
    dn_free(t->first);
    dn_free(t->count);
    dn_free(t->weight);
    dn_free(t->fixed);
}

static double triangle(double x)
{
    return fmax(1.0 - fabs(x), 0);
}

/* Keys's cubic with a = -1/2. */
static double cubic(double x)
{
    const double a = -0.5, d = fabs(x);
    if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
}

/* @param stretch how much wider than on single pixels the filter is @param reach half its base */
static void taps_fill(taps *t, int inputs, double scale, double stretch, double reach, double (*filter)(double))
{
    for (int o = 0; o < t->outputs; o++) {
        const double center = (o + 0.5) * scale, slope = 1.0 / stretch;
        const int first = (int)fmax(center - reach + 0.5, 0);
        const int end = (int)fmin(center + reach + 0.5, inputs);
        double *weight = t->weight + (size_t)o * (size_t)t->most, sum = 0;
        for (int i = first; i < end; i++) {
            weight[i - first] = filter((i - center + 0.5) * slope);
            sum += weight[i - first];
        }
        t->first[o] = first, t->count[o] = end - first;
        for (int k = 0; k < end - first; k++) {
            weight[k] /= sum;
            const double half = weight[k] < 0 ? -0.5 : 0.5;
            t->fixed[(size_t)o * (size_t)t->most + (size_t)k] = (int32_t)(weight[k] * (1 << BITS) + half);
        }
    }
}

static dn_status taps_make(taps *t, int inputs, int outputs, dn_filter filter)
{
    const bool bicubic = filter == DN_FILTER_BICUBIC;
    const double scale = (double)inputs / outputs, stretch = fmax(scale, 1.0), reach = bicubic ? 2 * stretch : stretch;
    t->outputs = outputs, t->most = (int)ceil(reach) * 2 + 1;
    const size_t all = (size_t)outputs * (size_t)t->most;
    t->first = dn_calloc((size_t)outputs, sizeof *t->first);
    t->count = dn_calloc((size_t)outputs, sizeof *t->count);
    t->weight = dn_calloc(all, sizeof *t->weight);
    t->fixed = dn_calloc(all, sizeof *t->fixed);
    if (!t->first || !t->count || !t->weight || !t->fixed) return DN_ERROR_MEMORY;
    taps_fill(t, inputs, scale, stretch, reach, bicubic ? cubic : triangle);
    return DN_OK;
}

/* One output line of 8-bit pixels; `to` and each tap's input are [inner]. */
static void mix_u8(uint8_t *to, const uint8_t *from, int64_t inner, const int32_t *weight, int count)
{
    for (int64_t i = 0; i < inner; i++) {
        int32_t sum = 1 << (BITS - 1); /* the weights sum to 1, their magnitudes to at most 1.25: below 2^31 */
        for (int k = 0; k < count; k++) sum += from[k * inner + i] * weight[k];
        to[i] = (uint8_t)(sum < 0 ? 0 : sum >= 255 << BITS ? 255 : sum >> BITS);
    }
}

static void mix_f32(float *to, const float *from, int64_t inner, const double *weight, int count)
{
    for (int64_t i = 0; i < inner; i++) {
        double sum = 0;
        for (int k = 0; k < count; k++) sum += from[k * inner + i] * weight[k];
        to[i] = (float)sum;
    }
}

/* Resizes the middle axis: to [outer,outputs,inner], from [outer,inputs,inner]. */
static void resize_axis(void *to, const void *from, dn_dtype type, int64_t outer, int inputs, int64_t inner,
                        const taps *t)
{
#pragma omp parallel for
    for (int64_t n = 0; n < outer; n++)
        for (int o = 0; o < t->outputs; o++) {
            const int64_t target = (n * t->outputs + o) * inner, source = (n * inputs + t->first[o]) * inner;
            const size_t at = (size_t)o * (size_t)t->most;
            if (type == DN_U8)
                mix_u8((uint8_t *)to + target, (const uint8_t *)from + source, inner, t->fixed + at, t->count[o]);
            else
                mix_f32((float *)to + target, (const float *)from + source, inner, t->weight + at, t->count[o]);
        }
}

/* Gives d empty images of another size. @return the old ones, which are the caller's now; NULL without memory */
static void *replace(dn_dataset *d, int height, int width, int channels)
{
    dn_dataset other = {.type = d->type};
    if (dn__dataset_allocate(&other, d->n, height, width, channels, 0) != DN_OK) return NULL;
    void *old = d->images;
    d->images = other.images, d->height = height, d->width = width, d->channels = channels;
    return old;
}

static dn_status scale_axis(dn_dataset *d, int size, int vertical, dn_filter filter)
{
    taps t = {0};
    const int inputs = vertical ? d->height : d->width;
    if (size == inputs) return DN_OK;
    const int64_t outer = vertical ? d->n : d->n * d->height,
                  inner = vertical ? (int64_t)d->width * d->channels : d->channels;
    dn_status status = taps_make(&t, inputs, size, filter);
    if (status == DN_OK) {
        void *old = vertical ? replace(d, size, d->width, d->channels) : replace(d, d->height, size, d->channels);
        if (old)
            resize_axis(d->images, old, d->type, outer, inputs, inner, &t);
        else
            status = DN_ERROR_MEMORY;
        dn_free(old);
    }
    taps_clear(&t);
    return status;
}

/* Luma = 0.299 R + 0.587 G + 0.114 B, in sixteen-bit fixed point for 8-bit images. */
static dn_status reduce_to_luma(dn_dataset *d)
{
    void *old = replace(d, d->height, d->width, 1);
    if (!old) return DN_ERROR_MEMORY;
    const int64_t pixels = d->n * d->height * d->width;
    if (d->type == DN_U8) {
        const uint8_t *rgb = old;
        uint8_t *to = d->images;
        for (int64_t i = 0; i < pixels; i++, rgb += 3)
            to[i] = (uint8_t)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
    } else {
        const float *rgb = old;
        float *to = d->images;
        for (int64_t i = 0; i < pixels; i++, rgb += 3) to[i] = 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
    }
    dn_free(old);
    return DN_OK;
}

static dn_status repeat_channel(dn_dataset *d)
{
    void *old = replace(d, d->height, d->width, 3);
    if (!old) return DN_ERROR_MEMORY;
    const int64_t pixels = d->n * d->height * d->width;
    const size_t size = dn_dtype_size(d->type);
    for (int64_t i = 0; i < 3 * pixels; i++)
        memcpy((char *)d->images + (size_t)i * size, (const char *)old + (size_t)(i / 3) * size, size);
    dn_free(old);
    return DN_OK;
}

/* Takes the middle; a pixel that is left over is cut at the end, but at the beginning after every second one, as
 * rounding half to even does. */
static dn_status take_middle(dn_dataset *d, int height, int width)
{
    if (height == d->height && width == d->width) return DN_OK;
    const int rows = d->height, columns = d->width;
    const int64_t top = (int64_t)rint((rows - height) / 2.0), left = (int64_t)rint((columns - width) / 2.0);
    const size_t pixel = (size_t)d->channels * dn_dtype_size(d->type), line = (size_t)width * pixel;
    char *old = replace(d, height, width, d->channels), *to = d->images;
    if (!old) return DN_ERROR_MEMORY;
    for (int64_t i = 0; i < d->n; i++)
        for (int y = 0; y < height; y++, to += line)
            memcpy(to, old + (size_t)((i * rows + top + y) * columns + left) * pixel, line);
    dn_free(old);
    return DN_OK;
}

static dn_status fit(dn_dataset *d, const dn_size *size)
{
    int height = size->height, width = size->width;
    if (size->fit == DN_FIT_CUT) {
        if (d->height >= height && d->width >= width) return take_middle(d, height, width);
        return dn_fail(DN_ERROR_SHAPE, "an image of %dx%d is too small to cut %dx%d out of it; /crop scales it",
                       d->height, d->width, height, width);
    }
    if (size->fit == DN_FIT_CROP) { /* the side that needs the larger factor fits, the other one is too long */
        const int64_t by_height = (int64_t)height * d->width, by_width = (int64_t)width * d->height;
        if (by_height >= by_width)
            width = (int)(by_height / d->height);
        else
            height = (int)(by_width / d->width);
        if ((int64_t)height * width > DN_IMAGE_MOST_PIXELS)
            return dn_fail(
                DN_ERROR_SHAPE,
                "an image of %dx%d is too long and thin to fill %dx%d: it would become one of %dx%d; without "
                "/crop it is squeezed",
                d->height, d->width, size->height, size->width, height, width);
    }
    DN_TRY(scale_axis(d, width, 0, size->filter));
    DN_TRY(scale_axis(d, height, 1, size->filter));
    return take_middle(d, size->height, size->width);
}

dn_status dn_dataset_resize(dn_dataset *d, const dn_size *size)
{
    const int channels = size->channels, same = d->channels == channels;
    if (!same && !(d->channels == 1 && channels == 3) && !(d->channels == 3 && channels == 1))
        return dn_fail(DN_ERROR_SHAPE,
                       "images of %d channels cannot become %d channels, expected 1 to 3, 3 to 1 or no "
                       "change",
                       d->channels, channels);
    if (size->height < 1 || size->width < 1)
        return dn_fail(DN_ERROR_ARGUMENT, "image size %dx%d, expected 1x1 or more", size->height, size->width);
    if (!same && channels == 1) DN_TRY(reduce_to_luma(d));
    DN_TRY(fit(d, size));
    return !same && channels == 3 ? repeat_channel(d) : DN_OK;
}
