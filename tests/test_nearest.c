#include <criterion/criterion.h>

#include "core/nearest.h"

static const char *const commands[] = {"train", "evaluate", "predict", "data", "devices", "bench"};

static const char *nearest(const char *name)
{
    return dn_nearest(name, commands, sizeof commands / sizeof *commands);
}

Test(nearest, finds_what_was_meant)
{
    cr_expect_str_eq(nearest("trian"), "train"); /* neighbours swapped */
    cr_expect_str_eq(nearest("tarin"), "train");
    cr_expect_str_eq(nearest("evalute"), "evaluate"); /* a letter left out */
    cr_expect_str_eq(nearest("evaluatee"), "evaluate");
    cr_expect_str_eq(nearest("device"), "devices");
    cr_expect_str_eq(nearest("eval"), "evaluate"); /* a beginning */
    cr_expect_str_eq(nearest("BENCH"), "bench");
    cr_expect_str_eq(nearest("data"), "data");
}

Test(nearest, suggests_nothing_far_away)
{
    cr_expect_null(nearest("reproduce"));
    cr_expect_null(nearest("xyz"));
    cr_expect_null(nearest(""));
    cr_expect_null(nearest("e"));
    cr_expect_null(dn_nearest("train", NULL, 0));
}

Test(nearest, survives_long_names)
{
    char name[200] = {0};
    for (int length = 60; length < 199; length++) {
        for (int i = 0; i < length; i++) name[i] = 'a';
        const char *const candidates[] = {name, "b"};
        const char *found = dn_nearest(name, candidates, 2);
        if (length <= 63) {
            cr_expect_eq(found, name);
        } else {
            cr_expect_null(found);
        }
    }
}
