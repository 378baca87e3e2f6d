#!/usr/bin/env python3
"""Compares `calque metrics` and `calque compare` with sacreBLEU on noisy copies of real text.

    .venv/bin/python scripts/reference/compare_metrics.py TEXT... [--calque build/release/calque]

Each TEXT is a file of sentences, taken as the reference; hypotheses and further references are made
from it by a fixed seed: words dropped, doubled, swapped, recased, punctuation and Unicode's spaces
put in, lines left empty. Prints each case whose score, confidence or signature differs, and ends
with exit code 1 then. make_metric_cases.py tells which sacreBLEU is needed.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from make_metric_cases import OPTIONS, SACREBLEU_VERSION, noisy
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import PairedTest

FLAGS = {
    "lowercase": ["--lowercase"],
    "effective_order": ["--effective-order"],
    "whitespace": ["--chrf-white-space"],
    "case_sensitive": ["--ter-case-sensitive"],
    "normalized": ["--ter-normalized"],
    "no_punct": ["--ter-no-punctuation"],
}
VALUES = {
    "tokenize": "--tokenize",
    "smooth_method": "--smooth",
    "smooth_value": "--smooth-value",
    "char_order": "--chrf-char-order",
    "beta": "--chrf-beta",
}


def arguments_of(kind, options: dict) -> list[str] | None:
    """The same options for calque; none where it has no option for them."""
    name = {BLEU: "bleu", CHRF: "chrf++" if options.get("word_order") else "chrf", TER: "ter"}[kind]
    if options.get("word_order") == 1:
        return None
    arguments = ["--metric", name]
    for option, value in options.items():
        arguments += FLAGS.get(option, []) + ([VALUES[option], str(value)]
                                              if option in VALUES else [])
    return arguments


def spoilt(rng: random.Random, lines: list[str], rate: float) -> list[str]:
    return ["" if rng.random() < rate / 20 else noisy(rng, line, rate) for line in lines]


def trimmed(lines: list[str]) -> list[str]:
    """As sacreBLEU's command reads them."""
    return [line.rstrip() for line in lines]


def write(folder: Path, name: str, lines: list[str]) -> str:
    path = folder / name
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="\n")
    return str(path)


def run_json(command: list[str]):
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def check_scores(calque: str, texts: list[list[str]], count: int, rng: random.Random) -> int:
    settings = [(kind, options) for kind, all_options in OPTIONS for options in all_options
                if arguments_of(kind, options)]
    wrong = 0
    for case in range(count):
        kind, options = settings[case % len(settings)]
        lines = rng.choice(texts)
        begin = rng.randrange(len(lines))
        lines = lines[begin:begin + rng.choice([1, 3, 20, 100, 300])]
        rate = rng.choice([0.02, 0.1, 0.3, 0.7])
        hypotheses = spoilt(rng, lines, rate)
        references = [lines] + [spoilt(rng, lines, rate / 2) for _ in range(rng.choice([0, 0, 1, 2]))]
        metric = kind(**options)
        expected = metric.corpus_score(trimmed(hypotheses), [trimmed(r) for r in references])
        signature = f"{expected.name}|{metric.get_signature()}".replace(
            f"version:{SACREBLEU_VERSION}", "")
        with tempfile.TemporaryDirectory() as folder:
            paths = [write(Path(folder), "hypothesis", hypotheses)]
            paths += [write(Path(folder), f"reference{i}", r) for i, r in enumerate(references)]
            found = run_json([calque, "metrics", "--json", *arguments_of(kind, options), *paths])
        [found] = found["metrics"]
        found_signature = found["signature"][:found["signature"].index("version:")]
        if abs(found["score"] - expected.score) > 1e-9 or found_signature != signature:
            wrong += 1
            print(f"case {case}: {found['score']} {found_signature}, sacreBLEU {expected.score} "
                  f"{signature}")
    print(f"{count} cases, {wrong} differ")
    return wrong


def check_tests(calque: str, texts: list[list[str]], count: int, rng: random.Random) -> int:
    """Paired bootstrap: other random numbers, so p-values differ by chance, here up to four standard
    deviations of a share of `samples` trials, on both sides."""
    samples = 1000
    metrics = {"BLEU": BLEU(), "chrF2++": CHRF(word_order=2), "TER": TER()}
    wrong = 0
    for case in range(count):
        lines = rng.choice(texts)[:400]
        rates = (0.2, 0.2 + rng.choice([0, 0.005, 0.01, 0.02, 0.05]))
        systems = [spoilt(rng, lines, rate) for rate in rates]
        named = [(f"system {i}", system) for i, system in enumerate(systems)]
        _, expected = PairedTest(named, metrics, [lines], test_type="bs", n_samples=samples)()
        with tempfile.TemporaryDirectory() as folder:
            paths = [write(Path(folder), f"system{i}", s) for i, s in enumerate(systems)]
            reference = write(Path(folder), "reference", lines)
            found = run_json([calque, "compare", *paths, "--reference", reference, "--metric",
                              "bleu,chrf++,ter", "--json",
                              "--examples", "0", "--samples", str(samples)])
        for name, table in zip(metrics, found["metrics"]):
            rows = table["systems"]
            p, theirs = rows[1]["p_value"], expected[name][1].p_value
            chance = 4 * (2 * max(p, theirs) * (1 - min(p, theirs)) / samples) ** 0.5
            ours_ci, their_ci = rows[1]["confidence_half_width"], expected[name][1].ci
            verdict = ""
            if abs(p - theirs) > chance or abs(ours_ci - their_ci) > 0.15 * their_ci:
                wrong += 1
                verdict = "  DIFFERS"
            print(f"test {case}, {name}: p {p:.4f}, sacreBLEU {theirs:.4f}; interval "
                  f"{ours_ci:.3f}, {their_ci:.3f}{verdict}")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", nargs="+", type=Path)
    parser.add_argument("--calque", default="build/release/calque")
    parser.add_argument("--cases", type=int, default=330)
    parser.add_argument("--tests", type=int, default=8)
    arguments = parser.parse_args()
    texts = [path.read_text(encoding="utf-8").splitlines() for path in arguments.texts]
    rng = random.Random(6)
    wrong = check_scores(arguments.calque, texts, arguments.cases, rng)
    wrong += check_tests(arguments.calque, texts, arguments.tests, rng)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
