/** A network as the passes of ood/pass.h take it. */
#ifndef DN_APPS_NETWORK_PASS_H
#define DN_APPS_NETWORK_PASS_H

#include "apps/network.h"
#include "ood/pass.h"

/** The network with its recipe's preparation of images, in batches of the recipe's size: inference needs no more memory
 *  than training did. Borrows the network; there is nothing to free. */
dn_pass_network dn_network_pass(const dn_network *network);

/** @return DN_ERROR_SHAPE, saying how to convert the set, if its images are not of the network's size */
dn_status dn_network_check_images(const dn_network *network, const dn_dataset *set) DN_NODISCARD;

#endif
