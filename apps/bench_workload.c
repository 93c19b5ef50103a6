#include "apps/bench_workload.h"

#include <stdlib.h>
#include <string.h>

#include "apps/memory.h"
#include "core/alloc.h"
#include "core/random.h"

enum { USUAL_IMAGES = 50000, MOST_IMAGE_BYTES = 160000000 };

/* ---- the data ---- */

static dn_status fill_random(dn_dataset *set, uint64_t seed)
{
    const size_t bytes = (size_t)set->n * (size_t)set->height * (size_t)set->width * (size_t)set->channels;
    set->images = dn_calloc(bytes, 1);
    set->labels = dn_calloc((size_t)set->n, sizeof *set->labels);
    set->name = dn_strdup("random");
    set->provenance = dn_strdup("random bytes");
    if (!set->images || !set->labels || !set->name || !set->provenance) return DN_ERROR_MEMORY;
    uint8_t *images = set->images;
    for (size_t i = 0; i < bytes; i += 16) {
        uint32_t bits[4];
        const size_t left = bytes - i;
        dn_random_block(bits, seed, 0, 0, 0, (uint32_t)(i / 16));
        memcpy(images + i, bits, left < sizeof bits ? left : sizeof bits);
    }
    dn_random_sequence draw = {.seed = seed, .purpose = 1};
    for (int64_t i = 0; i < set->n; i++) set->labels[i] = (int32_t)dn_random_next_below(&draw, (uint32_t)set->classes);
    return DN_OK;
}

dn_status dn_random_dataset(dn_dataset **out, int64_t n, const int shape[3], int classes, uint64_t seed)
{
    *out = NULL;
    dn_dataset *set = dn_calloc(1, sizeof *set);
    if (!set) return DN_ERROR_MEMORY;
    *set = (dn_dataset){
        .n = n, .height = shape[0], .width = shape[1], .channels = shape[2], .type = DN_U8, .classes = classes};
    const dn_status status = fill_random(set, seed);
    if (status == DN_OK)
        *out = set;
    else
        dn_dataset_close(set);
    return status;
}

/* ---- its size ---- */

/* "32x32x3" and nothing behind it. */
static bool read_shape(const char *text, int shape[3])
{
    enum { LONGEST_SIDE = 4096 };
    for (int i = 0; i < 3; i++) {
        char *end = NULL;
        const long side = text[0] >= '0' && text[0] <= '9' ? strtol(text, &end, 10) : 0;
        if (side < 1 || side > LONGEST_SIDE || *end != (i < 2 ? 'x' : '\0')) return false;
        shape[i] = (int)side;
        text = end + 1;
    }
    return true;
}

/* The image size and classes of the set that an expression names, read from the table of known sets. */
static void look_up(const char *expression, int shape[3], int *classes)
{
    const size_t length = strcspn(expression, "[:@");
    for (int i = 0; i < dn_dataset_info_count(); i++) {
        dn_dataset_info info;
        if (dn_dataset_info_get(&info, i, NULL) != DN_OK || strlen(info.name) != length) continue;
        if (strncmp(info.name, expression, length) != 0 || info.height == 0) continue;
        shape[0] = info.height;
        shape[1] = info.width;
        shape[2] = info.channels;
        if (info.classes > 0) *classes = info.classes;
        break;
    }
    const char *size = strrchr(expression, '@');
    int resized[3];
    if (size && read_shape(size + 1, resized)) memcpy(shape, resized, sizeof resized);
}

static dn_status make_data(dn_workload *w, const dn_workload_options *o, const dn_recipe *recipe)
{
    int shape[3] = {32, 32, 3}, classes = 10;
    look_up(recipe->data.train, shape, &classes);
    if (o->shape && !read_shape(o->shape, shape))
        return dn_fail(DN_ERROR_ARGUMENT, "--shape: found '%s', expected HEIGHTxWIDTHxCHANNELS such as 32x32x3",
                       o->shape);
    const int64_t each = (int64_t)shape[0] * shape[1] * shape[2], room = MOST_IMAGE_BYTES / each;
    int64_t n = o->images;
    if (n == 0) n = room < USUAL_IMAGES ? (room < 1 ? 1 : room) : USUAL_IMAGES;
    if (recipe->train.limit > 0 && n > recipe->train.limit) n = recipe->train.limit;
    return dn_random_dataset(&w->data, n, shape, o->classes > 0 ? o->classes : classes, recipe->train.seed);
}

/* ---- the program ---- */

dn_status dn_workload_open(dn_workload *w, const dn_workload_options *o)
{
    *w = (dn_workload){0};
    dn_recipe *recipe = NULL;
    const dn_device_options device = {.threads = o->threads};
    DN_TRY(dn_recipe_open(&recipe, o->recipe, o->overrides, o->n_overrides));
    dn_status status = make_data(w, o, recipe);
    if (status == DN_OK) status = dn_device_open(&w->device, o->device ? o->device : "cpu", &device);
    if (status != DN_OK) {
        dn_recipe_close(recipe);
        return status;
    }
    DN_TRY(dn_network_new(&w->network, recipe, w->device, w->data));
    w->images_a_step = dn_objective_images_a_step(w->network->recipe);
    DN_TRY(dn_objective_place(&w->objective, &w->executor, w->network, w->data, NULL));
    /* The resident images are there already: they are in the plan and in the process. */
    const dn_plan *plan = dn_executor_plan(w->executor);
    const size_t before = dn_memory_now();
    const size_t rest = before > plan->external ? before - plan->external : 0;
    w->planned = dn_device_is_host(w->device) ? plan->total + rest : before;
    return dn_objective_load(&w->objective, w->executor, w->network, w->data);
}

void dn_workload_close(dn_workload *w)
{
    dn_executor_close(w->executor);
    dn_objective_close(&w->objective);
    dn_network_close(w->network);
    dn_dataset_close(w->data);
    dn_device_close(w->device);
    *w = (dn_workload){0};
}
