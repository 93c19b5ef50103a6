/* Images that move against a gradient: x' = x - eps sign(dL/dx), sign(0) = +1, each member's by its own gradient.
 *
 * L is a function of the logits (ODIN: Liang, Li and Srikant, ICLR 2018; its entropy: Vyas et al., ECCV 2018) or of
 * layers' features (Lee et al., NeurIPS 2018). What L adds to the network's backward pass, dL/dz or dL/df, is
 * computed here, in double: at T = 1000 probabilities differ from each other by little. */
#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "ood/pass_private.h"
#include "ood/probability.h"

/* Columns of all seeds together. */
static size_t seed_width(const dn__stage *s)
{
    size_t width = 0;
    for (size_t i = 0; i < s->seeds; i++) width += dn__stage_width(s, s->seed[i]);
    return width;
}

dn_status dn__pass_open_moved(dn_pass *pass)
{
    const bool by_score = pass->options.kind == DN_PASS_SCORE;
    if (pass->options.by == 0) pass->options.by = dn_pass_last_layer(&pass->layers);
    const uint64_t by = by_score ? pass->options.by : 0;
    const dn__stage_plan outputs = {.name = "inference, images of each member",
                                    .own_images = true,
                                    .logits = true,
                                    .layers = pass->options.layers | by,
                                    .map = -1,
                                    .replaced = -1};
    const dn__stage_plan gradient = {.name = "gradient of images",
                                     .own_images = true,
                                     .seed_logits = !by_score,
                                     .seed_layers = by,
                                     .map = -1,
                                     .replaced = -1};
    DN_TRY(dn__stage_open(&pass->first, pass, &outputs));
    DN_TRY(dn__stage_open(&pass->second, pass, &gradient));
    const dn_dtype type = dn_params_dtype(pass->network.params);
    const size_t rows = pass->members * pass->batch, width = seed_width(&pass->second);
    DN_TRY(dn__reals_open(&pass->x, type, rows * pass->pixels));
    DN_TRY(dn__reals_open(&pass->seeds, type, rows * width));
    pass->gradient = dn_calloc(rows, width * sizeof *pass->gradient);
    if (by_score) {
        pass->logits = dn_calloc(rows, pass->columns * sizeof *pass->logits);
        pass->features = dn_calloc(rows, width * sizeof *pass->features);
        if (!pass->logits || !pass->features) return DN_ERROR_MEMORY;
    }
    return pass->gradient ? DN_OK : DN_ERROR_MEMORY;
}

/* Every member's copy of the images, as reals in 0..1 like those that gather makes. */
static void spread_images(dn_pass *pass, const void *images, size_t rows)
{
    const dn__reals given = {.data = (void *)images, .type = pass->options.type};
    const bool bytes = pass->options.type == DN_U8;
    for (size_t e = 0; e < pass->members; e++)
        for (size_t i = 0; i < rows * pass->pixels; i++)
            dn__real_set(&pass->x, e * pass->batch * pass->pixels + i,
                         bytes ? ((const uint8_t *)images)[i] / 255.0 : dn__real_get(&given, i));
}

/* ---- the gradient of L by what it is a function of ---- */

/* One row's logits of the columns that the member uses. @param used [K] receives their numbers @return how many */
static size_t take_row(double *z, size_t *used, const dn_pass *pass, size_t e, size_t row)
{
    const size_t columns = pass->columns;
    size_t count = 0;
    for (size_t k = 0; k < columns; k++) {
        if (pass->network.class_map && pass->network.class_map[e * columns + k] < 0) continue;
        used[count] = k;
        z[count++] = dn__real_get(&pass->read, (e * pass->batch + row) * columns + k);
    }
    return count;
}

/* T dCE/dz = p - onehot(y^): that of the largest logit as minus the sum of the others. @param z [n] @param g [n] */
static void cross_entropy_gradient(double *g, const double *z, size_t n, double temperature)
{
    const size_t top = dn__argmax(z, n);
    dn__softmax(g, z, n, temperature);
    g[top] = -dn__sum_of_others(g, n, top);
}

/* T^2 dH/dz = -p (z - mean of z under p). */
static void entropy_gradient(double *g, const double *z, size_t n, double temperature)
{
    double mean = 0.0;
    dn__softmax(g, z, n, temperature);
    /* Differences to the largest logit lose nothing to a large common part. */
    const double top = z[dn__argmax(z, n)];
    for (size_t k = 0; k < n; k++) mean += g[k] * (z[k] - top);
    for (size_t k = 0; k < n; k++) g[k] *= mean - (z[k] - top);
}

static dn_status check_row(const double *x, size_t n, const char *what, size_t e, size_t row)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return dn_fail(DN_ERROR_NUMERIC, "%s of member %zu, row %zu of the batch, is %g: no image can move by it",
                           what, e, row, x[i]);
    return DN_OK;
}

static dn_status logit_gradients(dn_pass *pass, size_t rows)
{
    const size_t columns = pass->columns;
    const bool entropy = pass->options.kind == DN_PASS_ODIN_ENTROPY;
    double *z = dn_calloc(columns, sizeof *z), *g = dn_calloc(columns, sizeof *g);
    size_t *used = dn_calloc(columns, sizeof *used);
    dn_status status = z && g && used ? DN_OK : DN_ERROR_MEMORY;
    for (size_t e = 0; e < pass->members && status == DN_OK; e++)
        for (size_t r = 0; r < rows && status == DN_OK; r++) {
            const size_t n = take_row(z, used, pass, e, r);
            double *to = pass->gradient + (e * rows + r) * columns;
            memset(to, 0, columns * sizeof *to);
            status = check_row(z, n, "a logit", e, r);
            if (status != DN_OK || n == 0) continue;
            (entropy ? entropy_gradient : cross_entropy_gradient)(g, z, n, pass->options.temperature);
            for (size_t k = 0; k < n; k++) to[used[k]] = g[k];
        }
    dn_free(used);
    dn_free(g);
    dn_free(z);
    return status;
}

static dn_status feature_gradients(dn_pass *pass, size_t rows)
{
    dn__stage *s = &pass->first;
    const size_t all = pass->members * rows;
    size_t first = 0;
    DN_TRY(dn__stage_read_rows(pass, s, s->logits, pass->logits, rows, 1, 0));
    for (size_t l = 0; l < pass->layers.count; l++) {
        if (!(pass->options.by >> l & 1)) continue;
        DN_TRY(dn__stage_read_rows(pass, s, s->features[l], pass->features + first, rows, 1, 0));
        first += all * pass->layers.layer[l].dim;
    }
    DN_TRY(pass->options.gradient(pass->options.context, pass->gradient, pass->logits, pass->features, rows));
    first = 0;
    for (size_t i = 0; i < pass->second.seeds; i++) {
        const size_t width = dn__stage_width(&pass->second, pass->second.seed[i]);
        for (size_t row = 0; row < all; row++)
            DN_TRY(
                check_row(pass->gradient + first + row * width, width, "a score's gradient", row / rows, row % rows));
        first += all * width;
    }
    return DN_OK;
}

/* ---- moving ---- */

/* One row's numbers of every seed: seeds stand one after another, each [E,rows,width] in `gradient` and [E,N,width] in
 * `seeds`. @return the largest; with a divisor above 0 they are divided by it and written */
static double walk_row(dn_pass *pass, size_t rows, size_t e, size_t r, double divisor)
{
    const dn__stage *s = &pass->second;
    double largest = 0.0;
    size_t from = 0, to = 0;
    for (size_t i = 0; i < s->seeds; i++) {
        const size_t width = dn__stage_width(s, s->seed[i]);
        const double *g = pass->gradient + from + (e * rows + r) * width;
        for (size_t k = 0; k < width; k++) {
            largest = fmax(largest, fabs(g[k]));
            if (divisor > 0.0) dn__real_set(&pass->seeds, to + (e * pass->batch + r) * width + k, g[k] / divisor);
        }
        from += pass->members * rows * width;
        to += pass->members * pass->batch * width;
    }
    return largest;
}

/* Each row's gradient, scaled so that its largest number is 1: the signs that come of it stay, and no number is too
 * small for f32. Rows behind the last one get zeros. */
static void scale_seeds(dn_pass *pass, size_t rows)
{
    memset(pass->seeds.data, 0, pass->seeds.count * dn_dtype_size(pass->seeds.type));
    for (size_t e = 0; e < pass->members; e++)
        for (size_t r = 0; r < rows; r++) walk_row(pass, rows, e, r, walk_row(pass, rows, e, r, 0.0));
}

static dn_status write_seeds(dn_pass *pass)
{
    dn__stage *s = &pass->second;
    const char *from = pass->seeds.data;
    const size_t rows = pass->members * pass->batch, size = dn_dtype_size(pass->seeds.type);
    for (size_t i = 0; i < s->seeds; i++) {
        DN_TRY(dn__stage_write(s, s->seed[i], from));
        from += rows * dn__stage_width(s, s->seed[i]) * size;
    }
    return DN_OK;
}

static void move(dn_pass *pass)
{
    for (size_t i = 0; i < pass->x.count; i++) {
        const double sign = dn__real_get(&pass->read, i) < 0.0 ? -1.0 : 1.0;
        dn__real_set(&pass->x, i, dn__real_get(&pass->x, i) - pass->options.epsilon * sign);
    }
}

dn_status dn__pass_run_moved(dn_pass *pass, const dn_pass_out *out, const void *images, size_t rows)
{
    dn__stage *outputs = &pass->first, *gradient = &pass->second;
    spread_images(pass, images, rows);
    DN_TRY(dn__stage_write(outputs, outputs->images, pass->x.data));
    DN_TRY(dn_executor_run(outputs->executor, 1));
    if (pass->options.kind == DN_PASS_SCORE) {
        DN_TRY(feature_gradients(pass, rows));
    } else {
        DN_TRY(dn__stage_read(pass, outputs, outputs->logits));
        DN_TRY(logit_gradients(pass, rows));
    }
    scale_seeds(pass, rows);
    DN_TRY(dn__stage_write(gradient, gradient->images, pass->x.data));
    DN_TRY(write_seeds(pass));
    DN_TRY(dn_executor_run(gradient->executor, 1));
    DN_TRY(dn__stage_read(pass, gradient, gradient->gradient));
    move(pass);
    DN_TRY(dn__stage_write(outputs, outputs->images, pass->x.data));
    DN_TRY(dn_executor_run(outputs->executor, 1));
    return dn__stage_results(pass, outputs, out, rows, 1, 0);
}
