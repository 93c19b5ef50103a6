/** ASH: of each row only the largest entries stay, as they are (p), all equal (b) or scaled (s). */
#include "ood/largest_entries.h"
#include "ood/methods.h"

typedef enum variant { KEEP, EQUAL, SCALE } variant;

/* In the order of the enum. */
static const char *const variant_words[] = {"p", "b", "s", NULL};

static void shape_row(double *f, size_t dim, size_t kept, variant how, double *scratch)
{
    dn__largest largest = dn__largest_entries(f, dim, kept, scratch);
    const double factor = how == SCALE ? dn__largest_factor(&largest) : 1.0;
    for (size_t d = 0; d < dim; d++) {
        const bool tie = f[d] == largest.least && largest.ties > 0;
        if (tie) largest.ties--;
        if (!tie && f[d] <= largest.least)
            f[d] = 0.0;
        else
            f[d] = how == EQUAL ? largest.all / (double)kept : f[d] * factor;
    }
}

/** options: p, variant */
static dn_status shape(double *features, size_t rows, size_t dim, const dn_fitted *by, dn_workspace *space)
{
    const size_t mark = dn_workspace_mark(space), kept = dn__entries_kept(dim, by->option[0]);
    double *scratch = dn_workspace_doubles(space, dim);
    if (!scratch) return DN_ERROR_MEMORY;
    for (size_t r = 0; r < rows; r++) shape_row(features + r * dim, dim, kept, (variant)by->option[1], scratch);
    dn_workspace_release(space, mark);
    return DN_OK;
}

const dn_method dn__method_ash = {
    .name = "ash",
    .text = "a share p of each row's features -> 0, the smallest; the others kept (p), made equal (b) or scaled (s)",
    .source = "Djurisic et al., Extremely Simple Activation Shaping for Out-of-Distribution Detection, ICLR 2023",
    .kind = DN_METHOD_SHAPING,
    .needs = DN_NEEDS_FEATURES | DN_NEEDS_HEAD,
    .option_count = 2,
    .option = {{.name = "p", .text = "share of entries that go", .standard = .9, .low = 0, .high = 1},
               {.name = "variant",
                .text = "what becomes of the others",
                .standard = SCALE,
                .low = KEEP,
                .high = SCALE,
                .word = variant_words}},
    .score.shape = shape,
};
