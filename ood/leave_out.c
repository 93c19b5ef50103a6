#include "ood/methods.h"
#include "ood/planes.h"

/* Which gradient the images move against: that of the published code, and that of the paper. */
static const char *const gradients[] = {"ce", "entropy", NULL};

static dn_status score(double *scores, const dn_score_block *in, const dn_fitted *by, dn_workspace *space)
{
    const size_t n = in->rows, mark = dn_workspace_mark(space);
    for (size_t r = 0; r < n; r++) scores[r] = 0.0;
    for (size_t e = 0; e < in->members; e++) {
        dn__softmax_planes p;
        double *entropy = dn_workspace_doubles(space, n);
        if (!entropy) return DN_ERROR_MEMORY;
        DN_TRY(dn__softmax_of(&p, &in->member[e], by->option[0], space));
        dn__softmax_entropy(entropy, &p);
        for (size_t r = 0; r < n; r++) scores[r] += entropy[r] - 1.0 / (1.0 + p.others[r]);
        dn_workspace_release(space, mark);
    }
    return DN_OK;
}

const dn_method dn__method_leave_out = {
    .name = "leave_out",
    .text = "sum over members of H(p) - max p, p = softmax(z / T) over the member's own classes",
    .source = "Vyas et al., Out-of-Distribution Detection Using an Ensemble of Self Supervised Leave-out Classifiers, "
              "ECCV 2018",
    .kind = DN_METHOD_ENSEMBLE,
    .needs = DN_NEEDS_LOGITS,
    .pass = DN_PASS_ODIN,
    .option_count = 3,
    .option = {{.name = "T", .text = "temperature", .standard = 1000, .low = 0, .high = 1e6, .above_low = true},
               {.name = "eps", .text = "how far each pixel, 0 to 1, moves before that, as for odin", .high = 1},
               {.name = "gradient", .text = "of what the images move against", .high = 1, .word = gradients}},
    .score.ensemble = score,
};
