#!/bin/sh
# The whole way in one command: install, build, train a small English-German model on data/demo,
# translate its held-out test, and show how well that went. A second run resumes the first.
set -eu
cd "$(dirname "$0")/.."
data=data/demo
run=runs/demo

say() { printf '\n== %s\n' "$*"; }

say "Install"
scripts/setup.sh

say "Build"
cmake --preset release
cmake --build --preset release --parallel "$(nproc)" --target calque
calque=build/release/calque

say "Train on $data, into $run"
$calque train configs/demo.yaml --run $run

say "Translate the held-out test and compare"
$calque evaluate --model $run --source $data/test.en --reference $data/test.de \
  --hypothesis $run/test.hyp.de
python3 scripts/demo_report.py $data/test.en $data/test.de $run/test.hyp.de $data/test.phenomena

say "What to try next"
cat << 'END'
Translate a sentence of your own (in words of the demo: data/demo/README.md):
  echo 'The old teacher is repairing the lamp.' | build/release/calque translate --model runs/demo
See what a checkpoint holds:
  build/release/calque inspect runs/demo
Change an option; every key is explained by the last command:
  build/release/calque train configs/demo.yaml --run runs/demo-wide --set model.size=256
  build/release/calque train --help-config
Train on real text, 29,000 image captions:
  scripts/get_multi30k.sh && build/release/calque train configs/multi30k-en-de.yaml
END
