/* A network that somebody else has trained, as a part of an experiment. */
#include <math.h>

#include "apps/import_keras.h"
#include "apps/reproduce.h"
#include "apps/run.h"
#include "apps/train_run.h"
#include "core/alloc.h"

static dn_status take(dn_part *out, const dn_reproduction *r, const dn_network *network)
{
    dn_accuracy_report report = {.ensemble = NAN};
    const char *data_dir = r->options->data_dir;
    DN_TRY(dn_run_save(out->run, network));
    DN_TRY(dn_train_measure(&report, network, out->run, data_dir, network->recipe->data.test));
    dn_free(report.member);
    out->accuracy = report.ensemble;
    return DN_OK;
}

dn_status dn_reproduce_import(dn_part *out, const dn_reproduction *r, const char *name, const char *model)
{
    dn_network *network = NULL;
    const dn_import_options options = {.model = model, .data_dir = r->options->data_dir};
    *out = (dn_part){.run = dn_format("%s/%s-weights", r->folder, name), .loss = NAN, .train_accuracy = NAN};
    if (!out->run) return DN_ERROR_MEMORY;
    dn_reproduce_note(r, "%s: reading %s", out->run, r->options->weights);
    dn_status status = dn_import_keras(&network, r->options->weights, &options, r->device);
    if (status == DN_OK) status = take(out, r, network);
    dn_network_close(network);
    return status;
}
