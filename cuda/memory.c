/* Device memory: a program's blocks are pieces of one region, which is allocated when its executor starts.
 *
 *   region   |values|states|slots...|gradients|persistent|temporaries|workspace|
 *
 * A region goes back to the runtime with its last piece. What is released earlier can be had again by whoever needs a
 * piece of that size: a second program of the same store takes the place of the first one's activations. What no region
 * has room for (data sets, which come before the program) becomes a region of its own.
 */
#include <string.h>

#include "core/alloc.h"
#include "cuda/host.h"

enum { ALIGNMENT = 256 };

static size_t rounded(size_t bytes)
{
    return bytes ? (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : ALIGNMENT;
}

/* ---- gaps ---- */

/* Bytes between piece i - 1 and piece i, or the region's ends. */
static size_t gap_before(const dn_gpu_region *r, size_t i, size_t *offset)
{
    *offset = i ? r->pieces[i - 1].offset + r->pieces[i - 1].bytes : 0;
    return (i < r->count ? r->pieces[i].offset : r->bytes) - *offset;
}

/* Takes `bytes` from the first gap that has them. @return false if none has */
static dn_status take(dn_gpu_region *r, size_t bytes, void **data)
{
    *data = NULL;
    for (size_t i = 0; i <= r->count; i++) {
        size_t offset = 0;
        if (gap_before(r, i, &offset) < bytes) continue;
        DN_TRY(dn_grow((void **)&r->pieces, &r->capacity, r->count, sizeof *r->pieces));
        memmove(r->pieces + i + 1, r->pieces + i, (r->count - i) * sizeof *r->pieces);
        r->pieces[i] = (dn_gpu_piece){offset, bytes};
        r->count++;
        *data = r->base + offset;
        return DN_OK;
    }
    return DN_OK;
}

static size_t largest_gap(const dn_gpu_device *d)
{
    size_t largest = 0;
    for (size_t k = 0; k < d->n_regions; k++)
        for (size_t i = 0; i <= d->regions[k].count; i++) {
            size_t offset = 0;
            const size_t gap = gap_before(&d->regions[k], i, &offset);
            if (gap > largest) largest = gap;
        }
    return largest;
}

/* ---- regions ---- */

static dn_status add_region(dn_gpu_device *d, size_t bytes)
{
    DN_TRY(dn_grow((void **)&d->regions, &d->region_capacity, d->n_regions, sizeof *d->regions));
    void *base = NULL;
    DN_TRY(d->runtime->allocate(d->gpu, bytes, &base));
    d->regions[d->n_regions++] = (dn_gpu_region){.base = base, .bytes = bytes};
    return DN_OK;
}

static void drop_region(dn_gpu_device *d, size_t k)
{
    d->runtime->release(d->gpu, d->regions[k].base);
    dn_free(d->regions[k].pieces);
    d->n_regions--;
    memmove(d->regions + k, d->regions + k + 1, (d->n_regions - k) * sizeof *d->regions);
}

void dn__gpu_release_all(dn_gpu_device *d)
{
    while (d->n_regions > 0) drop_region(d, d->n_regions - 1);
    dn_free(d->regions);
}

/* ---- as the backend sees it ---- */

dn_status dn__gpu_reserve(dn_device *device, const size_t *pieces, int count)
{
    dn_gpu_device *d = dn__gpu_device(device);
    size_t total = 0;
    for (int i = 0; i < count; i++) total += pieces[i] ? rounded(pieces[i]) : 0;
    if (total == 0 || largest_gap(d) >= total) return DN_OK;
    /* One that nobody came for, because an executor failed to start. */
    for (size_t k = d->n_regions; k-- > 0;)
        if (d->regions[k].count == 0) drop_region(d, k);
    return add_region(d, total);
}

dn_status dn__gpu_allocate(dn_device *device, size_t bytes, void **data)
{
    dn_gpu_device *d = dn__gpu_device(device);
    const size_t whole = rounded(bytes);
    *data = NULL;
    for (size_t k = 0; k < d->n_regions && !*data; k++) DN_TRY(take(&d->regions[k], whole, data));
    if (!*data) {
        DN_TRY(add_region(d, whole));
        const dn_status status = take(&d->regions[d->n_regions - 1], whole, data);
        if (status != DN_OK) {
            drop_region(d, d->n_regions - 1);
            return status;
        }
    }
    const dn_status status = dn__gpu_explain(device, d->runtime->clear(d->gpu, *data, whole));
    if (status != DN_OK) {
        dn__gpu_release(device, *data);
        *data = NULL;
    }
    return status;
}

void dn__gpu_release(dn_device *device, void *data)
{
    dn_gpu_device *d = dn__gpu_device(device);
    for (size_t k = 0; k < d->n_regions && data; k++) {
        dn_gpu_region *r = &d->regions[k];
        for (size_t i = 0; i < r->count; i++) {
            if (r->base + r->pieces[i].offset != (char *)data) continue;
            r->count--;
            memmove(r->pieces + i, r->pieces + i + 1, (r->count - i) * sizeof *r->pieces);
            if (r->count == 0) drop_region(d, k);
            return;
        }
    }
}

size_t dn__gpu_available(const dn_device *device)
{
    const dn_gpu_device *d = (const dn_gpu_device *)device;
    const size_t unused = d->runtime->available(d->gpu), gap = largest_gap(d);
    return unused > gap ? unused : gap;
}
