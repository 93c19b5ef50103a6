/** What an executor holds, for the files that it is made of: executor.c and mailbox.c. */
#ifndef DN_CORE_EXECUTOR_PRIVATE_H
#define DN_CORE_EXECUTOR_PRIVATE_H

#include "core/backend.h"
#include "core/executor.h"

struct dn_executor {
    dn_program *program;
    dn_device *device;
    dn_compiled *compiled;
    dn_plan plan;
    dn_memory memory; /**< blocks of the program's own are freed with it, those of the store are borrowed */
    bool started;
};

/** @return the buffer of a tensor, and the offset of member e's copy in it */
dn_buffer *dn__locate(const dn_program *program, const dn_memory *memory, int tensor, int member, size_t *offset);

#endif
