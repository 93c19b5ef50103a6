/* The drawn sets: digits, letters, shuffled patches of digits. Image i is a function of (seed, part, i) alone. */
#include <inttypes.h>
#include <string.h>

#include "core/alloc.h"
#include "datasets/glyph_draw.h"
#include "datasets/glyph_textures.h"
#include "datasets/sets.h"

enum { PURPOSE_DRAW = 0x676c7970, PURPOSE_SHUFFLE = 0x73687566, PATCH = 8 };

/* What one set of drawings has in common. */
typedef struct drawing {
    uint64_t seed;
    uint32_t part; /* tells apart what one seed draws; patches share it with the digits that they are cut from */
} drawing;

static dn_random_sequence sequence(const drawing *of, int64_t index)
{
    return (dn_random_sequence){.seed = of->seed, .purpose = PURPOSE_DRAW, .step = of->part, .member = (uint32_t)index};
}

static void draw_symbol(uint8_t *image, const dn__symbol *symbol, dn_random_sequence *r)
{
    float cover[DN__GLYPH_PIXELS];
    const dn__pen pen = dn__pen_draw(r);
    dn__glyph_cover(cover, symbol, &pen, r);
    dn__pen_develop(image, cover, &pen, r);
}

static int draw_digit(uint8_t *image, const drawing *of, int64_t index)
{
    dn_random_sequence r = sequence(of, index);
    const int digit = (int)(index % DN__DIGITS);
    draw_symbol(image, &dn__digits[digit], &r);
    return digit;
}

static int draw_letter(uint8_t *image, const drawing *of, int64_t index)
{
    dn_random_sequence r = sequence(of, index);
    const int letter = (int)(index % DN__LETTERS);
    draw_symbol(image, &dn__letters[letter], &r);
    return letter;
}

static int draw_texture(uint8_t *image, const drawing *of, int64_t index)
{
    float cover[DN__GLYPH_PIXELS];
    dn_random_sequence r = sequence(of, index);
    const int kind = (int)(index % DN__TEXTURES);
    const dn__pen pen = dn__pen_draw(&r);
    dn__texture_cover(cover, kind, &pen, &r);
    dn__pen_develop(image, cover, &pen, &r);
    return kind;
}

/* The 4x4 patches of a test digit in another order. */
static int draw_patches(uint8_t *image, const drawing *of, int64_t index)
{
    enum { ACROSS = DN__GLYPH_SIDE / PATCH, PATCHES = ACROSS * ACROSS };
    uint8_t digit[DN__GLYPH_PIXELS];
    uint32_t order[PATCHES], moved = 0;
    draw_digit(digit, of, index);
    for (uint32_t attempt = 0; moved == 0; attempt++) /* never the order that the digit had */
        for (uint32_t i = 0; i < PATCHES; i++) {
            order[i] = dn_random_permute(i, PATCHES, of->seed, PURPOSE_SHUFFLE, attempt, (uint32_t)index);
            moved += order[i] != i;
        }
    for (uint32_t i = 0; i < PATCHES; i++)
        for (int row = 0; row < PATCH; row++) {
            const uint32_t to = (i / ACROSS * PATCH + (uint32_t)row) * DN__GLYPH_SIDE + i % ACROSS * PATCH;
            const uint32_t from =
                (order[i] / ACROSS * PATCH + (uint32_t)row) * DN__GLYPH_SIDE + order[i] % ACROSS * PATCH;
            memcpy(image + to, digit + from, PATCH);
        }
    return 0;
}

typedef int draw_function(uint8_t *image, const drawing *of, int64_t index);

static dn_status draw_all(dn_dataset *d, const dn__request *request, draw_function *draw, uint32_t part)
{
    const dn__set *set = request->set;
    const drawing of = {request->seed, part};
    d->type = DN_U8;
    d->classes = set->classes;
    const int64_t n = request->most < set->n ? request->most : set->n;
    DN_TRY(dn__dataset_allocate(d, n, set->height, set->width, set->channels, set->classes > 0));
    uint8_t *images = d->images;
#pragma omp parallel for schedule(static)
    for (int64_t i = 0; i < n; i++) {
        const int label = draw(images + i * DN__GLYPH_PIXELS, &of, i);
        if (d->labels) d->labels[i] = label;
    }
    d->provenance = dn_format("drawn %s:%s, seed %" PRIu64, set->name, set->split, request->seed);
    return d->provenance ? DN_OK : DN_ERROR_MEMORY;
}

enum { PART_TRAIN, PART_TEST, PART_LETTERS, PART_TEXTURES };

dn_status dn__load_digits(dn_dataset *d, const dn__request *request)
{
    const int test = strcmp(request->set->split, "test") == 0;
    DN_TRY(draw_all(d, request, draw_digit, test ? PART_TEST : PART_TRAIN));
    return dn__dataset_copy_names(d, request->set->class_names);
}

dn_status dn__load_letters(dn_dataset *d, const dn__request *request)
{
    const char *names[DN__LETTERS];
    DN_TRY(draw_all(d, request, draw_letter, PART_LETTERS));
    for (int i = 0; i < DN__LETTERS; i++) names[i] = dn__letters[i].name;
    return dn__dataset_copy_names(d, names);
}

dn_status dn__load_textures(dn_dataset *d, const dn__request *request)
{
    DN_TRY(draw_all(d, request, draw_texture, PART_TEXTURES));
    return dn__dataset_copy_names(d, dn__texture_names);
}

dn_status dn__load_patches(dn_dataset *d, const dn__request *request)
{
    return draw_all(d, request, draw_patches, PART_TEST);
}
