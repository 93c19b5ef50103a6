/** Shared by the files of the store; see store.h. */
#ifndef DN_CORE_STORE_PRIVATE_H
#define DN_CORE_STORE_PRIVATE_H

#include <hdf5.h>

#include "core/store.h"

/** An HDF5 identifier that is given back at the end of its scope, whatever path leads there. */
static inline void dn__close_id(const hid_t *id)
{
    if (*id >= 0) H5Idec_ref(*id);
}
#define DN__ID __attribute__((cleanup(dn__close_id))) const hid_t

/** @param message receives HDF5's innermost message of the last call, or "". Ask first: any other call clears it */
void dn__hdf5_message(char message[256]);

/** What is written, below HDF5. The owner opens and closes `descriptor`. */
typedef struct dn__store_target {
    int descriptor;
    int error; /**< errno of the first write that failed, or 0; what follows is thrown away */
    /** NULL, or what is told where data (not structure) would be read; nothing is read then. */
    void (*locate)(void *context, uint64_t address, uint64_t bytes);
    void *context;
} dn__store_target;

/** Makes files with this access list read and write the target. A failing disk is kept in target->error and is a
 *  success for HDF5, which would otherwise refuse to close the file and crash when the program ends. */
dn_status dn__store_set_target(hid_t access, dn__store_target *target);

/** An array that stays open while parts of it are written or read. */
typedef struct dn__open_array {
    char *name;
    hid_t id;
    dn_store_info info;
    int64_t written; /**< elements */
} dn__open_array;

struct dn_store {
    char *path;
    char *temporary; /**< NULL when reading, and after a commit */
    dn__store_target target;
    hid_t file;
    bool writing;
    int deflate;
    int64_t chunk_bytes;
    dn__open_array *arrays;
    size_t array_count, array_capacity;
};

/** Like dn_fail(), with the store's path before the text and HDF5's innermost message of the last call after it. */
dn_status dn__store_fail(const dn_store *store, dn_status code, const char *format, ...) DN_PRINTF(3, 4);

/** @return DN_OK unless the store is for reading, was committed, or its disk failed */
dn_status dn__store_check_writing(const dn_store *store);

/** @return the error of the disk, if there was one */
dn_status dn__store_check_disk(const dn_store *store);

/** Opens the file of a store that is for reading. */
dn_status dn__store_open_hdf5(dn_store *store);

/** Opens and reads all that a caller may ask for, in a child process, before it is done in this one: libhdf5 trusts its
 *  files, and damaged or hostile ones crash it. Data beyond the first 256 MiB are not read.
 *  @return DN_ERROR_FORMAT if the file cannot be opened, if that crashes or does not come to an end, or if not all
 *          groups and attributes could be tried; the other errors are left to those who read */
dn_status dn__store_rehearse(dn_store *store);

/** Closes the arrays that are open. @return whether all that were written are full and HDF5 agreed */
dn_status dn__store_close_arrays(dn_store *store);

/** @return whether there is something under this name, reached by hard links alone: they cannot leave the file */
bool dn__store_has(hid_t file, const char *name);

/** Makes the groups on the way to a new object, as far as they are missing. @param last the name itself is a group's */
dn_status dn__store_make_groups(const dn_store *store, const char *name, bool last);

/** Objects made with these options have no time in them: the same content gives the same bytes. */
void dn__store_forget_times(hid_t options);

/** @return whether `name` is a name: not NULL, not empty, not too long */
dn_status dn__store_check_name(const dn_store *store, const char *name);

#endif
