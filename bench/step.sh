#!/bin/sh
# The training steps that we watch, beside PyTorch on the same machine, in turns. Prints a table for each and writes
# bench/results/cpu-MODEL.json. Without python3-torch there is no peer, and the file says so.
#
# usage: bench/step.sh [DUNLIN]      default build/dunlin
# Settings: THREADS=n (default: all cores)  ROUNDS=n (default 9)  PYTHON=python3 that has torch  OUT=file
set -eu
here=$(dirname "$0")
dunlin=${1:-$here/../build/dunlin}
[ -x "$dunlin" ] || {
    echo "bench/step.sh: there is no program '$dunlin'; \`make\` builds it, another one can be named" >&2
    exit 2
}
threads=${THREADS:-$(nproc)}
rounds=${ROUNDS:-9}
model=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1 | tr -cs 'A-Za-z0-9' '-')
model=${model%-}
out=${OUT:-$here/results/cpu-${model:-unknown}.json}

# Debian's torch belongs to /usr/bin/python3, which need not be the first one in PATH.
python=
for candidate in ${PYTHON:-python3 /usr/bin/python3}; do
    if "$candidate" -c 'import torch' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || echo "bench/step.sh: no python3 has torch (Debian: python3-torch): no peer" >&2

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
number=0
step() {
    number=$((number + 1))
    if [ -n "$python" ]; then
        "$dunlin" bench step "$@" --threads "$threads" --rounds "$rounds" --json "$folder/$number.json" \
            --peer "exec $python $here/torch_step.py --threads $threads"
    else
        "$dunlin" bench step "$@" --threads "$threads" --rounds "$rounds" --json "$folder/$number.json"
    fi
    echo
}

step cifar10-cnn3
step cifar10-cnn3 --members 10
# What the peer has not got is switched off for both.
step cifar10-vgg-small 'data.prepare=[]' optimizer.l2=0
step glyphs-single
step glyphs-single --members 10

# One list of all reports.
mkdir -p "$(dirname "$out")"
{
    echo '['
    i=1
    while [ $i -le $number ]; do
        [ $i -eq 1 ] || echo ','
        cat "$folder/$i.json"
        i=$((i + 1))
    done
    echo ']'
} >"$folder/all.json"
mv "$folder/all.json" "$out"
echo "written: $out"
