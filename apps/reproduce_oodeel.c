#include "apps/reproduce_oodeel.h"

#include <stdio.h>

#include "apps/evaluate_check.h"

const char *const dn_oodeel_mnist_sets[] = {"mnist[0-4]:train", "mnist[0-4]:test", "mnist[5-9]:test", NULL};
const char *const dn_oodeel_cifar_sets[] = {"cifar10:train", "cifar10:test", "svhn:test", NULL};

enum { OWN_DEPTH = 56 }; /* of keras_resnet, where the recipe has 0 */

/* @param ood what the table calls it, and its expression */
static dn_status score(const dn_reproduction *r, const dn_oodeel_scores *s, const dn_part *part, const dn_labelled *ood,
                       const char *layers)
{
    static const dn_metric figures[] = {DN_METRIC_AUROC, DN_METRIC_FPR95};
    const dn_score_request request = {.run = part->run,
                                      .ood = ood,
                                      .n_ood = 1,
                                      .scores = s->scores,
                                      .n_scores = s->n_scores,
                                      .layers = layers,
                                      .metrics = {DN_FPR_OODEEL, DN_POSITIVE_OOD},
                                      .noise = s->noise,
                                      .n_noisy = s->n_noisy,
                                      .figures = figures,
                                      .n_figures = 2};
    DN_TRY(dn_reproduce_put(r, ood->label, "-", "test accuracy", part->accuracy));
    DN_TRY(dn_reproduce_score(r, &request));
    return dn_reproduce_show(r, part->run);
}

static dn_status run_mnist(const dn_reproduction *r, const dn_oodeel_scores *s)
{
    static const char *const overrides[] = {"model.outputs=10", "optimizer.epsilon=1e-7", "train.epochs=1",
                                            "train.limit=10000"};
    static const dn_labelled ood = {DN_OODEEL_MNIST, "mnist[5-9]:test"};
    const dn_part_request request = {.name = "mnist",
                                     .recipe = s->recipe,
                                     .overrides = overrides,
                                     .n_overrides = r->options->quick ? 4 : 2,
                                     .keep_best = true};
    dn_part part = {0};
    DN_TRY(dn_reproduce_train(&part, r, &request));
    const dn_status status = score(r, s, &part, &ood, s->layers);
    dn_part_close(&part);
    return status;
}

/* The notebook's layers, conv2d_18, activation_17 and so on, by the depth: in each of three stages the last block's
 * second convolution and first activation. The last layer is always among them. Shortcuts' convolutions are counted in
 * the later stages' first blocks, behind the block's own. */
static dn_status name_layers(char *text, size_t size, const char *run)
{
    dn_recipe *recipe = NULL;
    DN_TRY(dn_run_recipe(&recipe, run));
    const int depth = recipe->model.depth > 0 ? recipe->model.depth : OWN_DEPTH, blocks = (depth - 2) / 6;
    const int behind = blocks == 1 ? 1 : 0; /* the shortcut of the last block itself */
    dn_recipe_close(recipe);
    snprintf(text, size, "conv2d_%d,activation_%d,conv2d_%d,activation_%d,conv2d_%d,activation_%d", 2 * blocks,
             2 * blocks - 1, 4 * blocks + 1 - behind, 4 * blocks - 1, 6 * blocks + 2 - behind, 6 * blocks - 1);
    return DN_OK;
}

static dn_status run_cifar(const dn_reproduction *r, const dn_oodeel_scores *s)
{
    static const char *const overrides[] = {"data.ood=svhn:test", "model.depth=8", "train.steps=300",
                                            "train.limit=9600"};
    static const dn_labelled ood = {DN_OODEEL_CIFAR, "svhn:test"};
    const dn_part_request request = {.name = "cifar",
                                     .recipe = "cifar10-keras-resnet",
                                     .overrides = overrides,
                                     .n_overrides = r->options->quick ? 4 : 1};
    char layers[160] = "";
    dn_part part = {0};
    if (r->options->weights && r->seed > 0) return DN_OK; /* the same network again */
    dn_status status = r->options->weights ? dn_reproduce_import(&part, r, request.name, "keras_resnet")
                                           : dn_reproduce_train(&part, r, &request);
    if (status == DN_OK) status = name_layers(layers, sizeof layers, part.run);
    if (status == DN_OK) status = score(r, s, &part, &ood, s->all_layers ? layers : NULL);
    dn_part_close(&part);
    return status;
}

dn_status dn_oodeel_run(const dn_reproduction *r, const dn_oodeel_scores *scores)
{
    if (dn_reproduce_wants(r, "mnist")) DN_TRY(run_mnist(r, scores));
    return dn_reproduce_wants(r, "cifar") ? run_cifar(r, scores) : DN_OK;
}
