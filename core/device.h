/** Devices and backends: the seam between programs and what executes them.
 *
 * A backend is a table of functions. Nothing outside a backend assumes that device memory can be read by the host:
 * data crosses with upload and download only, and whatever changes from step to step lives in program memory.
 */
#ifndef DN_CORE_DEVICE_H
#define DN_CORE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_device dn_device;
typedef struct dn_buffer dn_buffer; /**< memory of a device */

typedef struct dn_device_options {
    int threads; /**< CPU: how many threads to use; 0: all cores, or what OMP_NUM_THREADS says */
} dn_device_options;

/** Opens "ref", "cpu", "cuda" (the same as "cuda:0"), "cuda:1" or "cuda-emu" (the CUDA kernels on the host). After a
 *  GPU's name ",sync" waits after every op, so that a fault names its op. "check:A,B" runs programs op by op on A and
 *  on B, compares, goes on with A's results, and fails with DN_ERROR_NUMERIC at the first op that differs.
 *  @param options NULL: defaults. Free with dn_device_close(), after all buffers, stores and executors on it.
 *  @return DN_ERROR_ARGUMENT for an unknown name, DN_ERROR_UNSUPPORTED with the reason */
dn_status dn_device_open(dn_device **out, const char *name, const dn_device_options *options);
void dn_device_close(dn_device *device);

const char *dn_device_name(const dn_device *device);

/** @return threads the device runs kernels on (1 for a GPU) */
int dn_device_threads(const dn_device *device);

/** @return whether what is placed on the device takes the host's own memory; else it has memory beside it */
bool dn_device_is_host(const dn_device *device);

/** @return bytes of device memory that can still be had */
size_t dn_device_available(const dn_device *device);

/** Zeroed device memory. @param out free with dn_buffer_close() */
dn_status dn_buffer_new(dn_buffer **out, dn_device *device, size_t bytes);

/** Moves host memory from core/alloc.h into a new buffer: it belongs to the buffer from then on, and is freed on
 *  failure. Where a device's memory is the host's, nothing is copied. @param out free with dn_buffer_close() */
dn_status dn_buffer_take(dn_buffer **out, dn_device *device, void *host, size_t bytes);
void dn_buffer_close(dn_buffer *buffer);
size_t dn_buffer_bytes(const dn_buffer *buffer);
dn_status dn_buffer_upload(dn_buffer *buffer, size_t offset, const void *from, size_t bytes);
dn_status dn_buffer_download(const dn_buffer *buffer, size_t offset, void *to, size_t bytes);

/** A device that there is, or one that there is not and why; for `dunlin devices`. */
typedef struct dn_device_info {
    char name[32];         /**< what dn_device_open() takes */
    char description[160]; /**< hardware and library */
    char unavailable[160]; /**< "" or why it cannot be used */
} dn_device_info;

/** Fills at most `capacity` rows. @return how many there are */
int dn_device_list(dn_device_info *rows, int capacity);

#ifdef __cplusplus
}
#endif
#endif
