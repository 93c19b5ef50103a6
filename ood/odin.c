/* The images have moved already: see DN_PASS_ODIN and DN_PASS_ODIN_ENTROPY. */
#include "ood/methods.h"
#include "ood/planes.h"

static dn_status score(double *scores, const dn_score_rows *in, const dn_fitted *by, dn_workspace *space)
{
    dn__softmax_planes p;
    DN_TRY(dn__softmax_of(&p, in, by->option[0], space));
    dn__softmax_rest(scores, &p);
    return DN_OK;
}

#define OPTIONS                                                                                                  \
    .option_count = 2,                                                                                           \
    .option = {{.name = "T", .text = "temperature", .standard = 1000, .low = 0, .high = 1e6, .above_low = true}, \
               {.name = "eps", .text = "how far each pixel, 0 to 1, moves", .standard = 0.0014, .low = 0, .high = 1}}

const dn_method dn__method_odin = {
    .name = "odin",
    .text = "1 - max softmax(z' / T), z' of x - eps sign(dCE(z / T, y^) / dx)",
    .source = "Liang, Li and Srikant, Enhancing The Reliability of Out-of-distribution Image Detection in Neural "
              "Networks, ICLR 2018",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS,
    .pass = DN_PASS_ODIN,
    OPTIONS,
    .score.single = score,
};

const dn_method dn__method_odin_entropy = {
    .name = "odin_entropy",
    .text = "1 - max softmax(z' / T), z' of x - eps sign(dH(softmax(z / T)) / dx)",
    .source = "Vyas et al., Out-of-Distribution Detection Using an Ensemble of Self Supervised Leave-out Classifiers, "
              "ECCV 2018",
    .kind = DN_METHOD_SINGLE,
    .needs = DN_NEEDS_LOGITS,
    .pass = DN_PASS_ODIN_ENTROPY,
    OPTIONS,
    .score.single = score,
};
