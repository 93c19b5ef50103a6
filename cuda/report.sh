#!/bin/sh
# Runs nvcc and keeps what ptxas says about registers and spills: FOLDER/NAME.txt, for tests/cuda_spills.sh.
# usage: report.sh FOLDER NVCC ARGUMENTS...   (a compiler launcher of CMake)
folder=$1
shift
name=
for argument; do
    case $argument in *.cu) name=$(basename "$argument" .cu) ;; esac
done
if [ -z "$name" ]; then
    exec "$@"
fi
mkdir -p "$folder" || exit 1
"$@" 2>"$folder/$name.log"
status=$?
grep -E 'ptxas info|bytes stack frame' "$folder/$name.log" >"$folder/$name.txt"
grep -vE 'ptxas info|bytes stack frame' "$folder/$name.log" >&2
rm -f "$folder/$name.log"
exit $status
