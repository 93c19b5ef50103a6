#include "datasets/npy_header.h"

#include <string.h>

/* NumPy itself refuses longer headers than 10,000 bytes. */
enum { LONGEST_HEADER = 10000, WANTED_DESCR = 1, WANTED_ORDER = 2, WANTED_SHAPE = 4, WANTED_ALL = 7 };

/* The dictionary's text and the place in it; `start` is its offset in the file. */
typedef struct cursor {
    dn__stream *stream;
    uint64_t start;
    const char *text;
    size_t at, length;
} cursor;

static dn_status expected(const cursor *c, const char *what)
{
    const int left = (int)(c->length - c->at < 24 ? c->length - c->at : 24);
    return dn__stream_fail(c->stream, c->start + c->at, "header: found '%.*s', expected %s", left, c->text + c->at,
                           what);
}

static void skip_spaces(cursor *c)
{
    while (c->at < c->length && (c->text[c->at] == ' ' || c->text[c->at] == '\n')) c->at++;
}

/* Moves behind `word` if it comes next, after spaces. */
static bool accept(cursor *c, const char *word)
{
    skip_spaces(c);
    const size_t n = strlen(word);
    if (c->length - c->at < n || memcmp(c->text + c->at, word, n) != 0) return false;
    c->at += n;
    return true;
}

/* Reads 'text' or "text" of at most size - 1 characters. */
static dn_status read_quoted(cursor *c, char *to, size_t size, const char *what)
{
    skip_spaces(c);
    const char quote = c->at < c->length ? c->text[c->at] : 0;
    if (quote != '\'' && quote != '"') return expected(c, what);
    const size_t begin = c->at + 1;
    size_t end = begin;
    while (end < c->length && c->text[end] != quote) end++;
    if (end == c->length || end - begin >= size) return expected(c, what);
    memcpy(to, c->text + begin, end - begin);
    to[end - begin] = 0;
    c->at = end + 1;
    return DN_OK;
}

static dn_status read_descr(cursor *c, dn__npy_header *h)
{
    static const char *const known[] = {"b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"};
    char descr[16] = "";
    if (accept(c, "[")) {
        c->at--;
        return expected(c, "one element type: structured arrays are not read");
    }
    const cursor before = *c;
    DN_TRY(read_quoted(c, descr, sizeof descr, "an element type such as '<f4'"));
    const bool order = descr[0] == '<' || descr[0] == '>' || descr[0] == '|' || descr[0] == '=';
    for (size_t i = 0; order && i < sizeof known / sizeof *known; i++) {
        if (strcmp(descr + 1, known[i]) != 0) continue;
        h->element = (dn__element){.kind = descr[1], .size = descr[2] - '0', .big_endian = descr[0] == '>'};
        if (h->element.size == 1 || descr[0] == '<' || descr[0] == '>') return DN_OK;
    }
    expected(&before,
             "an element type among bool, int8 to int64, uint8 to uint64, float16 to float64: convert the array "
             "with .astype('float32') before saving it");
    return DN_ERROR_UNSUPPORTED;
}

static dn_status read_order(cursor *c, dn__npy_header *h)
{
    h->fortran_order = accept(c, "True");
    return h->fortran_order || accept(c, "False") ? DN_OK : expected(c, "True or False");
}

static dn_status read_dimension(cursor *c, int64_t *value)
{
    skip_spaces(c);
    const size_t begin = c->at;
    for (*value = 0; c->at < c->length && c->text[c->at] >= '0' && c->text[c->at] <= '9'; c->at++) {
        if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, c->text[c->at] - '0', value))
            return expected(c, "a dimension below 2^63");
    }
    return c->at > begin ? DN_OK : expected(c, "a dimension or ')'");
}

static dn_status read_shape(cursor *c, dn__npy_header *h)
{
    if (!accept(c, "(")) return expected(c, "a shape such as (100, 10)");
    h->rank = 0;
    bool comma = true;
    while (!accept(c, ")")) {
        if (!comma) return expected(c, "',' or ')'");
        if (h->rank == DN_NPY_MOST_RANK) {
            expected(c, "at most 8 dimensions");
            return DN_ERROR_UNSUPPORTED;
        }
        DN_TRY(read_dimension(c, &h->dims[h->rank++]));
        comma = accept(c, ",");
    }
    return h->rank == 1 && !comma ? expected(c, "a tuple such as (100,), found a single number in brackets") : DN_OK;
}

static dn_status read_entry(cursor *c, dn__npy_header *h, int *seen)
{
    char key[16];
    const cursor before = *c;
    DN_TRY(read_quoted(c, key, sizeof key, "one of the keys 'descr', 'fortran_order', 'shape'"));
    const int which = strcmp(key, "descr") == 0           ? WANTED_DESCR
                      : strcmp(key, "fortran_order") == 0 ? WANTED_ORDER
                      : strcmp(key, "shape") == 0         ? WANTED_SHAPE
                                                          : 0;
    if (!which || (*seen & which)) return expected(&before, "each of the keys 'descr', 'fortran_order', 'shape' once");
    *seen |= which;
    if (!accept(c, ":")) return expected(c, "':'");
    if (which == WANTED_DESCR) return read_descr(c, h);
    return which == WANTED_ORDER ? read_order(c, h) : read_shape(c, h);
}

static dn_status read_dictionary(cursor *c, dn__npy_header *h)
{
    int seen = 0;
    bool comma = true;
    if (!accept(c, "{")) return expected(c, "a dictionary, '{'");
    while (!accept(c, "}")) {
        if (!comma) return expected(c, "',' or '}'");
        DN_TRY(read_entry(c, h, &seen));
        comma = accept(c, ",");
    }
    if (seen != WANTED_ALL) return expected(c, "the keys 'descr', 'fortran_order' and 'shape' before the end");
    skip_spaces(c);
    return c->at == c->length ? DN_OK : expected(c, "only spaces after the dictionary");
}

static dn_status read_length(dn__stream *s, uint32_t *length)
{
    static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    unsigned char b[12];
    DN_TRY(dn__stream_read(s, b, 8, "magic text and version"));
    if (memcmp(b, magic, sizeof magic) != 0)
        return dn__stream_fail(s, 0, "found bytes %02x %02x %02x %02x %02x %02x, expected the magic text 93 'NUMPY'",
                               b[0], b[1], b[2], b[3], b[4], b[5]);
    if (b[6] < 1 || b[6] > 3 || b[7] != 0)
        return dn__stream_fail(s, 6, "version %d.%d, expected 1.0, 2.0 or 3.0", b[6], b[7]);
    const size_t bytes = b[6] == 1 ? 2 : 4;
    DN_TRY(dn__stream_read(s, b + 8, bytes, "header length"));
    *length = b[8] | (uint32_t)b[9] << 8;
    if (bytes == 4) *length |= (uint32_t)b[10] << 16 | (uint32_t)b[11] << 24;
    if (*length <= LONGEST_HEADER) return DN_OK;
    return dn__stream_fail(s, 8, "header length %u, expected at most %d", (unsigned)*length, LONGEST_HEADER);
}

dn_status dn__npy_header_read(dn__npy_header *h, dn__stream *s)
{
    char text[LONGEST_HEADER];
    uint32_t length = 0;
    *h = (dn__npy_header){0};
    DN_TRY(read_length(s, &length));
    cursor c = {.stream = s, .start = dn__stream_at(s), .text = text, .length = length};
    DN_TRY(dn__stream_read(s, text, length, "header"));
    DN_TRY(read_dictionary(&c, h));
    /* No element is larger than eight bytes. A zero among the dimensions may hide an overflow: refused too. */
    int64_t bytes = 8;
    h->count = 1;
    for (int i = 0; i < h->rank; i++) {
        if (__builtin_mul_overflow(bytes, h->dims[i] ? h->dims[i] : 1, &bytes))
            return dn__stream_fail(s, c.start, "header: the product of the dimensions is above 2^63 bytes");
        h->count *= h->dims[i];
    }
    return DN_OK;
}
