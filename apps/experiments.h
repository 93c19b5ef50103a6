/** The experiments of `dunlin reproduce`, in the order of --list. A new one is a file apps/reproduce_NAME.c with
 *  `const dn_experiment dn_experiment_NAME` and a row here. */
#ifndef DN_APPS_EXPERIMENTS_H
#define DN_APPS_EXPERIMENTS_H

#include "apps/reproduce.h"

#define DN_EXPERIMENTS(ROW)     \
    ROW(mi_ensemble)            \
    ROW(leave_out)              \
    ROW(leave_out_cifar100)     \
    ROW(leave_out_wrn)          \
    ROW(leave_out_wrn_cifar100) \
    ROW(mc_dropout_react)       \
    ROW(gen)                    \
    ROW(she)

#define DN_DECLARE_EXPERIMENT(name) extern const dn_experiment dn_experiment_##name;
DN_EXPERIMENTS(DN_DECLARE_EXPERIMENT)
#undef DN_DECLARE_EXPERIMENT

#endif
