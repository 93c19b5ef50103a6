/** Read before every file by clang-tidy alone, to tell its analyzer what it cannot see across files: a failure returns
 *  the code that it was given, never DN_OK. Without this it follows paths on which a function failed and did not. */
#ifndef DN_TESTS_LINT_ANALYZER_H
#define DN_TESTS_LINT_ANALYZER_H

#include "core/status.h"

static inline dn_status dn_lint_failed(dn_status code, dn_status same)
{
    (void)same;
    return code;
}

#define dn_fail(code, ...)         dn_lint_failed(code, (dn_fail)(code, __VA_ARGS__))
#define dn_fail_context(code, ...) dn_lint_failed(code, (dn_fail_context)(code, __VA_ARGS__))

#endif
