#!/bin/sh
# Peak memory of training beside the plan that is printed before it, for the shipped recipes that fit a small machine.
# Usage: bench/memory.sh [DUNLIN [DATA_DIR]]; recipes whose data are missing are left out.
# A few steps will do: everything is allocated before the first one, and the test set passes at the end.
set -eu
dunlin=${1:-build/dunlin}
data=${2:-${DUNLIN_DATA:-$HOME/.cache/dunlin}}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# number FILE KEY: the value of a key of flat JSON
number() {
    sed -n "s/.*\"$2\":[[:space:]]*\([0-9.e+]*\).*/\1/p" "$1"
}

printf '%-28s %12s %12s %8s\n' recipe 'plan MiB' 'peak MiB' 'peak/plan'
for recipe in $("$dunlin" train --list | cut -d' ' -f1); do
    case $recipe in *vgg16* | *resnet18 | cifar10-*leave-out) continue ;; esac
    rm -rf "$folder/run"
    if ! "$dunlin" train "$recipe" train.steps=3 --data "$data" --out "$folder/run" --quiet \
        --json "$folder/result.json" >"$folder/log" 2>&1; then
        printf '%-28s %s\n' "$recipe" "left out: $(tail -n 1 "$folder/log" | cut -c1-80)"
        continue
    fi
    plan=$(number "$folder/result.json" planned_bytes)
    peak=$(number "$folder/result.json" peak_bytes)
    awk -v name="$recipe" -v plan="$plan" -v peak="$peak" \
        'BEGIN { printf "%-28s %12.1f %12.1f %8.2f\n", name, plan / 1048576, peak / 1048576, peak / plan }'
done
