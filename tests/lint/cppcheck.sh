#!/bin/sh
# cppcheck over every C file.   usage: cppcheck.sh BUILD (a folder where results may be kept)
cd "$(dirname "$0")/../.." || exit 1
command -v cppcheck >/dev/null || {
    echo "cppcheck is not installed" >&2
    exit 77
}
mkdir -p "$1/cppcheck" || exit 1
# System headers are not read; the macros of Criterion and OpenMP that would confuse the parser are defined here.
# Left out, each wrong in version 2.10: internalAstError (gives up on a compound literal within ?:), uninitvar (does not
# follow the conditions under which a value was set; the compilers and clang-tidy do), identicalInnerCondition and
# arrayIndexThenCheck (overlook what happens in between), invalidFunctionArg (log(0) in a loop that runs at least once),
# readdirCalled (asks for readdir_r, which glibc deprecates).
tests/lint/files.sh c | cppcheck --file-list=- -j "$(nproc)" --quiet --cppcheck-build-dir="$1/cppcheck" \
    --enable=warning,performance,portability --error-exitcode=1 --inline-suppr --std=c11 -I . --library=posix \
    --suppress=missingIncludeSystem --suppress=internalAstError --suppress=uninitvar --suppress=readdirCalled \
    --suppress=identicalInnerCondition --suppress=arrayIndexThenCheck --suppress=invalidFunctionArg \
    -D_OPENMP=201511 '-DTest(suite,name,...)=static void suite##_##name(void)' \
    '-DTestSuite(...)=' '-DParameterizedTest(parameter,suite,name,...)=static void suite##_##name(parameter)' \
    '-DParameterizedTestParameters(suite,name)=static void suite##_##name##_parameters(void)'
