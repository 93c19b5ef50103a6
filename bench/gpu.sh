#!/bin/sh
# Everything that a GPU can tell, in one command of at most nine minutes: device tests, training steps beside PyTorch's
# best forms, every op's time against what the GPU reaches at best, whole training runs checked against the CPU, and the
# device tests once more under compute-sanitizer. Prints a table; writes results/GPU.json beside it. Stopped early, it
# prints and writes what it has.
#
# usage: bench/gpu.sh              in a bundle (make bundle) or a source tree with build/
# Settings: DEVICE=cuda:0  MINUTES=9  PYTHON=python3 that has torch  OUT=folder  QUICK=1: a few steps of everything
set -u
here=$(cd "$(dirname "$0")" && pwd)
if [ -x "$here/../bin/dunlin" ]; then
    dunlin=$here/../bin/dunlin tests=$here/../tests
else
    dunlin=${BUILD:-$here/../build}/dunlin tests=${BUILD:-$here/../build}/tests
fi
[ -x "$dunlin" ] || {
    echo "bench/gpu.sh: there is no program '$dunlin'" >&2
    exit 2
}
device=${DEVICE:-cuda:0}
minutes=${MINUTES:-9}
out=${OUT:-$here/results}
quick=${QUICK:-}
started=$(date +%s)
work=$(mktemp -d)
mkdir -p "$out"
export DN_TEST_GPU=1 # a test that finds no GPU fails instead of being skipped

left() { echo $((started + 60 * minutes - 15 - $(date +%s))); }

# row NAME VALUE: one line of the table; json NAME FILE: a JSON value for the result
row() { printf '%-46s %s\n' "$1" "$2" | tee -a "$work/table"; }
json() { printf '  "%s": %s' "$1" "$(cat "$2")" >"$work/json-$(printf %03d "$(ls "$work" | wc -l)")"; }
quoted() { printf '"%s"\n' "$(printf %s "$1" | tr -d '"\\' | tr '\n\t' '; ')"; }

# run SECONDS COMMAND...: within a limit, and within what is left
run() {
    limit=$1
    shift
    [ "$(left)" -lt "$limit" ] && limit=$(left)
    [ "$limit" -gt 3 ] || return 125
    timeout -k 5 "$limit" "$@"
}
verdict() {
    case $1 in
    0) echo ok ;;
    77) echo "not there" ;;
    124 | 125 | 137) echo "no time left" ;;
    *) echo "FAILED ($1)" ;;
    esac
}

finish() {
    trap - EXIT INT TERM
    name=$(sed -n 's/^gpu: //p' "$work/table" | head -n 1 | tr -cs 'A-Za-z0-9' '-' | sed 's/-*$//')
    file=$out/${name:-gpu}.json
    {
        echo '{'
        first=1
        for piece in "$work"/json-*; do
            [ -e "$piece" ] || continue
            [ $first = 1 ] || echo ','
            first=
            cat "$piece"
        done
        printf '\n}\n'
    } >"$file"
    echo
    echo "==== $(($(date +%s) - started)) s ===="
    cat "$work/table"
    echo "written: $file"
    failed=$(grep -c FAILED "$work/table")
    rm -rf "$work"
    [ "$failed" -eq 0 ] || exit 1
    exit 0
}
trap finish EXIT
trap 'echo stopped >&2; finish' INT TERM

# ---- machine ----
if command -v nvidia-smi >/dev/null 2>&1; then
    card=$(nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit --format=csv,noheader | head -n 1)
else
    card=$device
fi
echo "gpu: ${card%%,*}" | tee "$work/table"
row "driver, memory, clock, power" "${card#*,}"
quoted "$card" >"$work/card"
json gpu "$work/card"
quoted "$(date -u +%Y-%m-%dT%H:%MZ)" >"$work/date"
json date "$work/date"
"$dunlin" devices --json "$work/devices" && json devices "$work/devices"

python=
for candidate in ${PYTHON:-python3 /usr/bin/python3}; do
    if "$candidate" -c 'import torch' 2>/dev/null; then
        python=$candidate
        break
    fi
done
row "peer" "$([ -n "$python" ] && "$python" -c 'import torch; print("torch", torch.__version__, "CUDA", torch.version.cuda)' || echo 'no torch')"

# ---- device tests ----
for test in "$tests"/test_cuda_* "$tests"/test_check_backend; do
    [ -x "$test" ] || continue
    begun=$(date +%s)
    run 150 "$test" >"$work/log" 2>&1
    status=$?
    [ $status -eq 0 ] || tail -n 40 "$work/log" >&2
    row "test $(basename "$test")" "$(verdict $status), $(($(date +%s) - begun)) s"
    quoted "$(verdict $status): $(tail -n 1 "$work/log")" >"$work/one"
    json "test $(basename "$test")" "$work/one"
done

# Same seed, same bytes: parameters after some steps, twice.
run 60 "$dunlin" train glyphs-smoke --device "$device" --out "$work/run-a" -q >/dev/null &&
    run 60 "$dunlin" train glyphs-smoke --device "$device" --out "$work/run-b" -q >/dev/null &&
    cmp "$work/run-a/checkpoint.h5" "$work/run-b/checkpoint.h5"
row "same seed, same bytes (glyphs-smoke)" "$(verdict $?)"

# ---- what the GPU reaches at best ----
if [ -n "$python" ] && [ -z "$quick" ]; then
    run 60 "$python" "$here/torch_gpu.py" --ceilings "$work/ceilings" && json ceilings "$work/ceilings" &&
        tr -d '{}"\n' <"$work/ceilings" | tr ',' '\n' | while IFS=: read -r key value; do row "ceiling$key" "$value"; done
fi

# ---- steps, beside PyTorch ----
rounds=7
[ -z "$quick" ] || rounds=1
# step RECIPE MEMBERS PRECISION MODE...: our step in this precision, beside each mode of PyTorch
step() {
    recipe=$1 members=$2 precision=$3
    shift 3
    for mode in "$@"; do
        name="step $members x $recipe $precision"
        set -- bench step "$recipe" --device "$device" --members "$members" --rounds "$rounds" \
            "train.precision=$precision" 'data.prepare=[]' optimizer.l2=0 ensemble.kind=deep --json "$work/step"
        [ -z "$quick" ] || set -- "$@" --steps 2 --batch 8 --images 64
        if [ "$mode" != own ]; then
            [ -n "$python" ] || continue
            name="$name beside $mode"
            set -- "$@" --peer "exec $python $here/torch_gpu.py --mode $mode --precision $precision"
        fi
        run 90 "$dunlin" "$@" >"$work/log" 2>&1
        status=$?
        if [ $status -eq 0 ]; then
            json "$name" "$work/step"
            row "$name" "$(grep -E '^(dunlin|torch)|gain' "$work/log" | tr -s ' ' | tr '\n' ';')"
        else
            tail -n 5 "$work/log" >&2
            row "$name" "$(verdict $status): $(tail -n 1 "$work/log")"
        fi
    done
}
step cifar10-vgg16-mi 10 bf16 own eager graph compile vmap
step cifar10-cnn3 10 bf16 own eager graph compile vmap
step cifar10-cnn3 10 f32 own graph
step cifar10-vgg16-mi 10 tf32 own graph
step cifar10-cnn3 1 bf16 own graph
step cifar10-vgg16-mi 1 bf16 own graph
step cifar10-vgg16-mi 10 f32 own

# ---- every op ----
for precision in bf16 tf32 f32; do
    set -- bench ops cifar10-vgg16-mi --device "$device" --members 10 "train.precision=$precision" 'data.prepare=[]' \
        ensemble.kind=deep --json "$work/ops" --sort
    [ -z "$quick" ] || set -- "$@" --batch 8 --images 64 --repeats 1
    if run 60 "$dunlin" "$@" >"$work/log" 2>&1; then
        json "ops 10 x vgg16 $precision" "$work/ops"
        echo "---- ops of 10 x vgg16, $precision ----" >>"$work/table"
        head -n 22 "$work/log" | tee -a "$work/table"
    else
        row "ops 10 x vgg16 $precision" "$(verdict $?): $(tail -n 1 "$work/log")"
    fi
done

# ---- whole training runs, op by op beside the CPU ----
for recipe in glyphs-smoke glyphs-smoke-leave-out glyphs-single glyphs-deep glyphs-mi glyphs-leave-out; do
    steps=5
    [ -z "$quick" ] || steps=1
    run 60 "$dunlin" train "$recipe" --device "check:cpu,$device" --out "$work/check-$recipe" -q train.steps=$steps \
        train.limit=512 data.ood=[] >"$work/log" 2>&1
    status=$?
    row "check $recipe" "$(verdict $status)$([ $status -eq 0 ] || tail -n 1 "$work/log")"
done

# ---- compute-sanitizer ----
sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null)
for tool in memcheck racecheck initcheck; do
    if [ -z "$sanitizer" ]; then
        row "compute-sanitizer $tool" "not there"
        continue
    fi
    run 100 "$sanitizer" --tool $tool --error-exitcode 9 "$tests/test_cuda_kernels" --filter 'cuda_kernels/gpu' \
        >"$work/log" 2>&1
    status=$?
    [ $status -eq 0 ] || grep -m 20 -E '=========' "$work/log" >&2
    row "compute-sanitizer $tool" "$(verdict $status)"
    quoted "$(verdict $status): $(tail -n 1 "$work/log")" >"$work/one"
    json "compute-sanitizer $tool" "$work/one"
done
