/* Recipes that are right: shipped ones, defaults, overrides, the resolved text. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "apps/recipe.h"
#include "apps/recipe_schema.h"
#include "core/alloc.h"

static const char minimal[] = "data: {train: \"glyphs:train\", test: \"glyphs:test\"}\nmodel: {name: glyph_net}\n";

static dn_recipe *parse(const char *yaml, const char *const *overrides, int n)
{
    dn_recipe *r = NULL;
    cr_assert_eq(dn_recipe_parse(&r, yaml, "runs/my.yaml", overrides, n), DN_OK, "%s", dn_error_last());
    return r;
}

static dn_recipe *shipped(const char *name)
{
    dn_recipe *r = NULL;
    cr_assert_eq(dn_recipe_open(&r, name, NULL, 0), DN_OK, "%s", dn_error_last());
    return r;
}

/* Text -> recipe -> text must not move: the run's stored recipe stays what was trained. */
static void check_round_trip(const dn_recipe *r)
{
    char *text = dn_recipe_text(r);
    cr_assert(text, "%s", dn_error_last());
    dn_recipe *again = parse(text, NULL, 0);
    char *second = dn_recipe_text(again);
    cr_assert_str_eq(text, second);
    dn_free(second);
    dn_free(text);
    dn_recipe_close(again);
}

Test(recipe, shipped_ones_are_listed_open_and_survive_a_round_trip)
{
    const char *const *names = NULL, *const *descriptions = NULL;
    const int n = dn_recipe_list(&names, &descriptions);
    cr_assert_geq(n, 14);
    for (int i = 0; i < n; i++) {
        dn_recipe *r = shipped(names[i]);
        cr_assert_str_eq(r->name, names[i]);
        cr_assert_str_eq(r->description, descriptions[i]);
        cr_assert(!i || strcmp(names[i - 1], names[i]) < 0, "%s is out of order", names[i]);
        check_round_trip(r);
        dn_recipe_close(r);
    }
}

/* The resolved text holds these lines one after the other, perhaps with others between. */
static void check_lines(const dn_recipe *r, const char *const *lines, size_t n)
{
    char *text = dn_recipe_text(r), *from = text;
    cr_assert(text, "%s", dn_error_last());
    for (size_t i = 0; i < n; i++) {
        char line[128];
        snprintf(line, sizeof line, "%s\n", lines[i]);
        char *found = strstr(from, line);
        cr_assert(found, "'%s' does not come next in:\n%s", lines[i], from);
        from = found + strlen(line);
    }
    dn_free(text);
}
#define CHECK_LINES(recipe, lines) check_lines(recipe, lines, sizeof(lines) / sizeof(lines)[0])

/* clang-format off */
static const char *const defaults[] = {
    "name: \"my\"", "description: \"\"",
    "data:", "  train: \"glyphs:train\"", "  test: \"glyphs:test\"", "  ood: []", "  prepare: []", "  mean: []",
    "  deviation: []", "  crop_padding: 4", "  crop_choices: 0", "  replace: false",
    "model:", "  name: \"glyph_net\"", "  dropout: -1", "  width: 0", "  depth: 0", "  outputs: 0",
    "ensemble:", "  kind: deep", "  members: 5",
    "mi:", "  batch: 128", "  sources: []", "  switches: []", "  period: 0",
    "leave_out:", "  beta: 0.2", "  margin: 0.4", "  batch: 128", "  split_seed: 3",
    "optimizer:", "  kind: adam", "  rate: 0.001", "  schedule: []", "  member_rates: []", "  beta1: 0.9",
    "  beta2: 0.999", "  epsilon: 1e-08", "  momentum: 0", "  nesterov: false", "  weight_decay: 0", "  l2: 0",
    "train:", "  batch: 128", "  epochs: 10", "  steps: 0", "  seed: 0", "  checkpoint_every: 0", "  limit: 0"};
static const char *const entry_defaults[] = {
    "  - kind: patch_shuffle", "    patch: 8", "    data: \"\"", "    alpha: 1", "    redraw_every: 1",
    "    stop_norm_gradient: false",
    "  - epoch: 0", "    step: -1", "    rate: 1", "    shape: hold"};
static const char *const published[] = {
    "  prepare: [standardize, crop, flip]", "  crop_padding: 4", "  crop_choices: 8", "  replace: true",
    "  name: \"vgg16\"", "  kind: mi", "  members: 10", "  batch: 128",
    "  - kind: patch_shuffle", "    patch: 4", "    alpha: 2", "    redraw_every: 1", "    stop_norm_gradient: false",
    "  - kind: train", "    alpha: 0.8", "    redraw_every: 100", "    stop_norm_gradient: true",
    "  - step: 0", "    source: 0", "  - step: 2000", "    source: 1", "  - step: 3000", "    source: 0",
    "  period: 7000", "  kind: adam", "  beta1: 0.9", "  beta2: 0.999", "  epsilon: 1e-08", "  l2: 1e-06",
    "  batch: 128", "  steps: 78200"};
/* clang-format on */

Test(recipe, every_key_has_its_default)
{
    dn_recipe *r = parse(minimal, NULL, 0);
    CHECK_LINES(r, defaults);
    cr_assert(r->leave_out.beta == .2 && r->optimizer.beta2 == .999 && r->optimizer.epsilon == 1e-8);
    check_round_trip(r);
    dn_recipe_close(r);
}

Test(recipe, entries_of_lists_have_their_defaults)
{
    static const char *const overrides[] = {"mi.sources=[{}]", "optimizer.schedule=[{rate: 1}]"};
    dn_recipe *r = parse(minimal, overrides, 2);
    CHECK_LINES(r, entry_defaults);
    dn_recipe_close(r);
}

Test(recipe, keys_without_a_value_keep_their_defaults)
{
    dn_recipe *r =
        parse("data: {train: a, test: b, ood: }\nmodel: {name: mlp}\nmi:\ntrain:\n  batch:\n  seed: ~\n", NULL, 0);
    cr_assert(r->train.batch == 128 && r->train.seed == 0 && r->data.n_ood == 0);
    dn_recipe_close(r);
}

Test(recipe, published_cifar_ensemble_as_published)
{
    dn_recipe *r = shipped("cifar10-vgg16-mi");
    CHECK_LINES(r, published);
    static const double rates[] = {1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7};
    cr_assert_eq(r->optimizer.n_schedule, 8);
    for (int i = 0; i < 8; i++) {
        cr_assert_eq(r->optimizer.schedule[i].step, i * 10000);
        cr_assert_eq(r->optimizer.schedule[i].rate, rates[i]);
        cr_assert_eq(r->optimizer.schedule[i].shape, DN_RATE_HOLD);
    }
    dn_recipe_close(r);
}

Test(recipe, overrides_reach_every_kind_of_key)
{
    static const char *const overrides[] = {
        "train.batch=64",
        "ensemble.members=3",
        "ensemble.kind=leave_out",
        "data.train=mnist[0-4]:train",
        "data.ood=[glyphs:letters]",
        "mi.sources.0.alpha=1.5",
        "mi.sources.1={kind: train, redraw_every: 100}",
        "mi.sources.2.kind=gaussian",
        "data.replace=yes",
        "optimizer.member_rates=[1, .5,0.25]",
        "data.prepare=[standardize, flip]",
        "train.seed=18446744073709551615",
        "optimizer.schedule=[{step: 0, rate: .1, shape: cosine}, {step: 9, rate: 0}]"};
    dn_recipe *r = parse(minimal, overrides, sizeof overrides / sizeof *overrides);
    cr_assert(r->train.batch == 64 && r->ensemble.members == 3 && r->ensemble.kind == DN_ENSEMBLE_LEAVE_OUT);
    cr_assert_str_eq(r->data.train, "mnist[0-4]:train");
    cr_assert(r->data.n_ood == 1 && !strcmp(r->data.ood[0], "glyphs:letters"));
    cr_assert_eq(r->mi.n_sources, 3);
    cr_assert(r->mi.sources[0].kind == DN_SOURCE_PATCH_SHUFFLE && r->mi.sources[0].alpha == 1.5);
    cr_assert(r->mi.sources[1].kind == DN_SOURCE_TRAIN && r->mi.sources[1].redraw_every == 100);
    cr_assert_eq(r->mi.sources[2].kind, DN_SOURCE_GAUSSIAN);
    cr_assert(r->data.replace && r->data.n_prepare == 2 && r->data.prepare[1] == DN_PREPARE_FLIP);
    cr_assert(r->optimizer.n_member_rates == 3 && r->optimizer.member_rates[1] == .5);
    cr_assert_eq(r->train.seed, UINT64_MAX);
    cr_assert(r->optimizer.n_schedule == 2 && r->optimizer.schedule[0].shape == DN_RATE_COSINE);
    cr_assert(r->mi.batch == 64 && r->leave_out.batch == 64, "0 stands for the batch after overrides");
    check_round_trip(r);
    dn_recipe_close(r);
}

Test(recipe, overriding_lists_of_expressions_needs_no_yaml_quotes)
{
    static const char *const overrides[] = {"data.ood=[mnist[5,7-9]:test@32x32x1, 'npy:a.npy,b.npy', \"x\"]"};
    dn_recipe *r = parse(minimal, overrides, 1);
    cr_assert_eq(r->data.n_ood, 3);
    cr_assert_str_eq(r->data.ood[0], "mnist[5,7-9]:test@32x32x1");
    cr_assert_str_eq(r->data.ood[1], "npy:a.npy,b.npy");
    cr_assert_str_eq(r->data.ood[2], "x");
    dn_recipe_close(r);
}

Test(recipe, later_overrides_win_and_an_empty_one_brings_the_default_back)
{
    static const char *const overrides[] = {"train.batch=1",      "train.batch=7", "data.crop_padding=9",
                                            "data.crop_padding=", "data.ood=a,b",  "data.ood=[]"};
    dn_recipe *r = parse(minimal, overrides, 6);
    cr_assert(r->train.batch == 7 && r->data.crop_padding == 4 && r->data.n_ood == 0);
    dn_recipe_close(r);
}

Test(recipe, any_recipe_becomes_its_baseline)
{
    static const char *const overrides[] = {"ensemble.kind=deep", "ensemble.members=1"};
    dn_recipe *r = NULL;
    cr_assert_eq(dn_recipe_open(&r, "cifar10-vgg16-mi", overrides, 2), DN_OK, "%s", dn_error_last());
    cr_assert(r->ensemble.kind == DN_ENSEMBLE_DEEP && r->mi.n_sources == 2);
    check_round_trip(r);
    dn_recipe_close(r);
}

Test(recipe, plain_gradient_descent_is_fine)
{
    static const char *const overrides[] = {"optimizer.kind=sgd", "optimizer.schedule=[{epoch: 0, rate: 1}]"};
    dn_recipe *r = parse(minimal, overrides, 2);
    cr_assert(r->optimizer.kind == DN_OPTIMIZER_SGD && r->optimizer.momentum == 0);
    dn_recipe_close(r);
}

Test(recipe, numbers_and_texts_survive_exactly)
{
    static const char *const overrides[] = {"data.mean=[0.1234567890123456, 1e-300, -0.3333333333333333]",
                                            "train.limit=999999999999999",
                                            "description=quotes \" ' and : # [] {} \\ * & ! %, \xc3\xa9",
                                            "data.test=null",
                                            "name= 12",
                                            "data.ood=['~', true]"};
    dn_recipe *r = parse(minimal, overrides, 6);
    cr_assert(r->data.mean[0] == 0.1234567890123456 && r->data.mean[1] == 1e-300);
    cr_assert_eq(r->train.limit, 999999999999999);
    cr_assert_str_eq(r->description, "quotes \" ' and : # [] {} \\ * & ! %, \xc3\xa9");
    cr_assert_str_eq(r->data.test, "null");
    cr_assert_str_eq(r->name, " 12");
    char *text = dn_recipe_text(r);
    dn_recipe *again = parse(text, NULL, 0);
    for (int i = 0; i < 3; i++) cr_assert_eq(again->data.mean[i], r->data.mean[i]);
    cr_assert_str_eq(again->description, r->description);
    cr_assert_str_eq(again->data.test, "null");
    cr_assert_str_eq(again->data.ood[0], "~");
    dn_free(text);
    dn_recipe_close(again);
    dn_recipe_close(r);
}

Test(recipe, opens_a_file)
{
    char path[] = "/tmp/dunlin-recipe-XXXXXX.yaml";
    const int fd = mkstemps(path, 5);
    cr_assert_geq(fd, 0);
    FILE *file = fdopen(fd, "w");
    fputs(minimal, file);
    fclose(file);
    dn_recipe *r = NULL;
    const dn_status status = dn_recipe_open(&r, path, NULL, 0);
    remove(path);
    cr_assert_eq(status, DN_OK, "%s", dn_error_last());
    cr_assert_eq(strncmp(r->name, "dunlin-recipe-", 14), 0);
    cr_assert_eq(strlen(r->name), 20);
    dn_recipe_close(r);
    dn_recipe_close(NULL);
}

/* ---- the table of keys, the schema and the manual say the same ---- */

static int count_fields(const cyaml_schema_value_t *mapping, const char *parent)
{
    int n = 0;
    for (const cyaml_schema_field_t *field = mapping->mapping.fields; field->key; field++) {
        char path[128];
        snprintf(path, sizeof path, "%s%s%s", parent, *parent ? "." : "", field->key);
        if (field->value.type == CYAML_MAPPING) {
            n += count_fields(&field->value, path);
            continue;
        }
        cr_assert(dn__recipe_key_find(path), "%s is not in the table of keys", path);
        n++;
        if (field->value.type == CYAML_SEQUENCE && field->value.sequence.entry->type == CYAML_MAPPING) {
            char entry[132];
            snprintf(entry, sizeof entry, "%s.*", path);
            n += count_fields(field->value.sequence.entry, entry);
        }
    }
    return n;
}

Test(recipe, schema_and_table_have_the_same_keys)
{
    cr_assert_eq(count_fields(&dn__recipe_schema, ""), dn__recipe_n_keys);
}

Test(recipe, manual_lists_every_key_with_its_default_and_meaning)
{
    static char manual[1 << 17];
    char path[512];
    const char *slash = strrchr(__FILE__, '/');
    cr_assert(slash, "the tests are compiled by full path");
    snprintf(path, sizeof path, "%.*s/../docs/recipes.md", (int)(slash - __FILE__), __FILE__);
    FILE *file = fopen(path, "r");
    cr_assert(file, "%s", path);
    manual[fread(manual, 1, sizeof manual - 1, file)] = 0;
    fclose(file);
    for (int i = 0; i < dn__recipe_n_keys; i++) {
        const dn__recipe_key *key = &dn__recipe_keys[i];
        char start[128], fallback[64];
        snprintf(start, sizeof start, "\n| `%s` |", key->path);
        snprintf(fallback, sizeof fallback, key->fallback && !*key->fallback ? "| empty |" : "| `%s` |",
                 key->fallback ? key->fallback : "");
        const char *row = strstr(manual, start);
        cr_assert(row, "docs/recipes.md lacks %s", key->path);
        const char *end = strchr(row + 1, '\n');
        const char *value = strstr(row, key->fallback ? fallback : "| **must be stated** |");
        const char *meaning = strstr(row, key->meaning);
        cr_assert(value && value < end, "docs/recipes.md: default of %s", key->path);
        cr_assert(meaning && meaning < end, "docs/recipes.md: meaning of %s", key->path);
    }
    const char *const *names = NULL, *const *descriptions = NULL;
    const int n = dn_recipe_list(&names, &descriptions);
    for (int i = 0; i < n; i++) {
        char row[256];
        snprintf(row, sizeof row, "| `%s` | %s |", names[i], descriptions[i]);
        cr_assert(strstr(manual, row), "docs/recipes.md lacks: %s", row);
    }
}
