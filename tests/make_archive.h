/** Archives written byte by byte, so that they can hold what no tool would write. */
#ifndef DN_TESTS_MAKE_ARCHIVE_H
#define DN_TESTS_MAKE_ARCHIVE_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { TAR_BLOCK = 512, LARGEST_ARCHIVE = 1 << 20 };

typedef struct made {
    unsigned char bytes[LARGEST_ARCHIVE];
    size_t n;
    unsigned char directory[4096]; /* of a zip */
    size_t directory_n;
    int entries;
} made;

static inline void add_bytes(made *a, const void *from, size_t n)
{
    cr_assert_leq(a->n + n, sizeof a->bytes);
    memcpy(a->bytes + a->n, from, n);
    a->n += n;
}

/* ---- tar ---- */

/** @param type '0' file, '1' hard link, '2' symbolic link, '3' device, '5' folder, '6' pipe @param link NULL: none
 *  @param claimed size that the header tells */
static inline void tar_header(made *a, const char *name, char type, const char *link, unsigned long long claimed)
{
    unsigned char block[TAR_BLOCK] = {0};
    unsigned sum = 0;
    snprintf((char *)block, 101, "%s", name);
    snprintf((char *)block + 100, 8, "%07o", type == '5' ? 0755 : 0644);
    snprintf((char *)block + 108, 8, "%07o", 0);
    snprintf((char *)block + 116, 8, "%07o", 0);
    snprintf((char *)block + 124, 12, "%011llo", claimed);
    snprintf((char *)block + 136, 12, "%011o", 0);
    block[156] = (unsigned char)type;
    if (link) snprintf((char *)block + 157, 100, "%s", link);
    memcpy(block + 257, "ustar\00000", 8);
    memset(block + 148, ' ', 8);
    for (int i = 0; i < TAR_BLOCK; i++) sum += block[i];
    snprintf((char *)block + 148, 8, "%06o", sum);
    add_bytes(a, block, sizeof block);
}

static inline void tar_file(made *a, const char *name, const void *body, size_t n)
{
    static const unsigned char zeros[TAR_BLOCK];
    tar_header(a, name, '0', NULL, n);
    add_bytes(a, body, n);
    add_bytes(a, zeros, (TAR_BLOCK - n % TAR_BLOCK) % TAR_BLOCK);
}

static inline void tar_end(made *a)
{
    static const unsigned char zeros[2 * TAR_BLOCK];
    add_bytes(a, zeros, sizeof zeros);
}

/** Packs bytes; @param window of zlib, as deflateInit2 takes it @return how many there are then */
static inline size_t pack(unsigned char *packed, size_t room, void *bytes, size_t n, int window)
{
    z_stream stream = {.next_in = bytes, .avail_in = (uInt)n, .next_out = packed, .avail_out = (uInt)room};
    cr_assert_eq(deflateInit2(&stream, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return stream.total_out;
}

/** Packs the whole with gzip. */
static inline void gzip(made *a)
{
    static unsigned char packed[LARGEST_ARCHIVE];
    a->n = pack(packed, sizeof packed, a->bytes, a->n, 15 + 16);
    memcpy(a->bytes, packed, a->n);
}

/* ---- zip ---- */

static inline void put(unsigned char **at, unsigned long value, int bytes)
{
    for (int i = 0; i < bytes; i++) *(*at)++ = (unsigned char)(value >> 8 * i);
}

/** Adds a file, not packed. */
static inline void zip_file(made *a, const char *name, const void *body, size_t n)
{
    const unsigned long sum = crc32(0, body, (uInt)n), length = strlen(name), offset = a->n;
    unsigned char local[30], *at = local, *entry = a->directory + a->directory_n;
    cr_assert_leq(a->directory_n + 46 + length, sizeof a->directory);
    put(&at, 0x04034b50, 4), put(&at, 20, 2), put(&at, 0, 8), put(&at, sum, 4);
    put(&at, n, 4), put(&at, n, 4), put(&at, length, 2), put(&at, 0, 2);
    add_bytes(a, local, sizeof local);
    add_bytes(a, name, length);
    add_bytes(a, body, n);
    put(&entry, 0x02014b50, 4), put(&entry, 0x0314, 2), put(&entry, 20, 2), put(&entry, 0, 8), put(&entry, sum, 4);
    put(&entry, n, 4), put(&entry, n, 4), put(&entry, length, 2), put(&entry, 0, 8);
    put(&entry, 0100644UL << 16, 4), put(&entry, offset, 4);
    memcpy(entry, name, length);
    a->directory_n += 46 + length;
    a->entries++;
}

/** Adds a packed file whose size nobody tells, in a zip without a directory, as programs write them into a pipe. */
static inline void zip_streamed(made *a, const char *name, void *body, size_t n)
{
    static unsigned char packed[4096];
    const size_t length = strlen(name), packed_n = pack(packed, sizeof packed, body, n, -15);
    unsigned char local[30], *at = local, sums[32] = {0}, *end = sums; /* libarchive looks some bytes ahead */
    put(&at, 0x04034b50, 4), put(&at, 20, 2), put(&at, 8, 2), put(&at, 8, 2), put(&at, 0, 4);
    put(&at, 0, 4), put(&at, 0, 8), put(&at, length, 2), put(&at, 0, 2);
    add_bytes(a, local, sizeof local);
    add_bytes(a, name, length);
    add_bytes(a, packed, packed_n);
    put(&end, 0x08074b50, 4), put(&end, crc32(0, body, (uInt)n), 4), put(&end, packed_n, 4), put(&end, n, 4);
    add_bytes(a, sums, sizeof sums);
}

static inline void zip_end(made *a)
{
    unsigned char end[22], *at = end;
    const size_t start = a->n;
    add_bytes(a, a->directory, a->directory_n);
    put(&at, 0x06054b50, 4), put(&at, 0, 4), put(&at, (unsigned long)a->entries, 2);
    put(&at, (unsigned long)a->entries, 2), put(&at, a->directory_n, 4), put(&at, start, 4), put(&at, 0, 2);
    add_bytes(a, end, sizeof end);
}

#endif
