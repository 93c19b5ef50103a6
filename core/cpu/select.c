#include "core/cpu/select.h"

#include <stdio.h>
#include <string.h>

dn_status dn__cpu_prepare(dn_cpu_prepared *out, const dn_call *shapes, bool tuned, bool is_double)
{
    dn_cpu_offer *const offers[] = {dn__offer_onednn, dn__offer_tuned};
    char declined[48] = ""; /* why the first one that was asked has nothing */
    *out = (dn_cpu_prepared){0};
    for (size_t i = 0; tuned && i < sizeof offers / sizeof *offers; i++) {
        DN_TRY(offers[i](out, shapes));
        if (out->run) {
            const size_t length = strlen(out->name);
            if (declined[0]) snprintf(out->name + length, sizeof out->name - length, " (%s)", declined);
            return DN_OK;
        }
        if (!declined[0]) snprintf(declined, sizeof declined, "%.47s", out->name);
    }
    out->run = (is_double ? dn__ref_kernels_f64 : dn__ref_kernels_f32)[shapes->op->kind];
    if (!out->run)
        snprintf(out->name, sizeof out->name, "view");
    else if (declined[0])
        snprintf(out->name, sizeof out->name, "ref (%s)", declined);
    else
        snprintf(out->name, sizeof out->name, "ref");
    return DN_OK;
}

void dn__cpu_release(dn_cpu_prepared *prepared)
{
    if (prepared->destroy) prepared->destroy(prepared->state);
    *prepared = (dn_cpu_prepared){0};
}
