/** A network: a recipe's ensemble with its parameters on a device. What training makes and evaluation reads. */
#ifndef DN_APPS_NETWORK_H
#define DN_APPS_NETWORK_H

#include "apps/recipe.h"
#include "core/params.h"
#include "core/program.h"
#include "core/store.h"
#include "datasets/dataset.h"
#include "layers/layers.h"

typedef struct dn_network {
    dn_recipe *recipe;
    dn_device *device;
    dn_params *params;
    int members;
    int height, width, channels; /**< of the images */
    int classes;                 /**< that the members know together */
    int columns;                 /**< outputs of each member: at most `classes` */
    int32_t *class_map; /**< [E,columns] class of each output, -1 where there is none; NULL: output c is class c */
    bool ragged;        /**< some members have fewer classes than `columns` */
    char *class_names;  /**< one a line; "": the classes have no names; NULL: an older checkpoint does not say */
} dn_network;

/** An untrained network for images and classes like those of `train`; takes the recipe over, also on failure.
 *  @param device must outlive the network. @param out free with dn_network_close() */
dn_status dn_network_new(dn_network **out, dn_recipe *recipe, dn_device *device, const dn_dataset *train);

/** The network of a checkpoint with its trained parameters, for inference. */
dn_status dn_network_load(dn_network **out, const char *path, dn_device *device);
void dn_network_close(dn_network *network);

/** Records the network's forward pass. images [N,H,W,C] prepared -> logits [N,columns] */
dn_tensor dn_network_build(const dn_network *network, dn_program *program, dn_tensor images, const dn_forward *forward);

/** @return whether the set's labels mean the network's classes: by their names, and by their number where there are no
 *  names. So there is no accuracy for other labels that only happen to be small enough. False for an unlabelled set. */
bool dn_network_knows(const dn_network *network, const dn_dataset *set);

/** What a checkpoint says of the network itself: recipe, image size, classes and their names, class map. */
dn_status dn_network_describe(const dn_network *network, dn_store *to);

/** Allocates the parameters with the layout of the network's inference program, for loading. */
dn_status dn_network_place(dn_network *network);

/* ---- images into programs ---- */

/** A data set in the device's memory, or one whose images stay in their file. */
typedef struct dn_resident {
    dn_buffer *images; /**< [M,H,W,C]; NULL: in the file */
    dn_shape shape;
    dn_dtype type;
    const dn_dataset *streamed; /**< the set, if its images stay in the file */
    dn_dataset *own;            /**< it again, if it is closed with the resident */
} dn_resident;

/** Takes the set's images over: it keeps its labels and sizes only. A set whose images are in a file is only noted, and
 *  must outlive the resident. */
dn_status dn_resident_take(dn_resident *out, dn_device *device, dn_dataset *set);
void dn_resident_close(dn_resident *resident);

/** The external tensor that stands for it in a program. */
dn_tensor dn_resident_tensor(dn_program *program, const char *name, const dn_resident *resident);

/** Prepares images [N,H,W,C] in 0..1 as the recipe says. @param step what random crops and flips are drawn by;
 *  DN_NONE: none are (evaluation) */
dn_tensor dn_prepare(dn_program *program, const dn_recipe_data *data, dn_tensor images, dn_tensor step);

#endif
