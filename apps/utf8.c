#include "apps/utf8.h"

#include <stdbool.h>
#include <string.h>

size_t dn_utf8_length(const char *letter)
{
    static const struct {
        unsigned mask, lead, least; /* of the first byte; the lowest letter that needs so many bytes */
    } forms[] = {{0x80, 0x00, 0x20}, {0xe0, 0xc0, 0xa0}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    const unsigned char *text = (const unsigned char *)letter;
    for (size_t more = 0; more < 4; more++) {
        if ((text[0] & forms[more].mask) != forms[more].lead) continue;
        unsigned code = text[0] & ~forms[more].mask;
        for (size_t i = 1; i <= more; i++) {
            if ((text[i] & 0xc0u) != 0x80u) return 0;
            code = code << 6 | (text[i] & 0x3fu);
        }
        const bool surrogate = code >= 0xd800 && code <= 0xdfff;
        const bool none = code < forms[more].least || code > 0x10ffff || code == 0x7f || (code & 0xfffe) == 0xfffe;
        return surrogate || none ? 0 : more + 1;
    }
    return 0;
}

void dn_text_disarm(char *text, const char *spared)
{
    for (; *text; text++)
        if (((unsigned char)*text < 0x20 || *text == 0x7f) && !strchr(spared, *text)) *text = '?';
}
