/** The record behind a program, for those who walk it: op builders, autograd, planner, printer, backends. */
#ifndef DN_CORE_GRAPH_H
#define DN_CORE_GRAPH_H

#include "core/op.h"
#include "core/program.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Where a tensor lives. Each storage is a block of E slices (one per member) and, for program memory, one slice more
 *  that holds what members share. */
typedef enum dn_storage {
    DN_STORAGE_VALUES,     /**< the store's parameters [E,P] */
    DN_STORAGE_STATES,     /**< the store's states [E,S] */
    DN_STORAGE_SLOT,       /**< an optimizer slot of the store [E,P] */
    DN_STORAGE_GRADIENTS,  /**< gradients, laid out like the parameters [E,P] */
    DN_STORAGE_PERSISTENT, /**< inputs, constants, counters: content lasts from step to step */
    DN_STORAGE_TEMPORARY,  /**< shared out again by lifetime */
    DN_STORAGE_EXTERNAL,   /**< a buffer of the caller's */
    DN_STORAGE_COUNT
} dn_storage;

typedef struct dn_tensor_info {
    char *name; /**< NULL: none given */
    dn_shape shape;
    dn_dtype dtype;
    bool shared; /**< one copy for all members */
    bool wants_gradient;
    bool asked; /**< for its gradient, by dn_want_gradient() */
    bool kept;  /**< lives to the end of the step */
    bool flat;  /**< a view of a whole block [P]; P is known when the program is sealed */
    dn_storage storage;
    int slot;        /**< slot: its number; gradients: -1 */
    int root;        /**< the tensor whose memory this one uses; itself in most cases */
    int gradient;    /**< the tensor that holds d(loss)/d(this); -1: none */
    int writer;      /**< the op that made it; -1: none */
    int first, last; /**< ops between which a temporary's bytes must live */
    size_t offset;   /**< bytes from the start of the slice */
    void *initial;   /**< persistent: first content [E or 1, shape], or NULL: zeros */
} dn_tensor_info;

struct dn_program {
    char *name;
    dn_params *params;
    int members, batch;
    dn_dtype real; /**< the dtype of floating-point tensors that are not bf16 activations */
    dn_precision precision;

    dn_tensor_info *tensors;
    size_t n_tensors, tensor_capacity;
    dn_op *ops;
    size_t n_ops, op_capacity;

    dn_tensor step;
    uint32_t next_stream; /**< of the ops that draw random numbers */
    bool sealed, differentiated;
    dn_status status; /**< the first build error */
    char *error;      /**< its text */

    /* The memory plan, bytes; filled by dn_program_seal(). */
    size_t slice[DN_STORAGE_COUNT];  /**< of one member's slice */
    size_t shared[DN_STORAGE_COUNT]; /**< of the slice that members share: persistent and temporary only */
    size_t live_peak;                /**< the most temporary bytes alive at one op: what the plan cannot go below */
};

/** @return the record of a tensor; t must not be none */
static inline dn_tensor_info *dn__info(const dn_program *p, dn_tensor t)
{
    return &p->tensors[t.id];
}

static inline size_t dn__bytes(const dn_tensor_info *t)
{
    return (size_t)dn_shape_count(&t->shape) * dn_dtype_size(t->dtype);
}

/** @return false if the program has failed or is sealed, or an input of a needed one is DN_NONE: the builder then
 *  returns DN_NONE. `inputs` lists `count` tensors that must be there. */
bool dn__ready(dn_program *p, const dn_tensor *inputs, int count);

/** Adds a temporary of program precision. */
dn_tensor dn__temporary(dn_program *p, dn_dtype dtype, dn_shape shape, bool shared);

/** Appends an op; its outputs take `writer`, and want a gradient if an input does. @return its first output */
dn_tensor dn__append(dn_program *p, dn_op op);

/** Shorthand for a dn_op's arrays. */
#define DN__IN(...) \
    {               \
        __VA_ARGS__ \
    }
#define DN__NO_OP                                                         \
    {                                                                     \
        .in = {-1, -1, -1, -1, -1, -1, -1}, .out = { -1, -1, -1, -1, -1 } \
    }

/** @return an op of this kind with the given inputs (ended by DN_NONE or 7 of them) and no outputs yet */
dn_op dn__op(dn_op_kind kind, const dn_tensor *inputs, int count);

/** Adds `g` to the gradient of `t`: the first one becomes it, later ones are added by an op. For gradient rules. */
void dn__accumulate(dn_program *p, int t, dn_tensor g);

/** @return the gradient of the op's output number `k`, or DN_NONE. For gradient rules. */
dn_tensor dn__output_gradient(const dn_program *p, const dn_op *op, int k);

/** @return whether input number `k` is there and wants a gradient. For gradient rules. */
bool dn__input_wants(const dn_program *p, const dn_op *op, int k);

/** A rule appends the ops that compute the gradients of an op's inputs. The op is a copy: appending moves the list. */
typedef void dn_gradient_rule(dn_program *p, const dn_op *op);

#define DN__RULE(kind, name, flags) dn_gradient_rule dn__grad_##name;
DN_OPS(DN__RULE)
#undef DN__RULE

dn_gradient_rule *dn__gradient_rule(dn_op_kind kind);

/** The rule of ops through which no gradient is defined: fails the build and says so. */
void dn__grad_undefined(dn_program *p, const dn_op *op);

/** Lifetimes to offsets; fills slice, shared and live_peak. */
dn_status dn__plan_memory(dn_program *p);

/** A view of a whole [E,P] block as a tensor of shape [P] (P is set when the program is sealed). */
dn_tensor dn__flat(dn_program *p, dn_storage storage, int slot);

#ifdef __cplusplus
}
#endif
#endif
