#include "apps/best_members.h"

#include "apps/run.h"
#include "core/alloc.h"

/* Copies one member's slice of a block; both stores are of the same network. */
static dn_status copy_block(const dn_params *to, const dn_params *from, dn_params_block block, int member)
{
    const int64_t slice = dn_params_slice(from, block);
    if (slice != dn_params_slice(to, block))
        return dn_fail(DN_ERROR_FORMAT, "the best members so far are of another network: delete their folder");
    const size_t bytes = (size_t)slice * dn_dtype_size(dn_params_dtype(from));
    if (bytes == 0) return DN_OK;
    void *room = dn_calloc(bytes, 1);
    if (!room) return DN_ERROR_MEMORY;
    const size_t offset = (size_t)member * bytes;
    dn_status status = dn_buffer_download(dn_params_buffer(from, block, 0), offset, room, bytes);
    if (status == DN_OK) status = dn_buffer_upload(dn_params_buffer(to, block, 0), offset, room, bytes);
    dn_free(room);
    return status;
}

static dn_status merge(const dn_network *best, const dn_network *now, const bool *better)
{
    for (int e = 0; e < now->members; e++) {
        if (!better[e]) continue;
        DN_TRY(copy_block(best->params, now->params, DN_BLOCK_VALUES, e));
        DN_TRY(copy_block(best->params, now->params, DN_BLOCK_STATES, e));
    }
    return DN_OK;
}

static dn_status keep(const char *folder, const dn_network *network, const dn_history *history, const bool *better,
                      const char *run)
{
    dn_network *best = NULL;
    dn_run_made made;
    DN_TRY(dn_run_load(&best, dn_run_exists(folder) ? folder : run, network->device));
    dn_status status = merge(best, network, better);
    char *checkpoint = dn_format("%s/checkpoint.h5", folder);
    if (status == DN_OK) status = dn_run_make(&made, folder, network->recipe);
    if (status == DN_OK) status = checkpoint ? dn_checkpoint_save(checkpoint, best, history) : DN_ERROR_MEMORY;
    dn_free(checkpoint);
    dn_network_close(best);
    return status;
}

dn_status dn_best_members_keep(const char *run, const dn_network *network, const dn_history *history,
                               const bool *better)
{
    bool any = false;
    for (int e = 0; e < network->members; e++) any |= better[e];
    if (!any) return DN_OK;
    char *folder = dn_format("%s/best", run);
    const dn_status status = folder ? keep(folder, network, history, better, run) : DN_ERROR_MEMORY;
    dn_free(folder);
    return status;
}
