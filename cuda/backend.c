/* The devices "cuda" and "cuda-emu": opening, transfers, mail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "cuda/host.h"

/* ---- opening ---- */

/* Reads ":N" and ",sync", both of which may be left out. @return false if there is anything else */
static bool read_spec(const char *spec, int *ordinal, bool *sync)
{
    enum { LONGEST = 4 };
    *ordinal = 0;
    if (*spec == ':') {
        const size_t digits = strspn(++spec, "0123456789");
        if (digits == 0 || digits > LONGEST) return false;
        *ordinal = (int)strtol(spec, NULL, 10);
        spec += digits;
    }
    *sync = strcmp(spec, ",sync") == 0;
    return *sync || *spec == '\0';
}

dn_status dn__gpu_open(dn_device **out, const dn_backend *backend, const dn_gpu_runtime *runtime, const char *spec)
{
    int ordinal = 0;
    bool sync = false;
    const char *name = backend->name;
    if (!read_spec(spec, &ordinal, &sync))
        return dn_fail(DN_ERROR_ARGUMENT,
                       "device '%s%s' is not known: expected '%s', '%s:0' (a number), or '%s:0,sync' to wait after "
                       "every op",
                       name, spec, name, name, name);
    dn_gpu_device *device = dn_calloc(1, sizeof *device);
    if (!device) return DN_ERROR_MEMORY;
    device->base = (dn_device){.backend = backend, .threads = 1};
    snprintf(device->base.name, sizeof device->base.name, "%s:%d%s", name, ordinal, sync ? ",sync" : "");
    device->runtime = runtime;
    device->sync = sync;
    const dn_status status = runtime->open(&device->gpu, ordinal);
    if (status != DN_OK) {
        dn_free(device);
        return dn_fail(status, "device '%s%s' cannot be used: %s", name, spec, dn_error_last());
    }
    *out = &device->base;
    return DN_OK;
}

void dn__gpu_close(dn_device *device)
{
    dn_gpu_device *d = dn__gpu_device(device);
    dn__gpu_release_all(d);
    d->runtime->close(d->gpu);
    dn_free(d);
}

dn_status dn__gpu_explain(const dn_device *device, dn_status status)
{
    if (status != DN_ERROR_INTERNAL || ((const dn_gpu_device *)device)->sync) return status;
    return dn_fail(status, "%s; run again with `--device %s,sync` to learn which op it was", dn_error_last(),
                   device->name);
}

void dn__gpu_settle(const dn_gpu_device *d)
{
    char *text = dn_strdup(dn_error_last());
    const dn_status status = d->runtime->wait(d->gpu);
    if (text && status != DN_OK) (void)dn_fail(status, "%s", text);
    dn_free(text);
}

/* ---- transfers ---- */

dn_status dn__gpu_upload(dn_device *device, void *to, const void *from, size_t bytes)
{
    const dn_gpu_device *d = dn__gpu_device(device);
    return bytes ? dn__gpu_explain(device, d->runtime->upload(d->gpu, to, from, bytes)) : DN_OK;
}

dn_status dn__gpu_download(dn_device *device, void *to, const void *from, size_t bytes)
{
    const dn_gpu_device *d = dn__gpu_device(device);
    return bytes ? dn__gpu_explain(device, d->runtime->download(d->gpu, to, from, bytes)) : DN_OK;
}

dn_status dn__gpu_wait(dn_device *device)
{
    const dn_gpu_device *d = dn__gpu_device(device);
    return dn__gpu_explain(device, d->runtime->wait(d->gpu));
}

dn_status dn__gpu_mail_open(dn_device *device, size_t bytes, void **mail)
{
    const dn_gpu_device *d = dn__gpu_device(device);
    return d->runtime->allocate_pinned(d->gpu, bytes ? bytes : 1, mail);
}

void dn__gpu_mail_close(dn_device *device, void *mail)
{
    const dn_gpu_device *d = dn__gpu_device(device);
    dn__gpu_settle(d);
    d->runtime->release_pinned(d->gpu, mail);
}

dn_status dn__gpu_mail_post(dn_device *device, void *mail, const void *from, size_t bytes, int ticket)
{
    const dn_gpu_device *d = dn__gpu_device(device);
    return dn__gpu_explain(device, d->runtime->post(d->gpu, mail, from, bytes, ticket));
}

dn_status dn__gpu_mail_wait(dn_device *device, int ticket)
{
    const dn_gpu_device *d = dn__gpu_device(device);
    return dn__gpu_explain(device, d->runtime->arrived(d->gpu, ticket));
}

/* ---- the tables ---- */

static dn_status open_cuda(dn_device **out, const char *spec, const dn_device_options *options)
{
    (void)options; /* threads are the CPU's */
    return dn__gpu_open(out, &dn__backend_cuda, &dn__gpu_cuda, spec);
}

static int list_cuda(dn_device_info *rows, int capacity)
{
    return dn__gpu_cuda.list(rows, capacity);
}

static dn_status open_emulated(dn_device **out, const char *spec, const dn_device_options *options)
{
    (void)options;
    return dn__gpu_open(out, &dn__backend_cuda_emu, &dn__gpu_emulated, spec);
}

static int list_emulated(dn_device_info *rows, int capacity)
{
    return dn__gpu_emulated.list(rows, capacity);
}

const dn_backend dn__backend_cuda = {.name = "cuda", .open = open_cuda, .list = list_cuda, DN__GPU_BACKEND};
const dn_backend dn__backend_cuda_emu = {
    .name = "cuda-emu", .open = open_emulated, .list = list_emulated, DN__GPU_BACKEND};
