#include "ood/method.h"

#include <assert.h>
#include <string.h>

#include "ood/methods.h"

/** In the order of the documentation. */
static const dn_method *const methods[] = {
    /* scores of logits */
    &dn__method_msp,
    &dn__method_max_logit,
    &dn__method_energy,
    &dn__method_entropy,
    &dn__method_gen,
    &dn__method_temp_scale,
    &dn__method_kl_matching,
    /* scores of features */
    &dn__method_mahalanobis,
    &dn__method_rmds,
    &dn__method_knn,
    &dn__method_vim,
    &dn__method_residual,
    &dn__method_she,
    &dn__method_gradnorm,
    &dn__method_nnguide,
    &dn__method_fdbd,
    &dn__method_nci,
    &dn__method_neco,
    &dn__method_gram,
    &dn__method_openmax,
    /* shapings */
    &dn__method_react,
    &dn__method_vra,
    &dn__method_ash,
    &dn__method_scale,
    &dn__method_dice,
    /* scores that need more of the network than one pass */
    &dn__method_odin,
    &dn__method_odin_entropy,
    &dn__method_rankfeat,
    &dn__method_mc_dropout,
    /* scores that combine members */
    &dn__method_predictive_entropy,
    &dn__method_expected_entropy,
    &dn__method_mutual_information,
    &dn__method_ensemble_msp,
    &dn__method_variance,
    &dn__method_variation_ratio,
    &dn__method_pairwise_kl,
    &dn__method_leave_out,
};

const dn_method *const *dn_methods(size_t *count)
{
    *count = sizeof methods / sizeof *methods;
    return methods;
}

const dn_method *dn_method_find(const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strcmp(methods[i]->name, name) == 0) return methods[i];
    }
    return NULL;
}

double dn_method_option_value(const dn_method_call *call, const char *name)
{
    const dn_method *method = call->method;
    size_t i = 0;
    while (i < method->option_count && strcmp(method->option[i].name, name) != 0) i++;
    assert(i < method->option_count);
    return call->option[i];
}
