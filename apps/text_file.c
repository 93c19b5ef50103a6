#include "apps/text_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

bool dn_text_is_standard_output(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

dn_status dn_text_check(const char *path)
{
    struct stat info;
    if (dn_text_is_standard_output(path)) return DN_OK;
    if (!*path) return dn_fail(DN_ERROR_ARGUMENT, "the name of a file is needed, found an empty one");
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return dn_fail(DN_ERROR_FILE, "%s: is a folder; name a file", path);
    if (lstat(path, &info) == 0 && !S_ISREG(info.st_mode)) { /* it would be written to as it is: do not open it */
        if (access(path, W_OK) == 0 || errno == ENOENT) return DN_OK;
        return dn_fail(DN_ERROR_FILE, "%s: cannot write: %s", path, strerror(errno));
    }
    dn_whole_file file;
    const dn_status status = dn_whole_file_open(&file, path);
    dn_whole_file_close(&file);
    return status;
}

dn_status dn_text_check_outputs(const char *json, const char *csv)
{
    if (dn_text_is_standard_output(json) && dn_text_is_standard_output(csv))
        return dn_fail(DN_ERROR_ARGUMENT, "--json and --csv cannot both be standard output");
    if (json) DN_TRY(dn_text_check(json));
    return csv ? dn_text_check(csv) : DN_OK;
}
