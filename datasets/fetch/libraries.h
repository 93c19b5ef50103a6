/** The functions of libcurl, libarchive and libcrypto that fetching calls. Library-private.
 *
 * The three libraries bring forty others along. Linked, they would cost every start of every program 2 to 4 ms, and
 * each machine would need them; so they are loaded when something is fetched. */
#ifndef DN_DATASETS_FETCH_LIBRARIES_H
#define DN_DATASETS_FETCH_LIBRARIES_H

#define CURL_DISABLE_TYPECHECK /* its checks are macros around the linked function */
#include <archive.h>
#include <archive_entry.h>
#include <curl/curl.h>
#include <openssl/evp.h>

#include "core/status.h"

/* clang-format off */
#define DN__CURL(F)                                                                                    \
    F(curl_global_init) F(curl_easy_init) F(curl_easy_setopt) F(curl_easy_perform) F(curl_easy_cleanup) \
    F(curl_easy_strerror) F(curl_slist_append) F(curl_slist_free_all)
#define DN__ARCHIVE(F)                                                                        \
    F(archive_read_new) F(archive_read_free) F(archive_read_support_filter_gzip)              \
    F(archive_read_support_format_tar) F(archive_read_support_format_zip)                     \
    F(archive_read_open_filename) F(archive_read_next_header) F(archive_read_data)            \
    F(archive_error_string) F(archive_entry_pathname) F(archive_entry_filetype)               \
    F(archive_entry_hardlink) F(archive_entry_size) F(archive_entry_size_is_set)
#define DN__CRYPTO(F)                                                                         \
    F(EVP_MD_CTX_new) F(EVP_MD_CTX_free) F(EVP_DigestInit_ex) F(EVP_DigestUpdate)             \
    F(EVP_DigestFinal_ex) F(EVP_sha256) F(EVP_md5)
/* clang-format on */

#define DN__MEMBER(function) __typeof__(function) *function; /* NOLINT(bugprone-macro-parentheses): a declaration */
typedef struct dn__curl {
    DN__CURL(DN__MEMBER)
} dn__curl;
typedef struct dn__archive {
    DN__ARCHIVE(DN__MEMBER)
} dn__archive;
typedef struct dn__crypto {
    DN__CRYPTO(DN__MEMBER)
} dn__crypto;
#undef DN__MEMBER

/** @param out borrowed, stays until the program ends @return DN_ERROR_UNSUPPORTED where the library is not installed */
dn_status dn__load_curl(const dn__curl **out) DN_NODISCARD;
dn_status dn__load_archive(const dn__archive **out) DN_NODISCARD;
dn_status dn__load_crypto(const dn__crypto **out) DN_NODISCARD;

#endif
