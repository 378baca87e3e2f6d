#!/bin/sh
# Kills a training 100 times, or as often as the first argument says, at random moments, a third of
# them inside a save, and lets it go on each time; tests/integration/kill_test.cpp says what must
# hold. Ten kills are part of the tests. Takes about a second a kill.
set -eu
cd "$(dirname "$0")/.."

cmake --preset release
cmake --build --preset release --parallel "$(nproc)" --target calque_tests
CALQUE_KILLS=${1:-100} build/release/tests/calque_tests "[kill]"
