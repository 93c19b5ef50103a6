/* Rules that join several keys. Keys of what is not chosen (mi.* of a deep ensemble, momentum of Adam) are not looked
 * at, so that `ensemble.kind=deep` turns any recipe into its baseline. */
#include <stdio.h>
#include <string.h>

#include "apps/recipe_resolve.h"
#include "core/nearest.h"
#include "layers/models/models.h"

typedef struct checker {
    const dn_recipe *recipe;
    const dn__node *root;
    const char *label;
} checker;

#define FAIL(c, path, ...) dn__recipe_fail((c)->label, dn__node_nearest((c)->root, path), __VA_ARGS__)

enum { MOST_ROWS = 64 }; /* of sources and schedules: what a training program takes */

static dn_status check_depth(const checker *c, const dn_model *known)
{
    char text[96];
    const int depth = c->recipe->model.depth;
    if (depth == 0 || dn_model_has_depth(known, depth)) return DN_OK;
    return FAIL(c, "model.depth", "model.depth is 0 (the model's own) or one that the model has; %s has %s, found %d",
                known->name, dn_model_depths(known, text, sizeof text), depth);
}

/* A leave-out member's outputs are the classes of its fold. */
static dn_status check_outputs(const checker *c)
{
    if (c->recipe->model.outputs == 0 || c->recipe->ensemble.kind != DN_ENSEMBLE_LEAVE_OUT) return DN_OK;
    return FAIL(c, "model.outputs", "model.outputs must be 0 with ensemble.kind leave_out, found %d",
                c->recipe->model.outputs);
}

static dn_status check_model(const checker *c)
{
    enum { MOST_MODELS = 64 };
    const dn_recipe_model *m = &c->recipe->model;
    if (m->dropout < 0 && m->dropout != -1) {
        return FAIL(c, "model.dropout", "model.dropout must be -1 (the model's own) or from 0 to below 1, found %g",
                    m->dropout);
    }
    const dn_model *known = dn_model_find(m->name);
    if (known) return check_depth(c, known);
    const dn_model *rows = NULL;
    const char *names[MOST_MODELS];
    char list[512] = "";
    const int n = dn_model_list(&rows);
    for (int i = 0; i < n && i < MOST_MODELS; i++) {
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", rows[i].name);
        names[i] = rows[i].name;
    }
    const char *near = dn_nearest(m->name, names, (size_t)(n < MOST_MODELS ? n : MOST_MODELS));
    return FAIL(c, "model.name", "model.name is one of %s; found '%.60s'%s%s%s", list, m->name,
                near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static dn_status check_normalize(const checker *c)
{
    const dn_recipe_data *d = &c->recipe->data;
    if (!d->n_mean || !d->n_deviation) {
        return FAIL(c, "data.prepare", "normalize needs data.mean and data.deviation, one number for each channel");
    }
    if (d->n_mean != d->n_deviation) {
        return FAIL(c, "data.deviation", "data.mean has %u numbers, data.deviation %u; both need one for each channel",
                    d->n_mean, d->n_deviation);
    }
    return DN_OK;
}

static dn_status check_data(const checker *c)
{
    const dn_recipe_data *d = &c->recipe->data;
    unsigned seen = 0;
    if (!*d->train) return FAIL(c, "data.train", "data.train names no set");
    if (!*d->test) return FAIL(c, "data.test", "data.test names no set");
    for (unsigned i = 0; i < d->n_ood; i++) {
        if (!*d->ood[i]) return FAIL(c, "data.ood", "data.ood.%u names no set", i);
    }
    for (unsigned i = 0; i < d->n_prepare; i++) {
        const unsigned bit = 1u << d->prepare[i];
        if (seen & bit) return FAIL(c, "data.prepare", "data.prepare.%u is a step that came before", i);
        seen |= bit;
    }
    if (seen & 1u << DN_PREPARE_NORMALIZE) DN_TRY(check_normalize(c));
    if (d->crop_choices > 2 * d->crop_padding + 1) {
        return FAIL(c, "data.crop_choices", "data.crop_choices is %d, but padding %d leaves %d offsets",
                    d->crop_choices, d->crop_padding, 2 * d->crop_padding + 1);
    }
    return DN_OK;
}

static dn_status check_ensemble(const checker *c)
{
    const dn_recipe_ensemble *e = &c->recipe->ensemble;
    if (e->kind == DN_ENSEMBLE_LEAVE_OUT && e->members < 2) {
        return FAIL(c, "ensemble.members", "leave_out needs ensemble.members of at least 2 (its folds), found %d",
                    e->members);
    }
    return DN_OK;
}

static dn_status check_sources(const checker *c)
{
    const dn_recipe_mi *mi = &c->recipe->mi;
    char path[DN__NUMBER];
    if (!mi->n_sources) {
        const dn__node *list = dn__node_nearest(c->root, "mi.sources");
        return FAIL(c, list->line || list->override ? "mi.sources" : "ensemble.kind",
                    "ensemble.kind is mi, so mi.sources needs a source, such as {kind: "
                    "patch_shuffle, patch: 8, alpha: 1}");
    }
    if (mi->n_sources > MOST_ROWS) return FAIL(c, "mi.sources", "mi.sources has %u, at most 64 work", mi->n_sources);
    for (unsigned i = 0; i < mi->n_sources; i++) {
        if (mi->sources[i].kind == DN_SOURCE_DATA && !*mi->sources[i].data) {
            snprintf(path, sizeof path, "mi.sources.%u", i);
            return FAIL(c, path, "%s is of kind data, so %s.data must name a set", path, path);
        }
    }
    return DN_OK;
}

static dn_status check_switches(const checker *c)
{
    const dn_recipe_mi *mi = &c->recipe->mi;
    char path[DN__NUMBER];
    for (unsigned i = 0; i < mi->n_switches; i++) {
        const dn_recipe_switch *s = &mi->switches[i];
        snprintf(path, sizeof path, "mi.switches.%u", i);
        if (s->source >= (int)mi->n_sources) {
            return FAIL(c, path, "%s.source is %d, but mi.sources has %u, counted from 0", path, s->source,
                        mi->n_sources);
        }
        if (!i && s->step)
            return FAIL(c, path, "%s.step is %lld; the first switch is at step 0", path, (long long)s->step);
        if (i && s->step <= s[-1].step) {
            return FAIL(c, path, "%s.step is %lld, not after %lld of the one before", path, (long long)s->step,
                        (long long)s[-1].step);
        }
        if (mi->period && s->step >= mi->period) {
            return FAIL(c, path, "%s.step is %lld, never reached with mi.period %lld", path, (long long)s->step,
                        (long long)mi->period);
        }
    }
    return DN_OK;
}

static double start_of(const dn_recipe_rate *row)
{
    return row->step >= 0 ? (double)row->step : row->epoch;
}

static dn_status check_rate(const checker *c, unsigned i, const char *path)
{
    const dn_recipe_optimizer *o = &c->recipe->optimizer;
    const dn_recipe_rate *row = &o->schedule[i];
    if (row->step >= 0 && row->epoch > 0) return FAIL(c, path, "%s states both epoch and step; one of them", path);
    if (!i && start_of(row) > 0) return FAIL(c, path, "%s: the first row of a schedule starts at 0", path);
    if (!row->rate && (!i || row[-1].shape == DN_RATE_HOLD)) {
        return FAIL(c, path, "%s.rate is 0: a rate is above 0, except where a linear or cosine slope ends", path);
    }
    if (i + 1 == o->n_schedule && row->shape != DN_RATE_HOLD) {
        return FAIL(c, path, "%s.shape is a slope, but no row follows that it leads to", path);
    }
    if (!i) return DN_OK;
    /* The first row may be of either kind: both count from 0. */
    if (i > 1 && (row->step >= 0) != (row[-1].step >= 0)) {
        return FAIL(c, path, "%s: a schedule is all by epoch or all by step", path);
    }
    if (start_of(row) <= start_of(&row[-1])) {
        return FAIL(c, path, "%s starts at %g, not after %g of the row before", path, start_of(row),
                    start_of(&row[-1]));
    }
    return DN_OK;
}

static dn_status check_optimizer(const checker *c)
{
    const dn_recipe_optimizer *o = &c->recipe->optimizer;
    char path[DN__NUMBER];
    if (o->n_schedule > MOST_ROWS) {
        return FAIL(c, "optimizer.schedule", "optimizer.schedule has %u rows, at most 64 work", o->n_schedule);
    }
    for (unsigned i = 0; i < o->n_schedule; i++) {
        snprintf(path, sizeof path, "optimizer.schedule.%u", i);
        DN_TRY(check_rate(c, i, path));
    }
    if (o->n_member_rates && o->n_member_rates != (unsigned)c->recipe->ensemble.members) {
        return FAIL(c, "optimizer.member_rates", "optimizer.member_rates has %u numbers for ensemble.members %d",
                    o->n_member_rates, c->recipe->ensemble.members);
    }
    if (o->kind == DN_OPTIMIZER_SGD && o->nesterov && !(o->momentum > 0)) {
        return FAIL(c, "optimizer.nesterov", "optimizer.nesterov needs optimizer.momentum above 0");
    }
    return DN_OK;
}

dn_status dn__recipe_check(const dn_recipe *recipe, const dn__node *root, const char *label)
{
    const checker c = {recipe, root, label};
    DN_TRY(check_data(&c));
    DN_TRY(check_model(&c));
    DN_TRY(check_outputs(&c));
    DN_TRY(check_ensemble(&c));
    if (recipe->ensemble.kind == DN_ENSEMBLE_MI) {
        DN_TRY(check_sources(&c));
        DN_TRY(check_switches(&c));
    }
    return check_optimizer(&c);
}
