#include "datasets/folds.h"

#include "core/alloc.h"
#include "datasets/mt19937.h"

/* Where run f of the permutation begins; run `folds` begins at its end. */
static int run_start(const dn_folds *f, int fold)
{
    return (int)((int64_t)fold * f->classes / f->folds);
}

static void fill(dn_folds *f, uint32_t seed)
{
    dn__mt19937_permutation(f->permutation, f->classes, seed);
    for (int fold = 0; fold < f->folds; fold++) {
        int *id = f->order + (int64_t)fold * f->classes;
        const int begin = run_start(f, fold), end = run_start(f, fold + 1);
        f->id_count[fold] = f->classes - (end - begin);
        int *left_out = id + f->id_count[fold];
        for (int i = 0; i < f->classes; i++)
            if (i >= begin && i < end)
                *left_out++ = f->permutation[i];
            else
                *id++ = f->permutation[i];
    }
}

dn_status dn_folds_open(dn_folds **out, int classes, int folds, uint32_t seed)
{
    enum { MOST_CLASSES = 1 << 20 };
    *out = NULL;
    if (folds < 2 || folds > classes || classes > MOST_CLASSES)
        return dn_fail(DN_ERROR_ARGUMENT,
                       "%d folds over %d classes, expected 2 folds or more, and no more folds than "
                       "classes",
                       folds, classes);
    dn_folds *f = dn_calloc(1, sizeof *f);
    if (!f) return DN_ERROR_MEMORY;
    f->classes = classes, f->folds = folds;
    f->permutation = dn_calloc((size_t)classes, sizeof *f->permutation);
    f->order = dn_calloc((size_t)folds * (size_t)classes, sizeof *f->order);
    f->id_count = dn_calloc((size_t)folds, sizeof *f->id_count);
    if (!f->permutation || !f->order || !f->id_count) {
        dn_folds_close(f);
        return DN_ERROR_MEMORY;
    }
    fill(f, seed);
    *out = f;
    return DN_OK;
}

void dn_folds_close(dn_folds *f)
{
    if (!f) return;
    dn_free(f->permutation);
    dn_free(f->order);
    dn_free(f->id_count);
    dn_free(f);
}

const int *dn_folds_id(const dn_folds *f, int fold, int *count)
{
    *count = f->id_count[fold];
    return f->order + (int64_t)fold * f->classes;
}

const int *dn_folds_left_out(const dn_folds *f, int fold, int *count)
{
    *count = f->classes - f->id_count[fold];
    return f->order + (int64_t)fold * f->classes + f->id_count[fold];
}

void dn_folds_numbers(const dn_folds *f, int fold, int32_t *numbers)
{
    const int *order = f->order + (int64_t)fold * f->classes;
    for (int i = 0; i < f->classes; i++) numbers[order[i]] = i < f->id_count[fold] ? i : -1;
}
