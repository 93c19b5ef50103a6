#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char last_error[2048];

dn_status dn_fail(dn_status code, const char *format, ...)
{
    char text[sizeof last_error]; /* an argument may be the last error itself */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    memcpy(last_error, text, sizeof last_error);
    return code;
}

dn_status dn_fail_context(dn_status code, const char *format, ...)
{
    char before[sizeof last_error / 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(before, sizeof before - 2, format, arguments); /* room for ": " */
    va_end(arguments);
    const size_t text = strlen(before), length = text + 2;
    memcpy(before + text, ": ", 2);
    memmove(last_error + length, last_error, sizeof last_error - length);
    memcpy(last_error, before, length);
    last_error[sizeof last_error - 1] = '\0';
    return code;
}

const char *dn_error_last(void)
{
    return last_error[0] ? last_error : "no error";
}

const char *dn_status_name(dn_status code)
{
    switch (code) {
    case DN_OK: return "ok";
    case DN_ERROR_ARGUMENT: return "wrong argument";
    case DN_ERROR_SHAPE: return "wrong shape";
    case DN_ERROR_MEMORY: return "out of memory";
    case DN_ERROR_FILE: return "file error";
    case DN_ERROR_FORMAT: return "wrong format";
    case DN_ERROR_UNSUPPORTED: return "not supported";
    case DN_ERROR_NUMERIC: return "not a finite number";
    case DN_ERROR_INTERRUPTED: return "interrupted";
    case DN_ERROR_INTERNAL: return "internal error";
    }
    return "unknown status";
}
