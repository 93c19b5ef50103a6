#!/bin/sh
# Prints the command for clang-format or clang-tidy of the version that the project's style is pinned to: another
# version formats and warns differently. Exit code 77, with a message, says that there is none.
version=14
for command in "$1-$version" "$1"; do
    if "$command" --version 2>/dev/null | grep -q "version $version\\."; then
        echo "$command"
        exit 0
    fi
done
echo "$1 $version is not installed" >&2
exit 77
