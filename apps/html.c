#include "apps/html.h"

#include <stdarg.h>
#include <string.h>

#include "apps/utf8.h"

/* @return what stands for the character; NULL: it stands for itself */
static const char *entity_of(char letter)
{
    switch (letter) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

void dn_html_text(FILE *to, const char *text)
{
    while (text && *text) {
        const char *entity = entity_of(*text);
        const size_t length = *text == '\n' || *text == '\t' ? 1 : dn_utf8_length(text);
        if (entity) {
            fputs(entity, to);
        } else if (length) {
            fwrite(text, 1, length, to);
        } else {
            fputs("\xef\xbf\xbd", to);
        }
        text += length ? length : 1;
    }
}

void dn_html_put(FILE *to, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    for (const char *percent; (percent = strchr(format, '%')); format = percent + 2) {
        fwrite(format, 1, (size_t)(percent - format), to);
        switch (percent[1]) {
        case 's': dn_html_text(to, va_arg(arguments, const char *)); break;
        case 'd': fprintf(to, "%d", va_arg(arguments, int)); break;
        default: fputc('%', to); break;
        }
    }
    fputs(format, to);
    va_end(arguments);
}

void dn_html_base64(FILE *to, const void *bytes, size_t count)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *from = bytes;
    for (size_t i = 0; i < count; i += 3) {
        const size_t left = count - i;
        const unsigned group =
            (unsigned)from[i] << 16 | (left > 1 ? (unsigned)from[i + 1] << 8 : 0u) | (left > 2 ? from[i + 2] : 0u);
        fputc(digits[group >> 18], to);
        fputc(digits[group >> 12 & 63u], to);
        fputc(left > 1 ? digits[group >> 6 & 63u] : '=', to);
        fputc(left > 2 ? digits[group & 63u] : '=', to);
    }
}
