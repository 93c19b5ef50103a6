/** A packed set's file as its readers see it. Shared by the files of packed.h. */
#ifndef DN_DATASETS_PACKED_PRIVATE_H
#define DN_DATASETS_PACKED_PRIVATE_H

#include <stdatomic.h>

#include "datasets/packed.h"

#define DN__PACKED_KIND "dunlin images"
enum {
    DN__PACKED_VERSION = 1,
    DN__PACKED_RANK = 4,
    DN__PACKED_MOST_CLASSES = 1 << 20,
    DN__PACKED_MOST_CHANNELS = 4096
};

/** Where a chunk lies in the file. */
typedef struct dn__chunk {
    uint64_t address;
    uint32_t bytes;
    uint32_t skipped; /**< bit i: filter i was not applied */
} dn__chunk;

typedef enum dn__filter { DN__FILTER_SHUFFLE, DN__FILTER_DEFLATE, DN__FILTER_SUM } dn__filter;

/** The file's structure. A child process fills it; what it says is checked before it is used. */
typedef struct dn__packed_facts {
    dn_dtype type;
    int64_t dim[DN__PACKED_RANK]; /**< [N,H,W,C] */
    int64_t chunk_rows;           /**< images in a chunk */
    int64_t chunks;
    int32_t filters; /**< in the order they were applied; the last is DN__FILTER_SUM */
    int32_t filter[3];
    int64_t classes; /**< 0: unlabelled */
    int64_t names_bytes, provenance_bytes;
    int64_t has_print; /**< the file says its fingerprint */
    uint64_t print;
} dn__packed_facts;

typedef struct dn__packed {
    char *path;
    int descriptor;
    uint64_t file_bytes;
    dn__packed_facts facts;
    dn__chunk *chunk;      /**< [chunks] */
    atomic_uchar *checked; /**< [chunks] its sum was found right */
    int32_t *labels;       /**< [N]; NULL: unlabelled */
    char *names;           /**< a line each; NULL: unknown */
    char *provenance;
} dn__packed;

/** Has a child process look into the file. Fills all but `checked`; the caller frees what is there after an error.
 *  @param p its path and descriptor are set */
dn_status dn__packed_look(dn__packed *p) DN_NODISCARD;

/** Whether what the child said makes sense: before memory is asked for, and when `chunk` is there. The child may be
 *  what a hostile file made of it. */
dn_status dn__packed_check_facts(const dn__packed *p) DN_NODISCARD;
dn_status dn__packed_check_chunks(const dn__packed *p) DN_NODISCARD;

/** @return the bytes of one image, and of a chunk when it is unpacked */
size_t dn__packed_image_bytes(const dn__packed *p);
size_t dn__packed_chunk_bytes(const dn__packed *p);

/** @return whether a chunk's images lie in the file as they are in memory */
bool dn__packed_is_plain(const dn__packed *p);

/** Reads a chunk, checks its sum and unpacks it. @param to [dn__packed_chunk_bytes()] */
dn_status dn__packed_chunk(const dn__packed *p, int64_t number, void *to) DN_NODISCARD;

/** Reads exactly that many bytes of the file. */
dn_status dn__packed_pread(const dn__packed *p, void *to, size_t bytes, uint64_t address) DN_NODISCARD;

#endif
