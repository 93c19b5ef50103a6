#!/bin/sh
# Installs a build into a new directory and uses it from there, by pkg-config and by find_package.
# usage: smoke.sh BUILD CMAKE CC
set -eu
build=$1 cmake=$2 cc=$3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$cmake" --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved" # whatever remembers the first place fails from here on
PKG_CONFIG_PATH=$(dirname "$(find "$work/moved" -name dunlin.pc)")
export PKG_CONFIG_PATH

# shellcheck disable=SC2046 # flags are meant to be split
"$cc" -o "$work/by-pkg-config" "$here/smoke.c" $(pkg-config --cflags --libs dunlin)
"$work/by-pkg-config"

CC=$cc "$cmake" -S "$here" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/moved" >/dev/null
"$cmake" --build "$work/build" >/dev/null
"$work/build/smoke"
# The program, where this build has one, must stand on its own as well.
[ ! -e "$work/moved/bin/dunlin" ] || "$work/moved/bin/dunlin" --version
