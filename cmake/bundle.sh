#!/bin/sh
# Makes a folder that runs where nothing can be installed: programs, device tests, benchmarks, recipes, and the shared
# libraries that they need except the C library and the GPU's driver. Then one compressed file of it.
# usage: cmake/bundle.sh BUILD OUT     BUILD: a build folder configured with -DDN_BUNDLE=ON; OUT: the folder to make
# Prints the file's name and size.
set -eu
build=$1 out=$2
cd "$(dirname "$0")/.."
[ -x "$build/dunlin" ] || {
    echo "bundle.sh: there is no $build/dunlin" >&2
    exit 2
}
rm -rf "$out"
mkdir -p "$out/bin" "$out/tests" "$out/bench" "$out/lib"
cp "$build/dunlin" "$out/bin/"
for test in $build/tests/test_cuda_* "$build/tests/test_check_backend" "$build/tests/test_emulator"; do
    if [ -x "$test" ] && [ -f "$test" ]; then cp "$test" "$out/tests/"; fi
done
cp bench/gpu.sh bench/*.py bench/README.md "$out/bench/"
cp -r apps/recipes "$out/recipes"
cp LICENSE "$out/"
strip "$out"/bin/* "$out"/tests/*

# ldd follows the libraries' own needs too. What belongs to the C library stays with the system, whose loader insists.
for program in "$out"/bin/* "$out"/tests/*; do
    ldd "$program"
done | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u | while read -r library; do
    case $(basename "$library") in
    libc.so* | libm.so* | libdl.so* | librt.so* | libpthread.so* | libresolv.so* | ld-linux*) ;;
    libcuda.so* | libnvidia*) ;;
    *) cp -L "$library" "$out/lib/" ;;
    esac
done

# Nothing may be found by luck: with no other library path every program must still load.
for program in "$out"/bin/* "$out"/tests/*; do
    missing=$(env -i ldd "$program" | grep 'not found' || true)
    [ -z "$missing" ] || {
        echo "bundle.sh: $program: $missing" >&2
        exit 1
    }
done
tar -C "$(dirname "$out")" -c "$(basename "$out")" | xz -T0 -6 >"$out.tar.xz"
echo "$out.tar.xz: $(($(wc -c <"$out.tar.xz") / 1024)) KiB, unpacked $(du -sk "$out" | cut -f1) KiB"
