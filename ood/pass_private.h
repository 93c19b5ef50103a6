/** What the files of a pass share: library-private. */
#ifndef DN_OOD_PASS_PRIVATE_H
#define DN_OOD_PASS_PRIVATE_H

#include "core/executor.h"
#include "ood/pass.h"

/** What a stage gets and gives. */
typedef struct dn__stage_plan {
    const char *name;
    bool own_images; /**< each member has images of its own, reals in 0..1; else they share those of the data set */
    bool dropout;
    bool logits;          /**< are read */
    uint64_t layers;      /**< whose pooled features are read */
    int map;              /**< layer that is read as it is; -1: none */
    int replaced;         /**< layer that is an input; -1: none. Nothing before it is computed */
    bool seed_logits;     /**< the gradient of sum(logits * seed) with respect to the images is read */
    uint64_t seed_layers; /**< the same of the pooled features of these layers together */
} dn__stage_plan;

/** A program of the network, on its device. */
typedef struct dn__stage {
    dn_program *program;
    dn_executor *executor;
    dn_tensor images, by;               /**< inputs; DN_NONE where the plan has none */
    dn_tensor seed[DN_PASS_LAYERS_MAX]; /**< [seeds] of the logits, or of the layers in their order */
    size_t seeds;
    dn_tensor logits, map, gradient;        /**< kept, as the plan says */
    dn_tensor features[DN_PASS_LAYERS_MAX]; /**< [N,D] */
} dn__stage;

/** Numbers of one kind, all of the network's type. */
typedef struct dn__reals {
    void *data;
    size_t count;
    dn_dtype type; /**< DN_F32 or DN_F64 */
} dn__reals;

struct dn_pass {
    dn_pass_network network;
    dn_pass_options options;
    dn_pass_layers layers;
    size_t members, batch, pixels, columns; /**< E, N, H W C, K */
    int64_t images, batches;                /**< that went through */
    dn__stage first, second;                /**< what they are depends on the kind */
    dn__reals x, seeds, read;               /**< [E,N,pixels], [E,N,K] or layers of [E,N,D], what was read last */
    void *staged;                           /**< [N,pixels] of the data set's type: a batch on its way */
    double *gradient;                       /**< [E,rows,K]; SCORE: layers of [E,rows,D] */
    float *logits, *features;               /**< SCORE: [E,rows,K], layers of [E,rows,D] */
    int map;                                /**< RANKFEAT: the layer */
};

/* ---- pass_stage.c ---- */

dn_status dn__stage_open(dn__stage *stage, const dn_pass *pass, const dn__stage_plan *plan) DN_NODISCARD;
void dn__stage_close(dn__stage *stage);
dn_status dn__stage_write(dn__stage *stage, dn_tensor tensor, const void *from) DN_NODISCARD;

/** Writes the images that members share. Behind the last row old ones stay; what they give is dropped. */
dn_status dn__stage_write_images(dn_pass *pass, dn__stage *stage, const void *images, size_t rows) DN_NODISCARD;

/** Reads the whole of a tensor into pass->read. */
dn_status dn__stage_read(dn_pass *pass, dn__stage *stage, dn_tensor tensor) DN_NODISCARD;

/** Reads rows of a tensor [E,N,width], N cut down to `rows`; member e's go to member e * step + first of `to`. */
dn_status dn__stage_read_rows(dn_pass *pass, dn__stage *stage, dn_tensor tensor, float *to, size_t rows, size_t step,
                              size_t first) DN_NODISCARD;

/** Reads the logits, if they are kept, and all features that are. */
dn_status dn__stage_results(dn_pass *pass, dn__stage *stage, const dn_pass_out *out, size_t rows, size_t step,
                            size_t first) DN_NODISCARD;

/** @return columns of a tensor's rows: the product of all dimensions but the first */
size_t dn__stage_width(const dn__stage *stage, dn_tensor tensor);

dn_status dn__reals_open(dn__reals *out, dn_dtype type, size_t count) DN_NODISCARD;
void dn__reals_close(dn__reals *reals);

static inline double dn__real_get(const dn__reals *reals, size_t i)
{
    return reals->type == DN_F64 ? ((const double *)reals->data)[i] : (double)((const float *)reals->data)[i];
}

static inline void dn__real_set(dn__reals *reals, size_t i, double value)
{
    if (reals->type == DN_F64)
        ((double *)reals->data)[i] = value;
    else
        ((float *)reals->data)[i] = (float)value;
}

/* ---- pass_gradient.c: images that move ---- */

dn_status dn__pass_open_moved(dn_pass *pass) DN_NODISCARD;
dn_status dn__pass_run_moved(dn_pass *pass, const dn_pass_out *out, const void *images, size_t rows) DN_NODISCARD;

/* ---- pass_rankfeat.c ---- */

dn_status dn__pass_open_rankfeat(dn_pass *pass) DN_NODISCARD;
dn_status dn__pass_run_rankfeat(dn_pass *pass, const dn_pass_out *out, const void *images, size_t rows) DN_NODISCARD;

/** x minus its first singular component s1 u1 v1'. @param x [rows,columns] */
dn_status dn__remove_first_component(double *x, size_t rows, size_t columns) DN_NODISCARD;

#endif
