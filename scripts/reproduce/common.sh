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

# inspect RUN MODEL FILE...: writes RUN/model.json. Where it is of other weights than before, as of a
# training that went on since, the results RUN/FILE are removed, to be made again.
inspect() {
  run=$1 model=$2
  shift 2
  "$calque" inspect "$model" --json > "$run/model.json.part"
  cmp -s "$run/model.json.part" "$run/model.json" || for file; do rm -f "$run/$file"; done
  mv "$run/model.json.part" "$run/model.json"
}
