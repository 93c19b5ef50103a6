#include "apps/text_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"

static dn_status put(FILE *file, const char *text, const char *path)
{
    if (fputs(text, file) >= 0 && fflush(file) == 0) return DN_OK;
    return dn_fail(DN_ERROR_FILE, "%s: cannot write: %s", path, strerror(errno));
}

/** @param temporary ends in XXXXXX, which is replaced */
static dn_status write_file(const char *text, const char *path, char *temporary)
{
    const int descriptor = mkstemp(temporary);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (!file) {
        const int reason = errno;
        if (descriptor >= 0) close(descriptor);
        return dn_fail(DN_ERROR_FILE, "%s: cannot create the file: %s", path, strerror(reason));
    }
    dn_status status = put(file, text, path);
    if (status == DN_OK && (fchmod(descriptor, 0644) != 0 || fsync(descriptor) != 0))
        status = dn_fail(DN_ERROR_FILE, "%s: cannot write: %s", path, strerror(errno));
    if (fclose(file) != 0 && status == DN_OK)
        status = dn_fail(DN_ERROR_FILE, "%s: cannot write: %s", path, strerror(errno));
    if (status == DN_OK && rename(temporary, path) != 0)
        status = dn_fail(DN_ERROR_FILE, "%s: cannot create the file: %s", path, strerror(errno));
    if (status != DN_OK) unlink(temporary);
    return status;
}

dn_status dn_text_write(const char *text, const char *path)
{
    if (strcmp(path, "-") == 0) return put(stdout, text, "standard output");
    char *temporary = dn_format("%s.tmp-XXXXXX", path);
    const dn_status status = temporary ? write_file(text, path, temporary) : DN_ERROR_MEMORY;
    dn_free(temporary);
    return status;
}
