#include "core/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"

static dn_status failed(const dn_whole_file *file, const char *what)
{
    return dn_fail(DN_ERROR_FILE, "%s: cannot %s: %s", file->path, what, strerror(errno));
}

/* Rights are what the user's umask leaves, as for any new file. @return the descriptor, or -1 */
static int create_temporary(dn_whole_file *out)
{
    static atomic_uint counter;
    for (int attempt = 0; attempt < 100; attempt++) {
        dn_free(out->temporary);
        out->temporary = dn_format("%s.tmp-%08x%04x", out->path, (unsigned)getpid(), counter++ & 0xffffu);
        if (!out->temporary) return -1;
        const int descriptor = open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0 || errno != EEXIST) return descriptor;
    }
    return -1;
}

/* A name that stands for something else than a file must not be replaced by one. */
static bool is_no_file(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

dn_status dn_whole_file_open(dn_whole_file *out, const char *path)
{
    *out = (dn_whole_file){.path = dn_strdup(path)};
    if (!out->path) return DN_ERROR_MEMORY;
    if (is_no_file(path)) {
        out->file = fopen(path, "wb");
        return out->file ? DN_OK : failed(out, "write");
    }
    const int descriptor = create_temporary(out);
    if (descriptor < 0) {
        const dn_status status = out->temporary ? failed(out, "create the file") : DN_ERROR_MEMORY;
        dn_free(out->temporary);
        out->temporary = NULL; /* it is not ours to remove */
        return status;
    }
    out->file = fdopen(descriptor, "wb");
    if (out->file) return DN_OK;
    const dn_status status = failed(out, "create the file");
    close(descriptor);
    return status;
}

dn_status dn_whole_file_commit(dn_whole_file *file)
{
    const bool synced = fflush(file->file) == 0 && !ferror(file->file) &&
                        (!file->temporary || fsync(fileno(file->file)) == 0); /* pipes know no disk */
    const dn_status status = synced ? DN_OK : failed(file, "write");
    const int closed = fclose(file->file);
    file->file = NULL;
    DN_TRY(status);
    if (closed != 0) return failed(file, "write");
    if (!file->temporary) return DN_OK;
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
