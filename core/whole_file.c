#include "core/whole_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"

static dn_status failed(const dn_whole_file *file, const char *what)
{
    return dn_fail(DN_ERROR_FILE, "%s: cannot %s: %s", file->path, what, strerror(errno));
}

dn_status dn_whole_file_open(dn_whole_file *out, const char *path)
{
    *out = (dn_whole_file){.path = dn_strdup(path)};
    char *temporary = dn_format("%s.tmp-XXXXXX", path);
    if (!out->path || !temporary) {
        dn_free(temporary);
        return DN_ERROR_MEMORY;
    }
    const int descriptor = mkstemp(temporary);
    if (descriptor < 0) {
        dn_free(temporary);
        return failed(out, "create the file");
    }
    out->temporary = temporary;
    out->file = fdopen(descriptor, "wb");
    if (out->file) return DN_OK;
    const dn_status status = failed(out, "create the file");
    close(descriptor);
    return status;
}

dn_status dn_whole_file_commit(dn_whole_file *file)
{
    const int descriptor = fileno(file->file);
    const bool good =
        fflush(file->file) == 0 && !ferror(file->file) && fchmod(descriptor, 0644) == 0 && fsync(descriptor) == 0;
    const dn_status status = good ? DN_OK : failed(file, "write");
    const int closed = fclose(file->file);
    file->file = NULL;
    DN_TRY(status);
    if (closed != 0) return failed(file, "write");
    if (rename(file->temporary, file->path) != 0) return failed(file, "create the file");
    dn_free(file->temporary);
    file->temporary = NULL;
    return DN_OK;
}

void dn_whole_file_close(dn_whole_file *file)
{
    if (file->file) (void)fclose(file->file);
    if (file->temporary) unlink(file->temporary);
    dn_free(file->temporary);
    dn_free(file->path);
    *file = (dn_whole_file){0};
}
