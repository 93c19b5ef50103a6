#!/bin/sh
# All scores of logits over an array, beside NumPy on the same machine, in turns; prints a table for each type.
#
# usage: bench/logits.sh [BENCH_LOGITS]      default build/bench_logits: `ninja -C build bench_logits` builds it
# Settings: ROWS=n (1000000)  COLUMNS=n (10)  ROUNDS=n (9)  PYTHON=python3 that has numpy  OUT=file for JSON
# OMP_NUM_THREADS holds for the library; NumPy uses one thread, but for matrix products.
set -eu
here=$(dirname "$0")
program=${1:-$here/../build/bench_logits}
[ -x "$program" ] || {
    echo "bench/logits.sh: there is no program '$program'; \`ninja -C build bench_logits\` builds it" >&2
    exit 2
}
python=$("$here/python.sh" numpy python3-numpy) || exit $?
exec "$python" "$here/logits.py" --rows "${ROWS:-1000000}" --columns "${COLUMNS:-10}" \
    --rounds "${ROUNDS:-9}" ${OUT:+--json "$OUT"} "$program"
