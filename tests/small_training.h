/** A small training program with a bit of everything, for tests of devices. */
#ifndef DN_TESTS_SMALL_TRAINING_H
#define DN_TESTS_SMALL_TRAINING_H

#include <criterion/criterion.h>

#include "core/ops.h"
#include "layers/layers.h"
#include "layers/losses.h"
#include "optim/optimizer.h"
#include "tests/run_program.h"

enum { MEMBERS = 3, IMAGES = 12, BATCH = 8, SIDE = 6 };

typedef struct training {
    rig r;
    dn_buffer *images; /* u8 [IMAGES,SIDE,SIDE,3], bound from outside */
} training;

/** A convolutional network whose members meet in an information term. */
static inline void build(dn_program *p)
{
    const dn_tensor images = dn_external(p, "images", DN_U8, DN_SHAPE(IMAGES, SIDE, SIDE, 3));
    const dn_tensor labels = dn_input(p, "labels", DN_I32, DN_SHAPE(IMAGES), true);
    const dn_indices_options draw = {.batch = BATCH, .count = IMAGES, .pool = DN_NONE, .pool_size = DN_NONE};
    const dn_tensor chosen = dn_indices(p, dn_step(p), &draw);
    dn_tensor x = dn_standardize(p, dn_gather(p, images, chosen));
    const dn_conv_layer conv = {.filters = 4, .kernel = 3, .padding = 1, .init = DN_WEIGHTS_HE};
    const dn_norm_options norm = {.epsilon = 1e-3, .decay = .9, .relu = true};
    x = dn_layer_batch_norm(p, "norm", dn_layer_conv2d(p, "conv", x, conv), norm, &dn_forward_train);
    x = dn_dropout(p, dn_max_pool(p, x, 2, 2, 0), .25);
    const dn_linear_layer head = {.units = 4, .init = DN_WEIGHTS_GLOROT, .bias = DN_BIAS_ZERO};
    const dn_tensor logits = dn_layer_linear(p, "head", x, head);
    dn_tensor loss = dn_cross_entropy(p, logits, dn_gather(p, labels, chosen));
    loss = dn_add(p, loss, dn_spread_members(p, dn_loss_mutual_information(p, logits)));
    dn_record(p, "history", loss, dn_step(p), 4);
    dn_minimize(p, loss, &dn_adam_defaults);
}

/** @param device belongs to the training from then on; NULL: "ref" */
static inline training open_training(dn_device *device)
{
    training t = {.r = open_rig(MEMBERS, DN_F32)};
    if (device) {
        dn_device_close(t.r.device);
        t.r.device = device;
    }
    build(t.r.p);
    uint8_t images[IMAGES * SIDE * SIDE * 3];
    int32_t labels[IMAGES];
    for (size_t i = 0; i < sizeof images; i++) images[i] = (uint8_t)(i * 2654435761u >> 11);
    for (int i = 0; i < IMAGES; i++) labels[i] = i % 4;
    cr_assert_eq(dn_buffer_new(&t.images, t.r.device, sizeof images), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_buffer_upload(t.images, 0, images, sizeof images), DN_OK, "%s", dn_error_last());
    start_rig(&t.r);
    cr_assert_eq(dn_executor_bind(t.r.ex, dn_find(t.r.p, "images"), t.images), DN_OK);
    write_rig(&t.r, dn_find(t.r.p, "labels"), labels, sizeof labels);
    return t;
}

static inline void close_training(training *t)
{
    dn_executor_close(t->r.ex);
    t->r.ex = NULL;
    dn_buffer_close(t->images); /* which the executor reads to its end */
    close_rig(&t->r);
}

/** @return values and states of the store, and the history of losses [E,4]: floats; free with dn_free() */
static inline char *read_all(training *t, size_t *bytes)
{
    const dn_buffer *values = dn_params_buffer(t->r.store, DN_BLOCK_VALUES, 0),
                    *states = dn_params_buffer(t->r.store, DN_BLOCK_STATES, 0);
    const size_t a = dn_buffer_bytes(values), b = dn_buffer_bytes(states);
    float losses[MEMBERS * 4];
    *bytes = a + b + sizeof losses;
    char *all = dn_calloc(*bytes, 1);
    cr_assert_eq(dn_buffer_download(values, 0, all, a), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_buffer_download(states, 0, all + a, b), DN_OK, "%s", dn_error_last());
    read_rig(&t->r, dn_find(t->r.p, "history"), all + a + b, sizeof losses);
    return all;
}

#endif
