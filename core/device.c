#include "core/device.h"

#include <string.h>

#include "core/alloc.h"
#include "core/backend.h"

/* The backends of this build, in the order in which they are listed. */
static const dn_backend *const backends[] = {&dn__backend_cpu, &dn__backend_ref, &dn__backend_cuda,
                                             &dn__backend_cuda_emu, &dn__backend_check};
enum { BACKENDS = sizeof backends / sizeof *backends };

dn_status dn_device_open(dn_device **out, const char *name, const dn_device_options *options)
{
    *out = NULL;
    const dn_device_options defaults = {0};
    for (int i = 0; i < BACKENDS; i++) {
        const size_t length = strlen(backends[i]->name);
        if (strncmp(name, backends[i]->name, length) != 0) continue;
        if (name[length] == '\0' || name[length] == ':' || name[length] == ',')
            return backends[i]->open(out, name + length, options ? options : &defaults);
    }
    return dn_fail(DN_ERROR_ARGUMENT, "device '%s' is not known: `dunlin devices` lists what there is", name);
}

void dn_device_close(dn_device *device)
{
    if (device) device->backend->close(device);
}

const char *dn_device_name(const dn_device *device)
{
    return device->name;
}

int dn_device_threads(const dn_device *device)
{
    return device->threads;
}

bool dn_device_is_host(const dn_device *device)
{
    return device->backend->uses_heap;
}

size_t dn_device_available(const dn_device *device)
{
    return device->backend->available(device);
}

int dn_device_list(dn_device_info *rows, int capacity)
{
    int count = 0;
    for (int i = 0; i < BACKENDS; i++) {
        const int room = count < capacity ? capacity - count : 0;
        count += backends[i]->list(room ? rows + count : rows, room);
    }
    return count;
}

/* ---- buffers ---- */

dn_status dn_buffer_new(dn_buffer **out, dn_device *device, size_t bytes)
{
    *out = dn_calloc(1, sizeof **out);
    if (!*out) return DN_ERROR_MEMORY;
    (*out)->device = device;
    (*out)->bytes = bytes;
    const dn_status status = device->backend->allocate(device, bytes, &(*out)->data);
    if (status != DN_OK) {
        dn_free(*out);
        *out = NULL;
    }
    return status;
}

dn_status dn_buffer_take(dn_buffer **out, dn_device *device, void *host, size_t bytes)
{
    if (device->backend->uses_heap) {
        *out = dn_calloc(1, sizeof **out);
        if (*out)
            **out = (dn_buffer){.device = device, .bytes = bytes, .data = host};
        else
            dn_free(host);
        return *out ? DN_OK : DN_ERROR_MEMORY;
    }
    dn_status status = dn_buffer_new(out, device, bytes);
    if (status == DN_OK) status = dn_buffer_upload(*out, 0, host, bytes);
    if (status != DN_OK) {
        dn_buffer_close(*out);
        *out = NULL;
    }
    dn_free(host);
    return status;
}

void dn_buffer_close(dn_buffer *buffer)
{
    if (!buffer) return;
    buffer->device->backend->release(buffer->device, buffer->data);
    dn_free(buffer);
}

size_t dn_buffer_bytes(const dn_buffer *buffer)
{
    return buffer->bytes;
}

static dn_status check_range(const dn_buffer *buffer, size_t offset, size_t bytes)
{
    if (offset <= buffer->bytes && bytes <= buffer->bytes - offset) return DN_OK;
    return dn_fail(DN_ERROR_ARGUMENT, "%zu bytes at %zu do not lie within a buffer of %zu bytes", bytes, offset,
                   buffer->bytes);
}

dn_status dn_buffer_upload(dn_buffer *buffer, size_t offset, const void *from, size_t bytes)
{
    DN_TRY(check_range(buffer, offset, bytes));
    return buffer->device->backend->upload(buffer->device, (char *)buffer->data + offset, from, bytes);
}

dn_status dn_buffer_download(const dn_buffer *buffer, size_t offset, void *to, size_t bytes)
{
    DN_TRY(check_range(buffer, offset, bytes));
    return buffer->device->backend->download(buffer->device, to, (const char *)buffer->data + offset, bytes);
}
