/** Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends the program at once. */
#ifndef DN_APPS_INTERRUPT_H
#define DN_APPS_INTERRUPT_H

#include <stdbool.h>

#include "core/status.h"

/** From now on the signals set what dn_interrupted() returns. */
void dn_interrupt_install(void);

/** To be asked between steps, where there is something to be kept. @return whether the user wants an end */
bool dn_interrupted(void);

#endif
