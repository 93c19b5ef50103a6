/* Checks that op builders share. Each fails the build with the op's name and the shapes, and returns false. */
#ifndef DN_CORE_OPS_CHECK_H
#define DN_CORE_OPS_CHECK_H

#include "core/graph.h"

/* All `count` inputs are there and are of program precision. */
bool dn__check_real(dn_program *p, dn_op_kind kind, const dn_tensor *inputs, int count);

/* All are there and of one type, program precision or bf16: activations, and the weights that they meet. */
bool dn__check_activations(dn_program *p, dn_op_kind kind, const dn_tensor *inputs, int count);

bool dn__check_rank(dn_program *p, dn_op_kind kind, dn_tensor x, int rank);
bool dn__check_dtype(dn_program *p, dn_op_kind kind, dn_tensor x, dn_dtype dtype);
bool dn__check_same_shape(dn_program *p, dn_op_kind kind, dn_tensor a, dn_tensor b);
bool dn__check_vector(dn_program *p, dn_op_kind kind, dn_tensor x, int64_t length);

/* Whether the result of these inputs is shared: all of them are. DN_NONE counts as shared. */
bool dn__all_shared(const dn_program *p, const dn_tensor *inputs, int count);

/* Adds an output of program precision in place `k` of the op. */
void dn__output(dn_program *p, dn_op *op, int k, dn_shape shape, bool shared);

/* The same of input 0's type, which is program precision or bf16. */
void dn__activation(dn_program *p, dn_op *op, int k, dn_shape shape, bool shared);

/* Records an op of one output shaped like input `like`, and of its type. */
dn_tensor dn__map(dn_program *p, dn_op op, int like);

/* The number of elements of the last dimension. */
int64_t dn__channels(const dn_program *p, dn_tensor x);

/* relu's gradient: dy where y > 0. For ops that have a relu inside. */
dn_tensor dn__relu_grad(dn_program *p, dn_tensor dy, dn_tensor y);

/* What conv2d and linear take: x and w of one type, a bias of program precision. */
bool dn__check_affine(dn_program *p, dn_op_kind kind, const dn_tensor *inputs, int count);

/* The gradient rule of conv2d and linear. Gradients of weights have program precision, whatever the weights' type. */
void dn__grad_affine(dn_program *p, const dn_op *op, dn_op_kind data_grad, dn_op_kind weight_grad);

/* For a file of gradient ops: none of them is differentiated again. */
#define DN__NO_GRADIENT(name)                            \
    void dn__grad_##name(dn_program *p, const dn_op *op) \
    {                                                    \
        dn__grad_undefined(p, op);                       \
    }

#endif
