/** Drawing of glyphs and textures: all drawn sets share this pen, so that they differ in shape only. Library-private.
 *
 * Everything is computed by additions, multiplications, divisions and square roots, which are correctly rounded: the
 * same bytes on every machine.
 */
#ifndef DN_DATASETS_GLYPH_DRAW_H
#define DN_DATASETS_GLYPH_DRAW_H

#include <stdint.h>

#include "core/random.h"
#include "datasets/glyph_shapes.h"

enum { DN__GLYPH_SIDE = 32, DN__GLYPH_PIXELS = DN__GLYPH_SIDE * DN__GLYPH_SIDE };

/** How one image is drawn, apart from its shape. */
typedef struct dn__pen {
    float thickness, softness; /**< width of a stroke, and of its edge, in pixels */
    float ground, ink;         /**< gray levels */
    float slope_x, slope_y;    /**< change of the ground over the image, in gray levels */
    float noise;               /**< standard deviation, in gray levels */
} dn__pen;

dn__pen dn__pen_draw(dn_random_sequence *r);

/** @return how much ink covers a pixel at `distance` pixels from a stroke's middle line, 0 to 1 */
float dn__pen_cover(const dn__pen *pen, float distance);

/** Draws a symbol in one of its variants, in a random pose. @param cover receives ink, 0 to 1, [32,32] */
void dn__glyph_cover(float *cover, const dn__symbol *symbol, const dn__pen *pen, dn_random_sequence *r);

/** Turns ink into gray levels. @param image receives [32,32]; @param cover [32,32] */
void dn__pen_develop(uint8_t *image, const float *cover, const dn__pen *pen, dn_random_sequence *r);

/** @return a normal value within three standard deviations, so that no image falls out of its frame */
float dn__bounded_normal(dn_random_sequence *r);

/** A random direction: cosine and sine of a uniform angle, without libm. */
void dn__direction(float *cosine, float *sine, dn_random_sequence *r);

#endif
