/* Outputs as scores take them, whole and in parts, and what the ensemble names the rows. */
#include "apps/outputs.h"
#include "core/alloc.h"

enum { BLOCK_ROWS = 4096 /* named at once */ };

dn_score_input dn_outputs_input(const dn_outputs *o)
{
    return (dn_score_input){.logits = o->logits,
                            .layer = o->layer,
                            .layers = o->layers,
                            .labels = o->labels,
                            .class_map = o->network->class_map,
                            .classes = (size_t)o->network->classes};
}

dn_score_input dn_outputs_choose(const dn_outputs *o, uint64_t layers, dn_matrix *room)
{
    dn_score_input input = dn_outputs_input(o);
    input.layer = room;
    input.layers = 0;
    for (size_t l = 0, at = 0; l < DN_PASS_LAYERS_MAX; l++) {
        if (!(o->layer_bits >> l & 1)) continue;
        if (layers >> l & 1) room[input.layers++] = o->layer[at];
        at++;
    }
    return input;
}

/* ---- parts ---- */

static dn_status read_part(void *context, size_t member, size_t first, size_t rows, void *to)
{
    const dn_outputs_source *source = context;
    return source->of->read(source->of->context, source->member + member, source->first + first, rows, to);
}

void dn_outputs_take_part(dn_outputs_part *out, const dn_outputs *o, size_t member, size_t members, size_t first,
                          size_t rows)
{
    const dn_network *n = o->network;
    out->input = dn_outputs_input(o);
    out->input.layer = out->layer;
    out->input.labels = o->labels ? o->labels + first : NULL;
    if (n->class_map)
        out->input.class_map = o->members == n->members ? n->class_map + member * (size_t)n->columns : NULL;
    for (size_t i = 0; i <= o->layers; i++) {
        const dn_matrix *of = i == 0 ? &o->logits : &o->layer[i - 1];
        dn_matrix *to = i == 0 ? &out->input.logits : &out->layer[i - 1];
        out->source[i] = (dn_outputs_source){of, member, first};
        *to = (dn_matrix){members, rows, of->columns, of->type, NULL, read_part, &out->source[i]};
    }
}

/* ---- names ---- */

/* Calls dn_ensemble_predict() block by block: the probabilities of all classes are large. */
typedef struct naming {
    const dn_outputs *outputs;
    double *probabilities; /* [BLOCK_ROWS,classes], or NULL */
    int32_t *named;        /* [N] */
    double *probability;   /* [N], or NULL */
    int32_t *member_named; /* [E,BLOCK_ROWS], or NULL */
} naming;

static dn_status name_block(const naming *by, size_t first, size_t rows)
{
    const size_t classes = (size_t)by->outputs->network->classes;
    dn_outputs_part part;
    dn_outputs_take_part(&part, by->outputs, 0, (size_t)by->outputs->members, first, rows);
    const dn_ensemble_prediction prediction = {
        .labels = by->named + first, .probabilities = by->probabilities, .member_labels = by->member_named};
    DN_TRY(dn_ensemble_predict(&prediction, &part.input));
    for (size_t i = 0; i < rows && by->probability; i++)
        by->probability[first + i] = by->probabilities[i * classes + (size_t)by->named[first + i]];
    return DN_OK;
}

dn_status dn_outputs_name(int32_t *named, double *probability, const dn_outputs *o)
{
    const size_t n = (size_t)o->rows;
    naming by = {.outputs = o, .named = named, .probability = probability};
    if (probability && !(by.probabilities = dn_calloc(BLOCK_ROWS, (size_t)o->network->classes * sizeof(double))))
        return DN_ERROR_MEMORY;
    dn_status status = DN_OK;
    for (size_t first = 0; first < n && status == DN_OK; first += BLOCK_ROWS)
        status = name_block(&by, first, n - first < BLOCK_ROWS ? n - first : BLOCK_ROWS);
    dn_free(by.probabilities);
    return status;
}

/* ---- how often they are right ---- */

dn_status dn_outputs_right(uint8_t **right, double *share, const dn_outputs *o)
{
    const size_t n = (size_t)o->rows;
    size_t count = 0;
    *right = NULL;
    if (!o->labels)
        return dn_fail(DN_ERROR_ARGUMENT, "'%s' has no labels of the classes that the network knows", o->set);
    int32_t *named = dn_calloc(n, sizeof *named);
    uint8_t *is_right = dn_calloc(n, sizeof *is_right);
    const dn_status status = named && is_right ? dn_outputs_name(named, NULL, o) : DN_ERROR_MEMORY;
    for (size_t i = 0; i < n && status == DN_OK; i++) count += is_right[i] = named[i] == o->labels[i];
    dn_free(named);
    if (status != DN_OK) {
        dn_free(is_right);
        return status;
    }
    *right = is_right;
    if (share) *share = (double)count / (double)n;
    return DN_OK;
}

/* Whether member e has an output for this class. */
static bool knows(const dn_network *n, int e, int32_t class)
{
    if (!n->class_map) return true;
    for (int c = 0; c < n->columns; c++)
        if (n->class_map[e * n->columns + c] == class) return true;
    return false;
}

typedef struct counts {
    int64_t right, *member_right, *member_counted; /* [E] */
} counts;

static void count_block(counts *c, const naming *by, size_t first, size_t rows)
{
    const dn_outputs *o = by->outputs;
    for (size_t i = 0; i < rows; i++) c->right += by->named[first + i] == o->labels[first + i];
    for (int e = 0; e < o->members; e++)
        for (size_t i = 0; i < rows; i++) {
            if (!knows(o->network, e, o->labels[first + i])) continue;
            c->member_counted[e]++;
            c->member_right[e] += by->member_named[(size_t)e * rows + i] == o->labels[first + i];
        }
}

static dn_status count(counts *c, const naming *by)
{
    const size_t n = (size_t)by->outputs->rows;
    for (size_t first = 0; first < n; first += BLOCK_ROWS) {
        const size_t rows = n - first < BLOCK_ROWS ? n - first : BLOCK_ROWS;
        DN_TRY(name_block(by, first, rows));
        count_block(c, by, first, rows);
    }
    return DN_OK;
}

dn_status dn_outputs_accuracy(dn_accuracy_report *out, const dn_outputs *o)
{
    const size_t members = (size_t)o->members, n = (size_t)o->rows;
    counts c = {.member_right = dn_calloc(members, sizeof(int64_t)),
                .member_counted = dn_calloc(members, sizeof(int64_t))};
    naming by = {.outputs = o,
                 .named = dn_calloc(n, sizeof(int32_t)),
                 .member_named = dn_calloc(members, BLOCK_ROWS * sizeof(int32_t))};
    out->member = dn_calloc(members, sizeof *out->member);
    dn_status status = c.member_right && c.member_counted && by.named && by.member_named && out->member
                           ? count(&c, &by)
                           : DN_ERROR_MEMORY;
    if (status == DN_OK) {
        out->ensemble = (double)c.right / (double)n;
        for (size_t e = 0; e < members; e++)
            out->member[e] = c.member_counted[e] ? (double)c.member_right[e] / (double)c.member_counted[e] : 0.0;
    } else {
        dn_free(out->member);
        out->member = NULL;
    }
    dn_free(by.member_named);
    dn_free(by.named);
    dn_free(c.member_counted);
    dn_free(c.member_right);
    return status;
}
