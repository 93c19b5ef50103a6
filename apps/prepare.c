/* Images into programs. */
#include "apps/network.h"
#include "core/ops.h"

dn_status dn_resident_take(dn_resident *out, dn_device *device, dn_dataset *set)
{
    *out = (dn_resident){.shape = DN_SHAPE(set->n, set->height, set->width, set->channels), .type = set->type};
    if (set->n < 1) return dn_fail(DN_ERROR_ARGUMENT, "data set '%s' is empty", set->name);
    if (!set->images) {
        out->streamed = set;
        return DN_OK;
    }
    const size_t bytes = (size_t)dn_shape_count(&out->shape) * dn_dtype_size(set->type);
    void *images = set->images;
    set->images = NULL;
    return dn_buffer_take(&out->images, device, images, bytes);
}

void dn_resident_close(dn_resident *resident)
{
    dn_buffer_close(resident->images);
    dn_dataset_close(resident->own);
    *resident = (dn_resident){0};
}

dn_tensor dn_resident_tensor(dn_program *program, const char *name, const dn_resident *resident)
{
    return dn_external(program, name, resident->type, resident->shape);
}

static dn_tensor crop(dn_program *p, const dn_recipe_data *data, dn_tensor x, dn_tensor step)
{
    const int all = 2 * data->crop_padding + 1;
    return dn_random_crop(p, x, step, data->crop_padding, data->crop_choices ? data->crop_choices : all);
}

static dn_tensor normalize(dn_program *p, const dn_recipe_data *data, dn_tensor x)
{
    const dn_tensor mean = dn_constant(p, "channel mean", DN_SHAPE(data->n_mean), true, data->mean);
    const dn_tensor deviation = dn_constant(p, "channel deviation", DN_SHAPE(data->n_deviation), true, data->deviation);
    return dn_normalize(p, x, mean, deviation);
}

dn_tensor dn_prepare(dn_program *p, const dn_recipe_data *data, dn_tensor images, dn_tensor step)
{
    const bool random = !dn_is_none(step);
    for (unsigned i = 0; i < data->n_prepare; i++) switch (data->prepare[i]) {
        case DN_PREPARE_STANDARDIZE: images = dn_standardize(p, images); break;
        case DN_PREPARE_NORMALIZE: images = normalize(p, data, images); break;
        case DN_PREPARE_CROP:
            if (random) images = crop(p, data, images, step);
            break;
        case DN_PREPARE_FLIP:
            if (random) images = dn_random_flip(p, images, step);
            break;
        }
    return images;
}
