#!/usr/bin/env python3
"""Trains on the demo corpus for a while, validating and saving all the time, and watches the
process: its resident memory and its open descriptors, read from /proc every few seconds.

Fails when training fails, when memory grows after the first epoch (the peak of the later half of
the samples over that of the earlier half), or when a descriptor stays open (the least number in the
later half over that in the earlier half). Draws what it saw. An old run in the folder is put aside.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_SECONDS = 2
MOST_GROWTH = 0.01
SETTINGS = [  # small, so that epochs are short; a validation for every second save
    "model.size=64",
    "model.hidden=256",
    "model.encoder.layers=2",
    "model.decoder.layers=2",
    "train.batch_tokens=1024",
    "train.max_steps=100000000",
    "train.schedule=inverse_sqrt",
    "train.save_every=50",
    "train.validate_every=100",
    "train.log_every=10",
    "train.moving_average=0.999",
]


@dataclass
class Sample:
    """The process at one moment."""

    minutes: float
    epoch: float
    resident: float  # MiB: all pages in memory
    anonymous: float  # MiB: those that are no file's
    descriptors: int


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", type=float, metavar="MINUTES")
    parser.add_argument("--calque", type=Path, default=ROOT / "build/release/calque",
                        metavar="FILE", help="the program (default: build/release/calque)")
    parser.add_argument("--run", type=Path, default=ROOT / "runs/soak", metavar="DIR",
                        help="run folder (default: runs/soak)")
    parser.add_argument("--plot", type=Path, metavar="FILE",
                        help="where to draw (default: soak.svg in the run folder)")
    return parser.parse_args()


def start_training(calque, run, minutes):
    command = [calque, "train", ROOT / "configs/demo.yaml", "--run", run, "--fresh", "--quiet",
               "--threads", "1"]
    for setting in [*SETTINGS, f"train.max_minutes={minutes}"]:
        command += ["--set", setting]
    return subprocess.Popen(command, cwd=ROOT)


def last_epoch(metrics):
    """The epoch of the last whole line of a metrics file; 0 without one."""
    try:
        with open(metrics, "rb") as file:
            file.seek(max(0, metrics.stat().st_size - 4096))
            lines = file.read().split(b"\n")[:-1]
        return json.loads(lines[-1])["epoch"]
    except (FileNotFoundError, IndexError, ValueError):
        return 0.0


def sample(process, begin, metrics):
    """Nothing once the process has ended."""
    folder = Path("/proc") / str(process.pid)
    try:
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        descriptors = len(list((folder / "fd").iterdir()))
        mebibytes = {key: int(status[key].split()[0]) / 1024
                     for key in ("VmRSS", "RssAnon", "RssShmem")}
    except (FileNotFoundError, ProcessLookupError, KeyError):
        return None
    return Sample((time.monotonic() - begin) / 60, last_epoch(metrics), mebibytes["VmRSS"],
                  mebibytes["RssAnon"] + mebibytes["RssShmem"], descriptors)


def watch(process, metrics):
    begin = time.monotonic()
    samples = []
    while process.poll() is None:
        if found := sample(process, begin, metrics):
            samples.append(found)
        time.sleep(SAMPLE_SECONDS)
    return samples


def judge(samples):
    """What was seen, and what is wrong with it, as lines of text."""
    later = [s for s in samples if s.epoch >= 1]
    if len(later) < 4:
        return [], ["it did not get beyond its first epoch: give it more minutes"]
    halves = later[:len(later) // 2], later[len(later) // 2:]
    seen = [f"{samples[-1].minutes:.1f} minutes, {samples[-1].epoch:.0f} epochs, "
            f"{len(samples)} samples; the first epoch took {later[0].minutes:.1f} minutes"]
    wrong = []
    for name in ("resident", "anonymous"):
        peaks = [max(getattr(s, name) for s in half) for half in halves]
        growth = peaks[1] / peaks[0] - 1
        seen.append(f"{name} memory: peaks of {peaks[0]:.1f} and {peaks[1]:.1f} MiB in the two "
                    f"halves behind the first epoch ({growth:+.2%})")
        if growth > MOST_GROWTH:
            wrong.append(f"{name} memory grew by {growth:.2%}, where {MOST_GROWTH:.0%} is allowed")
    least = [min(s.descriptors for s in half) for half in halves]
    most = max(s.descriptors for s in later)
    seen.append(f"open descriptors: at least {least[0]} and {least[1]}, at most {most}")
    if least[1] > least[0]:
        wrong.append(f"descriptors leak: {least[0]} at first, {least[1]} later")
    return seen, wrong


class Panel:
    """A diagram of values over minutes, one below the other in a drawing."""

    WIDTH, HEIGHT, LEFT, GAP = 720, 150, 60, 50

    def __init__(self, row, minutes, top):
        self.base = 30 + row * (self.HEIGHT + self.GAP) + self.HEIGHT
        self.minutes = minutes
        self.top = top
        self.parts = []

    def x(self, minutes):
        return self.LEFT + self.WIDTH * minutes / self.minutes

    def y(self, value):
        return self.base - self.HEIGHT * value / self.top

    def text(self, x, y, words, anchor="start"):
        self.parts.append(f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{words}</text>')

    def line(self, points, style):
        path = " ".join(f"{self.x(minutes):.1f},{self.y(value):.1f}" for minutes, value in points)
        self.parts.append(f'<polyline points="{path}" fill="none" {style}/>')

    def frame(self, title):
        self.text(self.LEFT, self.base - self.HEIGHT - 8, title)
        for share in (0, 0.5, 1):
            self.line([(0, share * self.top), (self.minutes, share * self.top)], 'stroke="#ccc"')
            self.text(self.LEFT - 8, self.y(share * self.top) + 4, f"{share * self.top:g}", "end")
        for quarter in range(5):
            minutes = self.minutes * quarter / 4
            self.text(self.x(minutes), self.base + 18, f"{minutes:.0f} min", "middle")


def thin_out(samples, name, points=360):
    """At most so many points: the peak of each stretch of time."""
    size = max(1, len(samples) // points)
    for first in range(0, len(samples), size):
        stretch = samples[first:first + size]
        yield stretch[0].minutes, max(getattr(s, name) for s in stretch)


def draw(samples):
    minutes = samples[-1].minutes
    memory = Panel(0, minutes, 20 * (1 + max(s.resident for s in samples) // 20))
    memory.frame("memory, MiB: resident (black), and of that anonymous and shared (blue)")
    memory.line(thin_out(samples, "resident"), 'stroke="black"')
    memory.line(thin_out(samples, "anonymous"), 'stroke="#06c"')
    descriptors = Panel(1, minutes, 2 * (1 + max(s.descriptors for s in samples) // 2))
    descriptors.frame("open descriptors")
    descriptors.line(thin_out(samples, "descriptors"), 'stroke="black"')
    first_epoch = next((s.minutes for s in samples if s.epoch >= 1), None)
    if first_epoch is not None:
        for panel in (memory, descriptors):
            panel.line([(first_epoch, 0), (first_epoch, panel.top)],
                       'stroke="#c00" stroke-dasharray="4"')
        memory.text(memory.x(first_epoch) + 6, memory.base - 8, "first epoch done")
    width = Panel.LEFT + Panel.WIDTH + 30
    height = descriptors.base + 30
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *memory.parts, *descriptors.parts, "</svg>", ""])


def main():
    arguments = parse_arguments()
    process = start_training(arguments.calque, arguments.run, arguments.minutes)
    try:
        samples = watch(process, arguments.run / "metrics.jsonl")
    finally:
        process.kill()
    if process.returncode != 0 or not samples:
        sys.exit(f"soak: training ended with exit code {process.returncode}")
    plot = arguments.plot or arguments.run / "soak.svg"
    plot.write_text(draw(samples), encoding="utf-8")
    seen, wrong = judge(samples)
    print("\n".join([*seen, f"drawn in {plot}"]))
    if wrong:
        sys.exit("soak: " + "; ".join(wrong))


if __name__ == "__main__":
    main()
