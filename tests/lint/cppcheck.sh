#!/bin/sh
# cppcheck over every C file.   usage: cppcheck.sh BUILD (a folder where results may be kept)
cd "$(dirname "$0")/../.." || exit 1
command -v cppcheck >/dev/null || {
    echo "cppcheck is not installed" >&2
    exit 77
}
mkdir -p "$1/cppcheck" || exit 1
# System headers are not read; the macros of Criterion and OpenMP that would confuse the parser are defined here.
# Left out, each a mistake of version 2.10: internalAstError (it gives up on a compound literal within ?:), uninitvar (it
# does not follow the conditions under which a value was set; the compilers and clang-tidy do), identicalInnerCondition
# (it overlooks an assignment in a loop), readdirCalled (the readdir_r that it asks for is deprecated in glibc).
tests/lint/files.sh c | cppcheck --file-list=- -j "$(nproc)" --quiet --cppcheck-build-dir="$1/cppcheck" \
    --enable=warning,performance,portability --error-exitcode=1 --inline-suppr --std=c11 -I . --library=posix \
    --suppress=missingIncludeSystem --suppress=internalAstError --suppress=uninitvar --suppress=readdirCalled \
    --suppress=identicalInnerCondition \
    -D_OPENMP=201511 '-DTest(suite,name,...)=static void suite##_##name(void)' \
    '-DTestSuite(...)=' '-DParameterizedTest(parameter,suite,name,...)=static void suite##_##name(parameter)' \
    '-DParameterizedTestParameters(suite,name)=static void suite##_##name##_parameters(void)'
