/* What a recipe gets wrong, and what the user then reads. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "apps/recipe.h"

static const char head[] = "data: {train: \"glyphs:train\", test: \"glyphs:test\"}\nmodel: {name: glyph_net}\n";

/* Line 3 on, after `head`. */
static void check_text(const char *rest, const char *expected)
{
    char yaml[2048];
    dn_recipe *r = NULL;
    snprintf(yaml, sizeof yaml, "%s%s", head, rest);
    cr_expect_neq(dn_recipe_parse(&r, yaml, "my.yaml", NULL, 0), DN_OK, "accepted: %s", rest);
    cr_expect_null(r);
    cr_expect_str_eq(dn_error_last(), expected);
}

static void check_override(const char *name, const char *override, const char *expected)
{
    dn_recipe *r = NULL;
    cr_expect_neq(dn_recipe_open(&r, name, &override, 1), DN_OK, "accepted: %s", override);
    cr_expect_null(r);
    cr_expect(strstr(dn_error_last(), expected), "%s\n  instead of: %s", dn_error_last(), expected);
}

Test(recipe_errors, unknown_keys)
{
    check_text("train:\n  batch: 3\noptimiser: {rate: 1}\n",
               "recipe my.yaml, line 5: unknown key 'optimiser', did you mean 'optimizer'?");
    check_text("train:\n  bacth: 3\n",
               "recipe my.yaml, line 4: unknown key 'train.bacth', did you mean 'train.batch'?");
    check_text("members: 3\n", "recipe my.yaml, line 3: unknown key 'members', did you mean 'ensemble.members'?");
    check_text("mi: {sources: [{kind: train}, {alfa: 2}]}\n",
               "recipe my.yaml, line 3: unknown key 'mi.sources.1.alfa', did you mean 'mi.sources.1.alpha'?");
    check_text("ensemble: {zzz: 3}\n", "recipe my.yaml, line 3: unknown key 'ensemble.zzz'; known here: kind, members");
}

Test(recipe_errors, types_and_ranges)
{
    check_text("train: {batch: many}\n",
               "recipe my.yaml, line 3: train.batch must be an integer from 1 to 1048576, found 'many'");
    check_text("train: {batch: 0}\n",
               "recipe my.yaml, line 3: train.batch must be an integer from 1 to 1048576, found '0'");
    check_text("train: {batch: 0x10}\n",
               "recipe my.yaml, line 3: train.batch must be an integer from 1 to 1048576, found '0x10'");
    check_text(
        "train: {batch: 99999999999999999999}\n",
        "recipe my.yaml, line 3: train.batch must be an integer from 1 to 1048576, found '99999999999999999999'");
    check_text("train: {seed: -1}\n",
               "recipe my.yaml, line 3: train.seed must be an integer from 0 to 18446744073709551615, found '-1'");
    check_text("train: {epochs: 0}\n",
               "recipe my.yaml, line 3: train.epochs must be a number above 0 and at most 1000000000, found '0'");
    check_text("optimizer: {rate: .inf}\n",
               "recipe my.yaml, line 3: optimizer.rate must be a number above 0, found '.inf'");
    check_text("optimizer: {beta1: 1}\n",
               "recipe my.yaml, line 3: optimizer.beta1 must be a number from 0 to below 1, found '1'");
    check_text("mi: {sources: [{alpha: 1e999}]}\n",
               "recipe my.yaml, line 3: mi.sources.0.alpha must be a finite number, found '1e999'");
    check_text("leave_out: {beta: nan}\n",
               "recipe my.yaml, line 3: leave_out.beta must be a number of at least 0, found 'nan'");
    check_text("optimizer: {nesterov: 1}\n",
               "recipe my.yaml, line 3: optimizer.nesterov must be true or false, found '1'");
    check_text("ensemble: {kind: leaveout}\n",
               "recipe my.yaml, line 3: ensemble.kind is one of deep, mi, leave_out; found 'leaveout', did you mean "
               "'leave_out'?");
    check_text("train: 5\n",
               "recipe my.yaml, line 3: train must be a map, found a single value; write train: {key: value}");
    check_text("optimizer: {schedule: 5}\n",
               "recipe my.yaml, line 3: optimizer.schedule must be a list, found a single "
               "value; write optimizer.schedule: [a, b]");
    check_text("train: {batch: [5]}\n",
               "recipe my.yaml, line 3: train.batch must be a single value, found a list; write "
               "train.batch: value");
    check_text("optimizer: {member_rates: [1, ~]}\n", "recipe my.yaml, line 3: optimizer.member_rates.1 has no value");
}

Test(recipe_errors, what_must_be_stated)
{
    dn_recipe *r = NULL;
    cr_assert_eq(dn_recipe_parse(&r, "model: {name: mlp}\ndata: {train: x}\n", "my.yaml", NULL, 0), DN_ERROR_FORMAT);
    cr_assert_str_eq(dn_error_last(), "recipe my.yaml, line 2: data.test must be stated: test set of the same classes");
    cr_assert_eq(dn_recipe_parse(&r, "train: {batch: 3}\n", "my.yaml", NULL, 0), DN_ERROR_FORMAT);
    cr_assert(strstr(dn_error_last(), "recipe my.yaml: data.train must be stated"), "%s", dn_error_last());
    cr_assert_eq(dn_recipe_parse(&r, "# nothing\n", "my.yaml", NULL, 0), DN_ERROR_FORMAT);
    cr_assert(strstr(dn_error_last(), "empty; state at least"), "%s", dn_error_last());
    cr_assert_eq(dn_recipe_parse(&r, "[1, 2]\n", "my.yaml", NULL, 0), DN_ERROR_FORMAT);
    cr_assert(strstr(dn_error_last(), "a recipe is a map of keys"), "%s", dn_error_last());
}

Test(recipe_errors, yaml)
{
    check_text("train: {batch: 3\n",
               "recipe my.yaml, line 4: not valid YAML: did not find expected ',' or '}'; texts with "
               "brackets or ': ' in a list need quotes");
    check_text("train:\n  batch: 3\n  batch: 4\n",
               "recipe my.yaml, line 5: key 'batch' is stated twice, first in line 4");
    check_text("train: &a {batch: 3}\n", "recipe my.yaml, line 3: recipes use no anchors and aliases");
    check_text("train: *a\n", "recipe my.yaml, line 3: recipes use no anchors and aliases");
    check_text("? [a]\n: 3\n", "recipe my.yaml, line 3: a key must be a word, not a list or a map");
    check_text("--- {}\n", "recipe my.yaml, line 3: a second YAML document; a recipe is one");
    check_text("name: \"a\\eb\"\n", "recipe my.yaml, line 3: control characters have no place in a recipe");
}

Test(recipe_errors, ensembles)
{
    check_text("ensemble: {kind: leave_out, members: 1}\n",
               "recipe my.yaml, line 3: leave_out needs ensemble.members of at least 2 (its folds), found 1");
    check_text("ensemble: {members: 0}\n",
               "recipe my.yaml, line 3: ensemble.members must be an integer from 1 to 1024, found '0'");
    check_text("ensemble: {kind: mi}\n",
               "recipe my.yaml, line 3: ensemble.kind is mi, so mi.sources needs a source, such as {kind: "
               "patch_shuffle, patch: 8, alpha: 1}");
    check_text("ensemble: {kind: mi}\nmi: {sources: [{kind: data}]}\n",
               "recipe my.yaml, line 4: mi.sources.0 is of kind data, so mi.sources.0.data must name a set");
}

Test(recipe_errors, switches)
{
    static const char start[] = "ensemble: {kind: mi}\nmi:\n  sources: [{kind: train}]\n  ";
    static const struct {
        const char *rest, *expected;
    } cases[] = {
        {"switches: [{step: 0, source: 1}]", "mi.switches.0.source is 1, but mi.sources has 1, counted from 0"},
        {"switches: [{step: 5, source: 0}]", "mi.switches.0.step is 5; the first switch is at step 0"},
        {"switches: [{step: 0, source: 0}, {step: 0, source: 0}]",
         "mi.switches.1.step is 0, not after 0 of the one before"},
        {"switches: [{step: 0, source: 0}, {step: 9, source: 0}]\n  period: 9",
         "mi.switches.1.step is 9, never reached with mi.period 9"},
        {"switches: [{step: 0}]", "mi.switches.0.source must be stated: this source, counted from 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char rest[512], expected[512];
        snprintf(rest, sizeof rest, "%s%s\n", start, cases[i].rest);
        snprintf(expected, sizeof expected, "recipe my.yaml, line 6: %s", cases[i].expected);
        check_text(rest, expected);
    }
}

Test(recipe_errors, optimizers)
{
    static const struct {
        const char *rest, *expected;
    } cases[] = {
        {"{schedule: [{epoch: 1, rate: 1}]}", "optimizer.schedule.0: the first row of a schedule starts at 0"},
        {"{schedule: [{rate: 0}]}",
         "optimizer.schedule.0.rate is 0: a rate is above 0, except where a linear or cosine slope ends"},
        {"{schedule: [{rate: -1}]}", "optimizer.schedule.0.rate must be a number of at least 0, found '-1'"},
        {"{schedule: [{rate: 1, shape: linear}]}",
         "optimizer.schedule.0.shape is a slope, but no row follows that it leads to"},
        {"{schedule: [{rate: 1}, {epoch: 5, rate: 1}, {epoch: 5, rate: 2}]}",
         "optimizer.schedule.2 starts at 5, not after 5 of the row before"},
        {"{schedule: [{rate: 1}, {epoch: 5, rate: 1}, {step: 9, rate: 2}]}",
         "optimizer.schedule.2: a schedule is all by epoch or all by step"},
        {"{schedule: [{rate: 1}, {epoch: 5, step: 7, rate: 1}]}",
         "optimizer.schedule.1 states both epoch and step; one of them"},
        {"{schedule: [{epoch: 0}]}",
         "optimizer.schedule.0.rate must be stated: the learning rate there; 0 only where a "
         "slope ends"},
        {"{member_rates: [1, 2]}", "optimizer.member_rates has 2 numbers for ensemble.members 5"},
        {"{member_rates: [1, 0]}", "optimizer.member_rates.1 must be a number above 0, found '0'"},
        {"{kind: sgd, nesterov: true}", "optimizer.nesterov needs optimizer.momentum above 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char rest[512], expected[512];
        snprintf(rest, sizeof rest, "optimizer: %s\n", cases[i].rest);
        snprintf(expected, sizeof expected, "recipe my.yaml, line 3: %s", cases[i].expected);
        check_text(rest, expected);
    }
}

Test(recipe_errors, data_and_model)
{
    static const struct {
        const char *override, *expected;
    } cases[] = {
        {"data.prepare=[normalize]", "normalize needs data.mean and data.deviation, one number for each channel"},
        {"data={train: a, test: b, prepare: [normalize], mean: [1, 2], deviation: [1]}",
         "data.mean has 2 numbers, data.deviation 1; both need one for each channel"},
        {"data.deviation=[0]", "data.deviation.0 must be a number above 0, found '0'"},
        {"data.prepare=[flip,flip]", "data.prepare.1 is a step that came before"},
        {"data.prepare=[flop]",
         "data.prepare.0 is one of standardize, normalize, crop, flip; found 'flop', did you mean "
         "'flip'?"},
        {"data.crop_choices=10", "data.crop_choices is 10, but padding 4 leaves 9 offsets"},
        {"data={train: a, test: \"\"}", "data.test names no set"},
        {"data.ood=a,,b", "data.ood.1 has no value"},
        {"data.ood=a,''", "data.ood.1 names no set"},
        {"data.train=", "data.train must be stated: training set"},
        {"model.dropout=-0.5", "model.dropout must be -1 (the model's own) or from 0 to below 1, found -0.5"},
        {"model.name=glyphnet", "override model.name=glyphnet: model.name is one of "},
        {"model.depth=20", "override model.depth=20: model.depth is 0 (the model's own) or one that the model has; "
                           "glyph_net has no depth to choose, found 20"},
        {"model.outputs=-1", "override model.outputs=-1: model.outputs must be an integer from 0 to 65536, found '-1'"},
        {"model.name=glyphnet", "; found 'glyphnet', did you mean 'glyph_net'?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_override("glyphs-mi", cases[i].override, cases[i].expected);
    }
}

Test(recipe_errors, overrides)
{
    static const struct {
        const char *override, *expected;
    } cases[] = {
        {"train.batch", "override train.batch: expected key=value, such as train.batch=64"},
        {"=3", "override =3: expected key=value, such as train.batch=64"},
        {"train.bacth=3", "override train.bacth=3: unknown key 'train.bacth', did you mean 'train.batch'?"},
        {"batch=3", "unknown key 'batch', did you mean 'mi.batch' or 'leave_out.batch' or 'train.batch'?"},
        {"train..batch=3", "override train..batch=3: unknown key 'train.'; known here: batch,"},
        {"train.batch=x", "override train.batch=x: train.batch must be an integer from 1 to 1048576, found 'x'"},
        {"train.batch.x=4", "override train.batch.x=4: train.batch is a single value, there is no 'x' in it"},
        {"mi.sources.2.alpha=1", "mi.sources is a list of 1, '2' must be a position from 0 to 1"},
        {"mi.sources.-1.alpha=1", "mi.sources is a list of 1, '-1' must be a position from 0 to 1"},
        {"mi.sources.0=5", "mi.sources.0 must be a map, found a single value"},
        {"mi.sources=[]", "override mi.sources=[]: ensemble.kind is mi, so mi.sources needs a source"},
        {"mi.sources={a: 1", "override mi.sources={a: 1: not valid YAML: "},
        {"data.ood=[mnist[5-9]:test", "the list lacks its closing ']'"},
        {"name=a\nb", "an override holds control characters"},
        {"name=\xff", "a text in it is not UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_override("glyphs-mi", cases[i].override, cases[i].expected);
    }
}

Test(recipe_errors, recipes_that_are_not_there)
{
    dn_recipe *r = NULL;
    cr_assert_eq(dn_recipe_open(&r, "glyphs-im", NULL, 0), DN_ERROR_ARGUMENT);
    cr_assert(strstr(dn_error_last(), "no recipe 'glyphs-im', did you mean 'glyphs-mi'? (shipped: cifar10-cnn3, "));
    cr_assert_eq(dn_recipe_open(&r, "no/such.yaml", NULL, 0), DN_ERROR_FILE);
    cr_assert_str_eq(dn_error_last(), "recipe no/such.yaml: cannot be opened: No such file or directory");
    cr_assert_eq(dn_recipe_open(&r, "/", NULL, 0), DN_ERROR_FILE);
    cr_assert_eq(dn_recipe_open(&r, "", NULL, 0), DN_ERROR_ARGUMENT);
}
