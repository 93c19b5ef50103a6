#include "cuda/reason.h"

#include <stdio.h>

/* Kernels need what the A100's generation brought: cp.async, tf32 and bf16 on tensor cores. */
enum { LEAST_MAJOR = 8 };

static int major_of(int version)
{
    return version / 1000;
}

static int minor_of(int version)
{
    return version % 1000 / 10;
}

const char *dn__gpu_no_device(const dn_gpu_facts *f, char *text, size_t size)
{
    text[0] = '\0';
    if (f->driver == 0)
        snprintf(text, size, "no NVIDIA driver is installed (libcuda.so.1): install the driver of your GPU");
    else if (major_of(f->driver) < major_of(f->toolkit))
        snprintf(text, size,
                 "the driver supports CUDA %d.%d, this build needs CUDA %d.0 or newer: update the driver, or build "
                 "with an older toolkit",
                 major_of(f->driver), minor_of(f->driver), major_of(f->toolkit));
    else if (f->devices < 1 && f->visible)
        snprintf(text, size, "no GPU is visible: CUDA_VISIBLE_DEVICES is '%.40s'", f->visible);
    else if (f->devices < 1)
        snprintf(text, size, "the driver (CUDA %d.%d) finds no GPU%s%.60s", major_of(f->driver), minor_of(f->driver),
                 f->error ? ": " : "", f->error ? f->error : "");
    return text;
}

void dn__gpu_row(dn_device_info *row, int ordinal, const dn_gpu_properties *p)
{
    *row = (dn_device_info){0};
    snprintf(row->name, sizeof row->name, "cuda:%d", ordinal);
    const bool old = p->major < LEAST_MAJOR;
    snprintf(row->description, sizeof row->description, "%s, %d SMs, %.1f GiB, compute capability %d.%d%s", p->name,
             p->multiprocessors, (double)p->bytes / (1024.0 * 1024.0 * 1024.0), p->major, p->minor,
             old ? "" : ", f32 tf32 bf16");
    if (old)
        snprintf(row->unavailable, sizeof row->unavailable, "compute capability %d.%d, at least %d.0 is needed",
                 p->major, p->minor, LEAST_MAJOR);
    else if (p->prohibited)
        snprintf(row->unavailable, sizeof row->unavailable,
                 "its compute mode is 'prohibited': `nvidia-smi -i %d -c 0` as root permits it", ordinal);
}
