/* A virtual file driver of HDF5 on a file descriptor, which remembers the first error. HDF5 1.10 cannot close
 * a file whose last writes failed (a full disk): it keeps the file open, and crashes at the end of the program. With
 * this driver it closes cleanly, and the store asks target->error before it gives the file its name. */
#include "core/store_private.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if H5_VERSION_GE(1, 14, 0)
#include <H5FDdevelop.h>
#endif

#include "core/alloc.h"

typedef struct target_file {
    H5FD_t base; /* HDF5 fills it; must stand first */
    dn__store_target *target;
    haddr_t end_of_allocation, end_of_file;
} target_file;

static H5FD_t *target_open(const char *name, unsigned flags, hid_t access, haddr_t most)
{
    (void)name, (void)flags, (void)most;
    dn__store_target *const *info = H5Pget_driver_info(access);
    struct stat facts;
    if (!info || fstat((*info)->descriptor, &facts) != 0) return NULL;
    target_file *file = dn_calloc(1, sizeof *file);
    if (!file) return NULL;
    file->target = *info;
    file->end_of_file = (haddr_t)facts.st_size;
    return &file->base;
}

static herr_t target_close(H5FD_t *file)
{
    dn_free(file);
    return 0;
}

static herr_t target_query(const H5FD_t *file, unsigned long *flags)
{
    (void)file;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA;
    return 0;
}

static haddr_t target_get_eoa(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const target_file *)file)->end_of_allocation;
}

static herr_t target_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t address)
{
    (void)type;
    ((target_file *)file)->end_of_allocation = address;
    return 0;
}

static haddr_t target_get_eof(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const target_file *)file)->end_of_file;
}

/** What lies beyond the end of the file, or was thrown away, reads as zeros. */
static herr_t target_read(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, void *buffer)
{
    (void)transfer;
    const target_file *file = (const target_file *)base;
    char *to = buffer;
    if (file->target->locate && type == H5FD_MEM_DRAW) {
        file->target->locate(file->target->context, address, size);
        return 0;
    }
    while (size > 0) {
        const ssize_t got = pread(file->target->descriptor, to, size, (off_t)address);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            if (!file->target->error) file->target->error = errno;
        }
        if (got <= 0) break;
        to += got, address += (haddr_t)got, size -= (size_t)got;
    }
    memset(to, 0, size);
    return 0;
}

static herr_t target_write(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size,
                           const void *buffer)
{
    (void)type, (void)transfer;
    target_file *file = (target_file *)base;
    if (address + size > file->end_of_file) file->end_of_file = address + size;
    const char *from = buffer;
    while (size > 0 && !file->target->error) {
        const ssize_t put = pwrite(file->target->descriptor, from, size, (off_t)address);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) {
            file->target->error = put < 0 ? errno : EIO;
            break;
        }
        from += put, address += (haddr_t)put, size -= (size_t)put;
    }
    return 0;
}

static herr_t target_truncate(H5FD_t *base, hid_t transfer, hbool_t closing)
{
    (void)transfer, (void)closing;
    target_file *file = (target_file *)base;
    if (file->end_of_allocation == file->end_of_file) return 0;
    if (!file->target->error && ftruncate(file->target->descriptor, (off_t)file->end_of_allocation) != 0)
        file->target->error = errno;
    file->end_of_file = file->end_of_allocation;
    return 0;
}

static const H5FD_class_t target_class = {
#if H5_VERSION_GE(1, 14, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)600, /* 512 .. 65535 are for drivers that HDF5 does not know */
#endif
    .name = "dunlin",
    .maxaddr = (haddr_t)INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(dn__store_target *),
    .open = target_open,
    .close = target_close,
    .query = target_query,
    .get_eoa = target_get_eoa,
    .set_eoa = target_set_eoa,
    .get_eof = target_get_eof,
    .read = target_read,
    .write = target_write,
    .truncate = target_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

dn_status dn__store_set_target(hid_t access, dn__store_target *target)
{
    DN__ID driver = H5FDregister(&target_class); /* the access list keeps it */
    if (driver < 0 || H5Pset_driver(access, driver, &target) < 0)
        return dn_fail(DN_ERROR_INTERNAL, "HDF5 does not take a file driver");
    return DN_OK;
}
