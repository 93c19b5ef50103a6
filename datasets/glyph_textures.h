/** Textures drawn with the pen of the glyphs. Library-private. */
#ifndef DN_DATASETS_GLYPH_TEXTURES_H
#define DN_DATASETS_GLYPH_TEXTURES_H

#include "datasets/glyph_draw.h"

enum { DN__TEXTURES = 5 };

extern const char *const dn__texture_names[DN__TEXTURES];

/** Draws a texture of kind 0..DN__TEXTURES-1 with random parameters. @param cover receives ink, 0 to 1, [32,32] */
void dn__texture_cover(float *cover, int kind, const dn__pen *pen, dn_random_sequence *r);

#endif
