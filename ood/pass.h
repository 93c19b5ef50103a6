/** Batches of images through a network, in the ways that scores ask for (dn_method_pass).
 *
 * The network is given by the caller as a function that records its forward pass; ood/ knows no models. A pass is
 * opened once, then run batch by batch: what it needs of the device's and the host's memory depends on the batch, not
 * on the data set.
 *
 *     dn_pass_layers layers;
 *     DN_TRY(dn_pass_list_layers(&layers, &network));
 *     const dn_pass_options options = {.kind = DN_PASS_NONE, .type = set->type, .layers = dn_pass_last_layer(&layers)};
 *     DN_TRY(dn_pass_open(&pass, &network, &options));
 *     for (each batch) DN_TRY(dn_pass_run(pass, &out, images, rows));
 *     dn_pass_close(pass);
 */
#ifndef DN_OOD_PASS_H
#define DN_OOD_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/program.h"
#include "core/status.h"
#include "ood/method.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DN_PASS_LAYERS_MAX = 64, DN_PASS_LAYER_NAME = 32 };

/** A layer's output within a program. */
typedef struct dn_pass_tap {
    char name[DN_PASS_LAYER_NAME];
    dn_tensor tensor; /**< [N,H,W,C] (a map) or [N,D] */
} dn_pass_tap;

/** What one recording of the forward pass is told and gives back. */
typedef struct dn_pass_graph {
    bool dropout;         /**< told: dropout is on; everything else is as in inference */
    const char *replaced; /**< told: the layer of this name is the tensor `by`, whatever was computed; NULL: none is */
    dn_tensor by;
    dn_tensor logits; /**< given: [N,K] */
    size_t taps;
    dn_pass_tap tap[DN_PASS_LAYERS_MAX]; /**< given: in the order of the network; the last are the features that the
                                              last layer turns into logits, [N,D] */
} dn_pass_graph;

/** Records the forward pass. Errors are the program's.
 *  @param images [N,H,W,C] in 0..1, as they are before any preparation; of all members or of each its own */
typedef void dn_pass_build_fn(void *context, dn_program *program, dn_tensor images, dn_pass_graph *graph);

/** A network. Everything is borrowed as long as passes of it are open. */
typedef struct dn_pass_network {
    const char *name;            /**< for messages */
    dn_params *params;           /**< of E members, with their values */
    dn_device *device;           /**< where the values are */
    int height, width, channels; /**< of the images */
    int columns;                 /**< K */
    const int32_t *class_map;    /**< [E,K] -1 for a column that is not used; NULL: all are */
    int batch;                   /**< N */
    dn_pass_build_fn *build;
    void *context;
} dn_pass_network;

/** The layers that a network gives, in order; the last are the penultimate features. */
typedef struct dn_pass_layers {
    size_t count;
    struct {
        char name[DN_PASS_LAYER_NAME];
        size_t dim;        /**< D: of a map [N,H,W,C], which is averaged over its pixels, C */
        int height, width; /**< of a map; else 0 */
    } layer[DN_PASS_LAYERS_MAX];
} dn_pass_layers;

/** Finds out which layers there are. */
dn_status dn_pass_list_layers(dn_pass_layers *out, const dn_pass_network *network) DN_NODISCARD;

/** @return bits for dn_pass_options.layers: all layers, or the last */
uint64_t dn_pass_all_layers(const dn_pass_layers *layers);
uint64_t dn_pass_last_layer(const dn_pass_layers *layers);

/** DN_PASS_SCORE: the gradient of a score with respect to the features of each row; any positive multiple of it will
 *  do. Called by one thread.
 *  @param logits [E,rows,K]
 *  @param features [E,rows,D_l], one layer of dn_pass_options.by after the other @param gradient likewise */
typedef dn_status dn_pass_gradient_fn(void *context, double *gradient, const float *logits, const float *features,
                                      size_t rows);

typedef struct dn_pass_options {
    dn_method_pass kind;
    dn_dtype type;      /**< of the images: DN_U8 (0..255 mean 0..1) or the network's own, DN_F32 */
    uint64_t layers;    /**< bit l: the pooled features of layer l are wanted; 0: only logits */
    double epsilon;     /**< ODIN, ODIN_ENTROPY, SCORE: how far each pixel moves; 0: the images stay; SCORE below 0:
                             along the gradient instead of against it */
    double temperature; /**< ODIN, ODIN_ENTROPY: T */
    int samples;        /**< DROPOUT: T passes, each with the zeros of its own */
    uint64_t seed; /**< DROPOUT: what is drawn depends on it, the network's seed, the batch size, and where in which
                             batch an image comes */
    uint64_t by;   /**< SCORE: layers that the score is a function of, as bits; 0: the last */
    dn_pass_gradient_fn *gradient; /**< SCORE */
    void *context;                 /**< of `gradient` */
} dn_pass_options;

/** What a method with its options asks for: kind, epsilon, temperature and samples. With eps = 0 it is NONE. */
dn_pass_options dn_pass_options_for(const dn_method_call *method);

typedef struct dn_pass dn_pass;

/** Makes programs and memory ready.
 *  @param out receives the pass; free with dn_pass_close()
 *  @return DN_ERROR_UNSUPPORTED for RANKFEAT of a network without maps (or with a layer before the last map), for
 *  DROPOUT of one without dropout; DN_ERROR_ARGUMENT for options out of range; otherwise as programs fail */
dn_status dn_pass_open(dn_pass **out, const dn_pass_network *network, const dn_pass_options *options) DN_NODISCARD;
void dn_pass_close(dn_pass *pass); /**< NULL is allowed */

/** @return M, the members of the results: E; of DROPOUT E T, member e's passes at e T .. e T + T - 1 */
size_t dn_pass_members(const dn_pass *pass);

/** @return how many images went through the network so far: each image counts once, whatever the members and passes */
int64_t dn_pass_images(const dn_pass *pass);

/** Where a batch's results go. */
typedef struct dn_pass_out {
    float *logits;                       /**< [M,rows,K] */
    float *features[DN_PASS_LAYERS_MAX]; /**< [l]: [M,rows,D_l] of each layer asked for; others are not looked at */
} dn_pass_out;

/** Passes the next batch. Rows do not depend on each other, except DROPOUT's zeros on the place.
 *  @param images [rows,H,W,C] of the type that the pass was opened with @param rows 1 to the network's batch
 *  @return DN_OK; DN_ERROR_NUMERIC if an image, a number that a gradient starts from, or a map to be changed is not
 *  finite */
dn_status dn_pass_run(dn_pass *pass, const dn_pass_out *out, const void *images, size_t rows) DN_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
