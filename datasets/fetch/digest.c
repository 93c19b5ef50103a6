#include "datasets/fetch/digest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "datasets/fetch/libraries.h"

enum { BLOCK = 1 << 18, HEX = 2 * EVP_MAX_MD_SIZE + 1 };

static dn_status read_all(const dn__job *job, const dn__crypto *crypto, EVP_MD_CTX *state, FILE *file, int64_t bytes)
{
    unsigned char *block = dn_calloc(BLOCK, 1);
    if (!block) return DN_ERROR_MEMORY;
    dn_status status = DN_OK;
    int64_t done = 0;
    for (size_t got; status == DN_OK && (got = fread(block, 1, BLOCK, file)) > 0;) {
        if (crypto->EVP_DigestUpdate(state, block, got) != 1)
            status = dn_fail(DN_ERROR_UNSUPPORTED, "%s: libcrypto cannot check it", job->label);
        done += (int64_t)got;
        if (status == DN_OK) status = dn__job_progress(job, "checking", done, bytes);
    }
    dn_free(block);
    if (status == DN_OK && ferror(file))
        return dn_fail(DN_ERROR_FILE, "%s: cannot read it: %s", job->label, strerror(errno));
    return status;
}

static dn_status digest(char hex[HEX], const dn__job *job, FILE *file, int64_t bytes)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    const dn__crypto *crypto = NULL;
    DN_TRY(dn__load_crypto(&crypto));
    EVP_MD_CTX *state = crypto->EVP_MD_CTX_new();
    if (!state) return dn_fail(DN_ERROR_MEMORY, "%s: not enough memory to check it", job->label);
    dn_status status = DN_OK;
    if (crypto->EVP_DigestInit_ex(state, job->file->sha256 ? crypto->EVP_sha256() : crypto->EVP_md5(), NULL) != 1)
        status = dn_fail(DN_ERROR_UNSUPPORTED, "%s: this libcrypto has no %s", job->label,
                         job->file->sha256 ? "SHA-256" : "MD5");
    if (status == DN_OK) status = read_all(job, crypto, state, file, bytes);
    if (status == DN_OK && crypto->EVP_DigestFinal_ex(state, raw, &length) != 1)
        status = dn_fail(DN_ERROR_UNSUPPORTED, "%s: libcrypto cannot check it", job->label);
    crypto->EVP_MD_CTX_free(state);
    for (unsigned i = 0; i < length; i++) snprintf(hex + (size_t)2 * i, 3, "%02x", raw[i]);
    return status;
}

static dn_status check(const dn__job *job, const char *path, FILE *file)
{
    struct stat info;
    char found[HEX] = "";
    const dn_fetch_file *f = job->file;
    if (fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode))
        return dn_fail(DN_ERROR_FILE, "%s: expected a regular file", path);
    if (f->bytes > 0 && info.st_size != f->bytes)
        return dn_fail(DN_ERROR_FORMAT, "%s: is not the published file: %" PRId64 " bytes, expected %" PRId64, path,
                       (int64_t)info.st_size, f->bytes);
    DN_TRY(digest(found, job, file, info.st_size));
    const char *expected = f->sha256 ? f->sha256 : f->md5;
    if (strcmp(found, expected) == 0) return DN_OK;
    return dn_fail(DN_ERROR_FORMAT, "%s: is not the published file: %s %s, expected %s", path,
                   f->sha256 ? "SHA-256" : "MD5", found, expected);
}

dn_status dn__digest_check(const dn__job *job, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) return dn_fail(DN_ERROR_FILE, "%s: cannot read it: %s", path, strerror(errno));
    const dn_status status = check(job, path, file);
    fclose(file);
    return status;
}
