/** The last layer of a network, as scores take it. */
#ifndef DN_APPS_NETWORK_HEAD_H
#define DN_APPS_NETWORK_HEAD_H

#include "apps/network.h"

typedef struct dn_network_head {
    double *weight; /**< [E,K,D] */
    double *bias;   /**< [E,K] */
} dn_network_head;

/** Reads the layer that turns the penultimate features into logits. @param out free with dn_network_head_close(), also
 *  after an error */
dn_status dn_network_head_open(dn_network_head *out, const dn_network *network) DN_NODISCARD;
void dn_network_head_close(dn_network_head *head);

#endif
