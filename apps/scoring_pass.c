/* Scores that ask for a pass of their own. */
#include <stdio.h>
#include <string.h>

#include "apps/network_pass.h"
#include "apps/scoring_private.h"
#include "core/alloc.h"

/* ---- what a pass is ---- */

/* Only what changes the outputs is in the text: it names their file. */
static char *pass_text(const dn__score_group *group, const dn_scoring *s)
{
    const dn_pass_options *o = &group->pass_options;
    char text[256];
    switch (group->pass) {
    case DN_PASS_ODIN: return dn_format("odin T=%.17g eps=%.17g", o->temperature, o->epsilon);
    case DN_PASS_ODIN_ENTROPY: return dn_format("odin_entropy T=%.17g eps=%.17g", o->temperature, o->epsilon);
    case DN_PASS_RANKFEAT: return dn_strdup("rankfeat");
    case DN_PASS_DROPOUT: return dn_format("dropout T=%d", o->samples);
    default:
        dn_expression_text(&group->expression[0], text, sizeof text);
        if (group->expression[0].layers == DN_LAYERS_ALL) {
            const size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, " of layers %llx", (unsigned long long)group->layers);
        }
        return dn_format("moved against %s, fit on %s %016llx", text, s->fit ? s->fit->set : "nothing",
                         (unsigned long long)(s->fit ? s->fit->set_print : 0));
    }
}

dn_status dn__group_take_pass(dn__score_group *group, const dn_scoring *s)
{
    group->pass_options = dn_pass_options_for(&group->expression[0].base);
    group->pass_text = pass_text(group, s);
    return group->pass_text ? DN_OK : DN_ERROR_MEMORY;
}

dn_status dn__group_check_pass(const dn__score_group *group, const dn_scoring *s)
{
    const dn_reduce reduce = s->options.reduce;
    if (group->pass == DN_PASS_DROPOUT && (reduce == DN_REDUCE_PROB || reduce == DN_REDUCE_LOGIT))
        return dn_fail(DN_ERROR_ARGUMENT,
                       "%s with reduce=%s: each member scores its own passes; use reduce=score, min or max",
                       group->expression[0].base.method->name, dn_reduce_name(reduce));
    if (group->pass != DN_PASS_DROPOUT && group->pass != DN_PASS_RANKFEAT) return DN_OK;
    const dn_pass_network network = dn_network_pass(s->files->network);
    dn_pass_options options = group->pass_options;
    dn_pass *pass = NULL;
    options.type = DN_U8;
    DN_TRY(dn_pass_open(&pass, &network, &options));
    dn_pass_close(pass);
    return DN_OK;
}

/* ---- images moved against a score ---- */

typedef struct mover {
    const dn_network *network;
    const dn_scorer *scorer;
    size_t rows, layers;
    size_t dim[DN_PASS_LAYERS_MAX]; /* [layers] that the score is a function of */
    double *logits, *features;      /* [rows,K], [rows,D] of one member and layer */
} mover;

/* The member's used columns by class, lowest first. @param order [K] @return how many */
static size_t order_columns(const dn_network *n, size_t member, size_t *order)
{
    const size_t columns = (size_t)n->columns;
    size_t count = 0;
    if (!n->class_map)
        for (size_t k = 0; k < columns; k++) order[count++] = k;
    for (int32_t c = 0; n->class_map && c < n->classes; c++)
        for (size_t k = 0; k < columns; k++)
            if (n->class_map[member * columns + k] == c) order[count++] = k;
    return count;
}

/* By one layer's features. @param gradient [rows,D] @param features [rows,D] */
static dn_status layer_gradient(const mover *m, size_t member, size_t layer, double *gradient, const float *features)
{
    for (size_t i = 0; i < m->rows * m->dim[layer]; i++) m->features[i] = (double)features[i];
    return dn_scorer_gradient(m->scorer, 0, member, layer, gradient, m->logits, m->features, m->rows);
}

/* @param gradient layers of [E,rows,D] @param features likewise */
static dn_status member_gradient(const mover *m, size_t member, const size_t *order, double *gradient,
                                 const float *logits, const float *features)
{
    const size_t columns = (size_t)m->network->columns, used = order[columns];
    for (size_t r = 0; r < m->rows; r++)
        for (size_t k = 0; k < used; k++) m->logits[r * used + k] = (double)logits[r * columns + order[k]];
    for (size_t l = 0, first = 0; l < m->layers; l++) {
        const size_t own = first + member * m->rows * m->dim[l];
        DN_TRY(layer_gradient(m, member, l, gradient + own, features + own));
        first += (size_t)m->network->members * m->rows * m->dim[l];
    }
    return DN_OK;
}

static size_t widest(const mover *m)
{
    size_t most = 0;
    for (size_t l = 0; l < m->layers; l++) most = m->dim[l] > most ? m->dim[l] : most;
    return most;
}

static dn_status gradient(void *context, double *to, const float *logits, const float *features, size_t rows)
{
    mover m = *(const mover *)context;
    const size_t columns = (size_t)m.network->columns;
    size_t *order = dn_calloc(columns + 1, sizeof *order); /* the last: how many */
    m.rows = rows;
    m.logits = dn_calloc(rows, columns * sizeof(double));
    m.features = dn_calloc(rows, widest(&m) * sizeof(double));
    dn_status status = order && m.logits && m.features ? DN_OK : DN_ERROR_MEMORY;
    for (size_t e = 0; e < (size_t)m.network->members && status == DN_OK; e++) {
        order[columns] = order_columns(m.network, e, order);
        status = member_gradient(&m, e, order, to, logits + e * rows * columns, features);
    }
    dn_free(m.features);
    dn_free(m.logits);
    dn_free(order);
    return status;
}

/* The layers that the group's score reads. */
static mover open_mover(const dn_scoring *s, const dn__score_group *group, uint64_t *by)
{
    const dn_pass_layers *layers = &s->files->layers;
    mover m = {.network = s->files->network, .scorer = group->scorer};
    const bool all = group->expression[0].layers == DN_LAYERS_ALL;
    *by = all ? group->layers | dn_pass_last_layer(layers) : dn_pass_last_layer(layers);
    for (size_t l = 0; l < layers->count; l++)
        if (*by >> l & 1) m.dim[m.layers++] = layers->layer[l].dim;
    return m;
}

dn_status dn__group_outputs(dn_outputs **out, dn_scoring *s, const dn__score_group *group, const char *set)
{
    dn_output_request request = {.set = set,
                                 .seed = s->options.seed,
                                 .limit = s->options.limit,
                                 .layers = group->layers,
                                 .pass = group->pass_text,
                                 .options = group->pass_options};
    mover m = {0};
    if (group->pass == DN_PASS_SCORE) {
        m = open_mover(s, group, &request.options.by);
        request.options.gradient = gradient;
        request.options.context = &m;
    }
    return dn_outputs_open(out, s->files, &request);
}

/* ---- dropout ---- */

/* The passes of one member, as an ensemble. @param map [T,K] room */
static dn_status score_passes(double *scores, const dn__score_group *group, const dn_outputs *o, size_t member,
                              int32_t *map)
{
    const dn_network *n = o->network;
    const size_t columns = (size_t)n->columns, samples = (size_t)(o->members / n->members);
    dn_outputs_part part;
    dn_outputs_take_part(&part, o, member * samples, samples, 0, (size_t)o->rows);
    for (size_t t = 0; t < samples && n->class_map; t++)
        memcpy(map + t * columns, n->class_map + member * columns, columns * sizeof *map);
    part.input.class_map = n->class_map ? map : NULL;
    const dn_score_fit fit = {.passes = true};
    return dn_score(scores, &group->expression[0], &part.input, DN_REDUCE_DEFAULT, &fit);
}

static void join(double *scores, const double *member, size_t rows, dn_reduce reduce, double share)
{
    for (size_t i = 0; i < rows; i++) {
        if (reduce == DN_REDUCE_MIN)
            scores[i] = member[i] < scores[i] ? member[i] : scores[i];
        else if (reduce == DN_REDUCE_MAX)
            scores[i] = member[i] > scores[i] ? member[i] : scores[i];
        else
            scores[i] += share * member[i];
    }
}

dn_status dn__group_run_dropout(double *scores, const dn_scoring *s, const dn__score_group *group, const dn_outputs *o)
{
    const dn_network *n = o->network;
    const size_t rows = (size_t)o->rows, members = (size_t)n->members;
    const bool mean = s->options.reduce != DN_REDUCE_MIN && s->options.reduce != DN_REDUCE_MAX;
    int32_t *map = dn_calloc((size_t)o->members, (size_t)n->columns * sizeof *map);
    double *member = dn_calloc(rows, sizeof *member);
    dn_status status = map && member ? DN_OK : DN_ERROR_MEMORY;
    for (size_t e = 0; e < members && status == DN_OK; e++) {
        status = score_passes(member, group, o, e, map);
        if (e == 0 && status == DN_OK)
            for (size_t i = 0; i < rows; i++) scores[i] = mean ? 0.0 : member[i];
        if (status == DN_OK) join(scores, member, rows, s->options.reduce, 1.0 / (double)members);
    }
    dn_free(member);
    dn_free(map);
    return status;
}
