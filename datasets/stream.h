/** A file, plain or gzip, read from front to back by readers that trust nothing in it. Library-private.
 *
 * Offsets are those of the uncompressed bytes. Every error names the file and the offset.
 */
#ifndef DN_DATASETS_STREAM_H
#define DN_DATASETS_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef struct dn__stream dn__stream;

/** Opens a regular file. @return DN_ERROR_FILE if it cannot be opened */
dn_status dn__stream_open(dn__stream **out, const char *path);

/** The same for formats that are never packed. @return DN_ERROR_FORMAT for a gzip file */
dn_status dn__stream_open_plain(dn__stream **out, const char *path);

void dn__stream_close(dn__stream *s);

/** Reads exactly `bytes` bytes. @param what names them in the error: "image data"
 *  @return DN_ERROR_FORMAT when the file ends before, or when its gzip data are damaged */
dn_status dn__stream_read(dn__stream *s, void *to, size_t bytes, const char *what);

/** Checks, before memory is asked for, that `bytes` more can be there: a plain file must be long enough, a gzip file
 *  must not be promised to unpack to more than deflate can pack into its length. */
dn_status dn__stream_expect(dn__stream *s, uint64_t bytes, const char *what);

/** Checks that nothing follows. */
dn_status dn__stream_end(dn__stream *s);

/** @return the offset of the next byte */
uint64_t dn__stream_at(const dn__stream *s);

/** @return the bytes that follow in a plain file; an upper bound of them in a gzip file */
uint64_t dn__stream_left(const dn__stream *s);

/** Leaves an error "FILE: at byte OFFSET: text" (printf style). @return DN_ERROR_FORMAT */
dn_status dn__stream_fail(const dn__stream *s, uint64_t offset, const char *format, ...) DN_PRINTF(3, 4);

#endif
