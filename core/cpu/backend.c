/* The devices "ref" and "cpu": both compute on the host, "ref" with the reference kernels on one thread. */
#include <omp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/cpu/compiled.h"
#include "core/cpu/host.h"

static dn_status open_device(dn_device **out, const dn_backend *backend, const char *spec, int threads)
{
    if (spec[0])
        return dn_fail(DN_ERROR_ARGUMENT, "device '%s%s' is not known: '%s' takes nothing after its name",
                       backend->name, spec, backend->name);
    dn_device *device = dn_calloc(1, sizeof *device);
    if (!device) return DN_ERROR_MEMORY;
    device->backend = backend;
    device->threads = threads;
    snprintf(device->name, sizeof device->name, "%s", backend->name);
    *out = device;
    return DN_OK;
}

static dn_status open_cpu(dn_device **out, const char *spec, const dn_device_options *options)
{
    enum { MOST_THREADS = 4096 };
    const int asked = options ? options->threads : 0;
    if (asked < 0 || asked > MOST_THREADS)
        return dn_fail(DN_ERROR_ARGUMENT, "threads is %d, but must be 0 (all cores) to %d", asked, MOST_THREADS);
    return open_device(out, &dn__backend_cpu, spec, asked ? asked : omp_get_max_threads());
}

static dn_status open_ref(dn_device **out, const char *spec, const dn_device_options *options)
{
    (void)options; /* always one thread */
    return open_device(out, &dn__backend_ref, spec, 1);
}

static void close_device(dn_device *device)
{
    dn_free(device);
}

static int list_cpu(dn_device_info *rows, int capacity)
{
    if (capacity < 1) return 1;
    rows[0] = (dn_device_info){.name = "cpu"};
    char model[80];
    dn__host_model(model, sizeof model);
    snprintf(rows[0].description, sizeof rows[0].description, "%s, %d threads, %s", model, omp_get_max_threads(),
             dn__onednn_version());
    return 1;
}

static int list_ref(dn_device_info *rows, int capacity)
{
    if (capacity >= 1) rows[0] = (dn_device_info){"ref", "reference kernels, f32 and f64, one thread", ""};
    return 1;
}

static size_t available(const dn_device *device)
{
    (void)device;
    return dn__host_available();
}

static dn_status allocate(dn_device *device, size_t bytes, void **data)
{
    (void)device;
    *data = dn_calloc_aligned(bytes);
    return *data ? DN_OK : DN_ERROR_MEMORY;
}

static void release(dn_device *device, void *data)
{
    (void)device;
    dn_free(data);
}

static dn_status copy(dn_device *device, void *to, const void *from, size_t bytes)
{
    (void)device;
    if (bytes) memcpy(to, from, bytes);
    return DN_OK;
}

#define SHARED_PART                                                                                             \
    .uses_heap = true, .close = close_device, .available = available, .allocate = allocate, .release = release, \
    .upload = copy, .download = copy, .compile = dn__cpu_compile, .discard = dn__cpu_discard,                   \
    .workspace = dn__cpu_workspace, .kernel_name = dn__cpu_kernel_name, .attach = dn__cpu_attach, .run = dn__cpu_run

const dn_backend dn__backend_ref = {.name = "ref", .open = open_ref, .list = list_ref, SHARED_PART};
const dn_backend dn__backend_cpu = {.name = "cpu", .open = open_cpu, .list = list_cpu, SHARED_PART};
