/** Time for reports: never part of a result. */
#ifndef DN_APPS_CLOCK_H
#define DN_APPS_CLOCK_H

/** @return seconds since some moment, never going back */
double dn_seconds(void);

#endif
