/* Benchmarks: what is measured, what the reports hold, from outside and from inside. */
#include <argp.h>
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apps/bench_ops.h"
#include "apps/bench_report.h"
#include "apps/bench_step.h"
#include "apps/commands.h"
#include "core/alloc.h"
#include "core/graph.h"

static const char *const tiny[] = {"train.batch=8", "model.width=4"};

static dn_workload open_tiny(const char *recipe, const char *shape)
{
    dn_workload w;
    const dn_workload_options o = {
        .recipe = recipe, .overrides = tiny, .n_overrides = 2, .shape = shape, .images = 40, .threads = 1};
    cr_assert_eq(dn_workload_open(&w, &o), DN_OK, "%s", dn_error_last());
    return w;
}

/** Reads a report that was written as a file. @return free with cJSON_Delete() */
static cJSON *read_json(const char *path)
{
    static char text[1 << 18];
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    unlink(path);
    cJSON *tree = cJSON_Parse(text);
    cr_assert_not_null(tree, "no JSON: %s", text);
    return tree;
}

static double number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    cr_assert(cJSON_IsNumber(item), "no number '%s'", name);
    return item->valuedouble;
}

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    cr_assert(cJSON_IsString(item), "no text '%s'", name);
    return item->valuestring;
}

static const cJSON *object_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    cr_assert_not_null(item, "no '%s'", name);
    return item;
}

Test(bench, spreads)
{
    dn_spread s;
    cr_assert_eq(dn_spread_of(&s, (const double[]){5, 1, 4, 2, 3}, 5), DN_OK);
    cr_expect(s.n == 5 && s.min == 1 && s.low == 2 && s.median == 3 && s.high == 4);
    cr_assert_eq(dn_spread_of(&s, (const double[]){2, 1}, 2), DN_OK);
    cr_expect(s.min == 1 && s.low == 1.25 && s.median == 1.5 && s.high == 1.75);
    cr_assert_eq(dn_spread_of(&s, (const double[]){7}, 1), DN_OK);
    cr_expect(s.min == 7 && s.low == 7 && s.median == 7 && s.high == 7);
    cr_expect_eq(dn_spread_of(&s, NULL, 0), DN_ERROR_ARGUMENT);
}

Test(bench, random_images_are_random_and_repeat)
{
    dn_dataset *a = NULL, *b = NULL;
    const int shape[] = {5, 7, 3};
    cr_assert_eq(dn_random_dataset(&a, 100, shape, 4, 9), DN_OK);
    cr_assert_eq(dn_random_dataset(&b, 100, shape, 4, 9), DN_OK);
    const size_t bytes = 100 * 5 * 7 * 3;
    cr_expect_arr_eq(a->images, b->images, bytes);
    cr_expect_arr_eq(a->labels, b->labels, 100 * sizeof *a->labels);
    double sum = 0;
    int seen[4] = {0};
    for (size_t i = 0; i < bytes; i++) sum += ((const uint8_t *)a->images)[i];
    for (int i = 0; i < 100; i++) {
        cr_assert(a->labels[i] >= 0 && a->labels[i] < 4);
        seen[a->labels[i]]++;
    }
    /* The mean of n bytes of deviation 73.9 is within five of its own deviations of 127.5. */
    cr_expect_lt(fabs(sum / (double)bytes - 127.5), 5 * 73.9 / sqrt((double)bytes));
    cr_expect(seen[0] && seen[1] && seen[2] && seen[3]);
    dn_dataset_close(a);
    dn_dataset_close(b);
}

Test(bench, costs_of_a_convolution)
{
    dn_workload w = open_tiny("glyphs-single", "16x16x1");
    const dn_program *p = w.objective.program;
    int forward = 0, backward = 0;
    for (int op = 0; op < dn_program_ops(p); op++) {
        char title[256];
        const dn_op_cost cost = dn_op_cost_of(p, op);
        if (strcmp(dn_op_title(p, op, title, sizeof title), "conv2d conv2 [8,8,8,4] -> [8,8,8,8]") == 0) {
            forward++;
            cr_expect_eq(cost.flops, 2.0 * (8 * 8 * 8) * 8 * (9 * 4));
            cr_expect_eq(cost.bytes, 4.0 * (8 * 8 * 8 * 4 + 8 * 9 * 4 + 8 * 8 * 8 * 8));
            cr_expect(dn_is_slow_fallback(p, op, "ref (oneDNN has no fast kernel)"));
            cr_expect(dn_is_slow_fallback(p, op, "onednn gemm:jit"));
            cr_expect(!dn_is_slow_fallback(p, op, "onednn brgemm:avx512_core"));
            cr_expect(!dn_is_slow_fallback(p, op, "onednn jit:avx2"));
        } else if (strncmp(title, "conv2d_weight_grad conv2 ", 25) == 0 ||
                   strncmp(title, "conv2d_data_grad conv2 ", 23) == 0) {
            backward++;
            cr_expect_eq(cost.flops, 2.0 * (8 * 8 * 8) * 8 * (9 * 4), "%s", title);
        } else if (strncmp(title, "linear head ", 12) == 0) {
            cr_expect_eq(cost.flops, 2.0 * 8 * 10 * 16);
            cr_expect(!dn_is_slow_fallback(p, op, "onednn gemm:jit"));
        } else if (strncmp(title, "relu", 4) == 0) {
            cr_expect_eq(cost.flops, 0.0);
            cr_expect(!dn_is_slow_fallback(p, op, "ref"));
        }
    }
    cr_expect_eq(forward, 1);
    cr_expect_eq(backward, 2);
    dn_workload_close(&w);
}

Test(bench, gathering_costs_rows_not_tables)
{
    dn_workload w = open_tiny("glyphs-single", "16x16x1");
    const dn_program *p = w.objective.program;
    int found = 0;
    for (int op = 0; op < dn_program_ops(p); op++) {
        if (p->ops[op].kind != DN_OP_GATHER || found++) continue;
        cr_expect_eq(dn_op_cost_of(p, op).bytes, (1.0 + 4.0) * 8 * 256 + 8 * 4.0);
    }
    cr_expect_gt(found, 0);
    dn_workload_close(&w);
}

Test(bench, every_op_is_timed_and_reported)
{
    dn_workload w = open_tiny("glyphs-smoke", "16x16x1");
    dn_ops_report report;
    cr_expect_eq(w.images_a_step, (8 + 16) * 3);
    cr_assert_eq(dn_bench_ops(&report, &w, 3), DN_OK, "%s", dn_error_last());
    cr_assert_gt(report.n_rows, 20);
    for (int i = 0; i < report.n_rows; i++) {
        cr_expect(report.rows[i].ms.n == 3 && report.rows[i].ms.min > 0.0 && report.rows[i].runs == 1);
        cr_expect_str_neq(report.rows[i].kernel, "view");
    }
    int32_t steps = 0; /* warming up: 2, 1, and 1 op by op; then each repetition once whole and once op by op */
    cr_assert_eq(dn_executor_read(w.executor, w.objective.step, &steps, sizeof steps), DN_OK);
    cr_expect_eq(steps, 4 + 2 * 3);
    char path[] = "/tmp/dn-bench-XXXXXX";
    close(mkstemp(path));
    cr_assert_eq(dn_bench_ops_json(&report, &w, path), DN_OK, "%s", dn_error_last());
    cJSON *tree = read_json(path);
    cr_expect_str_eq(text_of(tree, "benchmark"), "ops");
    cr_expect_str_eq(text_of(tree, "recipe"), "glyphs-smoke");
    cr_expect_eq(number(tree, "members"), 3);
    cr_expect_gt(number(object_of(tree, "step_ms"), "median"), 0);
    cr_expect_gt(number(object_of(tree, "sum_ms"), "min"), 0);
    const cJSON *ops = object_of(tree, "ops"), *op = NULL;
    double share = 0;
    cr_expect_eq(cJSON_GetArraySize(ops), report.n_rows);
    cJSON_ArrayForEach(op, ops) share += number(op, "share");
    cr_expect_float_eq(share, 1.0, 1e-9);
    cJSON_Delete(tree);
    dn_ops_report_close(&report);
    dn_workload_close(&w);
}

/* Where running does not wait, an op that is short runs several times before the clock is stopped. */
Test(bench, short_ops_of_a_gpu_run_in_a_row)
{
    dn_workload w;
    const dn_workload_options o = {.recipe = "glyphs-single",
                                   .overrides = tiny,
                                   .n_overrides = 2,
                                   .shape = "8x8x1",
                                   .images = 40,
                                   .device = "cuda-emu"};
    const dn_status opened = dn_workload_open(&w, &o);
    if (opened == DN_ERROR_UNSUPPORTED) cr_skip_test("%s", dn_error_last());
    cr_assert_eq(opened, DN_OK, "%s", dn_error_last());
    dn_ops_report report;
    cr_assert_eq(dn_bench_ops(&report, &w, 1), DN_OK, "%s", dn_error_last());
    int most = 0;
    for (int i = 0; i < report.n_rows; i++) {
        cr_expect(report.rows[i].runs >= 1 && report.rows[i].runs <= 20);
        if (report.rows[i].runs > most) most = report.rows[i].runs;
    }
    cr_expect_gt(most, 1, "the emulator is slow, but counting a step is no 0.5 ms");
    dn_ops_report_close(&report);
    dn_workload_close(&w);
}

Test(bench, steps_without_a_peer)
{
    dn_workload w = open_tiny("glyphs-single", NULL);
    cr_expect(w.network->height == 32 && w.network->width == 32 && w.network->channels == 1, "as glyphs are");
    dn_step_report report;
    const dn_step_options o = {.steps = 2, .rounds = 3};
    cr_assert_eq(dn_bench_step(&report, &w, &o), DN_OK, "%s", dn_error_last());
    cr_expect(report.n_sides == 1 && report.sides[0].spread.n == 3 && report.sides[0].spread.min > 0.0);
    char path[] = "/tmp/dn-bench-XXXXXX";
    close(mkstemp(path));
    cr_assert_eq(dn_bench_step_json(&report, &w, NULL, path), DN_OK, "%s", dn_error_last());
    cJSON *tree = read_json(path);
    cr_expect_str_eq(text_of(tree, "benchmark"), "step");
    cr_expect_str_eq(text_of(tree, "model"), "glyph_net");
    cr_expect(number(tree, "steps") == 2 && number(tree, "rounds") == 3 && number(tree, "batch") == 8);
    cr_expect_gt(number(object_of(tree, "own"), "images_per_second"), 0);
    cr_expect_eq(cJSON_GetArraySize(object_of(object_of(tree, "own"), "rounds_ms")), 3);
    const cJSON *machine = object_of(tree, "machine"), *memory = object_of(tree, "memory");
    cr_expect_eq(number(machine, "threads"), 1);
    cr_expect_geq(number(machine, "cores"), 1);
    cr_expect(strlen(text_of(machine, "description")) > 0 && strlen(text_of(tree, "compiler")) > 4);
    cr_expect_gt(number(memory, "program_bytes"), 0);
    cr_expect_geq(number(memory, "planned_bytes"), number(memory, "program_bytes"));
    cr_expect_geq(number(memory, "peak_bytes"), number(memory, "running_bytes"));
    cr_expect_null(cJSON_GetObjectItem(tree, "peer"));
    cJSON_Delete(tree);
    dn_step_report_close(&report);
    dn_workload_close(&w);
}

Test(bench, wrong_workloads)
{
    dn_workload w;
    static const char *const shapes[] = {"32x32", "0x32x3", "32x32x3x1", "axbxc", "-1x4x4", "32x32x3 ", ""};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const dn_workload_options o = {.recipe = "glyphs-single", .shape = shapes[i]};
        cr_expect_eq(dn_workload_open(&w, &o), DN_ERROR_ARGUMENT, "%s", shapes[i]);
        cr_expect(strstr(dn_error_last(), "--shape"), "%s", dn_error_last());
        dn_workload_close(&w);
    }
    const dn_workload_options no_recipe = {.recipe = "glyphs-sngle"};
    cr_expect_neq(dn_workload_open(&w, &no_recipe), DN_OK);
    dn_workload_close(&w);
    const dn_workload_options no_device = {.recipe = "glyphs-single", .device = "gpu", .images = 8};
    cr_expect_eq(dn_workload_open(&w, &no_device), DN_ERROR_ARGUMENT);
    dn_workload_close(&w);
    const dn_workload_options small = {.recipe = "glyphs-single", .shape = "2x2x1", .images = 8};
    cr_expect_neq(dn_workload_open(&w, &small), DN_OK, "the model cannot take such images");
    dn_workload_close(&w);
}

/* ---- the command ---- */

static void hush(FILE *stream)
{
    cr_assert_not_null(freopen("/dev/null", "w", stream));
}

/** @param words end with NULL @return the exit code of `dunlin bench WORDS` */
static int command(const char *const *words)
{
    char title[] = "dunlin bench", *argv[16] = {title};
    int argc = 1;
    for (; words[argc - 1]; argc++) argv[argc] = (char *)words[argc - 1];
    argp_err_exit_status = 2;
    hush(stdout);
    return dn_cmd_bench(argc, argv);
}

#define COMMAND(...) command((const char *const[]){__VA_ARGS__, NULL})
#define SMALL        "glyphs-single", "--images=40", "--batch=8", "--threads=1"

Test(bench_command, step_beside_a_peer)
{
    char path[] = "/tmp/dn-bench-XXXXXX";
    close(mkstemp(path));
    cr_assert_eq(COMMAND("step", SMALL, "--members=2", "--steps=2", "--rounds=2", "--json", path, "--peer",
                         "echo ready fake 7 threads 1; while read line; do echo 5; done"),
                 0);
    cJSON *tree = read_json(path);
    cr_expect(number(tree, "members") == 2 && number(tree, "batch") == 8 && number(tree, "images_per_step") == 16);
    const cJSON *peer = object_of(tree, "peer");
    cr_expect_str_eq(text_of(peer, "name"), "fake 7");
    cr_expect_eq(number(peer, "threads"), 1);
    cr_expect_eq(cJSON_GetArraySize(object_of(peer, "layouts")), 2);
    cr_expect_gt(number(object_of(peer, "speedup"), "median"), 0);
    cr_expect_gt(number(peer, "speedup_of_least"), 0);
    cJSON_Delete(tree);
}

Test(bench_command, ops)
{
    char path[] = "/tmp/dn-bench-XXXXXX";
    close(mkstemp(path));
    cr_assert_eq(COMMAND("ops", SMALL, "--repeats=1", "--sort", "--shape=8x8x2", "--classes=3", "--json", path), 0);
    cJSON *tree = read_json(path);
    cr_expect_eq(cJSON_GetArrayItem(object_of(tree, "shape"), 2)->valueint, 2);
    cJSON_Delete(tree);
}

Test(bench_command, fails)
{
    hush(stderr);
    cr_expect_eq(COMMAND("step", SMALL, "--peer", "exit 1"), 1);
    cr_expect_eq(COMMAND("step", SMALL, "--steps=1", "--json=/no/such/folder/x.json"), 1);
    cr_expect_eq(COMMAND("ops", "glyphs-single", "model.name=resnt"), 2);
}

#define WRONG(name, ...)                                  \
    Test(bench_command, wrong_##name, .exit_code = 2)     \
    {                                                     \
        hush(stderr);                                     \
        cr_expect_eq(COMMAND(__VA_ARGS__), 2, "no exit"); \
        cr_assert(false, "it came back");                 \
    }
WRONG(nothing, "--members=2")
WRONG(kind, "opps")
WRONG(two_recipes, "ops", "glyphs-single", "glyphs-mi")
WRONG(number, "ops", "--threads=0")
WRONG(step_option, "ops", "--rounds=2")
WRONG(ops_option, "step", "--sort")
WRONG(peer_model, "step", "--peer-model=x")
WRONG(twice, "ops", "--members=1", "--members=2", "--members=3")
