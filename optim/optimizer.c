#include "optim/optimizer.h"

#include "optim/schedule.h"

const dn_minimize_options dn_adam_defaults = {
    .kind = DN_ADAM,
    .rate = 1e-3,
    .schedule = {-1},
    .update = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8},
    .check_finite = true,
};
const dn_minimize_options dn_sgd_defaults = {.kind = DN_SGD, .rate = 0.1, .schedule = {-1}, .check_finite = true};

dn_tensor dn_minimize(dn_program *p, dn_tensor loss, const dn_minimize_options *options)
{
    dn_tensor rate = dn_is_none(options->schedule) ? dn_schedule_constant(p, options->rate) : options->schedule;
    if (options->member_factors) rate = dn_schedule_members(p, rate, options->member_factors);
    dn_differentiate(p, loss);
    dn_tensor ok = DN_NONE;
    if (options->check_finite) ok = dn_keep(p, dn_finite(p, loss));
    const dn_tensor step = dn_step(p);
    if (options->kind == DN_ADAM)
        dn_adam(p, rate, step, ok, &options->update);
    else
        dn_sgd(p, rate, ok, &options->update);
    dn_advance(p, step, ok);
    return ok;
}
