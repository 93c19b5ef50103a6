#include "apps/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apps/text_file.h"
#include "apps/utf8.h"
#include "core/alloc.h"

/* Names of files are bytes of any kind, JSON is UTF-8. */
static void mend(char *text)
{
    while (*text) {
        const size_t length = (unsigned char)*text < 0x80 ? 1 : dn_utf8_length(text);
        if (length == 0) *text = '?';
        text += length > 0 ? length : 1;
    }
}

dn_status dn_json_write(const cJSON *tree, const char *path)
{
    char *text = cJSON_Print(tree);
    if (!text) return dn_fail(DN_ERROR_MEMORY, "%s: no memory for the JSON text", path);
    char *line = dn_format("%s\n", text);
    cJSON_free(text);
    if (line) mend(line);
    const dn_status status = line ? dn_text_write(line, path) : DN_ERROR_MEMORY;
    dn_free(line);
    return status;
}

dn_status dn_json_read(cJSON **out, const char *path)
{
    enum { MOST_BYTES = 1 << 16 };
    *out = NULL;
    FILE *file = fopen(path, "rb");
    if (!file) return dn_fail(DN_ERROR_FILE, "%s: cannot open the file: %s", path, strerror(errno));
    char *text = dn_calloc(MOST_BYTES + 1, 1);
    const size_t got = text ? fread(text, 1, MOST_BYTES, file) : 0;
    fclose(file);
    if (!text) return DN_ERROR_MEMORY;
    *out = got < MOST_BYTES ? cJSON_Parse(text) : NULL;
    dn_free(text);
    return *out ? DN_OK : dn_fail(DN_ERROR_FORMAT, "%s: it is not JSON, or too long", path);
}
