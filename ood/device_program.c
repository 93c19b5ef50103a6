#include "ood/device_program.h"

dn_status dn__device_program_open(dn__device_program *out, const char *name)
{
    *out = (dn__device_program){0};
    DN_TRY(dn_params_new(&out->params, &(dn_params_options){.members = 1, .dtype = DN_F32}));
    out->program = dn_program_new(out->params, &(dn_program_options){.name = name});
    return out->program ? DN_OK : DN_ERROR_MEMORY;
}

void dn__device_program_close(dn__device_program *program)
{
    dn_program_close(program->program);
    dn_params_close(program->params);
    *program = (dn__device_program){0};
}
