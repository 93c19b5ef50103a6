/* Changes to images [N,H,W,C] that are drawn anew at every step, and noise. */
#include <string.h>

#include "core/cpu/ref/ref.h"
#include "core/random.h"

/* The random words of image n, or of block n. */
static void draw(uint32_t bits[4], const dn_call *call, int step_input, int64_t n)
{
    const int32_t step = *(const int32_t *)call->in[step_input];
    dn_random_block(bits, call->seed, call->op->args.random.stream, (uint32_t)step, (uint32_t)call->member,
                    (uint32_t)n);
}

void REF(crop)(const dn_call *call)
{
    const int64_t *d = call->in_info[0]->shape.dim;
    const int64_t height = d[1], width = d[2], channels = d[3];
    const int size = call->op->args.random.size;
    for (int64_t n = 0; n < d[0]; n++) {
        const real *x = (const real *)call->in[0] + n * height * width * channels; /* [H,W,C] */
        real *y = (real *)call->out[0] + n * height * width * channels;            /* [H,W,C] */
        uint32_t bits[4];
        draw(bits, call, 1, n);
        const int64_t down = dn_random_to_below(bits[0], (uint32_t)call->op->args.random.choices) - (int64_t)size;
        const int64_t right = dn_random_to_below(bits[1], (uint32_t)call->op->args.random.choices) - (int64_t)size;
        for (int64_t h = 0; h < height; h++)
            for (int64_t w = 0; w < width; w++) {
                const int64_t row = h + down, column = w + right;
                const bool inside = row >= 0 && row < height && column >= 0 && column < width;
                for (int64_t c = 0; c < channels; c++)
                    y[(h * width + w) * channels + c] = inside ? x[(row * width + column) * channels + c] : 0;
            }
    }
}

void REF(flip)(const dn_call *call)
{
    const int64_t *d = call->in_info[0]->shape.dim;
    const int64_t width = d[2], channels = d[3];
    for (int64_t n = 0; n < d[0]; n++) {
        uint32_t bits[4];
        draw(bits, call, 1, n);
        for (int64_t h = 0; h < d[1]; h++) {
            const real *x = (const real *)call->in[0] + (n * d[1] + h) * width * channels; /* [W,C] */
            real *y = (real *)call->out[0] + (n * d[1] + h) * width * channels;            /* [W,C] */
            for (int64_t w = 0; w < width; w++) {
                const int64_t from = bits[0] >> 31 ? width - 1 - w : w;
                memcpy(y + w * channels, x + from * channels, (size_t)channels * sizeof(real));
            }
        }
    }
}

static void swap_patches(real *image, const int64_t *d, int64_t size, int64_t a, int64_t b) /* image: [H,W,C] */
{
    const int64_t across = d[2] / size, channels = d[3];
    for (int64_t h = 0; h < size; h++)
        for (int64_t i = 0; i < size * channels; i++) {
            real *u = image + ((a / across * size + h) * d[2] + a % across * size) * channels + i;
            real *v = image + ((b / across * size + h) * d[2] + b % across * size) * channels + i;
            const real kept = *u;
            *u = *v;
            *v = kept;
        }
}

/* Fisher and Yates' shuffle on the patches themselves. */
void REF(patch_shuffle)(const dn_call *call)
{
    const int64_t *d = call->in_info[0]->shape.dim;
    const int64_t size = call->op->args.random.size, patches = (d[1] / size) * (d[2] / size);
    memcpy(call->out[0], call->in[0], (size_t)count_of(call->in_info[0]) * sizeof(real));
    for (int64_t n = 0; n < d[0]; n++) {
        real *image = (real *)call->out[0] + n * d[1] * d[2] * d[3]; /* [H,W,C] */
        for (int64_t k = patches - 1; k >= 1; k--) {
            uint32_t bits[4];
            draw(bits, call, 1, n * ((patches + 3) / 4) + k / 4);
            swap_patches(image, d, size, k, dn_random_to_below(bits[k % 4], (uint32_t)k + 1));
        }
    }
}

void REF(noise)(const dn_call *call)
{
    const real low = (real)call->op->args.random.low, high = (real)call->op->args.random.high;
    const int64_t n = count_of(call->out_info[0]);
    real *out = call->out[0]; /* [n] */
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits[4];
        draw(bits, call, 0, i / 4);
        if (call->op->args.random.noise == DN_NOISE_UNIFORM) {
            out[i] = low + (high - low) * (real)dn_random_to_uniform(bits[i % 4]);
        } else {
            float pair[2];
            dn_random_to_normals(pair, bits[i % 4 / 2 * 2], bits[i % 4 / 2 * 2 + 1]);
            out[i] = low + high * (real)pair[i % 2];
        }
    }
}

void REF(dropout)(const dn_call *call)
{
    const uint32_t threshold = (uint32_t)(call->op->args.random.rate * 65536 + .5f);
    const real scale = (real)(65536.0 / (65536.0 - threshold)); /* of what is kept: the expectation stays exact */
    const real *x = call->in[0];                                /* [n] */
    real *y = call->out[0];                                     /* [n] */
    const int64_t n = count_of(call->in_info[0]);
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits[4];
        draw(bits, call, 1, i / 8);
        const uint32_t half_word = bits[i % 8 / 2] >> (16 * (i % 2)) & 0xffff;
        y[i] = half_word < threshold ? 0 : x[i] * scale;
    }
}
