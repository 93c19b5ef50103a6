#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "datasets/fetch/unpack.h"

/** @return 0, or -1 with errno */
static int remove_at(int parent, const char *name)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return 0;
    if (errno != EISDIR && errno != EPERM) return -1;
    const int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = folder < 0 ? NULL : fdopendir(folder);
    if (!list) {
        if (folder >= 0) close(folder);
        return -1;
    }
    int result = 0;
    for (const struct dirent *entry; result == 0 && (entry = readdir(list));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = remove_at(folder, entry->d_name);
    closedir(list);
    return result == 0 ? unlinkat(parent, name, AT_REMOVEDIR) : -1;
}

dn_status dn__remove_tree(const char *path)
{
    if (remove_at(AT_FDCWD, path) == 0) return DN_OK;
    return dn_fail(DN_ERROR_FILE, "%s: cannot remove it: %s", path, strerror(errno));
}
