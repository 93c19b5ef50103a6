#include "layers/layers.h"

dn_tensor dn_layer_dropout(dn_program *p, dn_tensor x, double rate, const dn_forward *forward)
{
    return forward->dropout ? dn_dropout(p, x, rate) : x;
}
