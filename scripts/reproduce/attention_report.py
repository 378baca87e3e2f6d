#!/usr/bin/env python3
"""Writes the tables of the kinds of attention, and two alignments as heat maps.

usage: attention_report.py FOLDER KIND...

Reads FOLDER/<corpus>/<kind>/{metrics.jsonl,model,bleu,faithfulness,sentence,speed,
speed_of_default}.json as attention.sh makes them. Writes FOLDER/<corpus>.md with a row for each of
the kinds that was measured, in the order given, and FOLDER/alignment_<kind>.svg for HEAT_MAPS. What
a measured kind lacks, as the speed before it was taken, is a dash. Memory is what training itself
takes: weights, optimizer, activations, gradients and scratch.
"""

import html
import json
import sys
from pathlib import Path

HEAT_MAPS = ("scaled_dot", "entmax15")  # both of the last corpus that has them
CORPORA = ("demo", "multi30k")
OWNERS = ("parameters", "parameter_gradients", "optimizer", "activations", "activation_gradients",
          "scratch")
PLACES = ("encoder_self", "decoder_self", "decoder_cross")


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def last_validation(path):
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if "validation_loss" in line][-1]


def mean(matrix):
    values = [value for row in matrix for value in row]
    return sum(values) / len(values)


def row(run):
    """The cells of a kind, but for its name."""
    validation = last_validation(run / "metrics.jsonl")
    bleu = read_json(run / "bleu.json")["metrics"][0]
    faithfulness = read_json(run / "faithfulness.json")
    attended = next(r for r in faithfulness["removed"] if r["word"] == "attended")
    cells = [
        f"{read_json(run / 'model.json')['parameters']:,}",
        f"{validation['validation_loss']:.3f}",
        f"{bleu['score']:.2f} ± {bleu['confidence_half_width']:.2f}",
        " ".join(f"{mean(validation['attention_entropy'][place]):.2f}" for place in PLACES),
        f"{attended['over_random']:.2f} ± {attended['over_random_standard_error']:.2f}",
    ]
    speed, default = read_json(run / "speed.json"), read_json(run / "speed_of_default.json")
    if not (speed and default):
        return cells + ["-"] * 3
    return cells + [
        f"{speed['tokens_per_second']:,.0f}",
        f"{speed['tokens_per_second'] / default['tokens_per_second']:.2f}",
        f"{sum(speed['memory_bytes'][owner] for owner in OWNERS) / 1e6:.0f}",
    ]


def table(folder, kinds):
    lines = ["| kind | parameters | validation loss | BLEU | entropy, bits | faithfulness | tokens/s | "
             "of the default's | memory, MB |", "|---|---|---|---|---|---|---|---|---|"]
    for kind in kinds:
        lines.append("| " + " | ".join([f"`{kind}`", *row(folder / kind)]) + " |")
    return "\n".join(lines) + "\n"


def heat_map(sentence, title):
    """Rows are words of the translation, columns those of the source."""
    cell, left, top = 36, 110, 120
    source, target = sentence["source"]["words"], sentence["target"]["words"]
    parts = []

    def text(x, y, words, style):
        parts.append(f'<text x="{x}" y="{y}" {style}>{html.escape(words)}</text>')

    text(8, 20, title, 'font-weight="bold"')
    for column, word in enumerate(source):
        x, y = left + cell * column + cell // 2 + 4, top - 8
        text(x, y, word, f'transform="rotate(-55 {x} {y})"')
    for index, (word, weights) in enumerate(zip(target, sentence["alignment"]["weights"])):
        y = top + cell * index
        text(left - 8, y + cell // 2 + 4, word, 'text-anchor="end"')
        for column, weight in enumerate(weights):
            x = left + cell * column
            parts.append(f'<rect x="{x}" y="{y}" width="{cell}" height="{cell}" fill="#06c" '
                         f'fill-opacity="{weight:.3f}" stroke="#ccc"/>')
            if weight >= 0.05:
                fill = "white" if weight > 0.6 else "black"
                text(x + cell // 2, y + cell // 2 + 4, f"{weight:.2f}".lstrip("0"),
                     f'text-anchor="middle" font-size="11" fill="{fill}"')
    width, height = left + cell * len(source) + 40, top + cell * len(target) + 10
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>', *parts, "</svg>", ""])


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    results, kinds = Path(sys.argv[1]), sys.argv[2:]
    for corpus in CORPORA:
        folder = results / corpus
        measured = [kind for kind in kinds if (folder / kind / "sentence.json").exists()]
        if measured:
            (results / f"{corpus}.md").write_text(table(folder, measured), encoding="utf-8")
        if set(HEAT_MAPS) <= set(measured):
            for kind in HEAT_MAPS:
                picture = heat_map(read_json(folder / kind / "sentence.json"), f"{kind}, {corpus}")
                (results / f"alignment_{kind}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
