#include "apps/command_line.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/status.h"

/* Whatever is not known to mean nothing to a shell is quoted. */
static bool is_plain(const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@%+=:,./_-";
    return *text && strspn(text, plain) == strlen(text);
}

/* Between single quotes all is itself but a single quote, which stands outside of them behind a backslash. */
static void add_argument(FILE *file, const char *text)
{
    if (is_plain(text)) {
        fputs(text, file);
        return;
    }
    fputc('\'', file);
    for (const char *c = text; *c; c++)
        if (*c == '\'')
            fputs("'\\''", file);
        else
            fputc(*c, file);
    fputc('\'', file);
}

char *dn_command_line(int argc, char *const *argv)
{
    char *line = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&line, &size);
    if (file) fputs(argv[0], file); /* two words: the program and its command */
    for (int i = 1; i < argc && file; i++) {
        fputc(' ', file);
        add_argument(file, argv[i]);
    }
    if (file && fclose(file) == 0) return line;
    dn_free(line);
    (void)dn_fail(DN_ERROR_MEMORY, "no memory for the text of a command");
    return NULL;
}
