/** The weights of a Keras file, put into a network. Library-private to the import. */
#ifndef DN_APPS_IMPORT_WEIGHTS_H
#define DN_APPS_IMPORT_WEIGHTS_H

#include "apps/import_layers.h"
#include "apps/network.h"

/** Fills the placed network: layer by layer, those of one kind in order.
 *  @param path of the file, for messages
 *  @return DN_ERROR_SHAPE with both layers' names and shapes, DN_ERROR_NUMERIC for weights that cannot be */
dn_status dn_import_weights(dn_network *network, const dn_import_layers *file, const char *path) DN_NODISCARD;

#endif
