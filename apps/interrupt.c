#include "apps/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t asked;

static void on_signal(int number)
{
    (void)number;
    asked = 1;
    signal(SIGINT, SIG_DFL); /* the next one kills, whichever it is */
    signal(SIGTERM, SIG_DFL);
}

void dn_interrupt_install(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    asked = 0;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool dn_interrupted(void)
{
    return asked != 0;
}
