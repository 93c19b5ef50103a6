/* Stands in where Dunlin is built without oneDNN. */
#include "core/cpu/select.h"

dn_status dn__offer_onednn(dn_cpu_prepared *out, const dn_call *shapes)
{
    (void)out;
    (void)shapes;
    return DN_OK;
}

const char *dn__onednn_version(void)
{
    return "without oneDNN";
}
