#!/bin/sh
# Makes a folder that runs where nothing can be installed: programs, device tests, benchmarks, recipes, and the shared
# libraries that they need except the C library and the GPU's driver. Then one compressed file of it, which is unpacked
# and tried.
# usage: cmake/bundle.sh BUILD OUT     BUILD: a build folder configured with -DDN_BUNDLE=ON; OUT: the folder to make
# Prints the file's name and size.
set -eu
cd "$(dirname "$0")/.."
build=$1
[ -x "$build/dunlin" ] || {
    echo "bundle.sh: there is no $build/dunlin" >&2
    exit 2
}
rm -rf "$2"
mkdir -p "$2/bin" "$2/tests" "$2/bench" "$2/lib"
out=$(cd "$2" && pwd)
cp "$build/dunlin" "$out/bin/"
for test in "$build"/tests/test_cuda_* "$build/tests/test_check_backend" "$build/tests/test_score_device"; do
    [ "${test##*/}" != test_cuda_mutants ] || continue # for the emulator
    if [ -x "$test" ] && [ -f "$test" ]; then cp "$test" "$out/tests/"; fi
done
cp bench/gpu.sh bench/gpu_*.py bench/torch_*.py bench/README.md "$out/bench/" # what gpu.sh runs
cp -r apps/recipes "$out/recipes"
cp LICENSE "$out/"
git describe --always --dirty >"$out/VERSION" 2>/dev/null || echo unknown >"$out/VERSION"
strip "$out"/bin/* "$out"/tests/*

# What belongs to the C library stays with the system, whose loader insists; so does the driver.
is_systems() {
    case ${1##*/} in
    libc.so* | libm.so* | libmvec.so* | libdl.so* | librt.so* | libpthread.so* | libresolv.so* | libutil.so*) ;;
    ld-linux* | linux-vdso* | libcuda.so* | libnvidia*) ;;
    *) return 1 ;;
    esac
}

# ldd follows the libraries' own needs too, here and where the file is unpacked: with no other library path.
libraries() {
    for program in "$1"/bin/* "$1"/tests/*; do
        env -i PATH="$PATH" ldd "$program" |
            awk -v p="$program" '$2 == "=>" { print $1, $3 == "not" ? "nowhere" : $3, p }'
    done | sort -u
}
libraries "$out" | while read -r name path program; do
    if ! is_systems "$name"; then cp -L "$path" "$out/lib/$name"; fi
done
chmod -R u+w,go-w "$out"

glibc=$(objdump -T "$out"/bin/* "$out"/tests/* "$out"/lib/* | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
cat >"$out/README.md" <<END
# Dunlin, ready to run

Version $(cat "$out/VERSION"), for $(uname -m) Linux with glibc ${glibc#GLIBC_} or later. GPUs: NVIDIA's of compute
capability 8.0 and later, with their driver. Nothing needs to be installed; the folder may stand anywhere.

    bin/dunlin devices          what can be used, and why not
    bench/gpu.sh                tests, sanitizer and timings in nine minutes: bench/README.md, "On a GPU"
    bin/dunlin train glyphs-mi --device cuda:0

\`tests/\` has the device tests, \`recipes/\` the recipes' text (they are also in the program), \`lib/\` the libraries,
which the programs find by their own place. LICENSE is Dunlin's; libraries in \`lib/\` have their own.
END

# ---- packed, unpacked elsewhere, tried ----
# Programs side by side: a window as wide as two of them finds that they hold the same kernels.
base=$(basename "$out")
(cd "$out/.." && tar --owner=0 --group=0 -c "$base/lib" "$base/bin" "$base/tests" "$base/bench" "$base/recipes" \
    "$base/LICENSE" "$base/README.md" "$base/VERSION") | xz -T1 --lzma2=preset=6,dict=48MiB >"$out.tar.xz"
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
tar -C "$elsewhere" -xJf "$out.tar.xz"
moved=$elsewhere/$base
libraries "$moved" | while read -r name path program; do
    case $path in
    "$moved"/lib/*) ;; # ldd writes bin/../lib
    "$moved"/*/../lib/*) ;;
    *) is_systems "$name" || {
        echo "bundle.sh: $program finds $name in $path, not in the bundle" >&2
        exit 1
    } ;;
    esac
done
for program in "bin/dunlin devices" tests/test_cuda_reasons; do
    # shellcheck disable=SC2086 # words
    env -i "$moved"/$program >"$elsewhere/log" 2>&1 && continue
    cat "$elsewhere/log" >&2
    echo "bundle.sh: what was unpacked does not run" >&2
    exit 1
done
size=$(($(wc -c <"$out.tar.xz") / 1024))
echo "$out.tar.xz: $size KiB, unpacked $(du -sk "$out" | cut -f1) KiB, needs $glibc"
[ "$size" -lt 40960 ] || {
    echo "bundle.sh: larger than 40 MiB" >&2
    exit 1
}
