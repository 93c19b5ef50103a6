#include "ood/method.h"

#include <string.h>

#include "ood/method_functions.h"

#define SINGLE(function)   .kind = DN_METHOD_SINGLE, .needs = DN_NEEDS_LOGITS, .score.single = (function)
#define ENSEMBLE(function) .kind = DN_METHOD_ENSEMBLE, .needs = DN_NEEDS_LOGITS, .score.ensemble = (function)

/* z = logits, p = softmax(z), H = entropy, pm = mean of the members' p; every score is higher for outliers. */
static const dn_method methods[] = {
    {.name = "msp",
     .text = "1 - max p",
     .source =
         "Hendrycks and Gimpel, A Baseline for Detecting Misclassified and Out-of-Distribution Examples, ICLR 2017",
     SINGLE(dn__score_msp)},
    {.name = "max_logit",
     .text = "-max z",
     .source = "Hendrycks et al., Scaling Out-of-Distribution Detection for Real-World Settings, ICML 2022",
     SINGLE(dn__score_max_logit)},
    {.name = "energy",
     .text = "-T ln sum exp(z / T)",
     .source = "Liu et al., Energy-based Out-of-distribution Detection, NeurIPS 2020",
     .option_count = 1,
     .option = {{.name = "T", .text = "temperature", .standard = 1, .low = 0, .high = 1e6, .above_low = true}},
     SINGLE(dn__score_energy)},
    {.name = "entropy",
     .text = "H(p)",
     .source = "Shannon, A Mathematical Theory of Communication, 1948",
     SINGLE(dn__score_entropy)},
    {.name = "gen",
     .text = "sum of (p (1 - p))^gamma over the `top` largest p",
     .source = "Liu, Lochman and Zach, GEN: Pushing the Limits of Softmax-Based OOD Detection, CVPR 2023",
     .option_count = 2,
     .option = {{.name = "gamma", .text = "exponent", .standard = .1, .low = 0, .high = 100, .above_low = true},
                {.name = "top", .text = "largest p taken", .standard = 100, .low = 1, .high = 1e9, .integer = true}},
     SINGLE(dn__score_gen)},
    {.name = "predictive_entropy",
     .text = "H(pm), the entropy of the mean",
     .source =
         "Lakshminarayanan, Pritzel and Blundell, Simple and Scalable Predictive Uncertainty Estimation using Deep "
         "Ensembles, NeurIPS 2017",
     ENSEMBLE(dn__score_predictive_entropy)},
    {.name = "expected_entropy",
     .text = "mean of H(p) over members",
     .source = "Depeweg et al., Decomposition of Uncertainty in Bayesian Deep Learning, ICML 2018",
     ENSEMBLE(dn__score_expected_entropy)},
    {.name = "mutual_information",
     .text = "H(pm) - mean of H(p), at least 0",
     .source = "Houlsby et al., Bayesian Active Learning for Classification and Preference Learning, 2011",
     ENSEMBLE(dn__score_mutual_information)},
    {.name = "ensemble_msp",
     .text = "1 - max pm",
     .source =
         "Lakshminarayanan, Pritzel and Blundell, Simple and Scalable Predictive Uncertainty Estimation using Deep "
         "Ensembles, NeurIPS 2017",
     ENSEMBLE(dn__score_ensemble_msp)},
    {.name = "variance",
     .text = "sum over classes of the variance of p over members",
     .source = "Smith and Gal, Understanding Measures of Uncertainty for Adversarial Example Detection, UAI 2018",
     ENSEMBLE(dn__score_variance)},
    {.name = "variation_ratio",
     .text = "1 - share of members that vote for the most voted class",
     .source = "Freeman, Elementary Applied Statistics, 1965",
     ENSEMBLE(dn__score_variation_ratio)},
    {.name = "pairwise_kl",
     .text = "mean KL(p_i, p_j) over ordered pairs of members, p at least 1e-12",
     .source = "Malinin and Gales, Uncertainty Estimation in Autoregressive Structured Prediction, ICLR 2021",
     ENSEMBLE(dn__score_pairwise_kl)},
    {.name = "leave_out",
     .text = "sum over members of H(p) - max p, p = softmax(z / T) over the member's own classes",
     .source = "Vyas et al., Out-of-Distribution Detection Using an Ensemble of Self Supervised Leave-out Classifiers, "
               "ECCV 2018",
     .option_count = 1,
     .option = {{.name = "T", .text = "temperature", .standard = 1000, .low = 0, .high = 1e6, .above_low = true}},
     ENSEMBLE(dn__score_leave_out)},
};

const dn_method *dn_methods(size_t *count)
{
    *count = sizeof methods / sizeof *methods;
    return methods;
}

const dn_method *dn_method_find(const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strcmp(methods[i].name, name) == 0) return &methods[i];
    }
    return NULL;
}
