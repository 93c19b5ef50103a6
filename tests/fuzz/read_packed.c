/* Packed sets, in two ways: an input that begins as HDF5 does is a file, opened like any. Another one is what a child
 * process could say of a file, and that file: facts, chunks, then bytes. So what is behind libhdf5 and its checksums is
 * tried too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/alloc.h"
#include "datasets/packed_private.h"
#include "fuzz.h"

enum { MOST_BYTES = 1 << 20 };

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

static void expect(dn_status status)
{
    const char *text = dn_error_last();
    if (status == DN_OK) return;
    if (!text[0] || strcmp(text, "no error") == 0) fail("an error without a text");
    if (status == DN_ERROR_INTERNAL) fail(text);
}

/* ---- files ---- */

static void read_all(const dn_dataset *d)
{
    const size_t bytes = (size_t)d->n * dn_dataset_image_bytes(d);
    void *images = bytes <= MOST_BYTES ? dn_calloc(bytes, 1) : NULL;
    const int64_t items[3] = {d->n - 1, 0, d->n / 2};
    if (!images) return;
    expect(dn_dataset_read(d, 0, d->n, images));
    if (d->n > 2) expect(dn_dataset_gather(d, items, 3, images));
    dn_free(images);
}

static void open_file(const uint8_t *bytes, size_t n)
{
    char expression[200];
    dn_dataset *d = NULL;
    snprintf(expression, sizeof expression, "file:%s", fuzz_file(bytes, n));
    const dn_status status = dn_dataset_open(&d, expression, &(dn_dataset_options){.stream = true, .memory = 1});
    expect(status);
    if (status == DN_OK) read_all(d);
    dn_dataset_close(d);
}

/* ---- facts ---- */

static void read_chunks(const dn__packed *p)
{
    const size_t bytes = dn__packed_chunk_bytes(p);
    void *chunk = bytes <= MOST_BYTES ? dn_calloc(bytes, 1) : NULL;
    for (int64_t i = 0; chunk && i < p->facts.chunks; i++) expect(dn__packed_chunk(p, i, chunk));
    dn_free(chunk);
}

static void take_facts(const uint8_t *bytes, size_t n)
{
    dn__packed p = {.path = "facts"};
    if (n < sizeof p.facts) return;
    memcpy(&p.facts, bytes, sizeof p.facts);
    bytes += sizeof p.facts, n -= sizeof p.facts;
    p.file_bytes = n;
    dn_status status = dn__packed_check_facts(&p);
    expect(status);
    const size_t table = status == DN_OK ? (size_t)p.facts.chunks * sizeof *p.chunk : 0;
    if (status != DN_OK || table > n) return;
    p.chunk = dn_calloc((size_t)p.facts.chunks, sizeof *p.chunk);
    memcpy(p.chunk, bytes, table);
    p.file_bytes = n - table;
    status = dn__packed_check_chunks(&p);
    expect(status);
    if (status == DN_OK) {
        p.descriptor = open(fuzz_file(bytes + table, n - table), O_RDONLY | O_CLOEXEC);
        read_chunks(&p);
        close(p.descriptor);
    }
    dn_free(p.chunk);
}

void fuzz_packed(const uint8_t *bytes, size_t n)
{
    static const uint8_t signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    if (n >= sizeof signature && memcmp(bytes, signature, sizeof signature) == 0)
        open_file(bytes, n);
    else
        take_facts(bytes, n);
    fuzz_remove_file();
}
