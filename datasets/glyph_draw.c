#include "datasets/glyph_draw.h"

#include <math.h>
#include <string.h>

enum { PIECES = 6, MOST_POINTS = DN__STROKE_POINTS * PIECES + 1 };

typedef struct point {
    float x, y;
} point;

/* A hand's way to place a glyph: from the unit square to pixels. */
typedef struct pose {
    float cosine, sine, width, height, slant, bend_x, bend_y, taper, shift_x, shift_y, tremble;
} pose;

float dn__bounded_normal(dn_random_sequence *r)
{
    const float x = dn_random_next_normal(r);
    return x > 3 ? 3 : x < -3 ? -3 : x;
}

void dn__direction(float *cosine, float *sine, dn_random_sequence *r)
{
    float x, y, length2;
    do {
        x = dn_random_next_uniform(r, -1, 1);
        y = dn_random_next_uniform(r, -1, 1);
        length2 = x * x + y * y;
    } while (length2 > 1 || length2 < 0.01f);
    const float length = sqrtf(length2);
    *cosine = x / length, *sine = y / length;
}

dn__pen dn__pen_draw(dn_random_sequence *r)
{
    dn__pen pen;
    pen.thickness = dn_random_next_uniform(r, 1.2f, 4.0f);
    pen.softness = dn_random_next_uniform(r, 0.8f, 2.0f);
    pen.ground = dn_random_next_uniform(r, 0, 90);
    pen.ink = pen.ground + dn_random_next_uniform(r, 60, 165);
    pen.slope_x = 20 * dn__bounded_normal(r);
    pen.slope_y = 20 * dn__bounded_normal(r);
    pen.noise = dn_random_next_uniform(r, 2, 24);
    return pen;
}

float dn__pen_cover(const dn__pen *pen, float distance)
{
    const float t = (0.5f * pen->thickness - distance) / pen->softness + 0.5f;
    const float u = t < 0 ? 0 : t > 1 ? 1 : t;
    return u * u * (3 - 2 * u);
}

void dn__pen_develop(uint8_t *image, const float *cover, const dn__pen *pen, dn_random_sequence *r)
{
    const float step = 1.0f / (DN__GLYPH_SIDE - 1);
    for (int i = 0; i < DN__GLYPH_PIXELS; i += 2) {
        float normals[2];
        const uint32_t bits = dn_random_next(r);
        dn_random_to_normals(normals, bits, dn_random_next(r));
        for (int k = 0; k < 2; k++) {
            const int column = (i + k) % DN__GLYPH_SIDE, row = i / DN__GLYPH_SIDE; /* rows are even in length */
            const float x = (float)column * step - 0.5f, y = (float)row * step - 0.5f;
            const float ground = pen->ground + pen->slope_x * x + pen->slope_y * y;
            const float gray = ground + (pen->ink - pen->ground) * cover[i + k] + pen->noise * normals[k] + 0.5f;
            image[i + k] = (uint8_t)(gray < 0 ? 0 : gray > 255 ? 255 : gray);
        }
    }
}

static pose draw_pose(dn_random_sequence *r)
{
    pose p;
    const float t = 0.055f * dn__bounded_normal(r); /* tangent of half the angle: a rotation without libm */
    p.cosine = (1 - t * t) / (1 + t * t);
    p.sine = 2 * t / (1 + t * t);
    p.height = dn_random_next_uniform(r, 15, 25);
    p.width = p.height * dn_random_next_uniform(r, 0.6f, 1.1f);
    p.slant = 0.15f * dn__bounded_normal(r);
    p.bend_x = 0.2f * dn__bounded_normal(r);
    p.bend_y = 0.2f * dn__bounded_normal(r);
    p.taper = 0.15f * dn__bounded_normal(r);
    p.shift_x = dn_random_next_uniform(r, -3, 3);
    p.shift_y = dn_random_next_uniform(r, -3, 3);
    p.tremble = dn_random_next_uniform(r, 0.005f, 0.05f);
    return p;
}

/* From the unit square around (0, 0) to pixels. */
static point place(const pose *p, point a)
{
    const float bent_x = a.x + p->bend_x * a.y * a.y, bent_y = a.y + p->bend_y * a.x * a.x;
    const float x = p->width * bent_x * (1 + p->taper * a.y) - p->height * p->slant * bent_y, y = p->height * bent_y;
    const float middle = 0.5f * (DN__GLYPH_SIDE - 1);
    return (point){middle + p->shift_x + p->cosine * x - p->sine * y,
                   middle + p->shift_y + p->sine * x + p->cosine * y};
}

static float catmull_rom(float a, float b, float c, float d, float t)
{
    return b + 0.5f * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

/* Lays short straight pieces along a stroke. @return the number of points in `path` */
static int flatten(point *path, const dn__stroke *stroke, const pose *p, dn_random_sequence *r)
{
    point knots[DN__STROKE_POINTS];
    const int count = stroke->count / 2;
    for (int i = 0; i < count; i++) {
        knots[i].x = stroke->xy[2 * i] * 0.01f - 0.5f + p->tremble * dn__bounded_normal(r);
        knots[i].y = stroke->xy[2 * i + 1] * 0.01f - 0.5f + p->tremble * dn__bounded_normal(r);
    }
    int n = 0;
    for (int i = 0; i + 1 < count; i++)
        for (int k = 0; k < PIECES; k++) {
            const float t = (float)k / PIECES;
            const point b = knots[i], c = knots[i + 1];
            const point a = stroke->smooth && i > 0 ? knots[i - 1] : b;
            const point d = stroke->smooth && i + 2 < count ? knots[i + 2] : c;
            const point curved = {catmull_rom(a.x, b.x, c.x, d.x, t), catmull_rom(a.y, b.y, c.y, d.y, t)};
            const point straight = {b.x + t * (c.x - b.x), b.y + t * (c.y - b.y)};
            path[n++] = place(p, stroke->smooth ? curved : straight);
        }
    path[n++] = place(p, knots[count - 1]);
    return n;
}

static int clamp_index(float x)
{
    return x < 0 ? 0 : x > DN__GLYPH_SIDE - 1 ? DN__GLYPH_SIDE - 1 : (int)x;
}

/* Lowers squared distances within `reach` of the piece a-b; pixels farther away are not looked at. */
static void lower_distances(float *nearest2, point a, point b, float reach)
{
    const float dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
    const float inverse = length2 > 1e-12f ? 1 / length2 : 0;
    const int x0 = clamp_index((a.x < b.x ? a.x : b.x) - reach), x1 = clamp_index((a.x < b.x ? b.x : a.x) + reach + 1);
    const int y0 = clamp_index((a.y < b.y ? a.y : b.y) - reach), y1 = clamp_index((a.y < b.y ? b.y : a.y) + reach + 1);
    for (int y = y0; y <= y1; y++)
        for (int x = x0; x <= x1; x++) {
            const float px = (float)x - a.x, py = (float)y - a.y, along = (px * dx + py * dy) * inverse;
            const float t = along < 0 ? 0 : along > 1 ? 1 : along;
            const float ex = px - t * dx, ey = py - t * dy, d2 = ex * ex + ey * ey;
            float *at = nearest2 + y * DN__GLYPH_SIDE + x;
            if (d2 < *at) *at = d2;
        }
}

void dn__glyph_cover(float *cover, const dn__symbol *symbol, const dn__pen *pen, dn_random_sequence *r)
{
    const float far = 1e6f, reach = 0.5f * (pen->thickness + pen->softness);
    const pose p = draw_pose(r);
    const dn__glyph *glyph = &symbol->glyphs[dn_random_next_below(r, (uint32_t)symbol->variants)];
    for (int i = 0; i < DN__GLYPH_PIXELS; i++) cover[i] = far;
    for (int s = 0; s < DN__GLYPH_STROKES && glyph->strokes[s].count; s++) {
        point path[MOST_POINTS];
        const int n = flatten(path, &glyph->strokes[s], &p, r);
        for (int i = 0; i + 1 < n; i++) lower_distances(cover, path[i], path[i + 1], reach);
    }
    for (int i = 0; i < DN__GLYPH_PIXELS; i++) cover[i] = dn__pen_cover(pen, sqrtf(cover[i]));
}
