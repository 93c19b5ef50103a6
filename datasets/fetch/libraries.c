#include "datasets/fetch/libraries.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct symbol {
    const char *name;
    size_t offset; /* of the pointer in the table of functions */
} symbol;

#define CURL_SYMBOL(function)    {#function, offsetof(dn__curl, function)},
#define ARCHIVE_SYMBOL(function) {#function, offsetof(dn__archive, function)},
#define CRYPTO_SYMBOL(function)  {#function, offsetof(dn__crypto, function)},
static const symbol curl_symbols[] = {DN__CURL(CURL_SYMBOL)};
static const symbol archive_symbols[] = {DN__ARCHIVE(ARCHIVE_SYMBOL)};
static const symbol crypto_symbols[] = {DN__CRYPTO(CRYPTO_SYMBOL)};

typedef struct library {
    const char *file;
    const symbol *symbols; /* [n] */
    size_t n;
    void *table; /* of functions */
    bool loaded;
} library;

static dn__curl curl_table;
static dn__archive archive_table;
static dn__crypto crypto_table;
#define LIBRARY(file, symbols, table)                                    \
    {                                                                    \
        file, symbols, sizeof(symbols) / sizeof *(symbols), table, false \
    }
static library curl_library = LIBRARY(DN_CURL_FILE, curl_symbols, &curl_table);
static library archive_library = LIBRARY(DN_ARCHIVE_FILE, archive_symbols, &archive_table);
static library crypto_library = LIBRARY(DN_CRYPTO_FILE, crypto_symbols, &crypto_table);

/** Fills the table of functions. The library stays loaded. */
static dn_status open_library(library *l)
{
    void *handle = dlopen(l->file, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return dn_fail(DN_ERROR_UNSUPPORTED, "fetching needs %s, which cannot be loaded (%s): install it", l->file,
                       dlerror());
    for (size_t i = 0; i < l->n; i++) {
        void *function = dlsym(handle, l->symbols[i].name);
        if (!function) return dn_fail(DN_ERROR_UNSUPPORTED, "%s has no function %s", l->file, l->symbols[i].name);
        memcpy((char *)l->table + l->symbols[i].offset, &function, sizeof function);
    }
    if (l == &curl_library && curl_table.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return dn_fail(DN_ERROR_UNSUPPORTED, "%s cannot be started", l->file);
    return DN_OK;
}

/* Once for a process, whichever thread comes first. */
static dn_status load(library *l)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    const dn_status status = l->loaded ? DN_OK : open_library(l);
    l->loaded = status == DN_OK;
    pthread_mutex_unlock(&mutex);
    return status;
}

dn_status dn__load_curl(const dn__curl **out)
{
    *out = &curl_table;
    return load(&curl_library);
}

dn_status dn__load_archive(const dn__archive **out)
{
    *out = &archive_table;
    return load(&archive_library);
}

dn_status dn__load_crypto(const dn__crypto **out)
{
    *out = &crypto_table;
    return load(&crypto_library);
}
