/* In the place of everything else here in a build without downloads. */
#include "datasets/fetch/fetch.h"

dn_status dn_fetch(const dn_fetch_set *set, const dn_fetch_options *options)
{
    (void)options;
    return dn_fail(
        DN_ERROR_UNSUPPORTED,
        "%s: this program was built without fetching (DN_FETCH=OFF): see docs/datasets.md for the files that "
        "are needed, and where",
        set->name);
}
