/** A peer: another program that trains the same networks, driven line by line, so that both can be timed in turns.
 *
 *     peer:    ready torch 1.13.1 threads 2
 *     dunlin:  run model=cnn3 width=0 dropout=0.3 members=1 batch=128 images=50000 shape=32x32x3 classes=10 layout=nchw
 *              steps=20                       one line; width 0, dropout -1: the model's own
 *     peer:    1.234567                       seconds; the first run of a configuration warms up before it counts
 *     peer:    error there is no model cnn3   or why not
 *
 * It ends when its standard input does. What it prints on standard error goes to dunlin's.
 */
#ifndef DN_APPS_BENCH_PEER_H
#define DN_APPS_BENCH_PEER_H

#include <stdint.h>

#include "core/status.h"

typedef struct dn_peer dn_peer;

typedef struct dn_peer_work {
    const char *model, *layout;
    double dropout;
    int width, members, batch, classes, steps;
    int64_t images;
    int shape[3]; /**< H, W, C */
} dn_peer_work;

/** Starts a shell command and waits for it to be ready.
 *  @param patience seconds to wait for each of its lines  @param out end with dn_peer_close() */
dn_status dn_peer_open(dn_peer **out, const char *command, double patience) DN_NODISCARD;

/** Closes its input, waits for its end for some seconds, then ends it. NULL is allowed. */
void dn_peer_close(dn_peer *peer);

/** @return such as "torch 1.13.1" */
const char *dn_peer_name(const dn_peer *peer);
int dn_peer_threads(const dn_peer *peer);

/** Has it train. @param seconds receives what it measured
 *  @return DN_ERROR_UNSUPPORTED if it cannot do this, DN_ERROR_FORMAT if its answer is none, DN_ERROR_FILE if it
 *  ended or said nothing */
dn_status dn_peer_run(dn_peer *peer, const dn_peer_work *work, double *seconds) DN_NODISCARD;

#endif
