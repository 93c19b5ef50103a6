/** The names of all weights in a Keras file, for a child process to find. Library-private. */
#ifndef DN_DATASETS_KERAS_NAMES_H
#define DN_DATASETS_KERAS_NAMES_H

#include "core/status.h"

#define DN__KERAS_GROUP "model_weights"

enum { DN__KERAS_MOST = 8192, DN__KERAS_LAYER = 200, DN__KERAS_WEIGHT = 256 };

/** What is sent: this, then n names. */
typedef struct dn__keras_head {
    int n;     /**< 1 to DN__KERAS_MOST */
    int below; /**< 1: layers are in the group DN__KERAS_GROUP */
} dn__keras_head;

typedef struct dn__keras_name {
    char layer[DN__KERAS_LAYER], weight[DN__KERAS_WEIGHT]; /**< end with a zero */
} dn__keras_name;

/** Opens the file and sends the names. The process is meant to end after it: nothing is given back. */
dn_status dn__keras_send_names(const char *path, int pipe) DN_NODISCARD;

#endif
