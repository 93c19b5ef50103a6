/** Means and spreads by hand. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "ood/summary.h"

Test(summary, by_hand)
{
    const double values[] = {2, 4, 4, 4, 5, 5, 7, 9};
    dn_summary s;
    cr_assert_eq(dn_summarise(&s, values, 8), DN_OK);
    cr_expect(s.n == 8 && s.mean == 5 && s.min == 2 && s.max == 9);
    cr_expect_eq(s.deviation, sqrt(32.0 / 7));
}

Test(summary, one_value_has_no_spread)
{
    const double value = 0.1, same[] = {0.1, 0.1, 0.1};
    dn_summary s;
    cr_assert_eq(dn_summarise(&s, &value, 1), DN_OK);
    cr_expect(s.mean == 0.1 && s.min == 0.1 && s.max == 0.1 && isnan(s.deviation));
    cr_assert_eq(dn_summarise(&s, same, 3), DN_OK);
    cr_expect(s.mean == 0.1 && s.deviation == 0, "equal values: %.17g %.17g", s.mean, s.deviation);
}

Test(summary, bad_values_are_named)
{
    dn_summary s = {.mean = 7};
    const double bad[] = {1, INFINITY};
    cr_expect_eq(dn_summarise(&s, bad, 0), DN_ERROR_ARGUMENT);
    cr_expect_eq(dn_summarise(&s, bad, 2), DN_ERROR_NUMERIC);
    cr_expect(strstr(dn_error_last(), "value 1"), "%s", dn_error_last());
    cr_expect_eq(s.mean, 7);
}

Test(summary, of_metrics)
{
    const double id[] = {0, 1, 2, 3}, near[] = {2, 3, 4, 5}, far[] = {8, 9, 10, 11};
    dn_metrics m[2];
    dn_summary s[DN_METRIC_COUNT];
    cr_assert_eq(dn_metrics_compute(&m[0], id, 4, near, 4, NULL), DN_OK);
    cr_assert_eq(dn_metrics_compute(&m[1], id, 4, far, 4, NULL), DN_OK);
    cr_assert_eq(dn_summarise_metrics(s, m, 2), DN_OK);
    for (int i = 0; i < DN_METRIC_COUNT; i++) {
        const double a = dn_metrics_value(&m[0], (dn_metric)i), b = dn_metrics_value(&m[1], (dn_metric)i);
        cr_expect(s[i].mean == (a == b ? a : (a + b) / 2) && s[i].min == fmin(a, b) && s[i].max == fmax(a, b), "%s",
                  dn_metric_name((dn_metric)i));
        cr_expect(fabs(s[i].deviation - fabs(a - b) / sqrt(2)) < 1e-15);
    }
    cr_expect_eq(s[DN_METRIC_AUROC].max, 1);
    m[1].positive = DN_POSITIVE_ID;
    cr_expect_eq(dn_summarise_metrics(s, m, 2), DN_ERROR_ARGUMENT);
    cr_expect_eq(dn_summarise_metrics(s, m, 0), DN_ERROR_ARGUMENT);
    cr_expect_str_eq(dn_metric_name(DN_METRIC_COUNT), "?");
    cr_expect_eq(dn_metrics_value(m, DN_METRIC_COUNT), 0);
}

Test(summary, numbers_by_their_names)
{
    const dn_metrics m = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, DN_FPR_FIRST, DN_POSITIVE_OOD};
    const double fields[] = {m.auroc, m.aupr_out,        m.aupr_in,       m.fpr95,
                             m.tnr95, m.detection_error, m.best_accuracy, m.best_threshold};
    const char *const names[] = {"auroc", "aupr_out",        "aupr_in",       "fpr95",
                                 "tnr95", "detection_error", "best_accuracy", "best_threshold"};
    for (int i = 0; i < DN_METRIC_COUNT; i++) {
        cr_expect_eq(dn_metrics_value(&m, (dn_metric)i), fields[i]);
        cr_expect_str_eq(dn_metric_name((dn_metric)i), names[i]);
    }
}
