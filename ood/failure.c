#include "ood/failure.h"

#include <stdio.h>

void dn__failure_keep(dn__failure *failure, size_t place, dn_status status)
{
#pragma omp critical(dn_failure)
    if (failure->status == DN_OK || place < failure->place) {
        failure->place = place;
        failure->status = status;
        snprintf(failure->text, sizeof failure->text, "%s", dn_error_last());
    }
}

dn_status dn__failure_status(const dn__failure *failure)
{
    return failure->status == DN_OK ? DN_OK : dn_fail(failure->status, "%s", failure->text);
}
