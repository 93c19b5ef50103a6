/* Training on a GPU that works behind the host's back gives what training on the CPU gives, in all that can happen. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "apps/trainer.h"
#include "tests/fake_gpu.h"
#include "tests/objective_rig.h"

static const char deep[] = "ensemble: {kind: deep, members: 2}\ntrain: {batch: 8, steps: 40, checkpoint_every: 15}\n";
static const char mi[] = "ensemble: {kind: mi, members: 2}\n"
                         "mi:\n  batch: 8\n  sources: [{kind: patch_shuffle, patch: 4, alpha: 2}]\n"
                         "train: {batch: 8, steps: 20, checkpoint_every: 20}\n";

typedef struct outcome {
    dn_status status;
    char text[2048];
    dn_history history;
    char *values; /* [E,P] */
    size_t bytes;
    int news;
    int64_t last_news;
} outcome;

/* What the trainer tells and asks. */
typedef struct listener {
    outcome *outcome;
    int asked, stop_at; /* which time the answer is to stop; 0: never */
} listener;

static void hear(void *context, const dn_training_news *news)
{
    listener *l = context;
    /* The first news come before the first step; all later ones bring steps. */
    const bool first = l->outcome->news++ == 0;
    cr_expect(first ? news->step == 0 : news->step > l->outcome->last_news);
    if (first) cr_expect(isnan(news->loss));
    l->outcome->last_news = news->step;
}

static bool stop(void *context)
{
    listener *l = context;
    return ++l->asked == l->stop_at;
}

static outcome train(dn_device *device, const char *rest, int stop_at)
{
    outcome out = {0};
    listener l = {.outcome = &out, .stop_at = stop_at};
    dn_recipe *recipe = NULL;
    dn_network *network = NULL;
    dn_dataset *set = make_set();
    char yaml[2048], path[] = "/tmp/dn-cuda-train-XXXXXX", checkpoint[64];
    cr_assert_not_null(mkdtemp(path));
    snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint.h5", path);
    snprintf(yaml, sizeof yaml, "data: {train: a, test: b}\nmodel: {name: glyph_net, width: 4}\n%s", rest);
    cr_assert_eq(dn_recipe_parse(&recipe, yaml, "test", NULL, 0), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_network_new(&network, recipe, device, set), DN_OK, "%s", dn_error_last());
    const dn_training_options options = {.checkpoint = checkpoint, .on_news = hear, .stop = stop, .context = &l};
    out.status = dn_train(network, set, &options, &out.history);
    snprintf(out.text, sizeof out.text, "%s", out.status == DN_OK ? "" : dn_error_last());
    const dn_buffer *values = dn_params_buffer(network->params, DN_BLOCK_VALUES, 0);
    out.bytes = dn_buffer_bytes(values);
    out.values = dn_calloc(out.bytes, 1);
    cr_assert_eq(dn_buffer_download(values, 0, out.values, out.bytes), DN_OK, "%s", dn_error_last());
    dn_network_close(network);
    dn_dataset_close(set);
    dn_device_close(device);
    unlink(checkpoint);
    rmdir(path);
    return out;
}

static dn_device *open_ref(void)
{
    dn_device *device = NULL;
    cr_assert_eq(dn_device_open(&device, "ref", NULL), DN_OK);
    return device;
}

static void close_outcome(outcome *o)
{
    dn_history_close(&o->history);
    dn_free(o->values);
}

static void compare(const outcome *a, const outcome *b)
{
    cr_expect_eq(a->status, b->status);
    cr_expect_str_eq(a->text, b->text);
    cr_assert_eq(a->history.steps, b->history.steps);
    const size_t steps = (size_t)a->history.steps, members = (size_t)a->history.members;
    cr_expect_arr_eq(a->history.loss, b->history.loss, steps * members * sizeof(float));
    cr_expect_arr_eq(a->history.accuracy, b->history.accuracy, steps * members * sizeof(float));
    cr_expect_arr_eq(a->history.mutual_information, b->history.mutual_information, steps * sizeof(float));
    cr_assert_eq(a->bytes, b->bytes);
    cr_expect_eq(memcmp(a->values, b->values, a->bytes), 0, "the parameters differ");
}

Test(cuda_train, the_same_bytes_as_on_the_cpu)
{
    for (int kind = 0; kind < 2; kind++) {
        outcome want = train(open_ref(), kind ? mi : deep, 0);
        cr_assert_eq(want.status, DN_OK, "%s", want.text);
        outcome got = train(open_fake(""), kind ? mi : deep, 0);
        compare(&want, &got);
        cr_expect_eq(got.last_news, got.history.steps);
        cr_expect_eq(fake.captures, 1);
        close_outcome(&want);
        close_outcome(&got);
    }
}

/* The device runs dry only where a checkpoint is due: its parameters have to be read before they change. */
Test(cuda_train, the_device_always_has_work)
{
    outcome got = train(open_fake(""), deep, 0);
    cr_assert_eq(got.status, DN_OK, "%s", got.text);
    cr_expect_gt(got.news, 3);
    cr_expect_eq(fake.idle_letters, 3, "the device waited %d times for the host", fake.idle_letters);
    close_outcome(&got);
}

/* By the time the host hears of the bad step, the device has been asked for more: it stands still meanwhile. */
Test(cuda_train, a_loss_that_is_not_finite)
{
    static const char hot[] = "ensemble: {kind: deep, members: 2}\noptimizer: {kind: sgd, rate: 1e30}\n"
                              "train: {batch: 8, steps: 40, checkpoint_every: 40}\n";
    outcome want = train(open_ref(), hot, 0);
    cr_assert_eq(want.status, DN_ERROR_NUMERIC, "%s", want.text);
    cr_expect(strstr(want.text, "the first op with such a value is"), "%s", want.text);
    outcome got = train(open_fake(""), hot, 0);
    cr_expect_eq(got.status, DN_ERROR_NUMERIC);
    cr_expect_str_eq(got.text, want.text);
    cr_expect_eq(got.history.steps, want.history.steps);
    cr_expect_eq(memcmp(got.values, want.values, want.bytes), 0, "the parameters differ");
    close_outcome(&want);
    close_outcome(&got);
}

/* All that was asked for is done and saved, and training goes no further. */
Test(cuda_train, stopping)
{
    outcome got = train(open_fake(""), deep, 2);
    cr_expect_eq(got.status, DN_ERROR_INTERRUPTED);
    cr_expect_gt(got.history.steps, 0);
    cr_expect_lt(got.history.steps, 40);
    char said[64];
    snprintf(said, sizeof said, "stopped at step %lld of 40", (long long)got.history.steps);
    cr_expect(strstr(got.text, said), "%s", got.text);
    cr_expect_eq(got.last_news, got.history.steps);
    /* The parameters are of the step that is said, not of one that nobody has heard of. */
    char shorter[160];
    snprintf(shorter, sizeof shorter, "ensemble: {kind: deep, members: 2}\ntrain: {batch: 8, steps: %lld}\n",
             (long long)got.history.steps);
    outcome want = train(open_ref(), shorter, 0);
    cr_assert_eq(got.bytes, want.bytes);
    cr_expect_eq(memcmp(got.values, want.values, got.bytes), 0, "the parameters are of another step");
    close_outcome(&want);
    close_outcome(&got);
}

/* And what is cleaned up afterwards does not replace the text. */
Test(cuda_train, a_fault_ends_it)
{
    dn_device *device = open_fake("");
    fake.fault = DN_OP_RECORD;
    char path[] = "/tmp/dn-cuda-train-XXXXXX";
    const int descriptor = mkstemp(path);
    cr_assert_geq(descriptor, 0);
    close(descriptor);
    dn_recipe *recipe = NULL;
    dn_network *network = NULL;
    dn_history history;
    dn_dataset *set = make_set();
    cr_assert_eq(
        dn_recipe_parse(&recipe, "data: {train: a, test: b}\nmodel: {name: glyph_net, width: 4}\n", "test", NULL, 0),
        DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_network_new(&network, recipe, device, set), DN_OK, "%s", dn_error_last());
    const dn_training_options options = {.checkpoint = path};
    cr_expect_eq(dn_train(network, set, &options, &history), DN_ERROR_INTERNAL);
    cr_expect(strstr(dn_error_last(), "illegal memory access was encountered; run again with `--device fake:0,sync`"),
              "%s", dn_error_last());
    unlink(path);
    dn_history_close(&history);
    dn_network_close(network);
    dn_dataset_close(set);
    dn_device_close(device);
}
