/** The frame of the small programs by which fits use a device: library-private. */
#ifndef DN_OOD_DEVICE_PROGRAM_H
#define DN_OOD_DEVICE_PROGRAM_H

#include "core/program.h"

typedef struct dn__device_program {
    dn_params *params; /**< empty */
    dn_program *program;
} dn__device_program;

/** A program in f32 without parameters, to be recorded. @param out free with dn__device_program_close(), also after an
 *  error @param name for messages */
dn_status dn__device_program_open(dn__device_program *out, const char *name) DN_NODISCARD;
void dn__device_program_close(dn__device_program *program);

#endif
