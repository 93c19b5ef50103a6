/* The picture: its shares by hand, its texts, and what it leaves on the disk. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/gnuplot.h"
#include "apps/plot.h"

enum { BINS = 4 };

static void expect_shares(const dn_plot_cell *cell, const double expected[BINS])
{
    double share[BINS], sum = 0.0;
    cr_assert_eq(dn_plot_shares(share, BINS, cell), DN_OK, "%s", dn_error_last());
    for (int b = 0; b < BINS; b++) {
        cr_expect_float_eq(share[b], expected[b], 1e-12, "bin %d: %g, expected %g", b, share[b], expected[b]);
        sum += share[b];
    }
    cr_expect_float_eq(sum / BINS, 0.5, 1e-12);
}

#define CELL(known, unknown) \
    (&(dn_plot_cell){known, unknown, sizeof(known) / sizeof(double), sizeof(unknown) / sizeof(double), 0.5})

Test(plot, shares_by_hand)
{
    const double low[] = {1, 2}, high[] = {3, 4, 5, 6}, mixed[] = {0, 1.5, 2.5, 9}, level[] = {7, 7, 7};
    expect_shares(CELL(low, high), (double[]){0, 0, 1, 1});
    expect_shares(CELL(high, low), (double[]){1, 1, 0, 0});
    expect_shares(CELL(level, level), (double[]){.5, .5, .5, .5});
    /* In order, with their weights: mixed 1/8, low 1/4, mixed 1/8, low 1/4, mixed 1/8, mixed 1/8. */
    expect_shares(CELL(low, mixed), (double[]){.5, .5, 0, 1});
    /* Ties: low[0] with one more of the other set, an eighth and a quarter spread over three eighths. */
    const double tied[] = {1, 8, 8, 8};
    expect_shares(CELL(low, tied), (double[]){1. / 3, (1. / 24) / .25, .5, 1});
}

Test(plot, shares_refuse_what_is_no_score)
{
    const double good[] = {1, 2}, bad[] = {1, NAN};
    double share[BINS];
    cr_expect_eq(dn_plot_shares(share, BINS, CELL(good, bad)), DN_ERROR_NUMERIC);
    cr_expect_eq(dn_plot_shares(share, BINS, &(dn_plot_cell){good, good, 2, 0, 0.5}), DN_ERROR_ARGUMENT);
}

static void expect_text(const char *text, int letters, const char *expected)
{
    char got[64] = "";
    FILE *file = tmpfile();
    cr_assert_not_null(file);
    dn_gnuplot_text(file, text, letters);
    rewind(file);
    cr_assert_not_null(fgets(got, sizeof got, file));
    fclose(file);
    cr_expect_str_eq(got, expected);
}

Test(plot, texts_mean_nothing_to_gnuplot)
{
    expect_text("plain", 9, "'plain'");
    expect_text("it's", 9, "'it''s'");
    expect_text("`ls`\\n@x", 9, "'`ls`\\n@x'");
    expect_text("a\nb\x7f\x1b[", 9, "'a?b?\?['");
    expect_text("\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa6", 9, "'\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa6'");
    /* A half letter, a too long form, a surrogate, U+FFFF, above U+10FFFF. */
    expect_text("x\xc3", 9, "'x?'");
    expect_text("\xc0\xaf", 9, "'?\?'");
    expect_text("\xed\xa0\x80", 9, "'?\?\?'");
    expect_text("\xef\xbf\xbf", 9, "'?\?\?'");
    expect_text("\xf4\x90\x80\x80", 9, "'?\?\?\?'");
    expect_text("\xc3\xa9\xc3\xa9\xc3\xa9", 2, "'\xc3\xa9\xc3\xa9...'");
    expect_text("ab", 2, "'ab'");
}

/* ---- with gnuplot ---- */

static char folder[] = "/tmp/dn-plot-XXXXXX", path[64];

static void open_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
}

static void close_folder(void)
{
    unlink(path);
    rmdir(folder);
}

/* Files in the folder, of any name. */
static int count_files(void)
{
    int count = 0;
    DIR *directory = opendir(folder);
    cr_assert_not_null(directory);
    for (const struct dirent *entry; (entry = readdir(directory));) count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

TestSuite(plot_file, .init = open_folder, .fini = close_folder);

static void read_file(char *text, size_t size)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static dn_status draw(const char *name, const char *title)
{
    static const double known[] = {1, 2, 3, 4}, unknown[] = {3, 4, 5};
    static const dn_plot_cell cell = {known, unknown, 4, 3, 0.9};
    static const char *const rows[] = {"noise:uniform@8x8x1"};
    const dn_plot_panel panel = {title, "one network", "msp", &cell};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return dn_plot_draw(&(dn_plot){"npy:/some/where/digits.npy,/some/where/labels.npy", rows, 1, &panel, 1}, path);
}

Test(plot_file, svg_is_whole_and_holds_the_texts)
{
    static char text[100000];
    cr_assert_eq(draw("a.svg", "a<b> & 'c' \xff"), DN_OK, "%s", dn_error_last());
    read_file(text, sizeof text);
    cr_expect_eq(strncmp(text, "<?xml", 5), 0);
    cr_expect(strstr(text, "</svg>"));
    cr_expect(strstr(text, "a&lt;b> &amp; 'c' ?"));
    cr_expect(strstr(text, ">known: digits.npy<"));
    cr_expect(strstr(text, ">noise:uniform<"));
    cr_expect(strstr(text, ">90.0<"));
    cr_expect_null(strchr(text, '\xff'));
}

Test(plot_file, png_replaces_an_older_one)
{
    char text[16];
    for (int i = 0; i < 2; i++) cr_assert_eq(draw("a.png", "a"), DN_OK, "%s", dn_error_last());
    read_file(text, sizeof text);
    cr_expect_eq(memcmp(text, "\x89PNG", 4), 0);
    cr_expect_eq(count_files(), 1);
}

static void put_nonsense(FILE *to, const void *what)
{
    (void)what;
    fputs("frobnicate\n", to);
    for (int i = 0; i < 100000; i++) fputs("# more than a pipe holds\n", to);
}

Test(plot_file, errors_leave_nothing_behind)
{
    cr_expect_eq(draw("a.pdf", "a"), DN_ERROR_ARGUMENT);
    cr_expect(strstr(dn_error_last(), ".svg or .png"));
    cr_expect_eq(draw("none/a.svg", "a"), DN_ERROR_FILE);
    cr_expect(strstr(dn_error_last(), "none/a.svg: cannot create"), "%s", dn_error_last());
    snprintf(path, sizeof path, "%s/a.svg", folder);
    cr_expect_eq(dn_gnuplot_draw(path, 100, 100, put_nonsense, NULL), DN_ERROR_UNSUPPORTED);
    cr_expect(strstr(dn_error_last(), "invalid command"), "%s", dn_error_last());
    cr_expect_eq(count_files(), 0);
    cr_assert_eq(setenv("PATH", folder, 1), 0);
    cr_expect_eq(draw("a.svg", "a"), DN_ERROR_UNSUPPORTED);
    cr_expect(strstr(dn_error_last(), "gnuplot-nox"), "%s", dn_error_last());
    cr_expect_eq(count_files(), 0);
}

Test(plot_file, too_much_for_a_picture)
{
    cr_expect_eq(dn_plot_draw(&(dn_plot){.n_panels = DN_PLOT_PANELS_MAX + 1, .n_rows = 1}, "a.svg"), DN_ERROR_ARGUMENT);
    cr_expect_eq(dn_plot_draw(&(dn_plot){.n_panels = 1, .n_rows = DN_PLOT_ROWS_MAX + 1}, "a.svg"), DN_ERROR_ARGUMENT);
}
