#!/bin/sh
# Fuzzes every reader for SECONDS, one after the other, starting from the files of corpus/. New inputs are collected in
# BUILD/fuzz/found/READER; an input that crashes stays in BUILD/fuzz/crashes. Exit code 1 when there is one.
#
# READERS="npy mat" in the environment: only these.
#
# usage: run.sh SECONDS [BUILD]           BUILD: a folder configured with -DDN_FUZZ=ON by clang (default: build-fuzz)
#        run.sh --keep [BUILD]            adds to corpus/ what was found and covers more than it
set -eu
corpus=$(cd "$(dirname "$0")" && pwd)/corpus
seconds=${1:?usage: run.sh SECONDS [BUILD]}
build=${2:-build-fuzz}
crashes=$build/fuzz/crashes
# A size that a damaged file claims may be beyond memory: that must be an error, as it is without sanitizers.
export ASAN_OPTIONS=allocator_may_return_null=1:quarantine_size_mb=4:malloc_context_size=4
mkdir -p "$crashes"

# What takes long is left out: it would in each test run.
keep() {
    "$build/fuzz/fuzz_$1" -merge=1 -timeout=1 -max_len=16384 -artifact_prefix="$crashes/$1-keep-" "$corpus/$1" \
        "$build/fuzz/found/$1" >"$build/fuzz/$1-keep.log" 2>&1
    echo "$1: $(du -sbk "$corpus/$1" | cut -f1) KiB"
}

# A child that crashes within libhdf5 or libmatio is what children are for. What counts is whether the fuzzer goes on to
# the end, and whether a sanitizer found a mistake in our own files.
place='(core|datasets|tests/fuzz)/[a-z0-9_]+[.]c:'
ours="SUMMARY: [^(]*$place|$place.*: runtime error"
failed=0
for reader in ${READERS:-npy array_file store mat image archive packed keras records}; do
    found=$build/fuzz/found/$reader
    log=$build/fuzz/$reader.log
    mkdir -p "$found"
    if [ "$seconds" = --keep ]; then
        keep "$reader"
        continue
    fi
    if "$build/fuzz/fuzz_$reader" -max_total_time="$seconds" -timeout=60 -max_len=16384 -print_final_stats=1 \
        -artifact_prefix="$crashes/$reader-" "$found" "$corpus/$reader" >"$log" 2>&1 &&
        ! grep -E "$ours" "$log"; then
        echo "$reader: no crash in $(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1) runs," \
            "$(grep -o 'cov: [0-9]*' "$log" | tail -1)"
    else
        echo "$reader: crashed, see $log" >&2
        failed=1
    fi
done
exit $failed
