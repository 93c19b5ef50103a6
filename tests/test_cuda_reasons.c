/* What `dunlin devices` and a failed --device say of GPUs, for machines of all kinds. */
#include <criterion/criterion.h>
#include <string.h>

#include "cuda/reason.h"

static const char *why(dn_gpu_facts facts)
{
    static char text[sizeof((dn_device_info *)NULL)->unavailable];
    return dn__gpu_no_device(&facts, text, sizeof text);
}

#define SAYS(text, part) cr_expect(strstr((text), (part)), "no '%s' in '%s'", (part), (text))

Test(cuda_reasons, no_device)
{
    SAYS(why((dn_gpu_facts){.toolkit = 13000, .error = "insufficient"}), "no NVIDIA driver is installed");
    const char *old = why((dn_gpu_facts){.driver = 12020, .toolkit = 13010, .devices = 1});
    SAYS(old, "the driver supports CUDA 12.2");
    SAYS(old, "needs CUDA 13.0 or newer");
    SAYS(why((dn_gpu_facts){.driver = 13000, .toolkit = 13000}), "the driver (CUDA 13.0) finds no GPU");
    SAYS(why((dn_gpu_facts){.driver = 13000, .toolkit = 13000, .error = "no device"}), "finds no GPU: no device");
    SAYS(why((dn_gpu_facts){.driver = 13000, .toolkit = 13000, .visible = ""}), "CUDA_VISIBLE_DEVICES is ''");
    /* Nothing to say: one GPU; a driver of the same major version; a newer one. */
    cr_expect_str_eq(why((dn_gpu_facts){.driver = 13000, .toolkit = 13000, .devices = 1}), "");
    cr_expect_str_eq(why((dn_gpu_facts){.driver = 13000, .toolkit = 13020, .devices = 1, .visible = "3"}), "");
    cr_expect_str_eq(why((dn_gpu_facts){.driver = 14000, .toolkit = 13000, .devices = 8}), "");
}

Test(cuda_reasons, rows)
{
    dn_device_info row;
    const dn_gpu_properties hopper = {"NVIDIA H200", 9, 0, 132, (size_t)141 << 30, false};
    dn__gpu_row(&row, 0, &hopper);
    cr_expect_str_eq(row.name, "cuda:0");
    cr_expect_str_eq(row.description, "NVIDIA H200, 132 SMs, 141.0 GiB, compute capability 9.0, f32 tf32 bf16");
    cr_expect_str_eq(row.unavailable, "");
    const dn_gpu_properties turing = {"Tesla T4", 7, 5, 40, (size_t)15 << 30, false};
    dn__gpu_row(&row, 3, &turing);
    cr_expect_str_eq(row.name, "cuda:3");
    cr_expect_str_eq(row.description, "Tesla T4, 40 SMs, 15.0 GiB, compute capability 7.5");
    cr_expect_str_eq(row.unavailable, "compute capability 7.5, at least 8.0 is needed");
    const dn_gpu_properties closed = {"NVIDIA A100", 8, 0, 108, (size_t)80 << 30, true};
    dn__gpu_row(&row, 1, &closed);
    SAYS(row.unavailable, "compute mode is 'prohibited'");
}

/* Whatever this build and this machine have: GPUs and the emulator have rows, and opening says what they say. */
Test(cuda_reasons, devices_of_this_build)
{
    enum { MOST = 32 };
    dn_device_info rows[MOST];
    int count = dn_device_list(rows, MOST), gpus = 0, emulators = 0;
    if (count > MOST) count = MOST;
    for (int i = 0; i < count; i++) {
        const bool emulator = strcmp(rows[i].name, "cuda-emu") == 0;
        if (!emulator && strncmp(rows[i].name, "cuda", 4) != 0) continue;
        emulators += emulator;
        gpus += !emulator;
        cr_expect_neq(rows[i].description[0], '\0');
        dn_device *device = NULL;
        const dn_status status = dn_device_open(&device, rows[i].name, NULL);
        if (rows[i].unavailable[0] == '\0') {
            cr_expect_eq(status, DN_OK, "%s: %s", rows[i].name, dn_error_last());
            dn_device_close(device);
        } else {
            cr_expect_eq(status, DN_ERROR_UNSUPPORTED);
            SAYS(dn_error_last(), "cannot be used");
            SAYS(dn_error_last(), rows[i].unavailable);
        }
    }
    cr_expect_geq(gpus, 1);
    cr_expect_eq(emulators, 1);
    dn_device *device = NULL;
    cr_expect_eq(dn_device_open(&device, "cuda:x", NULL), DN_ERROR_ARGUMENT);
    cr_expect_eq(dn_device_open(&device, "cuda-emulator", NULL), DN_ERROR_ARGUMENT);
    SAYS(dn_error_last(), "`dunlin devices`");
}
