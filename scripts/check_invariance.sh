#!/bin/bash
# Translates a text sentence by sentence and in batches of about 7 and 64 sentences, with one, two and
# three threads, and compares every bit of what comes out: text, scores, and those of each token. Then
# the same for `calque score` of the translations.
#
#   scripts/check_invariance.sh MODEL SOURCE [OPTION...]    e.g. --sample, --model OTHER, --alignment soft
#
# OPTION: further options of `calque translate`. CALQUE: the binary (build/release/calque). Prints a
# line for each run; the exit code is 1 when any line differs.
set -euo pipefail

model=${1:?usage: scripts/check_invariance.sh MODEL SOURCE [OPTION...]}
source=${2:?usage: scripts/check_invariance.sh MODEL SOURCE [OPTION...]}
shift 2
calque=${CALQUE:-$(dirname "$0")/../build/release/calque}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Tokens of a line, about four thirds of its words and an end, times a beam of 5.
sentences=$(wc -l < "$source")
per_sentence=$((5 * ($(wc -w < "$source") * 4 / 3 + sentences) / sentences))

different=0
compare() {  # NAME FILE REFERENCE
  local lines
  lines=$({ diff "$2" "$3" || true; } | grep -c '^<' || true)
  echo "$1: $lines of $(wc -l < "$3") lines differ"
  [ "$lines" = 0 ] || different=1
}

# The reference: one by one, one thread.
"$calque" translate --quiet --model "$model" --input "$source" --output "$folder/reference" \
  --format json --token-scores --threads 1 --line-buffered "$@"
"$calque" translate --quiet --model "$model" --input "$source" --output "$folder/target" --beam 1
"$calque" score --quiet --model "$model" --source "$source" --target "$folder/target" --json \
  --output "$folder/reference_scores" --threads 1 --batch-tokens 1

for threads in 1 2 3; do
  for batch in 1 7 64; do
    batch_tokens=$((batch == 1 ? 1 : batch * per_sentence))
    "$calque" translate --quiet --model "$model" --input "$source" --output "$folder/found" \
      --format json --token-scores --threads "$threads" --batch-tokens "$batch_tokens" "$@"
    compare "translate, batch $batch, threads $threads" "$folder/found" "$folder/reference"
    "$calque" score --quiet --model "$model" --source "$source" --target "$folder/target" --json \
      --output "$folder/found" --threads "$threads" --batch-tokens "$batch_tokens"
    compare "score, batch $batch, threads $threads" "$folder/found" "$folder/reference_scores"
  done
done
exit $different
