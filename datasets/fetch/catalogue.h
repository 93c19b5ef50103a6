/** What `dunlin data fetch` knows: where published data sets lie, and what tells their bytes from others. */
#ifndef DN_DATASETS_FETCH_CATALOGUE_H
#define DN_DATASETS_FETCH_CATALOGUE_H

#include <stdint.h>

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DN_FETCH_ADDRESSES = 3, DN_FETCH_NEEDS = 7, DN_FETCH_FILES = 4 };

/** One published file. All texts are static. */
typedef struct dn_fetch_file {
    /** Below the data directory: the place of a file that is wanted as it is, or the name of an archive. */
    const char *path;
    const char *addresses[DN_FETCH_ADDRESSES + 1]; /**< tried in this order; ends with NULL */
    int64_t bytes;                                 /**< 0: not published */
    const char *sha256, *md5;                      /**< lower-case hexadecimal; md5 counts where sha256 is NULL */
    const char *folder;                            /**< NULL: no archive; else what it holds, made by unpacking */
    const char *needs[DN_FETCH_NEEDS + 1];         /**< in an unpacked folder; NULL at the end */
} dn_fetch_file;

typedef struct dn_fetch_set {
    const char *name, *terms;                /**< terms: of use, one line */
    dn_fetch_file files[DN_FETCH_FILES + 1]; /**< ends with a path of NULL */
} dn_fetch_set;

/** @return the number of sets that can be fetched */
int dn_fetch_count(void);

/** @param index 0 to dn_fetch_count() - 1 */
const dn_fetch_set *dn_fetch_get(int index);

/** @param out receives a row of the catalogue @return DN_ERROR_ARGUMENT with the nearest name, or all, in the text */
dn_status dn_fetch_find(const dn_fetch_set **out, const char *name) DN_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
