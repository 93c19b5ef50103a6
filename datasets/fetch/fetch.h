/** Brings published data sets into the data directory: downloaded, or put there by hand; checked, then unpacked.
 *
 * A file is checked before it gets its name, and an archive is unpacked beside its place and renamed when whole: what
 * stands in the data directory is complete, whenever the program, the connection or the machine stops. What was
 * downloaded of a file waits in NAME.part (its origin in NAME.part.from) for the next call, which goes on there.
 * Calls at the same time wait for each other. */
#ifndef DN_DATASETS_FETCH_FETCH_H
#define DN_DATASETS_FETCH_FETCH_H

#include <stdbool.h>

#include "datasets/fetch/catalogue.h"

#ifdef __cplusplus
extern "C" {
#endif

/** All zeros are the defaults. */
typedef struct dn_fetch_options {
    const char *data_dir; /**< NULL: $DUNLIN_DATA, else ~/.cache/dunlin */
    const char *mirror;   /**< an address that holds files of the catalogue's names, instead of the catalogue's */
    const char *from;     /**< a file got by other means, or a folder of such files: nothing is downloaded */
    bool again;           /**< also what is there already; an older folder is kept as FOLDER.old */
    bool keep;            /**< keep downloaded archives */
    int attempts;         /**< at an address, one after the other without a new byte; 0: 4 */
    double pause;         /**< seconds before the second attempt, doubled for each further; 0: 1 */
    double patience;      /**< seconds without data after which a connection counts as broken; 0: 30 */

    /** Called while something goes on, at least once a second. @param what "downloading", "checking", "unpacking"
     *  @param done of `total` bytes @param total 0: unknown @return false to stop; a later call goes on there */
    bool (*progress)(void *context, const char *what, const char *file, int64_t done, int64_t total);
    /** Something that the user may want to know; the text is valid for the call. */
    void (*note)(void *context, const char *text);
    void *context;
} dn_fetch_options;

/** Fetches one set. @param set of the catalogue, or one made up @param options NULL: the defaults
 *  @return DN_ERROR_FILE for what the disk or a missing file is to blame for, DN_ERROR_FORMAT for wrong bytes and
 *  for addresses that do not give the file, DN_ERROR_INTERRUPTED where progress() said so, DN_ERROR_ARGUMENT for a
 *  mirror or a `from` that means nothing, DN_ERROR_UNSUPPORTED where this build or machine cannot fetch */
dn_status dn_fetch(const dn_fetch_set *set, const dn_fetch_options *options) DN_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
