#include "ood/workspace.h"

#include <stdint.h>

#include "core/alloc.h"

/* Pieces come from slabs that never move. A slab is at least as large as all before it together, so that there are few;
 * when everything has been given back, they are replaced by one that holds it all. */
enum { SLABS_MAX = 48, ALIGN = 8 /* doubles: 64 bytes */, FIRST_SLAB = 1 << 14 };

typedef struct slab {
    double *memory;
    size_t size, before; /* doubles of this slab, and of those before it */
} slab;

struct dn_workspace {
    slab slab[SLABS_MAX];
    int slabs;
    size_t used; /* counted through all slabs; the end of a slab that a piece did not fit into counts as used */
};

dn_status dn_workspace_open(dn_workspace **out)
{
    *out = dn_calloc(1, sizeof **out);
    return *out ? DN_OK : DN_ERROR_MEMORY;
}

static void free_slabs(dn_workspace *w)
{
    for (int i = 0; i < w->slabs; i++) dn_free(w->slab[i].memory);
    w->slabs = 0;
}

void dn_workspace_close(dn_workspace *w)
{
    if (!w) return;
    free_slabs(w);
    dn_free(w);
}

static size_t total(const dn_workspace *w)
{
    return w->slabs ? w->slab[w->slabs - 1].before + w->slab[w->slabs - 1].size : 0;
}

static const slab *add_slab(dn_workspace *w, size_t at_least)
{
    const size_t before = total(w);
    size_t size = before > at_least ? before : at_least;
    if (size < FIRST_SLAB) size = FIRST_SLAB;
    if (w->slabs == SLABS_MAX) {
        dn_fail(DN_ERROR_MEMORY, "scratch memory: more than %d pieces of growing size", SLABS_MAX);
        return NULL;
    }
    double *memory = dn_calloc_aligned(size * sizeof *memory);
    if (!memory) return NULL;
    w->slab[w->slabs] = (slab){memory, size, before};
    return &w->slab[w->slabs++];
}

double *dn_workspace_doubles(dn_workspace *w, size_t count)
{
    if (count > SIZE_MAX / 4 / sizeof(double)) {
        dn_fail(DN_ERROR_MEMORY, "scratch memory: %zu numbers are more than memory can hold", count);
        return NULL;
    }
    count = (count + ALIGN - 1) / ALIGN * ALIGN;
    for (int i = 0; i < w->slabs; i++) {
        const slab *s = &w->slab[i];
        const size_t from = w->used > s->before ? w->used - s->before : 0;
        if (from > s->size || s->size - from < count) continue;
        w->used = s->before + from + count;
        return s->memory + from;
    }
    const slab *s = add_slab(w, count);
    if (!s) return NULL;
    w->used = s->before + count;
    return s->memory;
}

size_t dn_workspace_mark(const dn_workspace *w)
{
    return w->used;
}

void dn_workspace_release(dn_workspace *w, size_t mark)
{
    w->used = mark;
    if (mark > 0 || w->slabs < 2) return;
    const size_t size = total(w);
    free_slabs(w);
    add_slab(w, size); /* where that fails, the next piece says so */
}
