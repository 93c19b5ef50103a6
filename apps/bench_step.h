/** `dunlin bench step`: the time of a training step, beside a peer's. */
#ifndef DN_APPS_BENCH_STEP_H
#define DN_APPS_BENCH_STEP_H

#include "apps/bench_peer.h"
#include "apps/bench_spread.h"
#include "apps/bench_workload.h"

enum { DN_BENCH_SIDES = 3 }; /* dunlin, and the peer with two memory layouts */

typedef struct dn_step_options {
    int steps;              /**< a round; 0: about half a second of dunlin's, at most 200 */
    int rounds;             /**< 0: 7 */
    dn_peer *peer;          /**< NULL: none */
    const char *peer_model; /**< NULL: the recipe's */
} dn_step_options;

typedef struct dn_step_side {
    const char *layout; /**< of the peer: "nchw", "channels_last"; NULL: dunlin */
    double *ms;         /**< [rounds] of a step */
    dn_spread spread;   /**< of ms */
    dn_spread speedup;  /**< peer's time / dunlin's of the same round: above 1 dunlin is the faster */
    double speedup_min; /**< the same of the smallest times */
} dn_step_side;

typedef struct dn_step_report {
    int steps, rounds, n_sides;
    dn_step_side sides[DN_BENCH_SIDES];
    int best;                   /**< the peer's faster layout, by median; 0: no peer */
    const char *differences[4]; /**< what the recipe does and the peer does not */
    int n_differences;
} dn_step_report;

/** Runs rounds in turns: dunlin, peer, peer, and in another order in the next round.
 *  @param report free with dn_step_report_close() in any case */
dn_status dn_bench_step(dn_step_report *report, const dn_workload *workload,
                        const dn_step_options *options) DN_NODISCARD;
void dn_step_report_close(dn_step_report *report);

dn_status dn_bench_step_print(const dn_step_report *report, const dn_workload *workload, const dn_peer *peer,
                              FILE *to) DN_NODISCARD;
dn_status dn_bench_step_json(const dn_step_report *report, const dn_workload *workload, const dn_peer *peer,
                             const char *path) DN_NODISCARD;

#endif
