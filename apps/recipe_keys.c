/* Defaults, ranges and meanings of all keys; docs/recipes.md lists the same, and a test compares them. */
#include <math.h>
#include <string.h>

#include "apps/recipe_schema.h"

/* Ranges: of an integer or number from low to high, both included; of what must be above 0; of no bounds. */
#define FROM(low, high) low, high, false, false
#define ABOVE_ZERO      0, INFINITY, true, false
#define FRACTION        0, 1, false, true
#define ANY             -INFINITY, INFINITY, false, false

#define MOST_STEPS  16777216 /* schedules count in f32 */
#define MOST_ITEMS  1048576
#define MOST_IMAGES 999999999999999

const dn__recipe_key dn__recipe_keys[] = {
    {"name", "", ANY, "the run's name in reports; without it the name of the recipe's file"},
    {"description", "", ANY, "one line for people"},

    {"data.train", NULL, ANY, "training set, an expression such as mnist[0-4]:train"},
    {"data.test", NULL, ANY, "test set of the same classes"},
    {"data.ood", "[]", ANY, "sets that `dunlin evaluate` compares with when it is not told"},
    {"data.prepare", "[]", ANY, "steps in this order, after pixels / 255"},
    {"data.mean", "[]", ANY, "for normalize: mean of each channel, of pixels / 255"},
    {"data.deviation", "[]", ABOVE_ZERO, "for normalize: standard deviation of each channel, of pixels / 255"},
    {"data.crop_padding", "4", FROM(1, 64), "for crop: pixels of zeros on each side"},
    {"data.crop_choices", "0", FROM(0, 129), "for crop: offsets drawn from 0..choices-1; 0: all 2 padding + 1"},
    {"data.replace", "false", ANY, "draw batches with replacement instead of one permutation after the other"},

    {"model.name", NULL, ANY, "the network"},
    {"model.dropout", "-1", -1, 1, false, true, "probability to drop; -1: the model's own"},
    {"model.width", "0", FROM(0, 65536), "width of the first layers; 0: the model's own"},
    {"model.depth", "0", FROM(0, 1000), "layers with weights on the way; 0: the model's own"},
    {"model.outputs", "0", FROM(0, 65536),
     "outputs, of which those beyond data.train's classes get no image; 0: its classes"},

    {"ensemble.kind", "deep", ANY, "how the members are trained"},
    {"ensemble.members", "5", FROM(1, 1024), "number of members; leave_out: number of folds"},

    {"mi.batch", "0", FROM(0, MOST_ITEMS), "images in a pseudo-OOD batch; 0: as train.batch"},
    {"mi.sources", "[]", ANY, "where pseudo-OOD images come from; mi needs at least one"},
    {"mi.sources.*.kind", "patch_shuffle", ANY, "how they are made"},
    {"mi.sources.*.patch", "8", FROM(1, 4096), "patch_shuffle: side of a patch in pixels, a divisor of the image's"},
    {"mi.sources.*.data", "", ANY, "data: the set, an expression"},
    {"mi.sources.*.alpha", "1", ANY, "weight of the mutual information"},
    {"mi.sources.*.redraw_every", "1", FROM(1, 1000000000), "steps between new batches; 1: a new one at every step"},
    {"mi.sources.*.stop_norm_gradient", "false", ANY, "no MI gradient to batch norm's scale and shift"},
    {"mi.switches", "[]", ANY, "when the source changes; none: the first source throughout"},
    {"mi.switches.*.step", NULL, FROM(0, MOST_STEPS), "from this step on"},
    {"mi.switches.*.source", NULL, FROM(0, 999), "this source, counted from 0"},
    {"mi.period", "0", FROM(0, MOST_STEPS), "steps after which the switches start again; 0: never"},

    {"leave_out.beta", "0.2", FROM(0, INFINITY), "weight of the entropy margin"},
    {"leave_out.margin", "0.4", FROM(0, INFINITY), "wanted gap of mean entropies, left-out above known, in nats"},
    {"leave_out.batch", "0", FROM(0, MOST_ITEMS), "images in a left-out batch; 0: as train.batch"},
    {"leave_out.split_seed", "3", FROM(0, 4294967295.0), "of the class permutation; 3: the published CIFAR folds"},

    {"optimizer.kind", "adam", ANY, "the update rule"},
    {"optimizer.rate", "0.001", ABOVE_ZERO, "learning rate where there is no schedule"},
    {"optimizer.schedule", "[]", ANY, "learning rates by epoch or by step; the first row starts at 0"},
    {"optimizer.schedule.*.epoch", "0", FROM(0, 1e9), "from this epoch on, counted from 0"},
    {"optimizer.schedule.*.step", "-1", FROM(-1, MOST_STEPS), "from this step on, instead of epoch; -1: epoch counts"},
    {"optimizer.schedule.*.rate", NULL, FROM(0, INFINITY), "the learning rate there; 0 only where a slope ends"},
    {"optimizer.schedule.*.shape", "hold", ANY, "how the rate moves to the next row's"},
    {"optimizer.member_rates", "[]", ABOVE_ZERO, "a factor to the rate for each member; none: 1"},
    {"optimizer.beta1", "0.9", FRACTION, "adam: decay of the mean"},
    {"optimizer.beta2", "0.999", FRACTION, "adam: decay of the squares"},
    {"optimizer.epsilon", "1e-8", ABOVE_ZERO, "adam: added to the root"},
    {"optimizer.momentum", "0", FRACTION, "sgd: momentum"},
    {"optimizer.nesterov", "false", ANY, "sgd: Nesterov's momentum"},
    {"optimizer.weight_decay", "0", FROM(0, INFINITY), "times w added to the gradient, all parameters"},
    {"optimizer.l2", "0", FROM(0, INFINITY), "times the sum of squares of weights and dense biases added to the loss"},

    {"train.batch", "128", FROM(1, MOST_ITEMS), "images in a member's batch"},
    {"train.epochs", "10", 0, 1e9, true, false, "passes over the training set; leave_out: over a member's own classes"},
    {"train.steps", "0", FROM(0, MOST_STEPS), "if positive, the number of steps instead of epochs"},
    {"train.precision", "f32", ANY, "of products and activations in training; tf32 and bf16 need a CUDA device"},
    {"train.seed", "0", FROM(0, INFINITY), "of everything random"},
    {"train.checkpoint_every", "0", FROM(0, MOST_STEPS), "steps between checkpoints; 0: once per epoch"},
    {"train.limit", "0", FROM(0, MOST_IMAGES), "use only the first so many training images; 0: all"},
};

const int dn__recipe_n_keys = sizeof dn__recipe_keys / sizeof dn__recipe_keys[0];

const dn__recipe_key *dn__recipe_key_find(const char *path)
{
    for (int i = 0; i < dn__recipe_n_keys; i++) {
        if (!strcmp(dn__recipe_keys[i].path, path)) return &dn__recipe_keys[i];
    }
    return NULL;
}
