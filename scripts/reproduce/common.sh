# What the scripts of this folder share; they source it in the root of the repository, with `name`
# set to their own.
calque=${CALQUE:-build/release/calque} # CALQUE: another binary, which is not built

fail() {
  echo "$name: $*" >&2
  exit 2
}

say() { printf '\n== %s\n' "$*"; }

build_calque() {
  [ -z "${CALQUE:-}" ] || return 0
  cmake --preset release
  cmake --build --preset release --parallel "$(nproc)" --target calque
}
