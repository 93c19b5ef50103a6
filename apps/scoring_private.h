/** Shared by the files of scoring.h. */
#ifndef DN_APPS_SCORING_PRIVATE_H
#define DN_APPS_SCORING_PRIVATE_H

#include "apps/network_head.h"
#include "apps/scoring.h"

/** Expressions that are scored together: all of the plain pass, or one with a pass of its own. */
typedef struct dn__score_group {
    size_t count;
    size_t *index;                   /**< [count] numbers in the list */
    dn_score_expression *expression; /**< [count] */
    dn_reduce reduce;                /**< as the scorer takes it */
    dn_method_pass pass;
    uint64_t layers;   /**< bits that the scorer takes; 0: logits only */
    dn_scorer *scorer; /**< NULL for dropout, where each member has one of its own */
    char *pass_text;   /**< NULL: the plain pass */
    dn_pass_options pass_options;
} dn__score_group;

struct dn_scoring {
    dn_output_files *files;
    dn_scoring_options options;
    char **left_out;       /**< [list->count] reasons */
    uint64_t layers;       /**< that layers=all means */
    uint64_t plain_layers; /**< that the plain outputs are opened with */
    dn_outputs *fit;       /**< NULL: nothing is fitted, or the fits are done */
    uint64_t fit_print;
    dn_network_head head;
    dn__score_group *groups;
    size_t n_groups;
    dn_scoring_seconds seconds;
};

/** The bits of the layers that an expression takes from its rows and its fit set. */
uint64_t dn__expression_layers(const dn_scoring *s, const dn_score_expression *e);

/** A set's form for dn_scorer_open(): one row that is never read. @param layer [DN_PASS_LAYERS_MAX] room */
dn_score_input dn__score_form(const dn_scoring *s, uint64_t layers, dn_matrix *layer);

/** Opens the outputs of a set by the group's own pass. */
dn_status dn__group_outputs(dn_outputs **out, dn_scoring *s, const dn__score_group *group,
                            const char *set) DN_NODISCARD;

/** Fills the group's pass: what it is, and its text. */
dn_status dn__group_take_pass(dn__score_group *group, const dn_scoring *s) DN_NODISCARD;

/** Can the network do the group's pass? */
dn_status dn__group_check_pass(const dn__score_group *group, const dn_scoring *s) DN_NODISCARD;

/** Scores of a member's passes with dropout, reduced over members. */
dn_status dn__group_run_dropout(double *scores, const dn_scoring *s, const dn__score_group *group,
                                const dn_outputs *outputs) DN_NODISCARD;

#endif
