/* Outputs that are extracted once: when they are used again, when they are made anew, and what is left behind. */
#include <time.h>

#include "apps/outputs.h"
#include "apps/run.h"
#include "tests/run_command.h"

TestSuite(outputs, .init = open_work, .fini = close_work, .timeout = 240);

static void train(const char *rest)
{
    char recipe[160];
    snprintf(recipe, sizeof recipe, "%s", write_recipe("recipe", rest));
    TRAIN(recipe, "--out", at("run"), "-q");
}

/** @return how many images the last command passed through the network */
static long long images(void)
{
    return number_after(err, "network: ");
}

#define EVALUATE(expected, ...)                                                                               \
    do {                                                                                                      \
        cr_assert_eq(RUN("evaluate", at("run"), __VA_ARGS__), 0, "%s", err);                                  \
        cr_expect_eq(images(), (expected), "%lld images went through the network, expected %d: %s", images(), \
                     (int)(expected), err);                                                                   \
    } while (0)

enum { TEST = 50, OOD = 40, FIT = 90 };

/** Training has tested already. */
Test(outputs, the_network_runs_once)
{
    train(mi_recipe);
    EVALUATE(OOD, "--methods", "msp");
    char first[sizeof out];
    memcpy(first, out, sizeof out);
    EVALUATE(0, "--methods", "msp");
    cr_expect_str_eq(out, first);
    EVALUATE(0, "--methods", "energy:T=2,gen,mutual_information,expected_entropy", "--reduce", "min");
    EVALUATE(FIT, "--methods", "knn:k=1|5|10,mahalanobis,vim,react+energy");
    EVALUATE(0, "--methods", "knn:k=3,rmds,gram,dice+msp,mahalanobis:layers=all");
    EVALUATE(0, "--bootstrap", "50");
    EVALUATE(TEST + OOD, "--refresh");
    EVALUATE(0, "--layers", "features", "--methods", "knn:layers=all,k=2");
}

/** Passes of their own have files of their own; what does not change the outputs does not run the network. */
Test(outputs, passes_of_their_own)
{
    train(deep_recipe);
    EVALUATE(OOD, "--methods", "msp");
    EVALUATE(TEST + OOD, "--methods", "odin:eps=.01");
    EVALUATE(0, "--methods", "odin:eps=.01");
    EVALUATE(TEST + OOD, "--methods", "odin:eps=.02");
    EVALUATE(FIT + TEST + OOD, "--methods", "mahalanobis:eps=.01");
    EVALUATE(0, "--methods", "mahalanobis:eps=.01");
    cr_assert_eq(RUN("evaluate", at("run"), "--methods", "mc_dropout"), 1);
    HAS(err, "dropout");
}

Test(outputs, dropout)
{
    char recipe[160];
    snprintf(recipe, sizeof recipe, "%s", write_recipe("recipe", leave_out_recipe));
    TRAIN(recipe, "--out", at("run"), "-q", "model.dropout=.3");
    EVALUATE(OOD, "--methods", "msp");
    EVALUATE(TEST + OOD, "--methods", "mc_dropout:T=3");
    EVALUATE(0, "--methods", "mc_dropout:T=3,score=variance", "--reduce", "max");
    cr_assert_eq(RUN("evaluate", at("run"), "--methods", "mc_dropout:T=3", "--reduce", "prob"), 2, "%s", err);
    HAS(err, "reduce=prob");
}

/** Whatever the run cannot give is left out of `all`, with the reason. */
Test(outputs, all_but_what_cannot_be)
{
    train(mi_recipe);
    EVALUATE(FIT + OOD + 3 * (TEST + OOD), "--methods", "all", "--json", at("all.json"));
    HAS(err, "left out: mc_dropout: ");
    HAS(out, "mahalanobis");
    HAS(out, "rankfeat");
    cr_expect_null(strstr(out, "mc_dropout"));
    EVALUATE(0, "--methods", "all", "--methods", "knn:k=7");
    EVALUATE(0, "--methods", "gen:top=3,all", "--reduce", "prob");
    HAS(err, "left out: energy: ");
    cr_expect_eq(RUN("evaluate", at("run"), "--methods", "all", "--methods", "knn:k=1000"), 2, "%s", err);
    HAS(err, "k");
}

/* ---- made anew ---- */

Test(outputs, a_run_that_was_trained_on)
{
    char recipe[160];
    snprintf(recipe, sizeof recipe, "%s", write_recipe("recipe", deep_recipe));
    TRAIN(recipe, "--out", at("run"), "-q", "train.steps=200", "train.checkpoint_every=1");
    EVALUATE(OOD, "--methods", "msp");
    char copy[200], checkpoint[200];
    snprintf(copy, sizeof copy, "%s", at("other"));
    snprintf(checkpoint, sizeof checkpoint, "%s", at("run/checkpoint.h5"));
    TRAIN(recipe, "--out", copy, "-q", "train.steps=3");
    cr_assert_eq(rename(at("other/checkpoint.h5"), checkpoint), 0);
    EVALUATE(TEST + OOD, "--methods", "msp");
    HAS(err, "the run was trained on since");
    EVALUATE(0, "--methods", "msp");
}

Test(outputs, other_images_and_another_seed)
{
    train(deep_recipe);
    EVALUATE(OOD, "--methods", "msp");
    write_set("ood", OOD, SIDE, 77);
    EVALUATE(OOD, "--methods", "msp");
    HAS(err, "the set's images or labels are others now");
    char other[64];
    dn_device *device = NULL;
    dn_network *n = NULL;
    dn_output_files files = {0};
    snprintf(other, sizeof other, "noise:uniform@%dx%dx1", SIDE, SIDE);
    cr_assert_eq(dn_device_open(&device, "cpu", NULL), DN_OK);
    cr_assert_eq(dn_run_load(&n, at("run"), device), DN_OK);
    cr_assert_eq(dn_output_files_open(&files, n, at("run"), NULL, false, true), DN_OK);
    int64_t before = 0;
    static const uint64_t seeds[] = {1, 2, 1};
    for (int i = 0; i < 3; i++) {
        dn_outputs *o = NULL;
        const dn_output_request request = {.set = other, .seed = seeds[i], .limit = 30};
        cr_assert_eq(dn_outputs_open(&o, &files, &request), DN_OK, "%s", dn_error_last());
        cr_expect_eq(files.images - before, i < 2 ? 30 : 0, "request %d", i);
        before = files.images;
        dn_outputs_close(o);
    }
    dn_output_files_close(&files);
    dn_network_close(n);
    dn_device_close(device);
}

/** @return the path of the only file of outputs whose name has this part; static */
static const char *find_output(const char *part)
{
    static char path[512];
    char folder[200];
    snprintf(folder, sizeof folder, "%s", at("run/outputs"));
    DIR *directory = opendir(folder);
    cr_assert_not_null(directory);
    path[0] = '\0';
    for (const struct dirent *entry; (entry = readdir(directory));)
        if (strstr(entry->d_name, part)) snprintf(path, sizeof path, "%.200s/%.250s", folder, entry->d_name);
    closedir(directory);
    cr_assert(path[0], "no output named %s", part);
    return path;
}

Test(outputs, damaged_files)
{
    train(deep_recipe);
    EVALUATE(OOD, "--methods", "msp");
    struct stat info;
    const char *path = find_output("ood-npy");
    cr_assert_eq(stat(path, &info), 0);
    cr_assert_eq(truncate(path, info.st_size / 2), 0);
    EVALUATE(OOD, "--methods", "msp");
    HAS(err, "is made anew");
    /* One byte of every 200 in the data, wherever they lie. */
    path = find_output("ood-npy");
    FILE *file = fopen(path, "r+b");
    for (long at_byte = 3000; at_byte < info.st_size; at_byte += 200) {
        fseek(file, at_byte, SEEK_SET);
        fputc(0x5a, file);
    }
    fclose(file);
    EVALUATE(OOD, "--methods", "msp");
    HAS(err, "is made anew");
    EVALUATE(0, "--methods", "msp");
}

/* ---- where nothing can be written ---- */

Test(outputs, a_folder_that_cannot_be_written)
{
    char recipe[160];
    snprintf(recipe, sizeof recipe, "%s", write_recipe("recipe", deep_recipe));
    cr_assert_eq(mkdir(at("run"), 0777), 0);
    FILE *file = fopen(at("run/outputs"), "w"); /* root may write any folder, but nobody into a file */
    cr_assert_not_null(file);
    fclose(file);
    TRAIN(recipe, "--out", at("run"), "-q");
    char before[sizeof out];
    EVALUATE(FIT + TEST + OOD, "--methods", "msp,knn:k=3");
    HAS(err, "outputs are not kept");
    cr_expect_null(strstr(strstr(err, "are not kept") + 1, "are not kept"), "said once: %s", err);
    cr_expect_null(strstr(err, "?;"));
    memcpy(before, out, sizeof out);
    cr_expect_eq(unlink(at("run/outputs")), 0);
    EVALUATE(FIT + TEST + OOD, "--methods", "msp,knn:k=3");
    cr_expect_str_eq(out, before);
}

static int count_files(const char *folder)
{
    int count = 0;
    DIR *directory = opendir(folder);
    for (const struct dirent *entry; directory && (entry = readdir(directory));) count += entry->d_name[0] != '.';
    if (directory) closedir(directory);
    return count;
}

/** Nothing half-done is left, and the next call does it all. */
Test(outputs, interrupted)
{
    train(deep_recipe);
    write_set("ood", 60000, SIDE, 3);
    const int before = count_files(at("run/outputs"));
    const pid_t child = START("evaluate", at("run"), "--methods", "msp");
    struct timespec pause = {.tv_nsec = 20000000};
    for (int i = 0; i < 500 && count_files(at("run/outputs")) == before; i++) nanosleep(&pause, NULL);
    kill(child, SIGINT);
    cr_expect_eq(wait_command(child), 1, "%s", err);
    HAS(err, "stopped");
    cr_expect_eq(count_files(at("run/outputs")), before);
    EVALUATE(60000, "--methods", "msp");
    EVALUATE(0, "--methods", "msp");
}

/* ---- memory ---- */

typedef struct spy {
    const dn_matrix *of;
    size_t most; /* rows at once */
} spy;

static dn_status read_watched(void *context, size_t member, size_t first, size_t rows, void *to)
{
    spy *s = context;
    if (rows > s->most) s->most = rows;
    return s->of->read(s->of->context, member, first, rows, to);
}

/** What is read is read in blocks, however many rows there are; parts are the rows that they say. */
Test(outputs, blocks_of_rows)
{
    enum { ROWS = 30000 };
    train(mi_recipe);
    write_set("large", ROWS, SIDE, 9);
    dn_device *device = NULL;
    dn_network *n = NULL;
    dn_output_files files = {0};
    dn_outputs *o = NULL;
    char set[300];
    snprintf(set, sizeof set, "npy:%s/large.npy,%s/large-labels.npy", work, work);
    cr_assert_eq(dn_device_open(&device, "cpu", NULL), DN_OK);
    cr_assert_eq(dn_run_load(&n, at("run"), device), DN_OK);
    cr_assert_eq(dn_output_files_open(&files, n, at("run"), NULL, false, true), DN_OK);
    const dn_output_request request = {.set = set, .layers = dn_pass_all_layers(&files.layers)};
    cr_assert_eq(dn_outputs_open(&o, &files, &request), DN_OK, "%s", dn_error_last());
    cr_assert_not_null(o->labels);
    cr_assert_eq(o->layers, files.layers.count);
    spy s = {.of = &o->logits};
    dn_score_input input = dn_outputs_input(o);
    input.layer = NULL;
    input.layers = 0;
    input.logits.read = read_watched;
    input.logits.context = &s;
    double *scores = dn_calloc(ROWS, sizeof *scores), *part_scores = dn_calloc(100, sizeof *part_scores);
    dn_score_expression expression;
    cr_assert_eq(dn_expression_parse(&expression, "mutual_information"), DN_OK);
    cr_assert_eq(dn_score(scores, &expression, &input, DN_REDUCE_DEFAULT, NULL), DN_OK, "%s", dn_error_last());
    cr_expect(s.most > 0 && s.most <= ROWS / 2, "%zu rows were read at once", s.most);
    dn_outputs_part part;
    dn_outputs_take_part(&part, o, 0, 2, 777, 100);
    part.input.layers = 0;
    cr_assert_eq(dn_score(part_scores, &expression, &part.input, DN_REDUCE_DEFAULT, NULL), DN_OK);
    for (int i = 0; i < 100; i++) cr_expect_eq(part_scores[i], scores[777 + i]);
    dn_free(scores);
    dn_free(part_scores);
    dn_outputs_close(o);
    dn_output_files_close(&files);
    dn_network_close(n);
    dn_device_close(device);
}
