/** Files that last: named arrays and attributes in HDF5, written whole or not at all.
 *
 * A store is created as `PATH.tmp-...` beside PATH and takes PATH's name when it is committed, so that a crash, a full
 * disk or Ctrl-C at any moment leaves the last good file. The arrays open as plain arrays in h5py and other tools.
 * Array data, and all that this module writes about them, carry checksums; damage is an error, not a wrong number. (The
 * Fletcher-32 sum of the data takes a 16-bit word 0x0000 for 0xFFFF, the one change of a word that it does not see.)
 *
 * Names are paths such as "set/logits"; groups come into being with the first thing in them.
 *
 * HDF5 libraries are often built without locks: all stores of a process belong to one thread at a time. HDF5's own
 * printing of errors is switched off for the thread that opens a store.
 */
#ifndef DN_CORE_STORE_H
#define DN_CORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dtype.h"
#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dn_store dn_store;

enum { DN_STORE_MAX_RANK = 5 };

typedef struct dn_store_info {
    dn_dtype dtype; /**< F32, F64, U8 or I32 */
    int rank;       /**< 1 .. DN_STORE_MAX_RANK */
    int64_t dim[DN_STORE_MAX_RANK];
    int64_t count; /**< the product of the dims; its bytes fit size_t */
} dn_store_info;

/* ---- the file ---- */

/** Starts a new file. Temporary files that dead processes left for the same path are removed.
 *  @param out receives the store, for writing; free with dn_store_close() */
dn_status dn_store_create(dn_store **out, const char *path) DN_NODISCARD;

/** Writes everything to the disk and gives the file its name, replacing an older one. Nothing but dn_store_close() may
 *  follow. After an error the older file is still there, untouched.
 *  @return DN_ERROR_ARGUMENT if an array of dn_store_create_array() was not filled */
dn_status dn_store_commit(dn_store *store) DN_NODISCARD;

/** Opens a file from anywhere: what would crash HDF5 is found out first, in a child process that reads the file once.
 *  @param out receives the store, for reading; free with dn_store_close()
 *  @return DN_ERROR_FILE if the file cannot be read, DN_ERROR_FORMAT if it is not HDF5, cut off or damaged */
dn_status dn_store_open(dn_store **out, const char *path) DN_NODISCARD;

/** Frees the store; one that was created but not committed leaves nothing behind. NULL is allowed. */
void dn_store_close(dn_store *store);

/** @return the path that the store was opened with */
const char *dn_store_path(const dn_store *store);

/** Says what the file is, such as ("checkpoint", 1). The version grows when older programs cannot read it any more. */
dn_status dn_store_set_kind(dn_store *store, const char *kind, int version) DN_NODISCARD;

/** @return DN_ERROR_FORMAT unless the file is of this kind and of a version from 1 to `newest`
 *  @param version receives the file's version; NULL: not wanted */
dn_status dn_store_expect_kind(dn_store *store, const char *kind, int newest, int *version) DN_NODISCARD;

/* ---- arrays ---- */

/** Compresses the arrays written from now on; level 0 (the default: none) to 9. */
dn_status dn_store_set_deflate(dn_store *store, int level) DN_NODISCARD;

/** Cuts the arrays written from now on in chunks of about so many bytes, whole last axes first; 0: the default, 1 MiB.
 *  @param bytes below 2^31 */
dn_status dn_store_set_chunk(dn_store *store, int64_t bytes) DN_NODISCARD;

/** Writes a whole array. @param dim [rank] sizes, zeros are allowed
 *  @param data row-major, as many elements as the product of the sizes */
dn_status dn_store_write(dn_store *store, const char *name, dn_dtype dtype, int rank, const int64_t *dim,
                         const void *data) DN_NODISCARD;

/** Makes an array that dn_store_write_rows() fills. */
dn_status dn_store_create_array(dn_store *store, const char *name, dn_dtype dtype, int rank,
                                const int64_t *dim) DN_NODISCARD;

/** Writes the places first .. first + rows - 1 along `axis`, each once: of features [E,N,D] along axis 1, for example.
 *  @param data row-major, of the array's shape with `rows` along the axis: [E,rows,D] */
dn_status dn_store_write_rows(dn_store *store, const char *name, dn_dtype dtype, int axis, int64_t first, int64_t rows,
                              const void *data) DN_NODISCARD;

dn_status dn_store_array_info(dn_store *store, const char *name, dn_store_info *info) DN_NODISCARD;

/** Reads a whole array. @param dtype, count what the caller expects; an array of something else is an error
 *  @param data receives `count` elements, row-major */
dn_status dn_store_read(dn_store *store, const char *name, dn_dtype dtype, int64_t count, void *data) DN_NODISCARD;

/** Reads a part, like dn_store_write_rows() writes one; the array stays open for the next part. */
dn_status dn_store_read_rows(dn_store *store, const char *name, dn_dtype dtype, int axis, int64_t first, int64_t rows,
                             void *data) DN_NODISCARD;

/** Reads the places first[a] .. first[a] + places[a] - 1 along each axis a: of [E,N,D] some rows of one member.
 *  @param first, places [rank] @param data row-major, of the shape `places` */
dn_status dn_store_read_part(dn_store *store, const char *name, dn_dtype dtype, const int64_t *first,
                             const int64_t *places, void *data) DN_NODISCARD;

/* ---- attributes: single values of the file (object "/"), of a group or of an array ---- */

/** Set an attribute, in place of an older one. An object that is not there becomes a group. */
dn_status dn_store_set_int(dn_store *store, const char *object, const char *name, int64_t value) DN_NODISCARD;
dn_status dn_store_set_double(dn_store *store, const char *object, const char *name, double value) DN_NODISCARD;
dn_status dn_store_set_text(dn_store *store, const char *object, const char *name, const char *text) DN_NODISCARD;

/** Read an attribute. An integer is also a double; nothing else is converted.
 *  @return DN_ERROR_FORMAT if it is missing or of another type */
dn_status dn_store_get_int(dn_store *store, const char *object, const char *name, int64_t *value) DN_NODISCARD;
dn_status dn_store_get_double(dn_store *store, const char *object, const char *name, double *value) DN_NODISCARD;
/** @param text receives the text; free with dn_free() */
dn_status dn_store_get_text(dn_store *store, const char *object, const char *name, char **text) DN_NODISCARD;

/** @return whether the object has such an attribute */
bool dn_store_has_attribute(dn_store *store, const char *object, const char *name);

/* ---- what is there ---- */

/** @return whether there is a group or an array of this name */
bool dn_store_exists(dn_store *store, const char *name);

/** Called with the name of one member of a group, without the group's. Another status than DN_OK ends the listing. */
typedef dn_status dn_store_visitor(void *context, const char *name, bool is_group);

/** Calls `visit` for each member of a group ("/": the file) in alphabetical order. @return the visitor's status */
dn_status dn_store_list(dn_store *store, const char *group, dn_store_visitor *visit, void *context) DN_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
