/* The device "check:A,B": opening, and memory that exists twice. */
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/check/check.h"

static dn_check_device *check_device(dn_device *device)
{
    return (dn_check_device *)device; /* base is its first field */
}

static bool is_check(const char *name)
{
    return strcmp(name, "check") == 0 || strncmp(name, "check:", 6) == 0;
}

static void close_device(dn_device *device)
{
    dn_check_device *check = check_device(device);
    for (int s = 0; s < DN_CHECK_SIDES; s++) dn_device_close(check->side[s]);
    dn_free(check->regions);
    dn_free(check);
}

static dn_status open_sides(dn_check_device *check, const char *a, const char *b, const dn_device_options *options)
{
    const char *names[DN_CHECK_SIDES] = {a, b};
    for (int s = 0; s < DN_CHECK_SIDES; s++) {
        const dn_status status = dn_device_open(&check->side[s], names[s], options);
        if (status != DN_OK) return dn_fail_context(status, "device 'check:%s,%s'", a, b);
        const int threads = dn_device_threads(check->side[s]);
        if (threads > check->base.threads) check->base.threads = threads;
    }
    snprintf(check->base.name, sizeof check->base.name, "check:%s,%s", a, b);
    return DN_OK;
}

static dn_status open_device(dn_device **out, const char *spec, const dn_device_options *options)
{
    char a[32] = "";
    const char *comma = strchr(spec, ',');
    const size_t length = spec[0] == ':' && comma ? (size_t)(comma - spec) - 1 : 0;
    if (length == 0 || length >= sizeof a || comma[1] == '\0')
        return dn_fail(DN_ERROR_ARGUMENT,
                       "device 'check%s': two devices are needed, as in check:ref,cpu: what the second one computes is "
                       "compared with the first one's",
                       spec);
    memcpy(a, spec + 1, length);
    const char *b = comma + 1;
    if (is_check(a) || is_check(b))
        return dn_fail(DN_ERROR_ARGUMENT, "device 'check%s': '%s' is a check itself; give two devices that compute",
                       spec, is_check(a) ? a : b);
    dn_check_device *check = dn_calloc(1, sizeof *check);
    if (!check) return DN_ERROR_MEMORY;
    check->base.backend = &dn__backend_check;
    const dn_status status = open_sides(check, a, b, options);
    if (status == DN_OK)
        *out = &check->base;
    else
        close_device(&check->base);
    return status;
}

static int list(dn_device_info *rows, int capacity)
{
    if (capacity >= 1)
        rows[0] = (dn_device_info){"check:A,B", "devices A and B side by side: names the first op that differs", ""};
    return 1;
}

/* Half of the smaller one: both may be the host's memory. */
static size_t available(const dn_device *device)
{
    const dn_check_device *check = (const dn_check_device *)device;
    const size_t a = dn_device_available(check->side[DN_CHECK_A]), b = dn_device_available(check->side[DN_CHECK_B]);
    return (a < b ? a : b) / 2;
}

/* ---- memory ---- */

static dn_check_region *find(const dn_check_device *check, const void *data)
{
    const char *address = data;
    for (size_t i = 0; i < check->n_regions; i++) {
        dn_check_region *region = &check->regions[i];
        const char *first = region->data[DN_CHECK_A];
        if (address == first || (address > first && address < first + region->bytes)) return region;
    }
    return NULL;
}

char *dn__check_partner(const dn_check_device *check, const void *data)
{
    const dn_check_region *region = find(check, data);
    return region ? region->data[DN_CHECK_B] + ((const char *)data - region->data[DN_CHECK_A]) : NULL;
}

static dn_status allocate(dn_device *device, size_t bytes, void **data)
{
    dn_check_device *check = check_device(device);
    DN_TRY(dn_grow((void **)&check->regions, &check->capacity, check->n_regions, sizeof *check->regions));
    dn_check_region region = {.bytes = bytes};
    for (int s = 0; s < DN_CHECK_SIDES; s++) {
        dn_device *side = check->side[s];
        void *piece = NULL;
        const dn_status status = side->backend->allocate(side, bytes ? bytes : 1, &piece);
        if (status != DN_OK && s == DN_CHECK_B)
            check->side[DN_CHECK_A]->backend->release(check->side[DN_CHECK_A], region.data[DN_CHECK_A]);
        DN_TRY(status);
        region.data[s] = piece;
    }
    check->regions[check->n_regions++] = region;
    *data = region.data[DN_CHECK_A];
    return DN_OK;
}

static void release(dn_device *device, void *data)
{
    dn_check_device *check = check_device(device);
    dn_check_region *region = data ? find(check, data) : NULL;
    if (!region) return;
    for (int s = 0; s < DN_CHECK_SIDES; s++) check->side[s]->backend->release(check->side[s], region->data[s]);
    *region = check->regions[--check->n_regions];
}

static dn_status upload(dn_device *device, void *to, const void *from, size_t bytes)
{
    const dn_check_device *check = check_device(device);
    dn_device *a = check->side[DN_CHECK_A], *b = check->side[DN_CHECK_B];
    if (bytes == 0) return DN_OK;
    DN_TRY(a->backend->upload(a, to, from, bytes));
    return b->backend->upload(b, dn__check_partner(check, to), from, bytes);
}

static dn_status download(dn_device *device, void *to, const void *from, size_t bytes)
{
    dn_device *a = check_device(device)->side[DN_CHECK_A];
    return bytes ? a->backend->download(a, to, from, bytes) : DN_OK;
}

const dn_backend dn__backend_check = {.name = "check",
                                      .open = open_device,
                                      .close = close_device,
                                      .list = list,
                                      .available = available,
                                      .allocate = allocate,
                                      .release = release,
                                      .upload = upload,
                                      .download = download,
                                      .compile = dn__check_compile,
                                      .discard = dn__check_discard,
                                      .workspace = dn__check_workspace,
                                      .kernel_name = dn__check_kernel_name,
                                      .attach = dn__check_attach,
                                      .run = dn__check_run};
