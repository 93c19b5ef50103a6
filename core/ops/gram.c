/* Inner products of a matrix's columns: y[i,j] = sum over n of x[n,i] x[n,j], in double in programs of any precision.
 * Nothing is trained through it. */
#include "core/ops.h"
#include "core/ops/check.h"

dn_tensor dn_gram(dn_program *p, dn_tensor x)
{
    if (!dn__check_dtype(p, DN_OP_GRAM, x, DN_F64) || !dn__check_rank(p, DN_OP_GRAM, x, 2)) return DN_NONE;
    const int64_t columns = dn__channels(p, x);
    dn_op op = dn__op(DN_OP_GRAM, &x, 1);
    op.out[0] = dn__temporary(p, DN_F64, DN_SHAPE(columns, columns), dn__info(p, x)->shared).id;
    return dn__append(p, op);
}

DN__NO_GRADIENT(gram)
