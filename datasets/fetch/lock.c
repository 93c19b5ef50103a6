#include "datasets/fetch/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/alloc.h"

/** @return 1 when the file of this name is locked here, 0 when it is not, -1 with errno when it cannot be */
static int try_to_lock(dn__lock *lock)
{
    struct stat named, opened;
    lock->file = open(lock->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (lock->file < 0) return -1;
    if (flock(lock->file, LOCK_EX | LOCK_NB) == 0) {
        /* The one before removed its file: between open and flock that may have been this one. */
        if (fstat(lock->file, &opened) == 0 && stat(lock->path, &named) == 0 && opened.st_ino == named.st_ino &&
            opened.st_dev == named.st_dev)
            return 1;
        errno = EWOULDBLOCK;
    }
    const int why = errno;
    close(lock->file);
    lock->file = -1;
    errno = why;
    return why == EWOULDBLOCK || why == EINTR ? 0 : -1;
}

dn_status dn__lock_open(dn__lock *out, const char *path, dn_status (*go_on)(void *context), void *context)
{
    *out = (dn__lock){.path = dn_strdup(path), .file = -1};
    if (!out->path) return DN_ERROR_MEMORY;
    for (int locked = try_to_lock(out); locked != 1; locked = try_to_lock(out)) {
        if (locked < 0) return dn_fail(DN_ERROR_FILE, "%s: cannot lock it: %s", path, strerror(errno));
        DN_TRY(go_on(context));
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return DN_OK;
}

void dn__lock_close(dn__lock *lock)
{
    if (lock->file >= 0) {
        unlink(lock->path);
        close(lock->file);
    }
    dn_free(lock->path);
    *lock = (dn__lock){.file = -1};
}
