#!/bin/sh
# Runs rules.py where there is a Python.
command -v python3 >/dev/null || {
    echo "python3 is not installed" >&2
    exit 77
}
exec python3 -B "$(dirname "$0")/rules.py" "$@"
