/** The strokes of the drawn digits and letters. Library-private. */
#ifndef DN_DATASETS_GLYPH_SHAPES_H
#define DN_DATASETS_GLYPH_SHAPES_H

#include <stdint.h>

enum { DN__STROKE_POINTS = 12, DN__GLYPH_STROKES = 4, DN__GLYPH_VARIANTS = 4, DN__DIGITS = 10, DN__LETTERS = 13 };

/** One movement of the pen through points x, y, x, y, ... in 0..100 (x to the right, y down). */
typedef struct dn__stroke {
    uint8_t smooth; /**< a curve through the points instead of straight lines */
    uint8_t count;  /**< coordinates used: twice the points; 0 ends a glyph */
    uint8_t xy[2 * DN__STROKE_POINTS];
} dn__stroke;

typedef struct dn__glyph {
    dn__stroke strokes[DN__GLYPH_STROKES];
} dn__glyph;

/** One symbol in the ways that hands write it. */
typedef struct dn__symbol {
    const char *name;
    int variants;
    dn__glyph glyphs[DN__GLYPH_VARIANTS];
} dn__symbol;

extern const dn__symbol dn__digits[DN__DIGITS];
extern const dn__symbol dn__letters[DN__LETTERS]; /**< none of them resembles a digit */

#endif
