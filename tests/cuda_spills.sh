#!/bin/sh
# No kernel keeps registers in slow local memory, but for those that are named here with a reason.
# usage: cuda_spills.sh FOLDER   (the reports that cuda/report.sh left; prints a line for each kernel that uses most)
#        cuda_spills.sh --self-test
allowed='
'
# name:reason, one a line; the name as the compiler mangles it, or a part of it.

check() {
    cat "$1"/*.txt 2>/dev/null | awk -v allowed="$allowed" '
        BEGIN {
            n = split(allowed, lines, "\n")
            for (i = 1; i <= n; i++) {
                split(lines[i], field, ":")
                if (field[1] != "") excuse[field[1]] = 1
            }
        }
        /Compiling entry function/ { # ... function NAME for ARCHITECTURE, both in quotes
            split($0, quoted, "\047")
            name = quoted[2]
            architecture = quoted[4]
        }
        /bytes spill stores/ {
            kernels++
            excused = 0
            for (part in excuse) if (index(name, part)) excused = 1
            if ($5 + $9 > 0 && !excused) {
                print name " (" architecture "): " $5 " bytes spill stores, " $9 " bytes spill loads"
                wrong = 1
            }
        }
        /Used [0-9]+ registers/ {
            for (i = 1; i < NF; i++)
                if ($i == "Used" && $(i + 1) > most) {
                    most = $(i + 1)
                    who = name
                }
        }
        END {
            if (kernels == 0) {
                print "no report of ptxas was found"
                exit 1
            }
            print kernels " kernels, at most " most " registers (" who ")"
            exit wrong
        }'
}

if [ "$1" = --self-test ]; then
    folder=$(mktemp -d) || exit 1
    trap 'rm -rf "$folder"' EXIT
    info="ptxas info    : Compiling entry function 'name' for 'sm_80'"
    printf '%s\n    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n' "$info" >"$folder/a.txt"
    check "$folder" >/dev/null || exit 1
    printf '%s\n    8 bytes stack frame, 12 bytes spill stores, 4 bytes spill loads\n' "$info" >"$folder/b.txt"
    check "$folder" | grep -q '^name (sm_80): 12 bytes spill stores, 4' || exit 1
    check "$folder" >/dev/null && exit 1
    rm "$folder"/*.txt
    check "$folder" >/dev/null && exit 1
    exit 0
fi
check "$1"
