/* The host's side of the CUDA backend, on a GPU that is none: what is launched, who waits for it, where memory is. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/mailbox.h"
#include "tests/fake_gpu.h"
#include "tests/small_training.h"

/* ---- running ---- */

/* The fake computes with the reference kernels, so that every number must be that of "ref". */
Test(cuda_backend, a_replayed_step_is_the_step)
{
    static const char *const specs[] = {NULL, "", ",sync"};
    char *first = NULL;
    size_t bytes = 0;
    for (int i = 0; i < 3; i++) {
        training t = open_training(specs[i] ? open_fake(specs[i]) : NULL);
        const int ops = dn_program_ops(t.r.p);
        run_rig(&t.r, 2);
        run_rig(&t.r, 3);
        char *all = read_all(&t, &bytes);
        if (i == 0) {
            first = all;
        } else {
            cr_expect_eq(memcmp(first, all, bytes), 0, "'%s' computes something else than ref", specs[i]);
            dn_free(all);
        }
        if (i == 1) {
            cr_expect_eq(fake.captures, 1);
            cr_expect_eq(fake.replays, 4);
            cr_expect_eq(fake.done, 5 * fake.launches / 2); /* one step launched, one recorded */
            cr_expect(fake.launches / 2 < ops, "views are not launched");
        } else if (i == 2) {
            cr_expect_eq(fake.captures, 0);
            cr_expect_geq(fake.waits, fake.done);
        }
        close_training(&t);
    }
    dn_free(first);
}

Test(cuda_backend, running_does_not_wait_and_reading_does)
{
    training t = open_training(open_fake(""));
    const int waits = fake.waits;
    run_rig(&t.r, 7);
    cr_expect_eq(fake.waits, waits);
    cr_expect_eq(fake.done, 0);
    cr_assert_eq(dn_executor_wait(t.r.ex), DN_OK);
    cr_expect_eq(fake.done, 7 * fake.launches / 2);
    run_rig(&t.r, 1);
    const int before = fake.done;
    int32_t step = 0;
    read_rig(&t.r, t.r.p->step, &step, sizeof step);
    cr_expect_eq(step, 8);
    cr_expect_gt(fake.done, before);
    /* Part of a program is not the graph. */
    cr_assert_eq(dn_executor_run_op(t.r.ex, 0, 2), DN_OK);
    cr_expect_eq(fake.captures, 1);
    run_rig(&t.r, 3); /* and what is under way when everything is closed does no harm */
    close_training(&t);
}

Test(cuda_backend, one_call_for_all_members)
{
    dn_params *store = NULL;
    training t = open_training(open_fake(""));
    run_rig(&t.r, 1);
    const dn_call *conv = &fake.last[DN_OP_CONV2D], *advance = &fake.last[DN_OP_ADVANCE],
                  *join = &fake.last[DN_OP_MUTUAL_INFORMATION];
    cr_expect(conv->members == MEMBERS && conv->seed == 5 && !conv->tf32);
    cr_expect_eq(conv->in_stride[1], t.r.p->slice[DN_STORAGE_VALUES]);
    cr_expect_eq(conv->out_stride[0], t.r.p->slice[DN_STORAGE_TEMPORARY]);
    cr_expect_eq(fake.last[DN_OP_GATHER].in_stride[0], 0);
    cr_expect_eq(advance->members, 1);
    cr_expect_eq(join->members, MEMBERS);
    cr_expect_neq(join->in_stride[0], 0);
    cr_expect_eq(join->out_stride[0], 0);
    /* Scratch memory: of whom asked, in line with what was planned. */
    cr_expect_eq(dn_executor_plan(t.r.ex)->workspace, 1000 * MEMBERS);
    cr_expect_not_null(conv->workspace);
    cr_expect_eq((uintptr_t)conv->workspace % 256, 0);
    cr_expect_null(join->workspace);
    int described = 0, views = 0;
    for (int i = 0; i < dn_program_ops(t.r.p); i++) {
        described += strcmp(dn_executor_kernel(t.r.ex, i), "fake of 3") == 0;
        views += strcmp(dn_executor_kernel(t.r.ex, i), "view") == 0;
    }
    cr_expect_eq(described, 1);
    cr_expect_gt(views, 0);
    close_training(&t);

    /* Members 4 and 5 of an ensemble, in tf32. */
    rig r = open_rig(1, DN_F32);
    dn_device_close(r.device);
    dn_program_close(r.p);
    r.device = open_fake("");
    const dn_params_options options = {.members = 2, .dtype = DN_F32, .seed = 9, .first_member = 4};
    cr_assert_eq(dn_params_new(&store, &options), DN_OK);
    r.p = dn_program_new(store, &(dn_program_options){.name = "late", .precision = DN_PRECISION_TF32});
    dn_keep(r.p, dn_dropout(r.p, dn_input(r.p, "x", DN_F32, DN_SHAPE(9), false), .5));
    start_rig(&r);
    run_rig(&r, 1);
    cr_expect_eq(fake.last[DN_OP_DROPOUT].member, 4);
    cr_expect(fake.last[DN_OP_DROPOUT].tf32);
    dn_executor_close(r.ex);
    r.ex = NULL;
    close_rig(&r);
    dn_params_close(store);
}

/* ---- memory ---- */

Test(cuda_backend, a_program_is_one_allocation)
{
    training t = open_training(open_fake(""));
    cr_expect_eq(fake.blocks, 2, "the data set and the program, not %d blocks", fake.blocks);
    const dn_plan *plan = dn_executor_plan(t.r.ex);
    cr_expect_geq(fake.bytes, plan->total);
    cr_expect_leq(fake.bytes, plan->total + 10 * 256);
    run_rig(&t.r, 2);
    /* A second program of the same store finds place where the first one was. */
    dn_executor_close(t.r.ex);
    cr_expect_eq(fake.blocks, 2);
    const size_t peak = fake.peak;
    dn_program *reader = dn_program_new(t.r.store, &(dn_program_options){.name = "reader"});
    dn_keep(reader, dn_relu(reader, dn_input(reader, "x", DN_F32, DN_SHAPE(50), false)));
    cr_assert_eq(dn_program_seal(reader), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_executor_open(&t.r.ex, reader, t.r.device), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_executor_run(t.r.ex, 1), DN_OK, "%s", dn_error_last());
    cr_expect_eq(fake.blocks, 2);
    cr_expect_eq(fake.peak, peak);
    dn_executor_close(t.r.ex);
    t.r.ex = NULL;
    dn_program_close(reader);
    dn_program_close(t.r.p);
    dn_params_close(t.r.store);
    cr_expect_eq(fake.blocks, 1, "the data set's");
    dn_buffer_close(t.images);
    cr_expect_eq(fake.blocks, 0);
    dn_device_close(t.r.device);
}

Test(cuda_backend, new_memory_is_zero)
{
    dn_device *device = open_fake("");
    dn_buffer *buffers[3];
    for (int round = 0; round < 2; round++) {
        char bytes[700];
        for (int i = 0; i < 3; i++) {
            cr_assert_eq(dn_buffer_new(&buffers[i], device, 700), DN_OK);
            cr_assert_eq(dn_buffer_download(buffers[i], 0, bytes, sizeof bytes), DN_OK);
            for (size_t k = 0; k < sizeof bytes; k++) cr_assert_eq(bytes[k], 0);
            memset(bytes, 1, sizeof bytes);
            cr_assert_eq(dn_buffer_upload(buffers[i], 0, bytes, sizeof bytes), DN_OK);
        }
        for (int i = 0; i < 3; i++) dn_buffer_close(buffers[i]);
    }
    dn_device_close(device);
}

Test(cuda_backend, pieces_of_a_region)
{
    dn_device *device = open_fake("");
    void *data[4];
    cr_assert_eq(dn__gpu_reserve(device, (const size_t[]){1000, 0, 1, 500}, 4), DN_OK);
    cr_expect_eq(fake.bytes, 1024 + 256 + 512);
    cr_assert_eq(dn__gpu_reserve(device, (const size_t[]){1000}, 1), DN_OK);
    cr_expect_eq(fake.blocks, 1, "there is room already");
    cr_assert_eq(dn__gpu_allocate(device, 1000, &data[0]), DN_OK);
    cr_assert_eq(dn__gpu_allocate(device, 1, &data[1]), DN_OK);
    cr_assert_eq(dn__gpu_allocate(device, 500, &data[2]), DN_OK);
    cr_expect_eq(fake.blocks, 1);
    cr_expect_eq((char *)data[1], (char *)data[0] + 1024);
    cr_expect_eq((char *)data[2], (char *)data[1] + 256);
    /* Full: a block of its own. What is released in the middle is the next to be had. */
    cr_assert_eq(dn__gpu_allocate(device, 10, &data[3]), DN_OK);
    cr_expect_eq(fake.blocks, 2);
    dn__gpu_release(device, data[1]);
    void *again = NULL;
    cr_assert_eq(dn__gpu_allocate(device, 200, &again), DN_OK);
    cr_expect_eq(again, data[1]);
    dn__gpu_release(device, data[0]);
    dn__gpu_release(device, data[2]);
    cr_expect_eq(fake.blocks, 2);
    dn__gpu_release(device, again);
    cr_expect_eq(fake.blocks, 1);
    dn__gpu_release(device, data[3]);
    dn__gpu_release(device, NULL);
    cr_expect_eq(fake.blocks, 0);
    /* What nobody came for is given back when more is needed, or at the end. */
    cr_assert_eq(dn__gpu_reserve(device, (const size_t[]){1000}, 1), DN_OK);
    cr_assert_eq(dn__gpu_reserve(device, (const size_t[]){2000}, 1), DN_OK);
    cr_expect_eq(fake.bytes, 2048);
    dn_device_close(device);
    cr_expect_eq(fake.blocks, 0);
}

/* A rig on the fake with a keep of relu(x), x [rows,1000]. */
static rig open_relu(const char *spec, int64_t rows)
{
    rig r = open_rig(2, DN_F32);
    dn_device_close(r.device);
    r.device = open_fake(spec);
    dn_keep(r.p, dn_relu(r.p, dn_input(r.p, "x", DN_F32, DN_SHAPE(rows, 1000), false)));
    start_rig(&r);
    return r;
}

Test(cuda_backend, too_big_a_plan_says_how_big)
{
    for (int lies = 0; lies < 2; lies++) {
        rig r = open_relu("", 100);
        fake.memory = 1 << 20;
        fake.lies = lies;
        cr_expect_eq(dn_executor_run(r.ex, 1), DN_ERROR_MEMORY);
        cr_expect(strstr(dn_error_last(), "test needs 1.5 MiB, 'fake:0' has "), "%s", dn_error_last());
        cr_expect(strstr(dn_error_last(), "[100,1000]"), "%s", dn_error_last());
        cr_expect_eq(fake.blocks, 0);
        close_rig(&r);
    }
    /* A data set that does not fit has no plan, but the device's word. */
    dn_device *device = open_fake("");
    dn_buffer *buffer = NULL;
    cr_expect_eq(dn_buffer_new(&buffer, device, (size_t)2 << 30), DN_ERROR_MEMORY);
    cr_expect(strstr(dn_error_last(), "2147483648 bytes"), "%s", dn_error_last());
    cr_expect_null(buffer);
    dn_device_close(device);
}

/* ---- faults ---- */

Test(cuda_backend, a_refused_launch_names_its_op)
{
    for (int steps = 0; steps < 2; steps++) { /* launched, and while it is recorded */
        rig r = open_relu("", 2);
        run_rig(&r, steps);
        fake.refused = DN_OP_RELU;
        cr_expect_eq(dn_executor_run(r.ex, 1), DN_ERROR_INTERNAL);
        cr_expect(strstr(dn_error_last(), "program 'test', op 0, relu(x[2,1000]*) -> [2,1000]*: invalid config"), "%s",
                  dn_error_last());
        cr_expect(strstr(dn_error_last(), "`--device fake:0,sync`"), "%s", dn_error_last());
        cr_expect_null(fake.recording);
        close_rig(&r);
    }
}

Test(cuda_backend, a_fault_names_its_op_or_how_to_learn_it)
{
    float values[4000];
    rig r = open_relu("", 2);
    fake.fault = DN_OP_RELU;
    cr_expect_eq(dn_executor_run(r.ex, 2), DN_OK);
    for (int i = 0; i < 2; i++) { /* it stays */
        cr_expect_eq(dn_executor_read(r.ex, (dn_tensor){1}, values, 4 * sizeof *values * 1000), DN_ERROR_INTERNAL);
        cr_expect_str_eq(dn_error_last(), "an illegal memory access was encountered; run again with `--device "
                                          "fake:0,sync` to learn which op it was");
    }
    cr_expect_eq(dn_executor_wait(r.ex), DN_ERROR_INTERNAL);
    close_rig(&r);
    r = open_relu(",sync", 2);
    fake.fault = DN_OP_RELU;
    cr_expect_eq(dn_executor_run(r.ex, 2), DN_ERROR_INTERNAL);
    cr_expect_str_eq(dn_error_last(),
                     "program 'test', op 0, relu(x[2,1000]*) -> [2,1000]*: an illegal memory access was encountered");
    cr_expect_eq(fake.done, 1);
    close_rig(&r);
}

Test(cuda_backend, what_it_cannot_run_is_refused)
{
    rig r = open_relu("", 2);
    dn_executor_close(r.ex);
    r.ex = NULL;
    fake_kernels[DN_OP_RELU] = NULL;
    cr_expect_eq(dn_executor_open(&r.ex, r.p, r.device), DN_ERROR_UNSUPPORTED);
    cr_expect(strstr(dn_error_last(), "device 'fake:0' has no kernel for op 0, relu(x[2,1000]*)"), "%s",
              dn_error_last());
    close_rig(&r);
    r = open_rig(1, DN_F64);
    dn_device *device = open_fake("");
    dn_keep(r.p, dn_relu(r.p, dn_input(r.p, "x", DN_F64, DN_SHAPE(3), false)));
    cr_assert_eq(dn_program_seal(r.p), DN_OK);
    cr_expect_eq(dn_executor_open(&r.ex, r.p, device), DN_ERROR_UNSUPPORTED);
    cr_expect(strstr(dn_error_last(), "computes in f64") && strstr(dn_error_last(), "use device 'ref'"), "%s",
              dn_error_last());
    dn_device_close(device);
    close_rig(&r);
}

/* ---- mail ---- */

Test(cuda_backend, letters_are_of_their_moment)
{
    for (int gpu = 0; gpu < 2; gpu++) {
        training t = open_training(gpu ? open_fake("") : NULL);
        const dn_tensor tensors[] = {t.r.p->step, dn_find(t.r.p, "history")};
        dn_mailbox *box = NULL;
        const void *contents[2];
        cr_assert_eq(dn_mailbox_open(&box, t.r.ex, tensors, 2), DN_OK, "%s", dn_error_last());
        cr_assert_eq(dn_mailbox_room(box), gpu ? 2 : 1);
        cr_expect_eq(dn_mailbox_collect(box, contents), DN_ERROR_ARGUMENT);
        const int waits = fake.waits;
        int32_t expected = 0;
        for (int round = 0; round < 5; round++) {
            run_rig(&t.r, 2);
            cr_assert_eq(dn_mailbox_post(box), DN_OK, "%s", dn_error_last());
            if (dn_mailbox_waiting(box) < dn_mailbox_room(box)) continue;
            cr_expect_eq(dn_mailbox_post(box), DN_ERROR_ARGUMENT);
            cr_assert_eq(dn_mailbox_collect(box, contents), DN_OK, "%s", dn_error_last());
            expected += 2;
            cr_expect_eq(*(const int32_t *)contents[0], expected);
            const float *losses = contents[1]; /* [E,4]: two steps, then four */
            for (int e = 0; e < MEMBERS; e++)
                for (int i = 0; i < 4; i++) cr_expect_eq(losses[e * 4 + i] != 0, i < expected, "%d %d", e, i);
        }
        cr_expect_eq(fake.waits, waits);
        cr_expect_eq(dn_mailbox_waiting(box), gpu);
        if (gpu) cr_expect_gt(fake.queue.count, 0);
        dn_mailbox_close(box);
        close_training(&t);
    }
}

/* ---- names ---- */

Test(cuda_backend, device_names)
{
    static const char *const wrong[] = {":", ":x", ":-1", ":0x1", ":00000", ":0,", ":0,async", ",", ",sync,sync", "0"};
    dn_device *device = NULL;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_expect_eq(dn__gpu_open(&device, &fake_backend, &fake_runtime, wrong[i]), DN_ERROR_ARGUMENT, "%s", wrong[i]);
        cr_expect(strstr(dn_error_last(), "is not known") && strstr(dn_error_last(), wrong[i]), "%s", dn_error_last());
    }
    cr_expect_eq(dn__gpu_open(&device, &fake_backend, &fake_runtime, ":7"), DN_ERROR_UNSUPPORTED);
    cr_expect_str_eq(dn_error_last(), "device 'fake:7' cannot be used: there is one");
    static const char *const right[][2] = {
        {"", "fake:0"}, {":0", "fake:0"}, {",sync", "fake:0,sync"}, {":0,sync", "fake:0,sync"}};
    for (int i = 0; i < 4; i++) {
        device = open_fake(right[i][0]);
        cr_expect_str_eq(dn_device_name(device), right[i][1]);
        cr_expect_eq(dn_device_threads(device), 1);
        dn_device_close(device);
    }
}
