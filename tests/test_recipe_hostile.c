/* Recipes made to break the reader: an error, soon, and nothing else. Meant to run under the sanitizers too. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "apps/recipe.h"
#include "apps/recipe_shipped.h"
#include "core/alloc.h"
#include "core/random.h"

static void check_refused(const char *yaml, const char *expected)
{
    dn_recipe *r = NULL;
    const clock_t start = clock();
    cr_expect_neq(dn_recipe_parse(&r, yaml, "bad.yaml", NULL, 0), DN_OK);
    cr_expect_null(r);
    cr_expect(strstr(dn_error_last(), expected), "%s\n  instead of: %s", dn_error_last(), expected);
    cr_expect_lt((double)(clock() - start) / CLOCKS_PER_SEC, 5.0, "took too long");
}

/* `n` times `unit` after `start`. */
static char *repeat(const char *start, const char *unit, size_t n)
{
    const size_t first = strlen(start), length = strlen(unit);
    char *text = dn_calloc(first + n * length + 1, 1);
    cr_assert(text);
    memcpy(text, start, first);
    for (size_t i = 0; i < n; i++) memcpy(text + first + i * length, unit, length);
    return text;
}

Test(recipe_hostile, bombs)
{
    check_refused("a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b]\n",
                  "recipes use no anchors and aliases");
    static const struct {
        const char *start, *unit;
        size_t n;
        const char *expected;
    } cases[] = {
        {"", "[", 500000, "nested too deeply"},
        {"", "{a: ", 100000, "nested too deeply"},
        {"", "- ", 100000, "nested too deeply"},
        {"", "? ", 100000, ""},
        {"", "a: ", 100000, ""},
        {"mi: {sources: [", "{},", 100000, "more than 1000 entries"},
        {"name: ", "x", 2000000, "larger than 1 MiB"},
        {"", "x", 1000000, ""},
        {"\"", "\\x41", 200000, ""},
        {"", "!", 100000, ""},
        {"", "&a ", 100000, ""},
        {"", "%", 100000, ""},
        {"", "---\n", 100000, ""},
        {"name: |\n", " \n", 200000, ""},
        {"", "\t", 100000, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = repeat(cases[i].start, cases[i].unit, cases[i].n);
        check_refused(text, cases[i].expected);
        dn_free(text);
    }
}

Test(recipe_hostile, thousands_of_keys)
{
    char *text = dn_calloc(1, 1 << 20);
    size_t used = 0;
    for (int i = 0; i < 50000; i++) used += (size_t)snprintf(text + used, (1 << 20) - used, "k%d: 1\n", i);
    check_refused(text, "more than 1000 entries");
    dn_free(text);
}

Test(recipe_hostile, files_that_are_not_text)
{
    char path[] = "/tmp/dunlin-recipe-XXXXXX.yaml";
    const int fd = mkstemps(path, 5);
    cr_assert_geq(fd, 0);
    FILE *file = fdopen(fd, "wb");
    dn_random_sequence random = {.seed = 5};
    for (int i = 0; i < 10000; i++) fputc((int)dn_random_next_below(&random, 256), file);
    fclose(file);
    dn_recipe *r = NULL;
    cr_expect_eq(dn_recipe_open(&r, path, NULL, 0), DN_ERROR_FORMAT);
    cr_expect(strstr(dn_error_last(), "not text: it holds zero bytes"), "%s", dn_error_last());
    remove(path);
    check_refused("name: \xff\xfe\n", "not UTF-8 text (byte 6: ");
    check_refused("\x7f"
                  "ELF\x02\x01",
                  "");
    check_refused("\x89PNG\r\n\x1a\n", "");
}

/* One random edit of the text in place: another byte, a byte of YAML's own, or a run of bytes taken out or doubled. */
static void mutate(char *text, size_t room, dn_random_sequence *random)
{
    static const char special[] = "[]{}:,&*!|>'\"%@`#-? \n\t0123456789.e~";
    const size_t length = strlen(text);
    if (!length) return;
    const size_t at = dn_random_next_below(random, (uint32_t)length);
    size_t run = 1 + dn_random_next_below(random, 20);
    if (at + run > length) run = length - at;
    switch (dn_random_next_below(random, 5)) {
    case 0: text[at] = (char)(1 + dn_random_next_below(random, 255)); break;
    case 1:
    case 2: text[at] = special[dn_random_next_below(random, sizeof special - 1)]; break;
    case 3: memmove(text + at, text + at + run, length - at - run + 1); break;
    default:
        if (length + run < room) memmove(text + at + run, text + at, length - at + 1);
    }
}

/* What is still accepted must be whole: it writes, and reads back as the same. */
static void check_accepted(const dn_recipe *r)
{
    char *text = dn_recipe_text(r);
    dn_recipe *again = NULL;
    cr_assert(text, "%s", dn_error_last());
    cr_assert_eq(dn_recipe_parse(&again, text, "again", NULL, 0), DN_OK, "%s\n%s", dn_error_last(), text);
    char *second = dn_recipe_text(again);
    cr_assert_str_eq(text, second);
    dn_free(text);
    dn_free(second);
    dn_recipe_close(again);
}

Test(recipe_hostile, mutations_of_shipped_recipes)
{
    enum { ROUNDS = 300, ROOM = 8192 };
    dn_random_sequence random = {.seed = 11};
    int accepted = 0, refused = 0;
    char text[ROOM];
    for (int i = 0; i < dn__shipped_count; i++) {
        for (int round = 0; round < ROUNDS; round++) {
            cr_assert_lt(strlen(dn__shipped_texts[i]), ROOM);
            snprintf(text, sizeof text, "%s", dn__shipped_texts[i]);
            for (uint32_t k = dn_random_next_below(&random, 4) + 1; k; k--) mutate(text, ROOM, &random);
            dn_recipe *r = NULL;
            if (dn_recipe_parse(&r, text, "mutant", NULL, 0) == DN_OK) {
                check_accepted(r);
                accepted++;
            } else {
                cr_assert_null(r);
                cr_assert_gt(strlen(dn_error_last()), 0);
                refused++;
            }
            dn_recipe_close(r);
        }
    }
    cr_log_info("%d accepted, %d refused", accepted, refused);
    cr_assert_gt(accepted, 100);
    cr_assert_gt(refused, 1000);
}

Test(recipe_hostile, mutations_of_overrides)
{
    static const char *const overrides[] = {"train.batch=64", "mi.sources.0.alpha=1.5", "data.ood=[a[0-4]:b, 'c,d']",
                                            "optimizer.schedule=[{step: 0, rate: .1}]", "mi.sources.1={kind: train}"};
    dn_random_sequence random = {.seed = 12};
    char text[512];
    for (int round = 0; round < 3000; round++) {
        snprintf(text, sizeof text, "%s", overrides[round % 5]);
        for (uint32_t k = dn_random_next_below(&random, 3) + 1; k; k--) mutate(text, sizeof text, &random);
        const char *const override = text;
        dn_recipe *r = NULL;
        if (dn_recipe_open(&r, "glyphs-mi", &override, 1) == DN_OK) check_accepted(r);
        dn_recipe_close(r);
    }
}
