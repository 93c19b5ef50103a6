#!/bin/sh
# Every name that the library shows to a linker starts with dn_: in C all libraries of a program share one name space.
# Names of C++ stand in a namespace dn_*. The emulator of GPUs defines (weakly) what -fsanitize=thread makes code call.
# usage: symbols.sh LIBRARY
names=$(nm --extern-only --defined-only "$1") || exit 1
echo "$names" | awk '
    /^[^ ]+:$/ { object = $1 }
    # What the compilers add: nvcc a stub for each kernel, g++ a reference to its run-time library.
    $3 ~ /^(_Z[0-9]+__device_stub__|DW\.ref\.)/ { next }
    NF == 3 && ++count && $3 !~ /^(dn_|_ZNK?[0-9]+dn_|__tsan_|__asan_|__odr_asan|\.)/ {
        print object, $3 " lacks the prefix dn_"
        wrong = 1
    }
    END { exit wrong || count == 0 }'
