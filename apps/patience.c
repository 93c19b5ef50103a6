/* GNU OpenMP lets a thread that waits for the others spin for milliseconds. On a machine with other work to do the
 * thread waited for may not even have a core then, and the spinning takes it away from it: a training step took five
 * times as long on two cores that two other programs used as well. After some ten microseconds of spinning the thread
 * had better sleep, which costs a quiet machine next to nothing. The library reads this setting once, before main(), so
 * the program sets it and starts itself again. Whoever sets one of the variables has the last word. */
#include "apps/patience.h"

#include <stdlib.h>
#include <unistd.h>

void dn_patience_set(char **argv)
{
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY")) return;
    if (setenv("GOMP_SPINCOUNT", "3000", 1) != 0) return;
    execv("/proc/self/exe", argv); /* comes back only if it fails: then everything works, only slower under load */
}
