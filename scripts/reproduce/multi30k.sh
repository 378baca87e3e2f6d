#!/bin/sh
# From the data to a table of results (docs/results.md): fetches Multi30k, builds, trains each
# recipe with three seeds, evaluates, and writes runs/reproduce/{results.md,curves.svg}. Run again,
# it goes on where it stopped; what is done is not done again. On two cores it takes hours.
#   scripts/reproduce/multi30k.sh [--precision NAME] [--threads N] [--seeds "N ..."] [ROW ...]
# --precision  float32 or bfloat16 (default: what the trainings before were made in; at first
#              bfloat16 where the processor multiplies it itself)
# --threads    (default: 2)
# --seeds      (default: "1 2 3")
# ROW          (default: all but screen)
#   paper   Transformer-Tiny of Wu et al. 2021, on tokenised text in lower case
#   recipe  configs/multi30k-en-de.yaml, on the same text
#   raw     configs/multi30k-en-de.yaml as it stands: raw text in mixed case
#   french  configs/multi30k-en-fr.yaml, raw text
#   screen  what could make the recipe better: configs/multi30k-en-de-tiny.yaml on the same text and
#           a short schedule, varied; the first seed, and the validation text alone; written to
#           runs/reproduce/screen.md. screen/NAME is one variation of those that `setting` below
#           knows, screen/NAME+NAME several at once
# A training that diverges (calque's exit status 3) has no row; the others go on without it.
# Nothing is chosen by the test; it is translated once, by the weights at the end of a training.
set -eu
cd "$(dirname "$0")/../.."
name=multi30k
. scripts/reproduce/common.sh
data=data/multi30k
tokenised=$data/tok/
screens="tiny rotary rotary+averaged rotary+inner_dropout rotary+deep rotary+wide rotary+swiglu
  rotary+vocabulary_4000 rotary+two_vocabularies rotary+subword_sampling rotary+long
  rotary+large_batch rotary+r_drop+long rotary+bidirectional+long"
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

# train_tokenised RUN CONFIG SEED SETTING...: on the tokenised text in lower case.
train_tokenised() {
  train "$@" vocabulary.normalization=identity validation.tokenize=none \
    data.train.source="${tokenised}train.lc.norm.tok.en" \
    data.train.target="${tokenised}train.lc.norm.tok.de" \
    data.validation.source="${tokenised}val.lc.norm.tok.en" \
    data.validation.target="${tokenised}val.lc.norm.tok.de"
}

# evaluate RUN TOKENIZER LANGUAGE PREFIX SUFFIX [SPLIT ...]: makes RUN/model.json, and RUN/SPLIT.json
# of each split (default: validation and test). In a file's name, PREFIX stands before the split and
# SUFFIX before the language.
evaluate() {
  run=$1 tokenizer=$2 language=$3 prefix=$4 suffix=$5
  shift 5
  [ $# -gt 0 ] || set -- validation test
  model=$(final_model "$run")
  inspect "$run" "$model" validation.json test.json
  for split; do
    result=$run/$split.json
    case $split in
      validation) text=${prefix}val$suffix ;;
      test) text=${prefix}test_2016_flickr$suffix ;;
    esac
    [ -f "$result" ] && continue
    "$calque" evaluate --model "$model" --source "$text.en" --reference "$text.$language" \
      --metric bleu --tokenize "$tokenizer" --confidence --json --threads "$threads" \
      > "$result.part"
    mv "$result.part" "$result"
  done
}

# setting VARIATION: what it sets beside configs/multi30k-en-de-tiny.yaml.
setting() {
  case $1 in
    tiny | long) ;;
    post) echo model.norm=post ;;
    rotary) echo model.positions=rotary ;;
    swiglu) echo model.activation=swiglu ;;
    wide) printf '%s\n' model.size=192 model.hidden=384 ;;
    deep) printf '%s\n' model.encoder.layers=6 model.decoder.layers=6 ;;
    inner_dropout) printf '%s\n' model.dropout.attention=0.1 model.dropout.activation=0.1 ;;
    averaged) printf '%s\n' train.moving_average=0 train.save_every=50 train.keep_last=10 ;;
    large_batch) echo train.batch_tokens=8192 ;; # as much text as in `long`
    vocabulary_4000) echo vocabulary.size=4000 ;;
    two_vocabularies) printf '%s\n' vocabulary.shared=false model.tied_embeddings=decoder ;;
    bidirectional) echo data.bidirectional_epochs=15 ;; # a third of the epochs of `long`
    subword_sampling) echo data.subword_sampling=0.1 ;;
    r_drop) echo train.r_drop=5 ;;
    *) fail "expected tiny, long, large_batch, post, rotary, swiglu, wide, deep, inner_dropout," \
      "averaged, vocabulary_4000, two_vocabularies, bidirectional, subword_sampling or r_drop, or" \
      "several with + between; found $1" ;;
  esac
}

# settings VARIATION+...
settings() {
  printf '%s\n' train.schedule=cosine train.micro_batch_tokens=1024
  case +$1+ in
    *++*) fail "expected names with + between, found $1" ;;
    *+long+*) printf '%s\n' train.max_steps=5000 train.warmup_steps=1000 ;;
    *) printf '%s\n' train.max_steps=2500 train.warmup_steps=500 ;;
  esac
  for variation in $(echo "$1" | tr + ' '); do setting "$variation"; done
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
  say "$1, seed $2"
  case $1 in
    paper)
      train "$run" configs/multi30k-en-de-tiny-paper.yaml "$2"
      evaluate "$run" none de "$tokenised" .lc.norm.tok
      ;;
    recipe)
      train_tokenised "$run" configs/multi30k-en-de.yaml "$2"
      evaluate "$run" none de "$tokenised" .lc.norm.tok
      ;;
    screen/*)
      varied=$(settings "${1#*/}")
      # shellcheck disable=SC2086  # settings, none with a space
      train_tokenised "$run" configs/multi30k-en-de-tiny.yaml "$2" $varied
      evaluate "$run" none de "$tokenised" .lc.norm.tok validation
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
        screen) for screen in $screens; do rows="$rows screen/$screen"; done ;;
        screen/?*)
          settings "${1#*/}" > /dev/null
          rows="$rows $1"
          ;;
        *) fail "expected paper, recipe, raw, french, screen or screen/NAME, found $1" ;;
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
for first_seed in $seeds; do break; done
for row in ${rows:-paper recipe raw french}; do
  case $row in
    screen/*) row_seeds=$first_seed ;;
    *) row_seeds=$seeds ;;
  esac
  for seed in $row_seeds; do
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
for table in results screen; do
  [ ! -f $results/$table.md ] || cat $results/$table.md
done
if [ -n "$diverged" ]; then
  echo "multi30k: diverged:$diverged; the log of each says how and what to try" >&2
  exit 3
fi
