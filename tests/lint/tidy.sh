#!/bin/sh
# clang-tidy with .clang-tidy over every C file, one process per core.   usage: tidy.sh BUILD [FILE ...]
# BUILD holds compile_commands.json and remembers which texts had no findings; without files all are checked.
cd "$(dirname "$0")/../.." || exit 1
tidy=$(tests/lint/tool.sh clang-tidy) || exit 77
build=$1
shift
mkdir -p "$build/tidy" || exit 1
# A file's key covers all that it includes from the project, and the checks. Files that define one of the functions
# that analyzer.h speaks of are read without it. The last pattern drops the count of silenced warnings.
{ if [ $# -gt 0 ]; then printf '%s\n' "$@"; else tests/lint/files.sh c; fi; } |
    xargs -P "$(nproc)" -I FILE sh -c '
        tidy=$1 build=$2 file=$3
        read=$(cc -I. -MM "$file" 2>/dev/null | tr -d "\\\\" | cut -d: -f2) || read=
        key=$build/tidy/$(cat $read "$file" .clang-tidy tests/lint/analyzer.h | sha256sum | cut -d" " -f1)
        [ -z "$read" ] || [ ! -e "$key" ] || exit 0
        model="--extra-arg=-include --extra-arg=tests/lint/analyzer.h"
        ! grep -q "^dn_status dn_fail" "$file" || model=
        if found=$("$tidy" -p "$build" --quiet $model "$file" 2>&1); then
            : >"$key"
        else
            echo "$found" | grep -v "warnings* generated"
            exit 1
        fi' tidy "$tidy" "$build" FILE
