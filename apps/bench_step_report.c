/* The report of `dunlin bench step` as a table and as JSON. */
#include "apps/bench_report.h"
#include "apps/bench_step.h"
#include "apps/json.h"
#include "apps/table.h"

static void print_peer(const dn_step_report *r, const dn_workload *w, const dn_peer *peer, FILE *to)
{
    fprintf(to, "peer: %s, %d threads\n", dn_peer_name(peer), dn_peer_threads(peer));
    if (dn_peer_threads(peer) != dn_device_threads(w->device))
        fprintf(to, "  NOT EQUAL: dunlin uses %d threads\n", dn_device_threads(w->device));
    for (int i = 0; i < r->n_differences; i++) fprintf(to, "  NOT EQUAL: %s\n", r->differences[i]);
    fputc('\n', to);
}

static double images_a_second(const dn_workload *w, const dn_step_side *side)
{
    return 1e3 * (double)w->images_a_step / side->spread.median;
}

static void add_row(dn_table *table, const dn_step_report *r, int s, const dn_workload *w, const dn_peer *peer)
{
    const dn_step_side *side = &r->sides[s];
    if (s == 0)
        dn_table_cell(table, "dunlin");
    else
        dn_table_cell(table, "%s %s", dn_peer_name(peer), side->layout);
    dn_table_cell(table, "%.2f", side->spread.median);
    dn_table_cell(table, "%.2f", side->spread.min);
    dn_table_cell(table, "%.2f-%.2f", side->spread.low, side->spread.high);
    dn_table_cell(table, "%.0f", images_a_second(w, side));
    if (s == 0) {
        for (int i = 0; i < 3; i++) dn_table_cell(table, "%s", "");
        return;
    }
    dn_table_cell(table, "%.2f", side->speedup.median);
    dn_table_cell(table, "%.2f-%.2f", side->speedup.low, side->speedup.high);
    dn_table_cell(table, "%.2f", side->speedup_min);
}

static dn_status print_table(const dn_step_report *r, const dn_workload *w, const dn_peer *peer, FILE *to)
{
    static const char *const head[] = {"",         "ms/step",       "least",     "quartiles",
                                       "images/s", "dunlin's gain", "quartiles", "of the least"};
    dn_table *table = NULL;
    DN_TRY(dn_table_open(&table, "lrrrrrrr"));
    for (int i = 0; i < (peer ? 8 : 5); i++) dn_table_cell(table, "%s", head[i]);
    dn_table_rule(table);
    for (int s = 0; s < r->n_sides; s++) add_row(table, r, s, w, peer);
    const dn_status status = dn_table_print(table, to);
    dn_table_close(table);
    return status;
}

dn_status dn_bench_step_print(const dn_step_report *r, const dn_workload *w, const dn_peer *peer, FILE *to)
{
    dn_bench_print_head(w, "training steps", to);
    if (peer) print_peer(r, w, peer, to);
    DN_TRY(print_table(r, w, peer, to));
    fprintf(to, "\n%d rounds of %d steps; ms/step: median; images: of all members\n", r->rounds, r->steps);
    if (peer) {
        const dn_step_side *best = &r->sides[r->best];
        fprintf(to, "against the peer's best, %s: %.2f times as fast (quartiles %.2f-%.2f, of the least times %.2f)\n",
                best->layout, best->speedup.median, best->speedup.low, best->speedup.high, best->speedup_min);
    }
    dn_bench_print_memory(w, to);
    return DN_OK;
}

static cJSON *side_json(const dn_step_report *r, int s, const dn_workload *w)
{
    const dn_step_side *side = &r->sides[s];
    cJSON *object = cJSON_CreateObject();
    if (side->layout) cJSON_AddStringToObject(object, "layout", side->layout);
    dn_bench_add_spread(object, "ms", &side->spread);
    cJSON_AddItemToObject(object, "rounds_ms", cJSON_CreateDoubleArray(side->ms, r->rounds));
    cJSON_AddNumberToObject(object, "images_per_second", images_a_second(w, side));
    if (s == 0) return object;
    dn_bench_add_spread(object, "speedup", &side->speedup);
    cJSON_AddNumberToObject(object, "speedup_of_least", side->speedup_min);
    return object;
}

static void add_peer(cJSON *tree, const dn_step_report *r, const dn_workload *w, const dn_peer *peer)
{
    cJSON *object = cJSON_AddObjectToObject(tree, "peer");
    cJSON_AddStringToObject(object, "name", dn_peer_name(peer));
    cJSON_AddNumberToObject(object, "threads", dn_peer_threads(peer));
    cJSON_AddStringToObject(object, "best_layout", r->sides[r->best].layout);
    dn_bench_add_spread(object, "speedup", &r->sides[r->best].speedup);
    cJSON_AddNumberToObject(object, "speedup_of_least", r->sides[r->best].speedup_min);
    cJSON_AddItemToObject(object, "differences", cJSON_CreateStringArray(r->differences, r->n_differences));
    cJSON *layouts = cJSON_AddArrayToObject(object, "layouts");
    for (int s = 1; s < r->n_sides; s++) cJSON_AddItemToArray(layouts, side_json(r, s, w));
}

dn_status dn_bench_step_json(const dn_step_report *r, const dn_workload *w, const dn_peer *peer, const char *path)
{
    cJSON *tree = dn_bench_json(w, "step");
    cJSON_AddNumberToObject(tree, "rounds", r->rounds);
    cJSON_AddNumberToObject(tree, "steps", r->steps);
    cJSON_AddNumberToObject(tree, "images_per_step", (double)w->images_a_step);
    cJSON_AddItemToObject(tree, "own", side_json(r, 0, w));
    if (peer) add_peer(tree, r, w, peer);
    const dn_status status = dn_json_write(tree, path);
    cJSON_Delete(tree);
    return status;
}
