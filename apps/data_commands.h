/** The actions of `dunlin data`: one file apps/data_ACTION.c each, with options of its own. */
#ifndef DN_APPS_DATA_COMMANDS_H
#define DN_APPS_DATA_COMMANDS_H

#include <cjson/cJSON.h>

#include "apps/table.h"
#include "core/status.h"

#define DN_DATA_ACTIONS(ROW)                                    \
    ROW(list, "the known data sets, and whether they are here") \
    ROW(info, "what one data set holds")                        \
    ROW(convert, "any set into one file of any size")           \
    ROW(fetch, "download published data sets, checked and unpacked")

#define DN_DECLARE_DATA_ACTION(name, help) int dn_data_##name(int argc, char **argv);
DN_DATA_ACTIONS(DN_DECLARE_DATA_ACTION)
#undef DN_DECLARE_DATA_ACTION

/** Prints the table and writes the tree to `json` where it is not NULL; with "-" that goes to standard output instead
 *  of the table. */
dn_status dn_data_publish(const dn_table *table, const cJSON *tree, const char *json) DN_NODISCARD;

#endif
