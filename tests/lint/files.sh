#!/bin/sh
# Lists the project's files with the given name endings, one a line.   usage: files.sh c h ...
cd "$(dirname "$0")/../.." || exit 1
for ending in "$@"; do
    # Samples are wrong on purpose.
    find apps bench core cuda datasets layers ood optim tests -name "*.$ending" ! -path 'tests/lint/samples/*'
done | LC_ALL=C sort
