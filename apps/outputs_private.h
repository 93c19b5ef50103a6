/** Shared by the files of outputs.h. */
#ifndef DN_APPS_OUTPUTS_PRIVATE_H
#define DN_APPS_OUTPUTS_PRIVATE_H

#include "apps/outputs.h"

/** What a file must hold to be used. */
typedef struct dn__output_plan {
    const dn_output_request *request;
    dn_dataset *set; /**< NULL until it is needed, if all below is known already */
    int64_t rows;
    uint64_t set_print;
    bool labelled;
    int members;     /**< M */
    uint64_t layers; /**< bits that must be there */
    char *path;
} dn__output_plan;

/** An array of an open file, behind a dn_matrix. */
struct dn_output_array {
    dn_store *store;
    int64_t columns;
    char name[DN_PASS_LAYER_NAME + 8];
};

static inline bool dn__has_layer(uint64_t layers, size_t l)
{
    return layers >> l & 1;
}

/** The name of a layer's array. @return text */
const char *dn__output_layer_name(const dn_pass_layers *layers, size_t l, char text[DN_PASS_LAYER_NAME + 8]);

/** Passes the set through the network and writes the plan's file with these layers. */
dn_status dn__outputs_make(dn_output_files *files, const dn__output_plan *plan, uint64_t layers) DN_NODISCARD;

/** The attributes of a file. Written, or compared: @return DN_ERROR_FORMAT saying what is different */
dn_status dn__outputs_describe(dn_store *to, const dn_output_files *files, const dn__output_plan *plan) DN_NODISCARD;
dn_status dn__outputs_compare(dn_store *from, const dn_output_files *files, const dn__output_plan *plan) DN_NODISCARD;

#endif
