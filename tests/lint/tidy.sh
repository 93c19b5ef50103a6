#!/bin/sh
# clang-tidy with .clang-tidy over every C file, one process per core.   usage: tidy.sh BUILD [FILE ...]
# BUILD holds compile_commands.json; without files all are checked.
cd "$(dirname "$0")/../.." || exit 1
tidy=$(tests/lint/tool.sh clang-tidy) || exit 77
build=$1
shift
# core/status.c defines the functions that analyzer.h speaks of. The last pattern drops the count of silenced warnings.
{ if [ $# -gt 0 ]; then printf '%s\n' "$@"; else tests/lint/files.sh c; fi; } |
    xargs -P "$(nproc)" -I FILE sh -c '
        model="--extra-arg=-include --extra-arg=tests/lint/analyzer.h"
        [ "$3" != core/status.c ] || model=
        found=$("$1" -p "$2" --quiet $model "$3" 2>&1) && exit 0
        echo "$found" | grep -v "warnings* generated"
        exit 1' tidy "$tidy" "$build" FILE
