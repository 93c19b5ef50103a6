/** What the host says about itself. */
#ifndef DN_CORE_CPU_HOST_H
#define DN_CORE_CPU_HOST_H

#include <stddef.h>

/** @return bytes of memory that can still be had: the kernel's estimate, or what the control group leaves if less;
 *  SIZE_MAX if the host does not say */
size_t dn__host_available(void);

/** Writes the processor's name, or "unknown processor". */
void dn__host_model(char *text, size_t size);

#endif
