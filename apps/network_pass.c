#include "apps/network_pass.h"

#include <stdio.h>
#include <string.h>

/* Hands the taps on from layers/ to ood/. */
static void take_taps(dn_pass_graph *to, const dn_taps *from)
{
    _Static_assert((int)DN_PASS_LAYERS_MAX >= (int)DN_TAPS_MAX, "all taps have a place");
    _Static_assert((int)DN_PASS_LAYER_NAME >= (int)DN_TAP_NAME, "so have their names");
    for (int i = 0; i < from->count; i++) {
        snprintf(to->tap[i].name, sizeof to->tap[i].name, "%s", from->at[i].name);
        to->tap[i].tensor = from->at[i].tensor;
    }
    to->taps = (size_t)from->count;
}

static void build(void *context, dn_program *program, dn_tensor images, dn_pass_graph *graph)
{
    const dn_network *n = context;
    dn_taps taps = {0};
    dn_forward forward = dn_forward_infer;
    forward.dropout = graph->dropout;
    forward.taps = &taps;
    forward.replaced = graph->replaced;
    forward.by = graph->by;
    graph->logits = dn_network_build(n, program, dn_prepare(program, &n->recipe->data, images, DN_NONE), &forward);
    take_taps(graph, &taps);
}

dn_pass_network dn_network_pass(const dn_network *n)
{
    return (dn_pass_network){.name = n->recipe->model.name,
                             .params = n->params,
                             .device = n->device,
                             .height = n->height,
                             .width = n->width,
                             .channels = n->channels,
                             .columns = n->columns,
                             .class_map = n->class_map,
                             .batch = (int)n->recipe->train.batch,
                             .build = build,
                             .context = (void *)n};
}

dn_status dn_network_check_images(const dn_network *n, const dn_dataset *set)
{
    if (set->height == n->height && set->width == n->width && set->channels == n->channels) return DN_OK;
    const char *size = strrchr(set->name, '@'); /* in place of this one */
    const bool sized = size && size[1 + strspn(size + 1, "0123456789x")] == 0;
    const int length = sized ? (int)(size - set->name) : (int)strlen(set->name);
    return dn_fail(DN_ERROR_SHAPE,
                   "'%s' has images of %dx%dx%d, the network was trained on %dx%dx%d: write %.*s@%dx%dx%d", set->name,
                   set->height, set->width, set->channels, n->height, n->width, n->channels, length, set->name,
                   n->height, n->width, n->channels);
}
