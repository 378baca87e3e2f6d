#!/usr/bin/env python3
"""Writes the table and the learning curves of the trainings in a folder.

usage: report.py FOLDER

Reads FOLDER/<row>/seed<N>/{config.yaml,metrics.jsonl,model.json,validation.json,test.json} as
multi30k.sh makes them, and writes FOLDER/results.md and FOLDER/curves.svg. A training without one
of the three last is not finished: it has curves, but no row. The minutes of its teacher, where it
has one, are among its own. Of FOLDER/screen/<variation>/seed<N>, which have no test.json, it writes
FOLDER/screen.md.
"""

import json
import math
import re
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

ROWS = ("paper", "recipe", "raw", "french")  # of multi30k.sh
COLOURS = ("#06c", "#c00", "#080", "#a5a", "#c80")


@dataclass
class Run:
    """One training of a row."""

    seed: int
    precision: str  # train.precision
    lines: list  # of metrics.jsonl
    model: dict  # as `calque inspect --json` says
    scores: dict  # by split: BLEU as `calque evaluate --json` says
    teacher_minutes: float

    @property
    def is_finished(self):
        return bool(self.model) and {"validation", "test"} <= self.scores.keys()

    @property
    def tokens_per_second(self):
        return tokens_per_second(self.lines)

    @property
    def minutes(self):
        return self.teacher_minutes + update_minutes(self.lines, self.model["state"])

    def curve(self, name):
        return [(line["step"], line[name]) for line in self.lines if name in line]


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def read_lines(path):
    """A last line without its end is of a training that was killed as it wrote it."""
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


def tokens_per_second(lines):
    """Source and target, validations and saves not counted; all lines are equally long."""
    return statistics.harmonic_mean(
        [line["tokens_per_second"] for line in lines if "tokens_per_second" in line])


def update_minutes(lines, state):
    return (state["source_tokens"] + state["target_tokens"]) / tokens_per_second(lines) / 60


def teacher_minutes(teacher):
    """Of its updates, and of its translations."""
    if not (teacher / "translations.json").exists():
        return 0
    record = read_json(teacher / "translations.json")
    seconds = sum(work["seconds"] for work in record["translations"].values())
    state = read_json(teacher / "checkpoints" / record["checkpoint"] / "state.json")
    return seconds / 60 + update_minutes(read_lines(teacher / "metrics.jsonl"), state)


def read_run(folder):
    lines = read_lines(folder / "metrics.jsonl")
    scores = {split: read_json(folder / f"{split}.json")["metrics"][0]
              for split in ("validation", "test") if (folder / f"{split}.json").exists()}
    config = (folder / "config.yaml").read_text(encoding="utf-8")
    precision = re.search(r"^  precision: (\w+)$", config, re.M)
    return Run(int(folder.name.removeprefix("seed")), precision.group(1) if precision else "?",
               lines, read_json(folder / "model.json"), scores,
               teacher_minutes(folder / "teacher"))


def read_rows(folder):
    """Runs by the name of their row, in the order of ROWS, others behind them."""
    def place(path):
        row = path.parent.name
        return ROWS.index(row) if row in ROWS else len(ROWS), row

    rows = {}
    found = [path.parent for path in folder.glob("*/seed*/metrics.jsonl")]
    for path in sorted(found, key=place):
        rows.setdefault(path.parent.name, []).append(read_run(path))
    for runs in rows.values():
        runs.sort(key=lambda run: run.seed)
    return rows


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def spread(values):
    """"41.02 (40.8 to 41.3)" of several, "41.02" of one."""
    values = list(values)
    text = f"{mean(values):.2f}"
    return text if len(values) == 1 else f"{text} ({min(values):.2f} to {max(values):.2f})"


def table(rows):
    lines = ["| training | parameters | precision | minutes | tokens/s | validation BLEU | test BLEU | "
             "95 % interval of each seed | seeds |",
             "|---|---|---|---|---|---|---|---|---|"]
    signatures = []
    for name, runs in rows.items():
        finished = [run for run in runs if run.is_finished]
        if not finished:
            continue
        cells = [
            name,
            f"{finished[0].model['parameters']:,}",
            ", ".join(dict.fromkeys(run.precision for run in finished)),
            f"{mean(run.minutes for run in finished):.0f}",
            f"{mean(run.tokens_per_second for run in finished):,.0f}",
            spread(run.scores["validation"]["score"] for run in finished),
            spread(run.scores["test"]["score"] for run in finished),
            "± " + ", ".join(f"{run.scores['test']['confidence_half_width']:.2f}"
                             for run in finished),
            ", ".join(str(run.seed) for run in finished),
        ]
        lines.append("| " + " | ".join(cells) + " |")
        signatures.append(f"- {name}: `{finished[0].scores['test']['signature']}`")
    return "\n".join([*lines, "", "Signatures:", "", *signatures, ""])


def screen_table(rows):
    """What was tried, the best first."""
    tried = [(name, run) for name, runs in rows.items() for run in runs
             if "validation" in run.scores]
    tried.sort(key=lambda one: -one[1].scores["validation"]["score"])
    lines = ["| variation | parameters | minutes | validation BLEU | seed |", "|---|---|---|---|---|"]
    for name, run in tried:
        score = run.scores["validation"]
        lines.append(f"| {name.replace('+', ', ')} | {run.model['parameters']:,} | "
                     f"{run.minutes:.0f} | {score['score']:.2f} ± "
                     f"{score['confidence_half_width']:.2f} | {run.seed} |")
    return "\n".join([*lines, ""])


class Panel:
    """A diagram over updates, one below the other in a drawing."""

    WIDTH, HEIGHT, LEFT, GAP = 720, 220, 60, 56

    def __init__(self, row, title, curves, lower_is_better):
        self.base = 30 + row * (self.HEIGHT + self.GAP) + self.HEIGHT
        points = [point for _, curve in curves for point in curve]
        self.steps = max(step for step, _ in points)
        self.low, self.high = bounds([value for _, value in points], lower_is_better)
        self.parts = []
        self.frame(title)
        for colour, curve in curves:
            self.line(curve, f'stroke="{colour}" stroke-opacity="0.7"')

    def x(self, step):
        return self.LEFT + self.WIDTH * step / self.steps

    def y(self, value):
        inside = min(max(value, self.low), self.high)
        return self.base - self.HEIGHT * (inside - self.low) / (self.high - self.low)

    def text(self, x, y, words, anchor="start", style=""):
        self.parts.append(
            f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" {style}>{words}</text>')

    def line(self, points, style):
        path = " ".join(f"{self.x(step):.1f},{self.y(value):.1f}" for step, value in points)
        self.parts.append(f'<polyline points="{path}" fill="none" {style}/>')

    def frame(self, title):
        self.text(self.LEFT, self.base - self.HEIGHT - 8, title)
        for part in range(5):
            value = self.low + (self.high - self.low) * part / 4
            self.line([(0, value), (self.steps, value)], 'stroke="#ccc"')
            self.text(self.LEFT - 8, self.y(value) + 4, f"{value:.4g}", "end")
            step = self.steps * part / 4
            self.text(self.x(step), self.base + 18, f"{step:,.0f}", "middle")


def bounds(values, lower_is_better):
    """Of all but the worst tenth: the first values of a training are far from all others."""
    ordered = sorted(values)
    tenth = len(ordered) // 10
    low, high = ((ordered[0], ordered[-1 - tenth]) if lower_is_better else
                 (ordered[tenth], ordered[-1]))
    return math.floor(2 * low) / 2, math.floor(2 * high) / 2 + 0.5


def draw(rows):
    colours = dict(zip(rows, COLOURS * (1 + len(rows) // len(COLOURS))))
    panels = []
    for name, title, lower_is_better in (
            ("loss", "training loss by updates", True),
            ("validation_bleu", "validation BLEU by updates, before averaging", False)):
        curves = [(colours[row], run.curve(name)) for row, runs in rows.items() for run in runs]
        curves = [(colour, curve) for colour, curve in curves if len(curve) > 1]
        if curves:
            panels.append(Panel(len(panels), title, curves, lower_is_better))
    for index, (row, colour) in enumerate(colours.items() if panels else ()):
        panels[0].text(Panel.LEFT + Panel.WIDTH - 4, 46 + 16 * index, row, "end",
                       f'fill="{colour}"')
    width = Panel.LEFT + Panel.WIDTH + 30
    height = 30 + len(panels) * (Panel.HEIGHT + Panel.GAP)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *[part for panel in panels for part in panel.parts], "</svg>", ""])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    rows, screened = read_rows(folder), read_rows(folder / "screen")
    if not rows and not screened:
        sys.exit(f"report: no training in {folder}")
    if any(run.is_finished for runs in rows.values() for run in runs):
        (folder / "results.md").write_text(table(rows), encoding="utf-8")
    if rows:
        (folder / "curves.svg").write_text(draw(rows), encoding="utf-8")
    if screened:
        (folder / "screen.md").write_text(screen_table(screened), encoding="utf-8")


if __name__ == "__main__":
    main()
