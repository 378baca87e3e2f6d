#!/bin/sh
# Builds the fuzz targets (clang, libFuzzer; scripts/setup.sh --fuzz installs them) and runs each of
# them for SECONDS, by default 300, as many at a time as there are processors. A finding is shown and
# makes it fail; the input is left in build/fuzz/findings, and belongs among the seeds once the fault
# is mended.
#   scripts/fuzz.sh [SECONDS]
set -eu
cd "$(dirname "$0")/.."
export seconds="${1:-300}"

cmake --preset fuzz
cmake --build --preset fuzz --parallel "$(nproc)"

if [ -d /dev/shm ]; then
  export TMPDIR=/dev/shm # some targets write a file for each run
fi
# What a run finds of interest stays in build/fuzz/corpus, for the next; the seeds stay as they are.
run_target='
  target=$0
  folder=build/fuzz
  mkdir -p "$folder/corpus/$target" "$folder/findings"
  if $folder/tests/fuzz/fuzz_$target -max_total_time="$seconds" -timeout=60 -rss_limit_mb=2048 \
    -dict="tests/fuzz/dictionaries/$target.dict" -artifact_prefix="$folder/findings/$target-" \
    -print_final_stats=1 "$folder/corpus/$target" "tests/fuzz/seeds/$target" \
    > "$folder/$target.log" 2>&1
  then
    grep "cov:" "$folder/$target.log" | tail -n 1 | sed "s/^/fuzz: $target: no finding: /"
  else
    cat "$folder/$target.log"
    echo "fuzz: $target: a finding"
    exit 255 # xargs starts no other
  fi'
echo safetensors state config token_cache text |
  xargs -n 1 -P "$(nproc)" sh -c "$run_target"
