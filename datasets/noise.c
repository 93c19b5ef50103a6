/* noise:uniform and noise:gaussian in any size. Image i is a function of (seed, split, i) alone. */
#include <inttypes.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "datasets/sets.h"

enum { PURPOSE = 0x6e6f6973 };

/* With mean 127.5 this puts 5 % of the pixels at the two ends of the scale. */
static const float deviation = 64.0f;

static void draw_uniform(uint8_t *image, int pixels, dn_random_sequence *r)
{
    for (int i = 0; i < pixels; i++) image[i] = (uint8_t)dn_random_next_below(r, 256);
}

static void draw_gaussian(uint8_t *image, int pixels, dn_random_sequence *r)
{
    for (int i = 0; i < pixels; i += 2) {
        float normals[2];
        const uint32_t bits = dn_random_next(r);
        dn_random_to_normals(normals, bits, dn_random_next(r));
        for (int k = 0; k < 2 && i + k < pixels; k++) {
            const float gray = 127.5f + deviation * normals[k] + 0.5f;
            image[i + k] = (uint8_t)(gray < 0 ? 0 : gray > 255 ? 255 : gray);
        }
    }
}

dn_status dn__load_noise(dn_dataset *d, const dn__request *request)
{
    const dn__set *set = request->set;
    const dn_size *size = &request->expression->size;
    const int gaussian = strcmp(set->split, "gaussian") == 0;
    const int64_t n = request->most < set->n ? request->most : set->n;
    d->type = DN_U8;
    if (size->height)
        DN_TRY(dn__dataset_allocate(d, n, size->height, size->width, size->channels, 0));
    else
        DN_TRY(dn__dataset_allocate(d, n, set->height, set->width, set->channels, 0));
    uint8_t *images = d->images;
    const int pixels = d->height * d->width * d->channels;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++) {
        dn_random_sequence r = {
            .seed = request->seed, .purpose = PURPOSE, .step = (uint32_t)gaussian, .member = (uint32_t)i};
        if (gaussian)
            draw_gaussian(images + i * pixels, pixels, &r);
        else
            draw_uniform(images + i * pixels, pixels, &r);
    }
    d->provenance = dn_format("drawn %s:%s, seed %" PRIu64, set->name, set->split, request->seed);
    return d->provenance ? DN_OK : DN_ERROR_MEMORY;
}
