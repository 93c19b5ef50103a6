#!/bin/sh
# Installs what is missing to build, test or lint Dunlin.   usage: cmake/packages.sh [-n] build|demo|test|lint ...
#
# What is needed is probed, not looked up in a package database, so that libraries from any source count and a machine
# with everything answers at once. On Debian and its relatives apt-get installs the rest; elsewhere the list is printed.
# -n only prints.
set -u

# group, Debian package, probe: command NAME | module NAME (of pkg-config) | header FILE
table='
build cmake            command cmake
build ninja-build      command ninja
build gcc              command cc
build g++              command c++
build libc6-dev        header  stdio.h
build pkg-config       command pkg-config
build libhdf5-dev      module  hdf5
build zlib1g-dev       module  zlib
build libmatio-dev     module  matio
build libspng-dev      module  spng
build libturbojpeg0-dev module libturbojpeg
build libcurl4-openssl-dev module libcurl
build libarchive-dev   module  libarchive
build libssl-dev       module  libcrypto
build libcyaml-dev     module  libcyaml
build libyaml-dev      module  yaml-0.1
build libcjson-dev     module  libcjson
build librandom123-dev header  Random123/philox.h
build libdnnl-dev      header  oneapi/dnnl/dnnl.h
build libopenblas-dev  module  openblas
build liblapacke-dev   module  lapacke
demo  gnuplot-nox      command gnuplot
test  libcriterion-dev module  criterion
lint  python3          command python3
lint  clang            command clang
lint  libomp-dev       clang   omp.h
lint  clang-format     command clang-format
lint  clang-tidy       command clang-tidy
lint  cppcheck         command cppcheck
lint  chromium         command chromium
'

has() {
    case $1 in
    command) command -v "$2" ;;
    module) pkg-config --exists "$2" ;;
    header) echo "#include <$2>" | cc -E -o /dev/null - ;;
    clang) echo "#include <$2>" | clang -fopenmp -E -o /dev/null - ;;
    esac >/dev/null 2>&1
}

print_only=
if [ "${1-}" = -n ]; then
    print_only=yes
    shift
fi
missing= details=
while read -r group package kind name; do
    case " $* " in *" $group "*) ;; *) continue ;; esac
    # What a build can do without.
    case $package:${CMAKE_FLAGS-} in
    libdnnl-dev:*DN_ONEDNN=OFF*) continue ;;
    libcurl4-openssl-dev:*DN_FETCH=OFF* | libarchive-dev:*DN_FETCH=OFF* | libssl-dev:*DN_FETCH=OFF*) continue ;;
    esac
    has "$kind" "$name" && continue
    missing="$missing $package"
    details="$details
    $package  ($kind $name not found)"
done <<END
$(echo "$table" | sed '/^$/d')
END
[ -n "$missing" ] || exit 0

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
give_up() {
    echo "$1 Install these (Debian names), then run make again:$details" >&2
    exit 1
}
[ -z "$print_only" ] || give_up "Something is missing (on Debian and its relatives \`make deps\` installs it)."
command -v apt-get >/dev/null || give_up "This system has no apt-get."
[ -z "$as_root" ] || command -v sudo >/dev/null || give_up "Neither root nor sudo."

log=${TMPDIR:-/tmp}/dunlin-packages.$(id -u).log
echo "installing:$missing (log: $log)" >&2
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -qq -y "$@" >>"$log" 2>&1 </dev/null
}
: >"$log" || exit 1
# Package lists may be absent (a fresh container) or stale: refresh them only when the first try fails.
# shellcheck disable=SC2086 # the list is meant to split
if ! apt install --no-install-recommends $missing; then
    apt update && apt install --no-install-recommends $missing || {
        tail -n 5 "$log" >&2
        give_up "apt-get failed, see $log."
    }
fi
