#!/bin/sh
# Fails when a C file is not in the format of .clang-format; `make format` mends it.
cd "$(dirname "$0")/../.." || exit 1
format=$(tests/lint/tool.sh clang-format) || exit 77
tests/lint/files.sh c h cpp cu cuh | xargs "$format" --dry-run -Werror
