/* The T passes with dropout are members here: see DN_PASS_DROPOUT. */
#include "ood/methods.h"

/* The scores of ensembles, by the option's words. */
static const char *const words[] = {"predictive_entropy", "expected_entropy", "mutual_information",
                                    "ensemble_msp",       "variance",         "variation_ratio",
                                    "pairwise_kl",        "leave_out",        NULL};
static const dn_method *const methods[] = {&dn__method_predictive_entropy, &dn__method_expected_entropy,
                                           &dn__method_mutual_information, &dn__method_ensemble_msp,
                                           &dn__method_variance,           &dn__method_variation_ratio,
                                           &dn__method_pairwise_kl,        &dn__method_leave_out};
enum { SCORES = sizeof methods / sizeof *methods };

static dn_status score(double *scores, const dn_score_block *in, const dn_fitted *by, dn_workspace *space)
{
    const dn_method *method = methods[(size_t)by->option[1]];
    double option[DN_METHOD_OPTIONS_MAX] = {0};
    for (size_t i = 0; i < method->option_count; i++) option[i] = method->option[i].standard;
    return method->score.ensemble(scores, in, &(dn_fitted){.option = option}, space);
}

const dn_method dn__method_mc_dropout = {
    .name = "mc_dropout",
    .text = "a score of ensembles, whose members are T passes with dropout",
    .source = "Gal and Ghahramani, Dropout as a Bayesian Approximation: Representing Model Uncertainty in Deep "
              "Learning, ICML 2016",
    .kind = DN_METHOD_ENSEMBLE,
    .needs = DN_NEEDS_LOGITS,
    .pass = DN_PASS_DROPOUT,
    .option_count = 2,
    .option = {{.name = "T", .text = "passes", .standard = 20, .low = 1, .high = 1000, .integer = true},
               {.name = "score", .text = "which score of ensembles", .low = 0, .high = SCORES - 1, .word = words}},
    .score.ensemble = score,
};
