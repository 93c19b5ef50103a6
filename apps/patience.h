/** How long threads wait for each other before they let go of the core. */
#ifndef DN_APPS_PATIENCE_H
#define DN_APPS_PATIENCE_H

/** To be called first in main(): may start the program anew, with the same arguments. */
void dn_patience_set(char **argv);

#endif
