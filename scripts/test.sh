#!/bin/sh
# Installs what is needed, builds, and runs all tests: the release build once with each engine for
# matrix products (and, where there is AMX, without it), then each fuzz target for 20 seconds, then
# the debug build under AddressSanitizer and UndefinedBehaviorSanitizer, which leaves out the tests
# that train to a bar (label `quality`).
# Arguments go to ctest, and nothing is fuzzed then:
#   scripts/test.sh -R attention
set -eu
cd "$(dirname "$0")/.."

scripts/setup.sh --fuzz
jobs=$(nproc)

build() {
  cmake --preset "$1"
  cmake --build --preset "$1" --parallel "$jobs"
}

build release
for engine in calque onednn eigen; do
  echo "== release, $engine"
  CALQUE_GEMM=$engine ctest --preset release --parallel "$jobs" "$@"
done
if build/release/calque version | grep -q '^float32 *AMX'; then
  echo "== release, calque by vectors"
  CALQUE_FLOAT32=vectors ctest --preset release --parallel "$jobs" "$@"
fi

if [ $# -eq 0 ]; then
  echo "== fuzz"
  scripts/fuzz.sh 20
fi

build dev
echo "== dev: AddressSanitizer and UndefinedBehaviorSanitizer"
ctest --preset dev --parallel "$jobs" "$@"
