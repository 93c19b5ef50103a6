/* The report: its pieces against what defines them, and a whole page of hostile names, seen by a browser. */
#include <math.h>

#include "apps/html.h"
#include "apps/json.h"
#include "apps/report_private.h"
#include "apps/run.h"
#include "datasets/image.h"
#include "tests/run_command.h"

enum { MOST = 4000000 };

/* ---- texts ---- */

/** What a function writes. Free with dn_free() */
static char *written(void (*write)(FILE *to, const void *what), const void *what)
{
    FILE *file = tmpfile();
    char *text = dn_calloc(MOST, 1);
    cr_assert(file && text);
    write(file, what);
    rewind(file);
    text[fread(text, 1, MOST - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void write_text(FILE *to, const void *what)
{
    dn_html_text(to, what);
}

static void write_base64(FILE *to, const void *what)
{
    dn_html_base64(to, what, strlen(what));
}

static void expect_written(void (*write)(FILE *, const void *), const void *what, const char *expected)
{
    char *text = written(write, what);
    cr_expect_str_eq(text, expected);
    dn_free(text);
}

Test(report, texts_of_any_origin_are_texts)
{
    expect_written(write_text, "<b>\"it's\" & so</b>", "&lt;b&gt;&quot;it&#39;s&quot; &amp; so&lt;/b&gt;");
    expect_written(write_text, "two\nlines\tand \xc3\xa9", "two\nlines\tand \xc3\xa9");
    expect_written(write_text, "\x1b[31m\xff\xc3", "\xef\xbf\xbd[31m\xef\xbf\xbd\xef\xbf\xbd");
    expect_written(write_text, NULL, "");
}

Test(report, base64_of_the_standard)
{
    /* RFC 4648, section 10. */
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) expect_written(write_base64, pairs[i][0], pairs[i][1]);
}

static void write_table(FILE *to, const void *what)
{
    dn__report_table_write(to, what);
}

Test(report, columns_of_numbers_stand_right)
{
    static const char *const heads[] = {"a<b", "ours"};
    static const char *const cells[] = {"<td>", "93.1 \xc2\xb1 0.2", "3rd", "-", NULL, "1e-3"};
    const dn_report_table table = {.title = "T&T", .headings = heads, .cells = cells, .columns = 2, .rows = 3};
    char *text = written(write_table, &table);
    HAS(text, "<h2>T&amp;T</h2>");
    HAS(text, "<th scope=\"col\">a&lt;b</th><th scope=\"col\" class=n>ours</th>");
    HAS(text, "<td>&lt;td&gt;</td><td class=n>93.1 \xc2\xb1 0.2</td>");
    HAS(text, "<td>3rd</td><td class=n>-</td>");
    HAS(text, "<td></td><td class=n>1e-3</td>");
    dn_free(text);
}

/* ---- curves ---- */

static dn__report_line new_line(size_t n)
{
    dn__report_line line = {dn_calloc(n, sizeof(double)), dn_calloc(n, sizeof(double)), n};
    cr_assert(line.x && line.y);
    return line;
}

/** @return the distance of a point to the nearest piece of a line */
static double distance_to(const dn__report_line *l, double x, double y)
{
    double least = INFINITY;
    for (size_t i = 0; i + 1 < l->n; i++) {
        const double dx = l->x[i + 1] - l->x[i], dy = l->y[i + 1] - l->y[i], square = dx * dx + dy * dy;
        const double t = square > 0.0 ? ((x - l->x[i]) * dx + (y - l->y[i]) * dy) / square : 0.0;
        const double along = fmin(1.0, fmax(0.0, t));
        least = fmin(least, hypot(x - l->x[i] - along * dx, y - l->y[i] - along * dy));
    }
    return least;
}

Test(report, thinned_lines_stay_where_they_were)
{
    enum { N = 3000 };
    static const double tolerances[] = {0.0, 1e-3, 0.05};
    for (int t = 0; t < 3; t++) {
        dn_random_sequence r = {.seed = 7};
        dn__report_line all = new_line(N), line = new_line(N);
        for (size_t i = 1; i < N; i++) { /* steps to the right and up, as ROC curves have, and a few down */
            all.x[i] = all.x[i - 1] + (dn_random_next_below(&r, 3) == 0) / 1000.0;
            all.y[i] = all.y[i - 1] + ((double)dn_random_next_below(&r, 4) - 1.0) / 1500.0;
        }
        memcpy(line.x, all.x, N * sizeof(double));
        memcpy(line.y, all.y, N * sizeof(double));
        cr_assert_eq(dn__report_thin(&line, tolerances[t]), DN_OK);
        cr_expect(line.n < (t == 0 ? N : t == 1 ? N / 2 : 100), "%zu points stay", line.n);
        cr_expect(line.x[0] == all.x[0] && line.x[line.n - 1] == all.x[N - 1] && line.y[line.n - 1] == all.y[N - 1]);
        for (size_t i = 0; i < N; i++)
            cr_assert(distance_to(&line, all.x[i], all.y[i]) <= tolerances[t] + 1e-12, "point %zu", i);
        dn__report_line_close(&all);
        dn__report_line_close(&line);
    }
}

/** @return the area below a line */
static double area(const dn__report_line *l)
{
    double sum = 0.0;
    for (size_t i = 0; i + 1 < l->n; i++) sum += (l->x[i + 1] - l->x[i]) * 0.5 * (l->y[i] + l->y[i + 1]);
    return sum;
}

Test(report, curves_of_scores)
{
    /* From above: 9 unknown, 7 both, 5 known, 1 unknown. */
    static const double few_id[] = {7, 5}, few_ood[] = {1, 9, 7};
    const dn_evaluation_row few = {
        .id_scores = few_id, .scores = (double *)few_ood, .metrics = {.n_id = 2, .n_ood = 3}};
    static const double x[] = {0, 0, .5, 1, 1}, y[] = {0, 1. / 3, 2. / 3, 2. / 3, 1};
    static const double recall[] = {1. / 3, 2. / 3, 2. / 3, 1}, precision[] = {1, 2. / 3, .5, .6};
    dn__report_line line;
    cr_assert_eq(dn__report_roc(&line, &few), DN_OK);
    cr_assert_eq(line.n, 5);
    for (size_t i = 0; i < 5; i++) cr_expect(fabs(line.x[i] - x[i]) + fabs(line.y[i] - y[i]) < 1e-12, "ROC %zu", i);
    dn__report_line_close(&line);
    cr_assert_eq(dn__report_precision(&line, &few), DN_OK);
    cr_assert_eq(line.n, 4);
    for (size_t i = 0; i < 4; i++)
        cr_expect(fabs(line.x[i] - recall[i]) + fabs(line.y[i] - precision[i]) < 1e-12, "precision %zu", i);
    dn__report_line_close(&line);
    /* Many: the area below is the AUROC but for what half a pixel holds. */
    enum { N = 2000 };
    static double id[N], ood[N];
    dn_random_sequence r = {.seed = 3};
    for (int i = 0; i < N; i++) id[i] = dn_random_next_normal(&r), ood[i] = 1.0 + (double)dn_random_next_normal(&r);
    dn_evaluation_row many = {.id_scores = id, .scores = ood};
    cr_assert_eq(dn_metrics_compute(&many.metrics, id, N, ood, N, NULL), DN_OK);
    cr_assert_eq(dn__report_roc(&line, &many), DN_OK);
    cr_expect(line.n < 300, "%zu points", line.n);
    cr_expect(fabs(area(&line) - many.metrics.auroc) < 2e-3, "%g, AUROC %g", area(&line), many.metrics.auroc);
    dn__report_line_close(&line);
}

Test(report, quantiles_and_means_by_hand)
{
    static const double sorted[] = {1, 2, 3, 4};
    cr_expect_eq(dn__report_quantile(sorted, 4, 0.0), 1);
    cr_expect_eq(dn__report_quantile(sorted, 4, 0.25), 1);
    cr_expect_eq(dn__report_quantile(sorted, 4, 0.5), 2);
    cr_expect_eq(dn__report_quantile(sorted, 4, 0.51), 3);
    cr_expect_eq(dn__report_quantile(sorted, 4, 1.0), 4);
    float loss[] = {1, 10, 2, 20, 3, 30, 4, 40, 5, 50}, accuracy[10] = {0}, mi[] = {NAN, NAN, NAN, NAN, NAN};
    const dn_history history = {
        .members = 2, .steps = 5, .room = 5, .loss = loss, .accuracy = accuracy, .mutual_information = mi};
    dn__report_training t;
    cr_assert_eq(dn__report_training_take(&t, &history, 2), DN_OK);
    cr_assert_eq(t.n, 2); /* steps 0, 1 and 2, 3, 4 */
    cr_expect(t.step[0] == 2 && t.step[1] == 5);
    cr_expect(t.loss[0] == 1.5 && t.loss[1] == 4 && t.loss[2] == 15 && t.loss[3] == 40);
    cr_expect(isnan(t.mutual_information[0]));
    dn__report_training_close(&t);
}

/* ---- the map ---- */

/** Checks axis a by what an axis is: C v = lambda v, |v| = 1, and its share lambda / trace C. */
static void check_axis(const dn__report_map *map, const double *x, size_t rows, size_t dims, int a)
{
    const double *axis = map->axes + (size_t)a * dims;
    double length = 0.0, trace = 0.0, lambda = 0.0, *product = dn_calloc(dims, sizeof *product);
    for (size_t i = 0; i < dims; i++) length += axis[i] * axis[i];
    cr_expect(fabs(length - 1.0) < 1e-9, "axis %d has length %g", a, length);
    for (size_t r = 0; r < rows; r++) {
        double along = 0.0;
        for (size_t i = 0; i < dims; i++) {
            const double centred = x[r * dims + i] - map->mean[i];
            along += centred * axis[i];
            trace += centred * centred;
        }
        lambda += along * along;
        for (size_t i = 0; i < dims; i++) product[i] += along * (x[r * dims + i] - map->mean[i]);
    }
    for (size_t i = 0; i < dims; i++)
        cr_assert(fabs(product[i] - lambda * axis[i]) < 1e-8 * lambda, "axis %d, entry %zu", a, i);
    cr_expect(fabs(map->share[a] - lambda / trace) < 1e-9, "share %g, %g", map->share[a], lambda / trace);
    dn_free(product);
}

static void check_map(size_t rows, size_t dims)
{
    double *x = dn_calloc(rows * dims, sizeof *x), at_x = 0.0, at_y = 0.0;
    dn_random_sequence r = {.seed = rows};
    cr_assert_not_null(x);
    for (size_t i = 0; i < rows; i++) {
        const double first = 9.0 * (double)dn_random_next_normal(&r), second = 4.0 * (double)dn_random_next_normal(&r);
        for (size_t d = 0; d < dims; d++)
            x[i * dims + d] = 5.0 +
                              (d % 3 == 0   ? first
                               : d % 3 == 1 ? -second
                                            : 0.0) +
                              (double)dn_random_next_normal(&r);
    }
    dn__report_map map;
    cr_assert_eq(dn__report_map_fit(&map, x, rows, dims), DN_OK, "%s", dn_error_last());
    cr_expect(map.share[0] > map.share[1] && map.share[0] + map.share[1] > 0.5);
    for (int a = 0; a < 2; a++) check_axis(&map, x, rows, dims, a);
    dn__report_map_place(&map, map.mean, &at_x, &at_y);
    cr_expect(at_x == 0.0 && at_y == 0.0);
    dn__report_map_close(&map);
    dn_free(x);
}

Test(report, axes_of_the_largest_variance)
{
    check_map(200, 6);
    check_map(5, 12);
    check_map(20, 900); /* by the rows' products */
    const double one[] = {1, 2, 3}, same[] = {1, 2, 1, 2, 1, 2};
    dn__report_map map;
    cr_expect_eq(dn__report_map_fit(&map, one, 1, 3), DN_ERROR_ARGUMENT);
    dn__report_map_close(&map);
    cr_expect_eq(dn__report_map_fit(&map, same, 3, 2), DN_OK);
    cr_expect(map.share[0] == 0.0 && map.share[1] == 0.0);
    dn__report_map_close(&map);
}

/* ---- charts ---- */

static bool has_program(const char *name)
{
    char path[256];
    const char *const folders[] = {"/usr/bin", "/usr/local/bin", "/bin"};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folders[i], name);
        if (access(path, X_OK) == 0) return true;
    }
    return false;
}

static void write_chart(FILE *to, const void *what)
{
    cr_assert_eq(dn_chart_write(to, what), DN_OK, "%s", dn_error_last());
}

Test(report, charts_take_the_colours_of_the_page)
{
    if (!has_program("gnuplot")) cr_skip_test("gnuplot is not installed");
    static const double x[] = {1, 2, NAN, 3, 4}, y[] = {1, 4, 2, INFINITY, 0}, none[] = {-1, -2};
    static const double round_x[] = {1, 2, 2, 1}, round_y[] = {0, 0, 3, 3};
    const dn_chart_series series[] = {{DN_CHART_LINE, 0, 0, 1.5, x, y, 5},
                                      {DN_CHART_AREA, 3, 0, 1.0, round_x, round_y, 4},
                                      {DN_CHART_DOTS, -1, 0, 3.0, x, y, 2},
                                      {DN_CHART_LINE, 5, 1, 1.0, none, none, 2}};
    const dn_chart chart = {.label = "<\"label\">",
                            .x_label = "x'`ls`",
                            .y_label = "y & z",
                            .log_x = true,
                            .marked = true,
                            .mark = 2.0,
                            .series = series,
                            .n_series = 4};
    char *text = written(write_chart, &chart);
    HAS(text, "role=\"img\"");
    HAS(text, "aria-label=\"&lt;&quot;label&quot;&gt;\"");
    HAS(text, "var(--s0)");
    HAS(text, "var(--s3)");
    HAS(text, "var(--ink)");
    HAS(text, "y &amp; z");
    HAS(text, "`ls`");
    cr_expect_null(strstr(text, "var(--s5)"), "nothing of it is above 0");
    static const char *const never[] = {"rgb(", "xmlns", "<title", "id=", "<defs", "http"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) cr_expect_null(strstr(text, never[i]), "%s", never[i]);
    dn_free(text);
    FILE *file = tmpfile();
    cr_expect_eq(dn__chart_copy(file, "<html></html>", "", 1, 1), DN_ERROR_UNSUPPORTED);
    fclose(file);
}

/* ---- a whole page, of names that want to be more than names ---- */

static const char hostile_run[] = "<i>&\"run'";

static void make_folder(const char *path)
{
    cr_assert_eq(mkdir(path, 0777), 0, "%s", path);
}

/** Images of three classes in sub-folders, with names as hostile as a file system takes. */
static void write_images(const char *part, uint64_t seed)
{
    static const char *const classes[] = {"a", "b<script>hacked=1<", "c\"><img src=x onerror='hacked=1'>"};
    dn_random_sequence r = {.seed = seed};
    make_folder(at(part));
    for (int c = 0; c < 3; c++) {
        char name[160], path[300];
        snprintf(name, sizeof name, "%s/%s", part, classes[c]);
        make_folder(at(name));
        for (int i = 0; i < 12; i++) {
            uint8_t pixels[SIDE * SIDE * 3];
            for (size_t k = 0; k < sizeof pixels; k++)
                pixels[k] = (uint8_t)(dn_random_next_below(&r, 120) + (k % 3 == (size_t)c ? 100 : 0));
            snprintf(path, sizeof path, "%s/%s/%d&amp;.png", work, name, i);
            const dn_image image = {SIDE, SIDE, 3, pixels};
            cr_assert_eq(dn_image_write_png(path, &image), DN_OK, "%s", dn_error_last());
        }
    }
}

static void train_run(void)
{
    char run[200];
    write_images("train", 1);
    write_images("test", 2);
    FILE *file = fopen(at("hostile.yaml"), "w");
    cr_assert_not_null(file);
    fprintf(
        file,
        "description: \"</pre><script>hacked=1</script>\"\ndata: {train: 'folder:%s/train', test: 'folder:%s/test', "
        "ood: ['noise:uniform@8x8x3'], prepare: [standardize]}\nmodel: {name: glyph_net, width: 4}\n"
        "ensemble: {kind: mi, members: 2}\n"
        "mi: {batch: 8, sources: [{kind: patch_shuffle, patch: 4, alpha: 1}]}\ntrain: {batch: 8, steps: 6}\n",
        work, work);
    fclose(file);
    snprintf(run, sizeof run, "%s", at(hostile_run));
    TRAIN(at("hostile.yaml"), "--out", run, "-q");
}

static char *read_page(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = dn_calloc(MOST, 1);
    cr_assert(file && text, "%s", path);
    const size_t size = fread(text, 1, MOST - 1, file);
    cr_expect(size > 50000 && size < MOST - 1, "%zu bytes", size);
    fclose(file);
    return text;
}

/** Decodes the first picture of the page. */
static void check_picture(const char *page)
{
    static const char begin[] = "data:image/png;base64,";
    const char *from = strstr(page, begin);
    cr_assert_not_null(from);
    from += strlen(begin);
    uint8_t bytes[4096];
    size_t n = 0;
    unsigned bits = 0, have = 0;
    for (; *from != '"' && *from != '=' && n < sizeof bytes; from++) {
        const char *const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        bits = bits << 6 | (unsigned)(strchr(digits, *from) - digits);
        have += 6;
        if (have >= 8) bytes[n++] = (uint8_t)(bits >> (have -= 8));
    }
    dn_image image;
    cr_assert_eq(dn_image_decode(&image, bytes, n), DN_OK, "%s", dn_error_last());
    cr_expect(image.height == SIDE && image.width == SIDE && image.channels == 3);
    dn_image_clear(&image);
}

static void check_history(void)
{
    dn_history history;
    char path[256];
    snprintf(path, sizeof path, "%s/%s/checkpoint.h5", work, hostile_run);
    cr_assert_eq(dn_checkpoint_history(path, &history), DN_OK, "%s", dn_error_last());
    cr_expect(history.steps == 6 && history.members == 2);
    for (int i = 0; i < 12; i++) cr_expect(history.loss[i] > 0.f && history.loss[i] < 100.f);
    for (int i = 0; i < 6; i++) cr_expect(history.mutual_information[i] >= 0.f);
    dn_history_close(&history);
}

/* The browser tells of the page what it tells of itself. */
static const char probe[] =
    "<script>addEventListener('load', () => {\n"
    "const say = [], figures = [...document.querySelectorAll('figure > svg')];\n"
    "const drawn = s => s.getBoundingClientRect().width > 200 && s.querySelectorAll('path[d], polygon').length > 4\n"
    "  && s.getAttribute('aria-label').length > 20;\n"
    "const images = [...document.images];\n"
    "say.push('figures ' + figures.length, 'drawn ' + figures.filter(drawn).length);\n"
    "say.push('images ' + images.length, 'shown ' + images.filter(i => i.naturalWidth == 8 && i.alt).length);\n"
    "say.push('hacked ' + (typeof hacked), 'scripts ' + document.scripts.length);\n"
    "const outside = [...document.querySelectorAll('[src],[href]')].map(e => e.getAttribute('src') || "
    "e.getAttribute('href'));\n"
    "say.push('outside ' + outside.filter(a => !/^(#|data:image.png;base64,)/.test(a)).length);\n"
    "say.push('wide ' + (document.documentElement.scrollWidth > innerWidth));\n"
    "const table = document.getElementById('scores'), column = 3;\n"
    "table.tHead.rows[0].cells[column].querySelector('button').click();\n"
    "const values = [...table.tBodies[0].rows].map(r => parseFloat(r.cells[column].textContent));\n"
    "say.push('sorted ' + values.every((v, i) => i == 0 || values[i - 1] >= v), 'rows ' + values.length, 'values ' + "
    "values.join(' '));\n"
    "say.push('ground ' + getComputedStyle(document.body).backgroundColor);\n"
    "document.documentElement.innerHTML = '<body>' + say.join(', ') + '.</body>';\n"
    "});</script>\n";

/** Runs a browser on a page; `out` and `err` are what it prints. @param option "--dump-dom" or "--screenshot=..." */
static int browse(const char *page, const char *size, const char *scheme, const char *option)
{
    char url[300], profile[200], *environment[] = {"HOME=/tmp", "PATH=/usr/bin:/bin", NULL};
    snprintf(url, sizeof url, "file://%s", page);
    snprintf(profile, sizeof profile, "--user-data-dir=%s/profile", work);
    const char *const arguments[] = {"chromium",
                                     "--headless=new",
                                     "--no-sandbox",
                                     "--disable-gpu",
                                     "--hide-scrollbars",
                                     "--disable-dev-shm-usage",
                                     "--no-first-run",
                                     "--enable-logging=stderr",
                                     "--host-resolver-rules=MAP * ~NOTFOUND",
                                     profile,
                                     size,
                                     scheme,
                                     option,
                                     url,
                                     NULL};
    return wait_command(start_program("chromium", (char *const *)arguments, environment));
}

/** Puts the probe into a copy of the page and has a browser load it: `out` is what the probe says. */
static void browse_with_probe(const char *page, const char *size, const char *scheme)
{
    FILE *file = fopen(at("probe.html"), "wb");
    cr_assert_not_null(file);
    fputs(page, file);
    fputs(probe, file);
    fclose(file);
    cr_assert_eq(browse(at("probe.html"), size, scheme, "--dump-dom"), 0, "%s", err);
    cr_expect_null(strstr(err, "CONSOLE"), "%s", err);
    HAS(out, "figures 7, drawn 7, images ");
    HAS(out, "hacked undefined, scripts 2, outside 0, wide false, sorted true, rows 5, ");
    const long long images = number_after(out, "images "), shown = number_after(out, "shown ");
    cr_expect(images >= 12 && images == shown, "%lld images, %lld shown", images, shown);
}

static void look_at_page(const char *page)
{
    char option[200];
    struct stat info;
    if (!has_program("chromium")) {
        cr_log_warn("chromium is not installed: no browser looks at the page");
        return;
    }
    browse_with_probe(page, "--window-size=500,900", "--blink-settings=preferredColorScheme=1");
    HAS(out, "ground rgb(255, 255, 255)");
    browse_with_probe(page, "--window-size=1280,900", "--blink-settings=preferredColorScheme=0");
    HAS(out, "ground rgb(20, 23, 28)");
    snprintf(option, sizeof option, "--screenshot=%s", at("page.png"));
    cr_expect_eq(browse(at("page.html"), "--window-size=1280,2000", "--force-color-profile=srgb", option), 0);
    cr_expect_null(strstr(err, "CONSOLE"), "%s", err);
    cr_assert_eq(stat(at("page.png"), &info), 0, "%s", err);
    cr_expect_gt(info.st_size, 50000);
}

TestSuite(report_page, .init = open_work, .fini = close_work, .timeout = 120);

Test(report_page, hostile_names)
{
    if (!has_program("gnuplot")) cr_skip_test("gnuplot is not installed");
    char run[200], path[200];
    train_run();
    check_history();
    snprintf(run, sizeof run, "%s", at(hostile_run));
    snprintf(path, sizeof path, "%s", at("page.html"));
    cr_assert_eq(RUN("report", run, "-o", path, "--title", "<u>all</u>"), 0, "%s", err);
    char *page = read_page(path);
    HAS(page, "<title>&lt;u&gt;all&lt;/u&gt;</title>");
    HAS(page, "<h2>&lt;i&gt;&amp;&quot;run&#39;</h2>");
    HAS(page, "<p>&lt;/pre&gt;&lt;script&gt;hacked=1&lt;/script&gt;</p>");
    HAS(page, "b&lt;script&gt;hacked=1&lt;");
    HAS(page, "&amp;amp;.png");
    HAS(page, "dunlin report ");
    static const char *const never[] = {"<i>", "<u>", "<script>hacked", "<img src=x", "http://", "https://", "url("};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) cr_expect_null(strstr(page, never[i]), "%s", never[i]);
    check_picture(page);
    look_at_page(page);
    dn_free(page);
    char one[200];
    snprintf(one, sizeof one, "folder:%s/test/a/0&amp;.png", work);
    cr_expect_eq(RUN("report", run, "-o", path, "--id", one), 0, "one known image, which has no map: %s", err);
}

Test(report_page, tables_and_curves_alone)
{
    if (!has_program("gnuplot")) cr_skip_test("gnuplot is not installed");
    static const double x[] = {1, 10, 100}, y[] = {.5, NAN, .25};
    static const char *const heads[] = {"published", "ours"}, *const cells[] = {"1.0", "<1.1>"};
    dn_report_series series[DN_REPORT_SERIES_MAX + 1];
    for (int i = 0; i <= DN_REPORT_SERIES_MAX; i++) series[i] = (dn_report_series){"a & b", x, y, 3};
    dn_report_curve curve = {.title = "<loss>", .x_label = "x", .y_label = "y", .log_x = true, .series = series};
    const dn_report_table table = {.title = "Both", .headings = heads, .cells = cells, .columns = 2, .rows = 1};
    const dn_report_options options = {
        .title = "T", .about = "a < b", .tables = &table, .n_tables = 1, .curves = &curve, .n_curves = 1};
    char path[200], text[20000] = "";
    snprintf(path, sizeof path, "%s", at("page.html"));
    for (curve.n_series = 0; curve.n_series <= DN_REPORT_SERIES_MAX + 1; curve.n_series += DN_REPORT_SERIES_MAX + 1)
        cr_expect_eq(dn_report_write(path, NULL, &options), DN_ERROR_ARGUMENT);
    cr_expect_not(exists(path));
    curve.n_series = DN_REPORT_SERIES_MAX;
    cr_assert_eq(dn_report_write(path, NULL, &options), DN_OK, "%s", dn_error_last());
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file);
    fseek(file, 6000, SEEK_SET); /* behind the style */
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    HAS(text, "<p>a &lt; b</p>");
    HAS(text, "<td>&lt;1.1&gt;</td>");
    HAS(text, "<figcaption>&lt;loss&gt;</figcaption>");
    HAS(text, "<span>a &amp; b</span><b>0.25</b>");
    HAS(text, "<td class=n>0.25</td><td class=n>0.5</td>"); /* a gap is neither the least nor the largest */
}

Test(report, runs_have_the_names_of_their_folders)
{
    static const char *const runs[] = {"a/seed-0/mnist/best", "b/plain//", "c/plain", "best", "d/rebest"};
    static const char *const wanted[] = {"mnist/best", "b/plain//", "c/plain", "best", "rebest"};
    char *names[5];
    cr_assert_eq(dn_run_names(names, runs, 5), DN_OK);
    for (int i = 0; i < 5; i++) {
        cr_expect_str_eq(names[i], wanted[i]);
        dn_free(names[i]);
    }
}

Test(report, json_is_utf8_whatever_files_are_called)
{
    char path[] = "/tmp/dn-json-XXXXXX";
    close(mkstemp(path));
    cJSON *tree = cJSON_CreateObject(), *again = NULL;
    cJSON_AddStringToObject(tree, "name", "\xff\xfe x\xc3\xa4\xc3");
    cr_assert_eq(dn_json_write(tree, path), DN_OK, "%s", dn_error_last());
    cr_assert_eq(dn_json_read(&again, path), DN_OK, "%s", dn_error_last());
    cr_expect_str_eq(cJSON_GetObjectItem(again, "name")->valuestring, "?? x\xc3\xa4?");
    cJSON_Delete(tree);
    cJSON_Delete(again);
    unlink(path);
}

Test(report_page, says_what_is_missing)
{
    cr_expect_eq(RUN("report"), 2);
    HAS(err, "which runs?");
    cr_expect_eq(RUN("report", at("nothing"), "-o", at("no/page.html")), 1);
    HAS(err, "no/page.html");
    cr_expect_eq(RUN("report", at("nothing"), "-o", at("page.html"), "--methods", "mps"), 2);
    HAS(err, "msp");
    if (!has_program("gnuplot")) return;
    cr_expect_eq(RUN("report", at("nothing"), "-o", at("page.html")), 1);
    HAS(err, "there is no trained run");
    cr_expect_eq(strstr(err, "looking at"), NULL, "before the work begins");
    cr_expect_not(exists(at("page.html")));
    cr_assert_eq(setenv("PATH", work, 1), 0);
    cr_expect_eq(RUN("report", at("nothing"), "-o", at("page.html")), 1);
    HAS(err, "install it (Debian: gnuplot-nox)");
    cr_expect_not(exists(at("page.html")));
}
