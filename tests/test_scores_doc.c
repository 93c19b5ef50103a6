/** docs/scores.md and the table of methods say the same: every method has a row with what it needs, and its options
 *  with their defaults and ranges. What docs/add_a_score.md shows is in the sources. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "ood/expression_private.h"
#include "ood/methods.h"

enum { CELL_MAX = 512, CELLS = 5 };

/* | method | outlier score | needs | options (default; range) | source | */
enum { NAME, SCORE, NEEDS, OPTIONS, SOURCE };

/** @param name from the repository's root @return its text; free with dn_free() */
static char *read_text(const char *name)
{
    const char *file_name = __FILE__;
    const char *tests = strstr(file_name, "tests/test_scores_doc.c");
    cr_assert(tests);
    char *path = dn_format("%.*s%s", (int)(tests - file_name), file_name, name);
    FILE *file = fopen(path, "rb");
    cr_assert(file, "%s cannot be opened", path);
    dn_free(path);
    cr_assert_eq(fseek(file, 0, SEEK_END), 0);
    const long size = ftell(file);
    cr_assert_gt(size, 0);
    rewind(file);
    char *text = dn_calloc((size_t)size + 1, 1);
    cr_assert_eq(fread(text, 1, (size_t)size, file), (size_t)size);
    (void)fclose(file);
    return text;
}

/** Text that must fit. */
typedef struct text {
    char at[CELL_MAX];
    size_t length;
} text;

DN_PRINTF(2, 3) static void add(text *to, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(to->at + to->length, sizeof to->at - to->length, format, arguments);
    va_end(arguments);
    cr_assert(length >= 0 && to->length + (size_t)length < sizeof to->at);
    to->length += (size_t)length;
}

static void add_needs(text *to, unsigned needs)
{
    static const char *const names[] = {"z", "f", "head", "fit z", "fit f", "fit y"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (needs & 1U << i) add(to, to->length ? ", %s" : "%s", names[i]);
    }
}

/** Numbers as people write them: 0.1, 1000, 1e6, 1e-4. */
static void add_number(text *to, double value)
{
    char digits[32];
    (void)snprintf(digits, sizeof digits, "%g", value);
    char *e = strchr(digits, 'e');
    if (!e) {
        add(to, "%s", digits);
        return;
    }
    *e = '\0';
    add(to, "%se%ld", digits, strtol(e + 1, NULL, 10));
}

static void add_range(text *to, const dn_method_option *option)
{
    if (option->integer) add(to, "whole, ");
    if (option->above_low) add(to, "above ");
    add_number(to, option->low);
    add(to, option->above_low ? ", up to " : " to ");
    add_number(to, option->high);
}

/** As in `k` (50; whole, 1 to 1e9), or `rule` (predicted; predicted, max). */
static void add_option(text *to, const dn_method *method, size_t index)
{
    const dn_method_option *option = dn__option(method, index);
    const double standard = dn__option_default(method, index);
    add(to, "%s`%s` (", to->length ? ", " : "", option->name);
    if (option->automatic) {
        add(to, "automatic; ");
    } else if (option->word) {
        add(to, "%s; ", option->word[(size_t)standard]);
    } else {
        add_number(to, standard);
        add(to, "; ");
    }
    if (!option->word) add_range(to, option);
    for (size_t w = 0; option->word && option->word[w]; w++) add(to, w ? ", %s" : "%s", option->word[w]);
    add(to, ")");
}

/** @return whether the line is a row of five cells, copied without the blanks around them */
static bool cut_row(char cell[CELLS][CELL_MAX], const char *line, size_t length)
{
    const char *end = line + length;
    if (length == 0 || *line++ != '|') return false;
    for (int i = 0; i < CELLS; i++) {
        const char *bar = memchr(line, '|', (size_t)(end - line));
        if (!bar) return false;
        const char *last = bar;
        while (line < last && *line == ' ') line++;
        while (last > line && last[-1] == ' ') last--;
        cr_assert_lt(last - line, CELL_MAX);
        (void)snprintf(cell[i], CELL_MAX, "%.*s", (int)(last - line), line);
        line = bar + 1;
    }
    return line == end;
}

/** @return the method that the row's first cell names, as in `knn`, or NULL */
static const dn_method *method_of(const char *name)
{
    char plain[CELL_MAX];
    const size_t length = strlen(name);
    if (length < 3 || name[0] != '`' || name[length - 1] != '`') return NULL;
    (void)snprintf(plain, sizeof plain, "%.*s", (int)length - 2, name + 1);
    const dn_method *method = dn_method_find(plain);
    cr_expect(method, "docs/scores.md has a row for '%s', but there is no such method", plain);
    return method;
}

static void check_row(const dn_method *method, char cell[CELLS][CELL_MAX])
{
    text needs = {0}, options = {0};
    add_needs(&needs, method->needs);
    for (size_t i = 0; i < dn__option_count(method); i++) add_option(&options, method, i);
    if (options.length == 0) add(&options, "-");
    cr_expect_str_eq(cell[NEEDS], needs.at, "docs/scores.md, %s: it needs '%s', but the row says '%s'", method->name,
                     needs.at, cell[NEEDS]);
    cr_expect_str_eq(cell[OPTIONS], options.at, "docs/scores.md, %s: its options are '%s', but the row says '%s'",
                     method->name, options.at, cell[OPTIONS]);
    cr_expect(cell[SCORE][0] && cell[SOURCE][0], "docs/scores.md, %s: an empty cell", method->name);
}

Test(scores_doc, has_every_method_as_it_is)
{
    char *document = read_text("docs/scores.md"), cell[CELLS][CELL_MAX];
    size_t count, rows = 0;
    const dn_method *const *methods = dn_methods(&count);
    bool *found = dn_calloc(count, sizeof *found);
    for (const char *line = document; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (!cut_row(cell, line, strcspn(line, "\n"))) continue;
        const dn_method *method = method_of(cell[NAME]);
        if (!method) continue;
        rows++;
        check_row(method, cell);
        for (size_t i = 0; i < count; i++) {
            if (methods[i] != method) continue;
            cr_expect_not(found[i], "docs/scores.md has two rows for %s", method->name);
            found[i] = true;
        }
    }
    for (size_t i = 0; i < count; i++) cr_expect(found[i], "docs/scores.md has no row for %s", methods[i]->name);
    cr_expect_eq(rows, count);
    dn_free(found);
    dn_free(document);
}

Test(scores_doc, names_the_options_of_layers)
{
    char *document = read_text("docs/scores.md");
    for (size_t i = 0; i < DN__LAYER_OPTIONS; i++) {
        const dn_method_option *option = &dn__layer_option[i];
        for (size_t w = 0; option->word[w]; w++) {
            char *row = dn_format("| `%s=%s` |", option->name, option->word[w]);
            cr_expect(strstr(document, row), "docs/scores.md has no row '%s'", row);
            dn_free(row);
        }
    }
    dn_free(document);
}

/** A line such as `ood/nci.c` says where the code after it is from. */
Test(add_a_score_doc, shows_code_as_it_is)
{
    char *document = read_text("docs/add_a_score.md"), *source = NULL, name[64] = "";
    size_t blocks = 0;
    for (char *line = document; *line;) {
        char *end = line + strcspn(line, "\n");
        if (line[0] == '`' && end[-1] == '`' && strchr(line, '/') < end && end - line < (long)sizeof name) {
            (void)snprintf(name, sizeof name, "%.*s", (int)(end - line) - 2, line + 1);
            dn_free(source);
            source = read_text(name);
        }
        if (strncmp(line, "```c\n", 5) == 0) {
            char *code = line + 5, *close = strstr(code, "```\n");
            cr_assert(close && source, "a block of code without end or source");
            *close = '\0';
            cr_expect(strstr(source, code), "docs/add_a_score.md: this is not in %s:\n%s", name, code);
            blocks++;
            end = close + 3;
        }
        line = end + (*end == '\n');
    }
    cr_expect_eq(blocks, 7, "%zu blocks of code", blocks);
    dn_free(source);
    dn_free(document);
}
