#!/bin/sh
# The demonstration: three ways to train on drawn digits, and how well each tells unknown images from digits.
# usage: apps/demo.sh PROGRAM        Writes runs/demo in the folder that it is called in.
set -eu

folder=runs/demo
mark=$folder/made-by-demo # what lies beside it is the demonstration's own and may be replaced

fail() {
    echo "demo: $1" >&2
    exit "${2-1}"
}
[ $# = 1 ] || fail "usage: $0 PROGRAM   (the dunlin that was built, such as build/dunlin)" 2
program=$1
command -v "$program" >/dev/null || fail "there is no program '$program'; \`make\` builds build/dunlin"
docs=$(cd "$(dirname "$0")/../docs" && pwd)
docs=${docs#"$PWD"/}

# Says a command, then runs it; what fails has told its reason itself.
run() {
    echo
    echo "== $*"
    "$@" || fail "stopped: '$*' failed (exit code $?); the reason is above"
}

[ -e "$mark" ] || for name in single mi leave-out; do
    [ ! -e "$folder/$name" ] || fail "$folder/$name was not made by the demonstration; move it away first"
done
mkdir -p "$folder" || fail "cannot create $folder below $PWD"
: >"$mark" || fail "cannot write to $folder below $PWD"

cat <<END
Three networks learn to read drawn digits; nothing is downloaded. Then each sees what it never saw: letters, textures,
digits cut in pieces, noise. Which of them notices? 2 to 3 minutes on 2 idle cores.
  single      one network
  mi          5 that are trained to disagree on images that mean nothing
  leave-out   5 that each do not know two of the digits
END
for name in single mi leave-out; do
    rm -f "$folder/$name/checkpoint.h5" "$folder/$name/recipe.yaml"
    run "$program" train "glyphs-$name" --out "$folder/$name"
done

set -- "$folder/single" "$folder/mi" "$folder/leave-out"
picture="No picture: gnuplot is not installed (Debian: gnuplot-nox)."
rm -f "$folder/demo.svg"
if command -v gnuplot >/dev/null; then
    set -- "$@" --plot "$folder/demo.svg"
    picture="The picture of it: $folder/demo.svg"
fi
run "$program" compare "$@"

cat <<END

$picture
Next:
  real data   $program train mnist-toy-convnet-mi --data DIR   ($docs/datasets.md says what DIR holds)
  evaluate    $program evaluate $folder/mi --methods all
  read        $docs/first_hour.md
END
