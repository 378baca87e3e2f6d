#!/bin/sh
# Trains every kind of attention, and of positions, norms and feed-forward networks beside it, with
# the same budget and the same seed, and measures each: on the demo corpus all of them, on Multi30k
# (English to German, validation text) some. Writes runs/attention/{demo,multi30k}.md and two heat
# maps beside them, which docs/attention.md shows. Run again, it goes on where it stopped; what is
# done is not done again. On two cores it takes hours. A kind that diverges (calque's exit status 3)
# has no row; the others go on without it.
#   scripts/reproduce/attention.sh [--threads N] [--no-speed] [CORPUS[/KIND] ...]
# --threads   (default: 2)
# --no-speed  leave out speed and memory, as while something else computes; the next call takes them
# CORPUS      demo or multi30k, with one of its kinds (default: all)
set -eu
cd "$(dirname "$0")/../.."
name=attention
. scripts/reproduce/common.sh
results=runs/attention
seed=1
steps=1500 # updates, of both corpora

demo_kinds="scaled_dot dot general additive local global_tokens strided monotonic predictive sparsemax
  entmax15 straight_through reinforce grouped_query multi_query learned rotary relative alibi none
  rms deep gelu swish glu geglu swiglu"
multi30k_kinds="scaled_dot additive local predictive sparsemax entmax15 straight_through multi_query
  rotary"

encoder=model.encoder.self_attention
decoder=model.decoder.self_attention
cross=model.decoder.cross_attention

# share_keys HEADS
share_keys() {
  for attention in $encoder $decoder $cross; do echo "$attention.key_value_heads=$1"; done
}

# settings KIND: what it sets beside the config, a line each.
settings() {
  window=4 # sentences have about 12 tokens
  case $1 in
    scaled_dot) ;; # the default
    dot | general | additive) printf '%s\n' "$encoder.score=$1" "$decoder.score=$1" "$cross.score=$1" ;;
    sparsemax | entmax15)
      printf '%s\n' "$encoder.normalizer=$1" "$decoder.normalizer=$1" "$cross.normalizer=$1"
      ;;
    local | strided)
      printf '%s\n' "$encoder.scope=$1" "$encoder.window=$window"
      printf '%s\n' "$decoder.scope=$1" "$decoder.window=$window"
      ;;
    global_tokens)
      settings local
      printf '%s\n' $encoder.global_tokens=1 $decoder.global_tokens=1
      ;;
    monotonic | predictive) printf '%s\n' "$cross.scope=$1" "$cross.window=$window" ;;
    straight_through) printf '%s\n' $cross.selection=hard $cross.temperature_steps=$steps ;;
    reinforce) printf '%s\n' $cross.selection=hard $cross.estimator=reinforce ;;
    grouped_query) share_keys 2 ;;
    multi_query) share_keys 1 ;;
    learned | rotary | relative | alibi | none) echo model.positions=$1 ;;
    rms) echo model.norm_kind=rms ;;
    deep) echo model.norm=deep ;;
    gelu | swish | glu | geglu | swiglu) echo model.activation=$1 ;;
    *) fail "expected one of $(echo $demo_kinds), found $1" ;;
  esac
}

# config CORPUS
config() {
  case $1 in
    demo) echo configs/demo.yaml ;;
    multi30k) echo configs/multi30k-en-de-tiny.yaml ;;
  esac
}

# text CORPUS: what is evaluated, without the suffix of the language.
text() {
  case $1 in
    demo) echo data/demo/test ;;
    multi30k) echo data/multi30k/val ;;
  esac
}

# set_options [KIND]: as options of calque; without a kind, what all of them share.
set_options() {
  printf -- '--set train.micro_batch_tokens=1024 '
  [ $# -eq 0 ] || settings "$1" | while read -r setting; do printf -- '--set %s ' "$setting"; done
}

# keep FILE COMMAND ...: what the command prints, once.
keep() {
  file=$1
  shift
  [ -f "$file" ] && return
  "$@" > "$file.part"
  mv "$file.part" "$file"
}

# reproduce CORPUS KIND
reproduce() {
  run=$results/$1/$2
  say "$1, $2"
  # shellcheck disable=SC2046  # options, none with a space
  "$calque" train "$(config "$1")" --run "$run" --threads "$threads" --set seed=$seed \
    --set train.max_steps=$steps --set train.max_minutes=0 --set train.log_attention=true \
    $(set_options "$2") || {
    status=$?
    [ $status -eq 3 ] || exit $status
    diverged="$diverged $1/$2"
    return 0
  }
  model=$run/checkpoints/$(head -n 1 "$run/latest")
  inspect "$run" "$model" bleu.json faithfulness.json sentence.json
  keep "$run/bleu.json" "$calque" evaluate --model "$model" --source "$(text "$1").en" \
    --reference "$(text "$1").de" --metric bleu --confidence --json --threads "$threads"
  keep "$run/faithfulness.json" "$calque" attention --faithfulness --model "$model" \
    --source "$(text "$1").en" --reference "$(text "$1").de" --json --threads "$threads"
  keep "$run/sentence.json" "$calque" attention --model "$model" \
    --source 'A man in a red shirt plays the guitar.' --json --threads "$threads"
}

# speed CORPUS KIND: beside that of the default, measured right before.
speed() {
  run=$results/$1/$2
  [ ! -f "$run/speed.json" ] || return 0
  say "speed of $1, $2"
  rm -f "$run/speed_of_default.json" # of another time
  set -- "$(config "$1")" "$2"
  # shellcheck disable=SC2046  # options, none with a space
  keep "$run/speed_of_default.json" "$calque" bench train "$1" --steps 20 --threads "$threads" \
    --json $(set_options)
  # shellcheck disable=SC2046
  keep "$run/speed.json" "$calque" bench train "$1" --steps 20 --threads "$threads" --json \
    $(set_options "$2")
}

# shellcheck disable=SC2086  # a list
write_tables() { python3 scripts/reproduce/attention_report.py $results $demo_kinds; }

threads=2 measures_speed=true wanted=""
while [ $# -gt 0 ]; do
  case $1 in
    --threads)
      [ $# -gt 1 ] || fail "$1 needs a value"
      threads=$2
      shift
      ;;
    --no-speed) measures_speed=false ;;
    -*) fail "unknown option $1; the first lines of scripts/reproduce/attention.sh tell them" ;;
    demo | multi30k | demo/?* | multi30k/?*) wanted="$wanted $1" ;;
    *) fail "expected demo or multi30k, with or without a kind, as demo/sparsemax; found $1" ;;
  esac
  shift
done

pairs="" # CORPUS/KIND
for what in ${wanted:-demo multi30k}; do
  case $what in
    demo) kinds=$demo_kinds ;;
    multi30k) kinds=$multi30k_kinds ;;
    *) kinds=${what#*/} ;;
  esac
  for kind in $kinds; do
    settings "$kind" > /dev/null
    pairs="$pairs ${what%%/*}/$kind"
  done
done

say "Data and program"
case $pairs in
  *multi30k*) scripts/get_multi30k.sh ;;
esac
build_calque
diverged=""
for pair in $pairs; do
  mkdir -p "$results/$pair"
  reproduce "${pair%/*}" "${pair#*/}"
  write_tables
done
if $measures_speed; then
  for pair in $pairs; do
    [ ! -f "$results/$pair/sentence.json" ] || speed "${pair%/*}" "${pair#*/}"
  done
  write_tables
fi
if [ -n "$diverged" ]; then
  echo "attention: diverged:$diverged; the log of each says how and what to try" >&2
  exit 3
fi
