#include "datasets/glyph_textures.h"

#include <math.h>

const char *const dn__texture_names[DN__TEXTURES] = {"stripes", "checks", "dots", "blobs", "gradient"};

enum { STRIPES, CHECKS, DOTS, BLOBS, GRADIENT, SIDE = DN__GLYPH_SIDE };

/* A turned and shifted lattice: u and v count its cells. */
typedef struct lattice {
    float cosine, sine, cell_u, cell_v, shift_u, shift_v;
} lattice;

static lattice draw_lattice(const dn__pen *pen, dn_random_sequence *r)
{
    lattice l;
    const float least = pen->thickness + pen->softness + 2; /* gaps stay visible */
    dn__direction(&l.cosine, &l.sine, r);
    l.cell_u = least + dn_random_next_uniform(r, 0, 7);
    l.cell_v = least + dn_random_next_uniform(r, 0, 7);
    l.shift_u = dn_random_next_uniform(r, 0, 1);
    l.shift_v = dn_random_next_uniform(r, 0, 1);
    return l;
}

static void to_lattice(float *u, float *v, const lattice *l, int x, int y)
{
    const float px = (float)x - 0.5f * (SIDE - 1), py = (float)y - 0.5f * (SIDE - 1);
    *u = (l->cosine * px + l->sine * py) / l->cell_u + l->shift_u;
    *v = (l->cosine * py - l->sine * px) / l->cell_v + l->shift_v;
}

/* Distance to the nearest whole number. */
static float off_grid(float u)
{
    const float distance = u - floorf(u);
    return distance < 0.5f ? distance : 1 - distance;
}

static float lattice_cover(int kind, const lattice *l, const dn__pen *pen, int x, int y)
{
    float u, v;
    to_lattice(&u, &v, l, x, y);
    const float du = l->cell_u * off_grid(u), dv = l->cell_v * off_grid(v);
    if (kind == STRIPES) return dn__pen_cover(pen, du);
    if (kind == DOTS) return dn__pen_cover(pen, sqrtf(du * du + dv * dv));
    const int odd = ((int)floorf(u) + (int)floorf(v)) & 1; /* checks: soft where two fields meet */
    const float edge = (du < dv ? du : dv) / pen->softness;
    const float inside = 0.5f + (edge < 0.5f ? edge : 0.5f);
    return odd ? inside : 1 - inside;
}

/* A sum of a few bumps 1 / (1 + d^2 / radius^2)^2, cut at a level. */
static void blobs_cover(float *cover, const dn__pen *pen, dn_random_sequence *r)
{
    const int bumps = 4 + (int)dn_random_next_below(r, 6);
    for (int i = 0; i < DN__GLYPH_PIXELS; i++) cover[i] = 0;
    for (int b = 0; b < bumps; b++) {
        const float cx = dn_random_next_uniform(r, 0, SIDE), cy = dn_random_next_uniform(r, 0, SIDE);
        const float radius = pen->thickness + dn_random_next_uniform(r, 1, 4);
        for (int i = 0; i < DN__GLYPH_PIXELS; i++) {
            const int x = i % SIDE, y = i / SIDE;
            const float dx = (float)x - cx, dy = (float)y - cy;
            const float fall = 1 + (dx * dx + dy * dy) / (radius * radius);
            cover[i] += 1 / (fall * fall);
        }
    }
    for (int i = 0; i < DN__GLYPH_PIXELS; i++) {
        const float t = (cover[i] - 0.35f) * 4 / pen->softness + 0.5f;
        cover[i] = t < 0 ? 0 : t > 1 ? 1 : t;
    }
}

/* A ramp or a round slope across the image, strong enough to use most of the contrast. */
static void gradient_cover(float *cover, dn_random_sequence *r)
{
    float cosine, sine;
    dn__direction(&cosine, &sine, r);
    const float round = dn_random_next_uniform(r, -1, 1), scale = dn_random_next_uniform(r, 0.6f, 1.4f) / SIDE;
    for (int i = 0; i < DN__GLYPH_PIXELS; i++) {
        const int column = i % SIDE, row = i / SIDE;
        const float x = ((float)column - 0.5f * SIDE) * scale, y = ((float)row - 0.5f * SIDE) * scale;
        const float t = 0.5f + cosine * x + sine * y + 2 * round * (x * x + y * y);
        cover[i] = t < 0 ? 0 : t > 1 ? 1 : t;
    }
}

void dn__texture_cover(float *cover, int kind, const dn__pen *pen, dn_random_sequence *r)
{
    if (kind == BLOBS) {
        blobs_cover(cover, pen, r);
    } else if (kind == GRADIENT) {
        gradient_cover(cover, r);
    } else {
        const lattice l = draw_lattice(pen, r);
        for (int i = 0; i < DN__GLYPH_PIXELS; i++) cover[i] = lattice_cover(kind, &l, pen, i % SIDE, i / SIDE);
    }
}
