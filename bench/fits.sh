#!/bin/sh
# The fits of mahalanobis, rmds and vim beside NumPy and scikit-learn on the same machine, in turns.
#
# usage: bench/fits.sh [BENCH_FITS] [--rows N] [--dim D] [--classes C] [--rounds N] [--json FILE]
#        BENCH_FITS: default build/bench_fits; `ninja -C build bench_fits` builds it
# Settings: THREADS=n (default: all cores)  PYTHON=python3 that has scikit-learn
set -eu
here=$(dirname "$0")
program=$here/../build/bench_fits
case ${1-} in
'' | -*) ;;
*)
    program=$1
    shift
    ;;
esac
[ -x "$program" ] || {
    echo "bench/fits.sh: there is no program '$program'; \`ninja -C build bench_fits\` builds it" >&2
    exit 2
}
python=$("$here/python.sh" sklearn python3-sklearn) || exit $?
threads=${THREADS:-$(nproc)}
export OMP_NUM_THREADS="$threads" OPENBLAS_NUM_THREADS="$threads" MKL_NUM_THREADS="$threads"
exec "$python" "$here/fits.py" "$program" "$@"
