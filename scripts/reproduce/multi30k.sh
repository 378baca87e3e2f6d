#!/bin/sh
# From the data to a table of results (docs/results.md): fetches Multi30k, builds, trains each
# recipe with three seeds, evaluates, and writes runs/reproduce/{results.md,curves.svg}. Run again,
# it goes on where it stopped; what is done is not done again. On two cores it takes hours.
#   scripts/reproduce/multi30k.sh [--precision NAME] [--threads N] [--seeds "N ..."] [ROW ...]
# --precision  float32 or bfloat16 (default: what the trainings before were made in; at first
#              bfloat16 where the processor multiplies it itself)
# --threads    (default: 2)
# --seeds      (default: "1 2 3")
# ROW          (default: all)
#   paper   Transformer-Tiny of Wu et al. 2021, on tokenised text in lower case
#   recipe  configs/multi30k-en-de.yaml, on the same text
#   raw     configs/multi30k-en-de.yaml as it stands: raw text in mixed case
#   french  configs/multi30k-en-fr.yaml, raw text
# A training that diverges (calque's exit status 3) has no row; the others go on without it.
# Nothing is chosen by the test; it is translated once, by the weights at the end of a training.
set -eu
cd "$(dirname "$0")/../.."
name=multi30k
. scripts/reproduce/common.sh
data=data/multi30k
results=runs/reproduce

# train RUN CONFIG SEED SETTING...
train() {
  run=$1 config=$2 seed=$3
  shift 3
  set -- "$@" seed="$seed" train.precision="$precision" train.max_minutes=0
  for setting; do
    shift
    set -- "$@" --set "$setting"
  done
  "$calque" train "$config" --run "$run" --threads "$threads" "$@"
}

# evaluate RUN TOKENIZER LANGUAGE PREFIX SUFFIX: makes RUN/{model,validation,test}.json. In a file's
# name, PREFIX stands before the split and SUFFIX before the language.
evaluate() {
  model=$(final_model "$1")
  inspect "$1" "$model" validation.json test.json
  for split in validation:val test:test_2016_flickr; do
    result=$1/${split%%:*}.json
    text=$4${split#*:}$5
    [ -f "$result" ] && continue
    "$calque" evaluate --model "$model" --source "$text.en" --reference "$text.$3" --metric bleu \
      --tokenize "$2" --confidence --json --threads "$threads" > "$result.part"
    mv "$result.part" "$result"
  done
}

# final_model RUN: the moving average that its last checkpoint holds, or else the average of its last
# ten checkpoints.
final_model() {
  latest=$(head -n 1 "$1/latest")
  decay=$(sed -n 's/^  moving_average: //p' "$1/config.yaml")
  [ -n "$decay" ] || fail "$1/config.yaml does not tell train.moving_average"
  if [ "$decay" != 0 ]; then
    echo "$1/checkpoints/$latest"
    return
  fi
  average=$1/average_$latest
  [ -d "$average" ] || "$calque" average --run "$1" --last 10 --output "$average" >&2
  echo "$average"
}

# reproduce ROW SEED
reproduce() {
  run=$results/$1/seed$2
  tokenised=$data/tok/
  say "$1, seed $2"
  case $1 in
    paper)
      train "$run" configs/multi30k-en-de-tiny-paper.yaml "$2"
      evaluate "$run" none de "$tokenised" .lc.norm.tok
      ;;
    recipe)
      train "$run" configs/multi30k-en-de.yaml "$2" \
        data.train.source="${tokenised}train.lc.norm.tok.en" \
        data.train.target="${tokenised}train.lc.norm.tok.de" \
        data.validation.source="${tokenised}val.lc.norm.tok.en" \
        data.validation.target="${tokenised}val.lc.norm.tok.de" \
        vocabulary.normalization=identity validation.tokenize=none
      evaluate "$run" none de "$tokenised" .lc.norm.tok
      ;;
    raw)
      train "$run" configs/multi30k-en-de.yaml "$2"
      evaluate "$run" 13a de $data/ ""
      ;;
    french)
      train "$run" configs/multi30k-en-fr.yaml "$2"
      evaluate "$run" 13a fr $data/ ""
      ;;
  esac
}

precision="" threads=2 seeds="1 2 3" rows=""
while [ $# -gt 0 ]; do
  case $1 in
    --precision | --threads | --seeds)
      [ $# -gt 1 ] || fail "$1 needs a value"
      case $1 in
        --precision) precision=$2 ;;
        --threads) threads=$2 ;;
        --seeds) seeds=$2 ;;
      esac
      shift 2
      ;;
    -*) fail "unknown option $1; the first lines of scripts/reproduce/multi30k.sh tell them" ;;
    *)
      case $1 in
        paper | recipe | raw | french) rows="$rows $1" ;;
        *) fail "expected paper, recipe, raw or french, found $1" ;;
      esac
      shift
      ;;
  esac
done

say "Data and program"
scripts/get_multi30k.sh
build_calque
mkdir -p $results
if [ -z "$precision" ] && [ -s $results/precision ]; then
  precision=$(cat $results/precision)
elif [ -z "$precision" ]; then
  precision=bfloat16
  ! "$calque" version | grep -q '^bfloat16 *float32' || precision=float32
fi
echo "precision: $precision"
echo "$precision" > $results/precision

diverged=""
for row in ${rows:-paper recipe raw french}; do
  for seed in $seeds; do
    set +e
    (
      set -e
      reproduce "$row" "$seed"
    )
    status=$?
    set -e
    case $status in
      0) python3 scripts/reproduce/report.py $results ;;
      3) diverged="$diverged $row/seed$seed" ;;
      *) exit $status ;;
    esac
  done
done
[ ! -f $results/results.md ] || cat $results/results.md
if [ -n "$diverged" ]; then
  echo "multi30k: diverged:$diverged; the log of each says how and what to try" >&2
  exit 3
fi
