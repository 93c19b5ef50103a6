/** How much memory this process uses. */
#ifndef DN_APPS_MEMORY_H
#define DN_APPS_MEMORY_H

#include <stddef.h>

/** @return resident bytes now, and the most there ever were; 0 where the system does not tell */
size_t dn_memory_now(void);
size_t dn_memory_peak(void);

#endif
