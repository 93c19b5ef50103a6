#!/bin/sh
# Metrics of 2 x 1,000,000 scores beside scikit-learn, and the bootstrap, in turns on the same machine. Prints a table.
#
# usage: bench/metrics.sh [BENCH_METRICS]      default build/bench_metrics: `ninja -C build bench_metrics` builds it
# Settings: ROUNDS=n (default 9)  ROWS=n of either set (default 1000000)  OMP_NUM_THREADS=n (default: all cores)
#           PYTHON=python3 that has sklearn  OUT=file for JSON
set -eu
here=$(dirname "$0")
program=${1:-$here/../build/bench_metrics}
[ -x "$program" ] || {
    echo "bench/metrics.sh: there is no program '$program'; \`make\` builds it, another one can be named" >&2
    exit 2
}
python=$("$here/python.sh" sklearn python3-sklearn) || exit $?
exec "$python" "$here/metrics.py" "$program" --rounds "${ROUNDS:-9}" --rows "${ROWS:-1000000}" ${OUT:+--json "$OUT"}
