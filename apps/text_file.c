#include "apps/text_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/whole_file.h"

static dn_status print(const char *text)
{
    if (fputs(text, stdout) >= 0 && fflush(stdout) == 0) return DN_OK;
    return dn_fail(DN_ERROR_FILE, "standard output: cannot write: %s", strerror(errno));
}

dn_status dn_text_write(const char *text, const char *path)
{
    if (strcmp(path, "-") == 0) return print(text);
    dn_whole_file file;
    dn_status status = dn_whole_file_open(&file, path);
    if (status == DN_OK) {
        (void)fputs(text, file.file); /* what goes wrong shows in the end */
        status = dn_whole_file_commit(&file);
    }
    dn_whole_file_close(&file);
    return status;
}
