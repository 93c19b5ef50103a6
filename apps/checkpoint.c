#include "apps/checkpoint.h"

#include <stdint.h>
#include <string.h>

#include "core/alloc.h"
#include "core/params_file.h"

static const char kind[] = "dunlin checkpoint";
enum { VERSION = 1 };

dn_status dn_history_new(dn_history *out, int members, int64_t steps)
{
    *out = (dn_history){.members = members, .room = steps};
    const size_t all = (size_t)steps * (size_t)members;
    out->loss = dn_calloc(all, sizeof *out->loss);
    out->accuracy = dn_calloc(all, sizeof *out->accuracy);
    out->mutual_information = dn_calloc((size_t)steps, sizeof *out->mutual_information);
    if (out->loss && out->accuracy && out->mutual_information) return DN_OK;
    dn_history_close(out);
    return DN_ERROR_MEMORY;
}

void dn_history_close(dn_history *history)
{
    dn_free(history->loss);
    dn_free(history->accuracy);
    dn_free(history->mutual_information);
    *history = (dn_history){0};
}

static dn_status save_history(dn_store *to, const dn_history *h)
{
    const int64_t dim[2] = {h->steps, h->members};
    DN_TRY(dn_store_set_int(to, "/", "step", h->steps));
    DN_TRY(dn_store_write(to, "history/loss", DN_F32, 2, dim, h->loss));
    DN_TRY(dn_store_write(to, "history/accuracy", DN_F32, 2, dim, h->accuracy));
    return dn_store_write(to, "history/mutual_information", DN_F32, 1, dim, h->mutual_information);
}

static dn_status save(dn_store *to, const dn_network *network, const dn_history *history)
{
    DN_TRY(dn_store_set_kind(to, kind, VERSION));
    DN_TRY(dn_network_describe(network, to));
    DN_TRY(dn_params_save(network->params, to));
    DN_TRY(save_history(to, history));
    return dn_store_commit(to);
}

dn_status dn_checkpoint_save(const char *path, const dn_network *network, const dn_history *history)
{
    dn_store *store = NULL;
    DN_TRY(dn_store_create(&store, path));
    const dn_status status = save(store, network, history);
    dn_store_close(store);
    return status;
}

static dn_status load_history(dn_store *from, dn_history *h)
{
    int64_t steps = 0;
    DN_TRY(dn_store_get_int(from, "/", "step", &steps));
    if (steps < 0 || steps > h->room)
        return dn_fail(DN_ERROR_FORMAT, "%s: step %lld, but the training has %lld steps", dn_store_path(from),
                       (long long)steps, (long long)h->room);
    DN_TRY(dn_store_read(from, "history/loss", DN_F32, steps * h->members, h->loss));
    DN_TRY(dn_store_read(from, "history/accuracy", DN_F32, steps * h->members, h->accuracy));
    DN_TRY(dn_store_read(from, "history/mutual_information", DN_F32, steps, h->mutual_information));
    h->steps = steps;
    return DN_OK;
}

dn_status dn_checkpoint_resume(const char *path, dn_network *network, dn_history *history)
{
    dn_store *store = NULL;
    DN_TRY(dn_store_open(&store, path));
    dn_status status = dn_store_expect_kind(store, kind, VERSION, NULL);
    if (status == DN_OK) status = load_history(store, history);
    if (status == DN_OK) status = dn_params_load(network->params, store, true);
    dn_store_close(store);
    return status;
}

static dn_status read_history(dn_store *from, dn_history *out)
{
    dn_store_info info;
    DN_TRY(dn_store_expect_kind(from, kind, VERSION, NULL));
    if (!dn_store_exists(from, "history/loss")) return DN_OK;
    DN_TRY(dn_store_array_info(from, "history/loss", &info));
    if (info.rank != 2 || info.dim[1] < 1 || info.dim[1] > INT32_MAX)
        return dn_fail(DN_ERROR_FORMAT, "%s: history/loss is not [steps,members]", dn_store_path(from));
    DN_TRY(dn_history_new(out, (int)info.dim[1], info.dim[0]));
    return load_history(from, out);
}

dn_status dn_checkpoint_history(const char *path, dn_history *out)
{
    dn_store *store = NULL;
    *out = (dn_history){0};
    DN_TRY(dn_store_open(&store, path));
    const dn_status status = read_history(store, out);
    dn_store_close(store);
    if (status != DN_OK) dn_history_close(out);
    return status;
}

char *dn_checkpoint_recipe(const char *path)
{
    dn_store *store = NULL;
    char *text = NULL;
    if (dn_store_open(&store, path) != DN_OK) return NULL;
    dn_status status = dn_store_expect_kind(store, kind, VERSION, NULL);
    if (status == DN_OK) status = dn_store_get_text(store, "/", "recipe", &text);
    dn_store_close(store);
    return status == DN_OK ? text : NULL;
}
