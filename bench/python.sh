#!/bin/sh
# Prints a python3 that has a module: Debian's packages belong to /usr/bin/python3, which need not be the first in PATH.
# usage: bench/python.sh MODULE PACKAGE      Settings: PYTHON=candidate
for candidate in ${PYTHON:-python3 /usr/bin/python3}; do
    "$candidate" -c "import $1" 2>/dev/null || continue
    echo "$candidate"
    exit 0
done
echo "bench: no python3 has $1 (Debian: $2), and without the peer there is no ratio" >&2
exit 77
