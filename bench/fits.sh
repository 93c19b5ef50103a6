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
# Debian's scikit-learn belongs to /usr/bin/python3, which need not be the first one in PATH.
python=
for candidate in ${PYTHON:-python3 /usr/bin/python3}; do
    if "$candidate" -c 'import sklearn' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || {
    echo "bench/fits.sh: no python3 has scikit-learn (Debian: python3-sklearn)" >&2
    exit 2
}
threads=${THREADS:-$(nproc)}
export OMP_NUM_THREADS="$threads" OPENBLAS_NUM_THREADS="$threads" MKL_NUM_THREADS="$threads"
exec "$python" "$here/fits.py" "$program" "$@"
