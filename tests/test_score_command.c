/** `dunlin score` from outside: what it reads, what it writes, what it refuses. The numbers have tests of their own. */
#include <math.h>

#include "datasets/npy.h"
#include "tests/run_command.h"

enum { N = 6, M = 40, C = 3, D = 5 };

/** Writes NAME.npy of standard normal floats. */
static void write_normal(const char *name, int rank, const int64_t *dims, uint64_t seed)
{
    dn_random_sequence r = {.seed = seed};
    size_t count = 1;
    for (int i = 0; i < rank; i++) count *= (size_t)dims[i];
    float *x = dn_calloc(count, sizeof *x);
    for (size_t i = 0; i < count; i++) x[i] = dn_random_next_normal(&r);
    cr_assert_eq(dn_npy_write(at(name), DN_F32, rank, dims, x), DN_OK, "%s", dn_error_last());
    dn_free(x);
}

static void open_arrays(void)
{
    int32_t labels[M];
    open_work();
    write_normal("z.npy", 2, (const int64_t[]){N, C}, 1);
    write_normal("f.npy", 2, (const int64_t[]){N, D}, 2);
    write_normal("zf.npy", 2, (const int64_t[]){M, C}, 3);
    write_normal("ff.npy", 2, (const int64_t[]){M, D}, 4);
    write_normal("w.npy", 2, (const int64_t[]){C, D}, 5);
    write_normal("b.npy", 1, (const int64_t[]){C}, 6);
    write_normal("ens.npy", 3, (const int64_t[]){2, N, C}, 7);
    for (int i = 0; i < M; i++) labels[i] = i % C;
    cr_assert_eq(dn_npy_write(at("y.npy"), DN_I32, 1, (const int64_t[]){M}, labels), DN_OK);
}

TestSuite(score_command, .init = open_arrays, .fini = close_work);

#define REFUSED(text, ...)                                             \
    do {                                                               \
        const int code = RUN("score", __VA_ARGS__, "-o", at("o.npy")); \
        cr_expect(code == 1 || code == 2, "exit code %d", code);       \
        HAS(err, text);                                                \
        cr_expect_not(exists(at("o.npy")));                            \
    } while (0)

Test(score_command, one_score_becomes_one_array)
{
    cr_assert_eq(RUN("score", "knn:k=2", "--features", at("f.npy"), "--fit-features", at("ff.npy"), "-o", at("s.npy")),
                 0, "%s", err);
    dn_npy *s;
    cr_assert_eq(dn_npy_open(&s, at("s.npy")), DN_OK, "%s", dn_error_last());
    cr_expect(s->rank == 1 && s->count == N && s->type == DN_F64);
    dn_npy_close(s);
    cr_expect_str_empty(out);
    cr_expect_str_empty(err);
}

Test(score_command, several_scores_become_a_table)
{
    cr_assert_eq(RUN("score", "msp,knn:k=1|3", "gen:gamma=.3,top=2", "--logits", at("z.npy"), "--features", at("f.npy"),
                     "--fit-features", at("ff.npy")),
                 0, "%s", err);
    HAS(out, "row,msp,knn:k=1,knn:k=3,\"gen:gamma=.3,top=2\"\n0,");
    int lines = 0;
    for (const char *c = out; *c; c++) lines += *c == '\n';
    cr_expect_eq(lines, N + 1);
    char *table = dn_strdup(out);
    cr_assert_eq(RUN("score", "msp", "knn:k=1|3", "--logits", at("z.npy"), "--features", at("f.npy"), "--fit-features",
                     at("ff.npy"), "-o", at("s.h5")),
                 0, "%s", err);
    dn_store *store;
    double knn[N];
    cr_assert_eq(dn_store_open(&store, at("s.h5")), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_store_read(store, "knn:k=3", DN_F64, N, knn), DN_OK, "%s", dn_error_last());
    dn_store_close(store);
    char number[40];
    snprintf(number, sizeof number, ",%.17g,", knn[0]);
    HAS(table, number);
    dn_free(table);
    /* and what was written can be read as an input of the next command */
    cr_expect_eq(RUN("metrics", "--id", at("s.h5:msp"), "--ood", at("s.h5:msp")), 0, "%s", err);
    HAS(out, "0.5000");
}

Test(score_command, ensembles_are_reduced_as_asked)
{
    const char *const ways[] = {"--reduce=score", "--reduce=prob", "--reduce=logit", "--reduce=min", "--reduce=max"};
    for (int i = 0; i < 5; i++) cr_expect_eq(RUN("score", "msp", "--logits", at("ens.npy"), ways[i]), 0, "%s", err);
    cr_expect_eq(RUN("score", "mutual_information", "--logits", at("ens.npy")), 0, "%s", err);
    REFUSED("combines the members itself", "variance", "--logits", at("ens.npy"), "--reduce=prob");
    REFUSED("there is no reduction", "msp", "--logits", at("ens.npy"), "--reduce=mean");
}

Test(score_command, a_stack_needs_no_logits)
{
    write_normal("ef.npy", 3, (const int64_t[]){2, N, D}, 11);
    write_normal("ew.npy", 3, (const int64_t[]){2, C, D}, 12);
    write_normal("eb.npy", 2, (const int64_t[]){2, C}, 13);
    cr_assert_eq(RUN("score", "scale+entropy", "--logits", at("ens.npy"), "--features", at("ef.npy"), "--head-weight",
                     at("ew.npy"), "--head-bias", at("eb.npy")),
                 0, "%s", err);
    char *first = dn_strdup(out);
    cr_assert_eq(RUN("score", "scale+entropy", "--features", at("ef.npy"), "--head-weight", at("ew.npy"), "--head-bias",
                     at("eb.npy")),
                 0, "%s", err);
    cr_expect_str_eq(out, first);
    dn_free(first);
    write_normal("w1.npy", 2, (const int64_t[]){1, D}, 12);
    write_normal("b1.npy", 1, (const int64_t[]){1}, 13);
    REFUSED("a head of 1 classes", "scale", "--features", at("f.npy"), "--head-weight", at("w1.npy"), "--head-bias",
            at("b1.npy"));
}

Test(score_command, all_is_what_the_arrays_can_give)
{
    cr_assert_eq(RUN("score", "all", "--logits", at("z.npy"), "-o", at("all.csv")), 0, "%s", err);
    HAS(err, "left out: score 'knn' also needs: features, fit features");
    HAS(err, "left out: score 'odin' needs the network itself");
    cr_expect(!strstr(err, "'msp'"), "%s", err);
    /* 40 fit rows are too few for knn's 50 neighbours; asked for by name, that is an error */
    cr_assert_eq(RUN("score", "all", "--features", at("f.npy"), "--fit-features", at("ff.npy"), "-q"), 2);
    HAS(err, "none of the scores");
    write_normal("many.npy", 2, (const int64_t[]){60, D}, 11);
    cr_assert_eq(RUN("score", "all", "--features", at("f.npy"), "--fit-features", at("many.npy")), 0, "%s", err);
    HAS(out, "row,knn\n");
    cr_expect_eq(RUN("score", "all,knn", "--features", at("f.npy"), "--fit-features", at("ff.npy")), 2);
    HAS(err, "k = 50");
}

Test(score_command, the_class_map_beside_logits_is_taken)
{
    /* as in the outputs of a leave-out run */
    const float z[2][N][2] = {{{1, 2}, {3, 1}}, {{0, 1}, {2, 2}}};
    const int32_t map[2][2] = {{0, 1}, {2, 1}};
    dn_store *store;
    cr_assert_eq(dn_store_create(&store, at("run.h5")), DN_OK);
    cr_assert_eq(dn_store_write(store, "logits", DN_F32, 3, (const int64_t[]){2, N, 2}, z), DN_OK);
    cr_assert_eq(dn_store_write(store, "class_map", DN_I32, 2, (const int64_t[]){2, 2}, map), DN_OK);
    cr_assert_eq(dn_store_commit(store), DN_OK);
    dn_store_close(store);
    cr_assert_eq(RUN("score", "ensemble_msp", "--logits", at("run.h5:logits")), 0, "%s", err);
    char *alone = dn_strdup(out);
    cr_assert_eq(RUN("score", "ensemble_msp", "--logits", at("run.h5:logits"), "--class-map", at("run.h5:class_map")),
                 0, "%s", err);
    cr_expect_str_eq(out, alone);
    dn_free(alone);
}

Test(score_command, an_input_is_not_overwritten)
{
    const print_of_file before = print_of(at("z.npy"));
    cr_expect_eq(RUN("score", "msp", "--logits", at("z.npy"), "-o", at("z.npy")), 2);
    HAS(err, "one of the inputs");
    check_untouched(at("z.npy"), before);
}

Test(score_command, a_class_without_rows_is_noted)
{
    int32_t labels[M];
    for (int i = 0; i < M; i++) labels[i] = i % 2;
    cr_assert_eq(dn_npy_write(at("y2.npy"), DN_I32, 1, (const int64_t[]){M}, labels), DN_OK);
    const char *const arguments[] = {"score",     "mahalanobis",    "--logits",   at("z.npy"),    "--features",
                                     at("f.npy"), "--fit-features", at("ff.npy"), "--fit-labels", at("y2.npy"),
                                     NULL};
    cr_assert_eq(run_command(arguments), 0, "%s", err);
    HAS(err, "class 2");
    cr_assert_eq(RUN("score", "mahalanobis", "--logits", at("z.npy"), "--features", at("f.npy"), "--fit-features",
                     at("ff.npy"), "--fit-labels", at("y2.npy"), "-q"),
                 0, "%s", err);
    cr_expect_str_empty(err);
}

Test(score_command, what_is_missing_is_named)
{
    REFUSED("which score?", "-q");
    REFUSED("did you mean 'msp'", "msq", "--logits", at("z.npy"));
    REFUSED("nothing to score", "msp");
    REFUSED("also needs: features, fit features", "knn", "--logits", at("z.npy"));
    REFUSED("belong together", "react", "--features", at("f.npy"), "--head-weight", at("w.npy"));
    REFUSED("dunlin evaluate", "odin", "--logits", at("z.npy"));
    REFUSED("one score", "msp,energy", "--logits", at("z.npy"));
    REFUSED("nowhere.npy", "msp", "--logits", at("nowhere.npy"));
}

Test(score_command, shapes_that_do_not_fit_are_refused)
{
    write_normal("short.npy", 2, (const int64_t[]){N - 1, D}, 8);
    write_normal("thin.npy", 2, (const int64_t[]){M, D - 1}, 9);
    write_normal("cube.npy", 4, (const int64_t[]){2, 2, 2, 2}, 9);
    write_normal("real.npy", 1, (const int64_t[]){M}, 9);
    write_normal("none.npy", 2, (const int64_t[]){0, C}, 9);
    REFUSED("do not belong to", "gradnorm", "--logits", at("z.npy"), "--features", at("short.npy"));
    REFUSED("4 columns, but features have 5", "knn:k=1", "--features", at("f.npy"), "--fit-features", at("thin.npy"));
    REFUSED("shape is [2,2,2,2]", "msp", "--logits", at("cube.npy"));
    REFUSED("at least one row and column", "msp", "--logits", at("none.npy"));
    REFUSED("40 labels for 6 fit rows", "temp_scale", "--logits", at("z.npy"), "--fit-logits", at("z.npy"),
            "--fit-labels", at("y.npy"));
    REFUSED("last layer's weights, ", "react", "--features", at("f.npy"), "--fit-features", at("ff.npy"), "--logits",
            at("z.npy"), "--head-weight", at("f.npy"), "--head-bias", at("b.npy"));
    REFUSED("expected integers", "temp_scale", "--logits", at("z.npy"), "--fit-logits", at("zf.npy"), "--fit-labels",
            at("real.npy"));
}

Test(score_command, broken_files_are_refused)
{
    FILE *file = fopen(at("cut.npy"), "wb");
    fwrite("\x93NUMPY\x01\x00\x76\x00{'descr': '<f8', 'shape", 1, 32, file);
    fclose(file);
    REFUSED("cut.npy", "msp", "--logits", at("cut.npy"));
    file = open_npy("huge.npy", "<f8", "(1000000000, 1000000000)");
    fclose(file);
    REFUSED("huge.npy", "msp", "--logits", at("huge.npy"));
    file = fopen(at("text.npy"), "w");
    fputs("not an array at all\n", file);
    fclose(file);
    REFUSED("text.npy", "msp", "--logits", at("text.npy"));
    float z[2 * C] = {1, 2, 3, 4, INFINITY, 6};
    cr_assert_eq(dn_npy_write(at("inf.npy"), DN_F32, 2, (const int64_t[]){2, C}, z), DN_OK);
    REFUSED("row 1, column 1", "msp", "--logits", at("inf.npy"));
}

Test(score_command, one_row_and_one_member_are_enough)
{
    write_normal("z1.npy", 2, (const int64_t[]){1, C}, 10);
    write_normal("e1.npy", 3, (const int64_t[]){1, 1, C}, 10);
    const char *const names[] = {"msp", "mutual_information", "pairwise_kl", "variation_ratio"};
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(RUN("score", names[i], "--logits", at("z1.npy")), 0, "%s", err);
        char *first = dn_strdup(out);
        cr_assert_eq(RUN("score", names[i], "--logits", at("e1.npy")), 0, "%s", err);
        cr_expect_str_eq(out, first);
        dn_free(first);
    }
}

Test(score_command, a_device_gives_the_same_neighbours)
{
    static const char *const names[] = {"ref", "cuda-emu"};
    const char *const files[] = {at("f.npy"), at("ff.npy")};
    cr_assert_eq(RUN("score", "knn:k=1|7", "--features", files[0], "--fit-features", files[1]), 0, "%s", err);
    char *first = dn_strdup(out);
    for (int i = 0; i < 2; i++) {
        const int code =
            RUN("score", "knn:k=1|7", "--features", files[0], "--fit-features", files[1], "--device", names[i]);
        if (i == 1 && strstr(err, "this build has no")) break;
        cr_assert_eq(code, 0, "%s", err);
        cr_expect_str_eq(out, first);
    }
    dn_free(first);
    REFUSED("device 'abacus' is not known", "msp", "--logits", at("z.npy"), "--device", "abacus");
}

Test(score_command, the_list_describes_every_score)
{
    cr_assert_eq(RUN("score", "--list"), 0, "%s", err);
    HAS(out, "gen  ");
    HAS(out, "gamma=0.1, above 0 to 100");
    HAS(out, "rule=predicted|max (predicted)");
    HAS(out, "react+");
}
