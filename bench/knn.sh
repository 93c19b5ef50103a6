#!/bin/sh
# k-nearest-neighbour scores, `dunlin score knn`, beside scikit-learn's brute force on the same machine, in turns: wall
# time and peak memory of whole processes; of the peer the time without its imports.
#
# usage: bench/knn.sh [DUNLIN] [--fit-rows N] [--rows N] [--dim D] [--k K] [--rounds N] [--json FILE]
#        DUNLIN: default build/dunlin
# Settings: THREADS=n (default: all cores)  PYTHON=python3 that has scikit-learn
set -eu
here=$(dirname "$0")
dunlin=$here/../build/dunlin
case ${1-} in
'' | -*) ;;
*)
    dunlin=$1
    shift
    ;;
esac
[ -x "$dunlin" ] || {
    echo "bench/knn.sh: there is no program '$dunlin'; \`make\` builds it, another one can be named" >&2
    exit 2
}
python=$("$here/python.sh" sklearn python3-sklearn) || exit $?
threads=${THREADS:-$(nproc)}
export OMP_NUM_THREADS="$threads" OPENBLAS_NUM_THREADS="$threads" MKL_NUM_THREADS="$threads"
exec "$python" "$here/knn.py" "$dunlin" "$@"
