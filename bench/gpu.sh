#!/bin/sh
# Everything that a GPU can tell, in one command of at most nine minutes: device tests, the same seed twice, training
# steps beside PyTorch's best forms, whole recipes checked against the CPU, scores, compute-sanitizer, every op's time
# beside what the GPU reaches at best. Writes OUT/GPU.json anew after every result, all output to OUT/GPU.log, and
# prints a table at the end; stopped early, it prints and keeps what it has.
# Exit code: 0 all is well, 1 something failed or it was stopped, 2 it could not begin. A peer that cannot run, or a
# tool that is not there, is no failure.
#
# usage: bench/gpu.sh              in a bundle (make bundle) or a source tree with build/
# Settings: DEVICE=cuda:0 (CUDA_VISIBLE_DEVICES chooses the GPU; cuda-emu, cpu: a rehearsal)  MINUTES=9  OUT=folder
#           PYTHON=python3 that has torch  QUICK=1: as little as possible of everything
#           PARTS="tests same own ceilings peers check scores compiled sanitizer ops others": some, in this order
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 2
if [ -x "$here/../bin/dunlin" ]; then
    dunlin=$here/../bin/dunlin tests=$here/../tests recipes=$here/../recipes
else
    dunlin=${BUILD:-$here/../build}/dunlin tests=${BUILD:-$here/../build}/tests recipes=$here/../apps/recipes
fi
device=${DEVICE:-cuda:0}
minutes=${MINUTES:-9}
out=${OUT:-$here/results}
quick=${QUICK:-}
parts=${PARTS:-tests same own ceilings peers check scores compiled sanitizer ops others}
case $minutes in '' | *[!0-9]*)
    echo "bench/gpu.sh: MINUTES=$minutes is no whole number" >&2
    exit 2
    ;;
esac
[ "$device" != cuda ] || device=cuda:0
[ -x "$dunlin" ] || {
    echo "bench/gpu.sh: there is no program '$dunlin'" >&2
    exit 2
}
started=$(date +%s)
mkdir -p "$out" && work=$(mktemp -d) || exit 2
export HOME="${HOME:-$work}"
: >"$work/table"
: >"$work/log"
file=$out/gpu doing='looking around' complete=false child='' pieces=1000 reserve=0
exec 3>&1 4>&2 # a trap may find both redirected

# ---- results ----

# A JSON string of what can be printed.
quoted() {
    printable=$(printf %s "$1" | LC_ALL=C tr '\n\t' '; ' | LC_ALL=C tr -cd '\40-\176' | tr -d '\042\134')
    printf '"%.3000s"' "$printable"
}

# save: the whole file anew, and never half of it
save() {
    {
        echo '{'
        for piece in "$work"/piece-*; do
            [ -e "$piece" ] || continue
            cat "$piece"
            echo ,
        done
        printf '  "seconds": %s,\n  "complete": %s\n}\n' $(($(date +%s) - started)) "$complete"
    } >"$file.json.new" 2>/dev/null && mv "$file.json.new" "$file.json"
}

# piece NAME VALUE: one member of the result, VALUE as JSON; row NAME TEXT: one line of the table
piece() {
    pieces=$((pieces + 1))
    printf '  %s: %s' "$(quoted "$1")" "$2" >"$work/piece-$pieces"
    save
}
row() {
    printf '%-44s %s\n' "$1" "$2" >>"$work/table"
    printf '%-44s %s\n' "$1" "$2" >&3
}
# told NAME TEXT: both
told() {
    row "$1" "$2"
    piece "$1" "$(quoted "$2")"
}

# ---- running ----

left() { echo $((started + 60 * minutes - 15 - $(date +%s))); }

# What the last command may have left: the peer leads a group of its own, so does `timeout`.
end_children() {
    if [ -n "$child" ] && kill -0 "$child" 2>/dev/null; then
        kill -TERM "$child" 2>/dev/null
        sleep 1
        kill -KILL -- "-$child" 2>/dev/null
    fi
    child=
    if [ -s "$work/peer" ]; then
        kill -KILL -- "-$(cat "$work/peer")" 2>/dev/null
        rm -f "$work/peer"
    fi
}

# run SECONDS COMMAND...: within a limit, and within what is left but for the reserve of later parts. Its output is in
# $work/log, and added to the log of all. Waits in a way that traps can interrupt.
run() {
    limit=$1
    shift
    doing=$*
    : >"$work/log"
    room=$(($(left) - reserve))
    [ "$room" -ge "$limit" ] || limit=$room
    begun=$(date +%s) took=0 status=125
    [ "$limit" -ge 4 ] || return 125
    timeout -k 3 "$limit" "$@" >"$work/log" 2>&1 </dev/null 3>&- 4>&- &
    child=$!
    wait "$child"
    status=$?
    child=
    end_children
    took=$(($(date +%s) - begun))
    {
        echo "==== $took s, exit code $status: $*"
        tail -c 100000 "$work/log"
    } >>"$file.log"
    return $status
}
verdict() {
    case $1 in
    0) echo ok ;;
    124 | 125 | 137) echo "no time left" ;;
    *) echo "FAILED ($1)" ;;
    esac
}
last() { grep -v -e '^ *$' -e '^Try ' "$work/log" | tail -n 1 | cut -c 1-300; }

# finish CODE: prints and ends. Reached at the end, by signals, and by the watchdog if a command cannot even be killed.
finish() {
    trap '' INT TERM HUP USR1
    trap - EXIT
    end_children
    [ -z "$watchdog" ] || kill "$watchdog" 2>/dev/null
    [ "$1" -eq 0 ] && complete=true
    failed=$(grep -c FAILED "$work/table")
    piece failed "$failed"
    piece out_of_time "$(grep -c 'no time left' "$work/table")"
    {
        echo
        echo "==== $(($(date +%s) - started)) s, $failed failed ===="
        cat "$work/table"
        echo "written: $file.json, $file.log"
    } >&3
    rm -rf "$work"
    [ "$failed" -eq 0 ] || exit 1
    exit "$1"
}
stopped() {
    told stopped "$1 during: $doing"
    finish 1
}
watchdog=
trap '' PIPE
trap 'finish 1' EXIT
trap 'stopped "by a signal"' INT TERM HUP
trap 'stopped "FAILED: time is over"' USR1
(
    exec >/dev/null 2>&1 </dev/null 3>&- 4>&-
    trap - EXIT INT TERM HUP USR1 PIPE
    while kill -0 $$ && [ "$(left)" -gt -7 ]; do sleep 1; done
    kill -USR1 $$
) &
watchdog=$!

# ---- the machine ----

is_gpu=
case $device in cuda:*) is_gpu=1 ;; esac
card=$device
if [ -n "$is_gpu" ]; then
    run 20 nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit --format=csv,noheader &&
        card=$(head -n 1 "$work/log")
fi
name=$(printf %s "${card%%,*}" | tr -cs 'A-Za-z0-9' '-' | sed 's/^-*//; s/-*$//')
rm -f "$file.log"
file=$out/${name:-gpu}
: >"$file.log" || exit 2
told gpu "$card"
piece date "$(quoted "$(date -u +%Y-%m-%dT%H:%MZ)")"
piece source "$(quoted "$(cat "$here/../VERSION" 2>/dev/null || git -C "$here" describe --always --dirty 2>/dev/null)")"
piece quick "$([ -n "$quick" ] && echo true || echo false)"
run 30 "$dunlin" devices --json "$work/devices" && piece devices "$(cat "$work/devices")"
run 30 "$dunlin" devices
line=$(awk -v d="$device" '$1 == d || ($1 == "cuda" && d ~ /^cuda:/)' "$work/log")
case $line in
*\ yes\ *) ;;
*) # nothing else can be learnt here
    told "device $device" "FAILED: ${line:-dunlin devices does not list it: $(last)}"
    finish 1
    ;;
esac

python='' torch_python=''
for candidate in ${PYTHON:-python3 /usr/bin/python3}; do
    run 10 "$candidate" -c 'print(1)' || continue
    [ -n "$python" ] || python=$candidate
    run 90 "$candidate" -c 'import torch; print("torch", torch.__version__, "CUDA", torch.version.cuda)' || continue
    torch_python=$candidate
    break
done
told peer "$([ -n "$torch_python" ] && last || echo 'no python3 has torch')"

# ---- the parts ----

do_tests() {
    if [ -n "$is_gpu" ]; then
        run 150 env DN_TEST_GPU=1 "$tests/test_cuda_kernels" plain cuda
    else
        run 60 env DN_TEST_SECONDS=20 "$tests/test_cuda_kernels" plain emulated
    fi
    status=$?
    told "test of all kernels" "$(verdict "$status"), $took s: $(last)"
    [ "$status" -eq 0 ] || grep -E 'FAILED' "$work/log" | head -n 60 >&4
}

# The other tests have no need of a GPU, but of the machine: its libraries, its driver's answers.
do_others() {
    for test in "$tests"/test_cuda_reasons "$tests"/test_cuda_backend "$tests"/test_check_backend \
        "$tests"/test_score_device; do
        [ -x "$test" ] || continue
        run 60 env DN_TEST_GPU="$is_gpu" "$test"
        told "$(basename "$test")" "$(verdict $?): $(last)"
    done
    for precision in tf32 f32; do ops $precision; done
    step cifar10-cnn3 10 f32 graph
    step cifar10-vgg16-mi 10 tf32 graph
    step cifar10-cnn3 1 bf16 graph
    step cifar10-vgg16-mi 1 bf16 graph
    step cifar10-vgg16-mi 10 f32 own
}

# Same seed, same bytes: all numbers that a training run keeps, from two runs and from one that is launched op by op.
do_same() {
    files='' number=0 forms="$device $device $device,sync"
    case $device in
    cuda-emu) # testing what was trained would take it hours
        told "same seed, same bytes" "needs a GPU"
        return
        ;;
    cuda:*) ;;
    *) forms="$device $device" ;;
    esac
    for form in $forms; do
        number=$((number + 1))
        run 60 "$dunlin" train glyphs-smoke --device "$form" --out "$work/run$number" -q
        status=$?
        [ "$status" -eq 0 ] || break
        files="$files $work/run$number/checkpoint.h5"
    done
    [ "$status" -ne 0 ] || run 20 env DN_TEST_SAME="${files# }" "$tests/test_cuda_same" --filter cuda_same/runs
    told "same seed, same bytes" "$(verdict "$status"): $(last)"
}

# What the GPU reaches at best.
do_ceilings() {
    [ -n "$torch_python" ] && [ -n "$is_gpu" ] || return 0
    if run 60 "$torch_python" "$here/torch_gpu.py" --ceilings "$work/ceilings"; then
        piece ceilings "$(cat "$work/ceilings")"
        row ceilings "$(tr -d '{}"\n' <"$work/ceilings" | tr -s ' ')"
    else
        rm -f "$work/ceilings"
        told ceilings "not measured: $(last)"
    fi
}

# step RECIPE MEMBERS PRECISION MODE...: our step in this precision, alone (own) or beside a mode of PyTorch
step() {
    recipe=$1 members=$2 precision=$3
    [ -z "$quick" ] || members=2
    shift 3
    for mode in "$@"; do
        what="step $members x $recipe $precision"
        limit=45
        set -- bench step "$recipe" --device "$device" "train.precision=$precision" 'data.prepare=[]' optimizer.l2=0 \
            ensemble.kind=deep --members "$members" --json "$work/step"
        if [ -n "$quick" ]; then
            set -- "$@" --rounds 1 --steps 1 --batch 4 --images 64 model.width=4
        else
            set -- "$@" --rounds 5
        fi
        if [ "$mode" != own ]; then
            [ -n "$torch_python" ] || continue
            what="$what, $mode"
            limit=$([ "$mode" = compile ] && echo 120 || echo 75)
            set -- "$@" --peer "echo \$\$ >'$work/peer'; exec '$torch_python' '$here/torch_gpu.py' --mode $mode \
--precision $precision --device $([ -n "$is_gpu" ] && echo cuda || echo cpu)"
        fi
        run "$limit" "$dunlin" "$@"
        status=$?
        if [ "$status" -eq 0 ]; then
            piece "$what" "$(cat "$work/step")"
            row "$what" "$(awk '$1 == "dunlin" && $2 ~ /^[0-9]+\.[0-9]+$/ { printf "dunlin %s ms", $2 }
                /^torch-/ && $4 ~ /^[0-9]+\.[0-9]+$/ { printf ", %s %s ms", $3, $4 }
                /^against/ { sub(/.*: /, ""); printf ", %s", $0 }' "$work/log")"
        elif [ "$mode" = own ]; then
            told "$what" "$(verdict "$status"): $(last)"
        else
            told "$what" "not compared ($status): $(last)"
        fi
    done
}
do_own() {
    step cifar10-vgg16-mi 10 bf16 own
    step cifar10-cnn3 10 bf16 own
}
do_peers() {
    step cifar10-vgg16-mi 10 bf16 eager graph
    step cifar10-cnn3 10 bf16 eager graph
}
do_compiled() {
    step cifar10-vgg16-mi 10 bf16 compile vmap
    step cifar10-cnn3 10 bf16 compile vmap
}

# ops PRECISION: every op's time
ops() {
    precision=$1 members=10
    [ -z "$quick" ] || members=2
    set -- bench ops cifar10-vgg16-mi --device "$device" "train.precision=$1" 'data.prepare=[]' ensemble.kind=deep \
        --members $members --json "$work/ops" --sort
    [ -z "$quick" ] || set -- "$@" --batch 4 --images 64 --repeats 1 model.width=4
    if ! run 60 "$dunlin" "$@"; then
        told "ops $members x vgg16 $precision" "$(verdict "$status"): $(last)"
        return
    fi
    piece "ops $members x vgg16 $precision" "$(cat "$work/ops")"
    row "ops $members x vgg16 $precision" "the longest:"
    if [ -n "$python" ] && run 20 "$python" "$here/gpu_ops.py" "$precision" "$work/ops" "$work/ceilings"; then
        : # its lines are in the log
    else
        run 20 "$dunlin" "$@" && grep -E '^ *[0-9]+ ' "$work/log" | head -n 8 | cut -c 1-140 >"$work/log.new" &&
            mv "$work/log.new" "$work/log"
    fi
    cat "$work/log" >>"$work/table"
    cat "$work/log" >&3
}
do_ops() { ops bf16; }

# Each recipe, op by op on the CPU and on the device; random images for those whose data sets are not here.
do_check() {
    checked=check:cpu,$device steps=5 images=512 batch=16 limit=40
    [ -z "$quick" ] || steps=1 images=64 batch=4 limit=10
    for recipe in "$recipes"/*.yaml; do
        recipe=$(basename "$recipe" .yaml)
        case $recipe$is_gpu in
        glyphs-*1)
            run $limit "$dunlin" train "$recipe" --device "$checked" --out "$work/check" -q train.steps=$steps \
                train.limit=$images 'data.ood=[]'
            ;;
        *)
            set -- bench step "$recipe" --device "$checked" --steps 1 --rounds 1 --batch $batch --images $images
            [ -z "$quick" ] || set -- "$@" model.width=4
            run $limit "$dunlin" "$@"
            ;;
        esac
        status=$?
        rm -rf "$work/check"
        told "check $recipe" "$(verdict "$status")$([ "$status" -eq 0 ] || printf ': %s' "$(last)")"
    done
}

# Neighbours and covariances of features, there and on this CPU.
do_scores() {
    if ! run 20 "${torch_python:-${python:-python3}}" -c 'import numpy'; then
        told "scores" "not measured: no python3 has numpy"
        return
    fi
    set -- 50000 10000 512 3
    if [ -n "$quick" ] || [ -z "$is_gpu" ]; then set -- 1000 300 16 1; fi
    if run 90 "${torch_python:-$python}" "$here/gpu_scores.py" "$dunlin" "$device" "$@" "$work/scores"; then
        piece scores "$(cat "$work/scores")"
        row scores "$(last)"
    else
        told scores "$(verdict "$status"): $(last)"
    fi
}

# sanitize TOOL NAME SECONDS COMMAND...
findings='^=========.*(Invalid|hazard|Uninit|Misalign|Race)'
sanitize() {
    tool=$1 what=$2 limit=$3
    shift 3
    run "$limit" "$sanitizer" --tool "$tool" --target-processes all --error-exitcode 9 "$@"
    status=$?
    summary=$(grep -h 'SUMMARY' "$work/log" | tail -n 1 | tr -d =)
    covered=$(grep -E '^[0-9]+ cases of' "$work/log" | tail -n 1)
    if grep -qiE 'Device not supported|not supported on this' "$work/log"; then
        told "$tool, $what" "does not work here: $(grep -iE -m 1 'not supported' "$work/log")"
    elif [ "$status" -ne 0 ] && grep -qE "$findings|ERROR SUMMARY: [1-9]" "$work/log"; then
        told "$tool, $what" "FAILED:$summary; $(grep -m 1 -E "$findings" "$work/log")"
    else
        told "$tool, $what" "$(verdict "$status"), $took s:$summary; ${covered:-$(last)}"
    fi
}
do_sanitizer() {
    sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null)
    if [ -z "$sanitizer" ] || [ -z "$is_gpu" ]; then
        told compute-sanitizer "$([ -n "$is_gpu" ] && echo "not there" || echo "needs a GPU")"
        return
    fi
    for tool in memcheck racecheck initcheck; do
        sanitize $tool kernels 50 env DN_TEST_HEAVY=0 DN_TEST_SECONDS=25 "$tests/test_cuda_kernels" plain cuda
    done
    for tool in memcheck initcheck; do
        rm -rf "$work/sanitized"
        sanitize $tool glyphs-smoke 25 "$dunlin" train glyphs-smoke --device "$device" --out "$work/sanitized" -q \
            train.steps=3 train.limit=64 'data.ood=[]'
    done
}

for part in $parts; do
    case $part in # what later parts need at least
    peers) reserve=180 ;;
    check) reserve=130 ;;
    compiled) reserve=120 ;;
    sanitizer) reserve=25 ;;
    *) reserve=0 ;;
    esac
    [ "$parts" = "$part" ] && reserve=0 || reserve=$((reserve * minutes / 9))
    case $part in
    tests | same | own | ceilings | peers | check | scores | compiled | sanitizer | ops | others) "do_$part" ;;
    *) told "part $part" "FAILED: there is no such part" ;;
    esac
done
finish 0
