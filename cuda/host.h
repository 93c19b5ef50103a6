/** The host side of the GPU backends: one code for "cuda" and "cuda-emu", over the runtime of gpu.h. */
#ifndef DN_CUDA_HOST_H
#define DN_CUDA_HOST_H

#include "core/backend.h"
#include "cuda/gpu.h"

/** A stretch of a region that has been given out. */
typedef struct dn_gpu_piece {
    size_t offset, bytes;
} dn_gpu_piece;

/** One allocation of the runtime's, from which pieces are given out. */
typedef struct dn_gpu_region {
    char *base;
    size_t bytes;
    dn_gpu_piece *pieces; /**< [count] by offset */
    size_t count, capacity;
} dn_gpu_region;

typedef struct dn_gpu_device {
    dn_device base; /**< first: a dn_device * is a dn_gpu_device * */
    const dn_gpu_runtime *runtime;
    dn_gpu *gpu;
    bool sync; /**< wait after every op, capture nothing */
    dn_gpu_region *regions;
    size_t n_regions, region_capacity;
} dn_gpu_device;

static inline dn_gpu_device *dn__gpu_device(dn_device *device)
{
    return (dn_gpu_device *)device;
}

/** Opens "", ":1", ":0,sync" of a runtime. */
dn_status dn__gpu_open(dn_device **out, const dn_backend *backend, const dn_gpu_runtime *runtime, const char *spec);

/** Adds to the text of an asynchronous fault how to find its op. @return status */
dn_status dn__gpu_explain(const dn_device *device, dn_status status);

/** Waits before something is taken down. A fault is left to those who ask, and the last error's text as it is. */
void dn__gpu_settle(const dn_gpu_device *device);

/* ---- memory.c ---- */

dn_status dn__gpu_reserve(dn_device *device, const size_t *pieces, int count);
dn_status dn__gpu_allocate(dn_device *device, size_t bytes, void **data);
void dn__gpu_release(dn_device *device, void *data);
size_t dn__gpu_available(const dn_device *device);
void dn__gpu_release_all(dn_gpu_device *device);

/* ---- compile.c, run.c ---- */

dn_status dn__gpu_compile(dn_compiled **out, dn_device *device, const dn_program *program);
void dn__gpu_discard(dn_compiled *compiled);
size_t dn__gpu_workspace(const dn_compiled *compiled);
const char *dn__gpu_kernel_name(const dn_compiled *compiled, int op);
dn_status dn__gpu_attach(dn_compiled *compiled, const dn_memory *memory);
dn_status dn__gpu_run(dn_compiled *compiled, int first, int last, int64_t steps);

/* ---- backend.c ---- */

void dn__gpu_close(dn_device *device);
dn_status dn__gpu_upload(dn_device *device, void *to, const void *from, size_t bytes);
dn_status dn__gpu_download(dn_device *device, void *to, const void *from, size_t bytes);
dn_status dn__gpu_wait(dn_device *device);
dn_status dn__gpu_mail_open(dn_device *device, size_t bytes, void **mail);
void dn__gpu_mail_close(dn_device *device, void *mail);
dn_status dn__gpu_mail_post(dn_device *device, void *mail, const void *from, size_t bytes, int ticket);
dn_status dn__gpu_mail_wait(dn_device *device, int ticket);

/** What a dn_backend over any runtime has beside its name, open and list. */
#define DN__GPU_BACKEND                                                                                               \
    .close = dn__gpu_close, .available = dn__gpu_available, .allocate = dn__gpu_allocate, .release = dn__gpu_release, \
    .upload = dn__gpu_upload, .download = dn__gpu_download, .compile = dn__gpu_compile, .discard = dn__gpu_discard,   \
    .workspace = dn__gpu_workspace, .kernel_name = dn__gpu_kernel_name, .attach = dn__gpu_attach, .run = dn__gpu_run, \
    .reserve = dn__gpu_reserve, .wait = dn__gpu_wait, .mail_open = dn__gpu_mail_open,                                 \
    .mail_close = dn__gpu_mail_close, .mail_post = dn__gpu_mail_post, .mail_wait = dn__gpu_mail_wait

#endif
