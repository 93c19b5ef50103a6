#include "core/op.h"

#include "core/graph.h"

typedef struct op_row {
    const char *name;
    int flags;
    dn_gradient_rule *rule;
} op_row;

static const op_row rows[DN_OP_COUNT] = {
#define ROW(kind, name, flags) [kind] = {#name, flags, dn__grad_##name},
    DN_OPS(ROW)
#undef ROW
};

const char *dn_op_name(dn_op_kind kind)
{
    return rows[kind].name;
}

int dn_op_flags(dn_op_kind kind)
{
    return rows[kind].flags;
}

dn_gradient_rule *dn__gradient_rule(dn_op_kind kind)
{
    return rows[kind].rule;
}
