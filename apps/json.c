#include "apps/json.h"

#include "apps/text_file.h"
#include "core/alloc.h"

dn_status dn_json_write(const cJSON *tree, const char *path)
{
    char *text = cJSON_Print(tree);
    if (!text) return dn_fail(DN_ERROR_MEMORY, "%s: no memory for the JSON text", path);
    char *line = dn_format("%s\n", text);
    cJSON_free(text);
    const dn_status status = line ? dn_text_write(line, path) : DN_ERROR_MEMORY;
    dn_free(line);
    return status;
}
