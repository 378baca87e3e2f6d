#!/usr/bin/env python3
"""Trains a tiny model on a corpus far larger than its memory, and watches that memory.

Makes PAIRS sentence pairs on the spot, lets calque train a vocabulary, cache the corpus and do some
updates, and reads the resident memory of the process from /proc all the while: anonymous (RssAnon),
shared (RssShmem), and mapped pages of files (RssFile), which the kernel can take back at any time.
Prints the most of each, stage by stage. Exits with 1 when anonymous and shared memory together ever
reach the bound.

50 million pairs need about 7 GB of disk and, on two free processors, half an hour.
"""

import argparse
import itertools
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORDS = 30000
PHRASES = 100000
SECONDS_PER_SAMPLE = 0.5

CONFIG = """\
data:
  train: {{source: {0}/train.source, target: {0}/train.target}}
model: {{size: 32, heads: 2, hidden: 64, encoder: {{layers: 1}}, decoder: {{layers: 1}}}}
train: {{max_steps: 500, log_every: 100, save_every: 250, warmup_steps: 100}}
"""


def make_words(syllables):
    """Different words; the first ones, which will be the frequent ones, are the shortest."""
    words = ("".join(word) for length in itertools.count(1)
             for word in itertools.product(syllables, repeat=length))
    return list(itertools.islice(words, WORDS))


def make_phrases(rng):
    """Phrases of 2 to 5 words by Zipf's law, with their translations: other words, reversed."""
    source_words = make_words([c + v for c in "bdfghklm" for v in "aeiou"])
    target_words = make_words([v + c for c in "nprstvwz" for v in "aeiou"])
    weights = list(itertools.accumulate(1 / rank for rank in range(1, WORDS + 1)))
    source, target = [], []
    for _ in range(PHRASES):
        words = rng.choices(range(WORDS), cum_weights=weights, k=rng.randint(2, 5))
        source.append(" ".join(source_words[word] for word in words))
        target.append(" ".join(target_words[word] for word in reversed(words)))
    return source, target


def make_text(folder, pairs):
    """Sentences of 1 to 3 phrases. The same number of pairs gives the same text."""
    rng = random.Random(1)
    source_phrases, target_phrases = make_phrases(rng)
    with open(folder / "train.source", "w") as source, open(folder / "train.target", "w") as target:
        for begin in range(0, pairs, 10000):
            lengths = rng.choices((1, 2, 3), k=min(10000, pairs - begin))
            numbers = iter(rng.choices(range(PHRASES), k=sum(lengths)))
            sentences = [list(itertools.islice(numbers, length)) for length in lengths]
            for file, phrases in ((source, source_phrases), (target, target_phrases)):
                file.write("".join(" ".join([phrases[i] for i in sentence]) + "\n"
                                   for sentence in sentences))


class Watch:
    """The most memory that a process had in each stage, in MiB."""

    STAGES = {  # each with what calque says when it begins
        "checking the text": "Calque ",
        "vocabulary": "vocabulary: training",
        "caching": "making the token cache",
        "training": "memory, estimated",
    }
    KINDS = ("RssAnon", "RssShmem", "RssFile")

    def __init__(self):
        self.most = {stage: dict.fromkeys(("seconds", *self.KINDS, "bounded"), 0)
                     for stage in self.STAGES}

    def sample(self, pid, said, seconds):
        """Notes what the process holds now, `seconds` after the last time. `said`: its output."""
        values = dict(line.split(":", 1)
                      for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        if "RssAnon" not in values:  # it has ended
            return
        begun = [stage for stage, words in self.STAGES.items() if words in said]
        most = self.most[begun[-1] if begun else "checking the text"]
        now = {kind: int(values[kind].split()[0]) / 1024 for kind in self.KINDS}
        now["bounded"] = now["RssAnon"] + now["RssShmem"]
        for kind, mib in now.items():
            most[kind] = max(most[kind], mib)
        most["seconds"] += seconds

    def greatest(self, kind):
        return max(most[kind] for most in self.most.values())

    def table(self):
        kinds = (*self.KINDS, "Anon + Shmem")
        lines = [f"{'stage':<18}{'seconds':>10}" + "".join(f"{kind:>14}" for kind in kinds)]
        for stage, most in self.most.items():
            seconds, *sizes = most.values()
            lines.append(f"{stage:<18}{seconds:>10.0f}"
                         + "".join(f"{size:>10.0f} MiB" for size in sizes))
        return "\n".join(lines)


def run(command, output, watch, killed_after=None):
    """Runs to its end, or until SIGKILL so many seconds into the caching. Returns the exit code."""
    with open(output, "w") as file:
        process = subprocess.Popen(command, stderr=file)
    last = time.monotonic()
    caching_before = watch.most["caching"]["seconds"]
    while process.poll() is None:
        time.sleep(SECONDS_PER_SAMPLE)
        now = time.monotonic()
        watch.sample(process.pid, output.read_text(), now - last)
        last = now
        if killed_after and watch.most["caching"]["seconds"] - caching_before > killed_after:
            process.kill()
    return process.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=int, metavar="PAIRS")
    parser.add_argument("--calque", default="build/release/calque", metavar="FILE")
    parser.add_argument("--folder", type=Path, metavar="DIR",
                        help="where text and run are made, and stay; text that is there is used "
                             "(default: a temporary folder, deleted at the end)")
    parser.add_argument("--threads", type=int, default=2, metavar="N")
    parser.add_argument("--bound", type=int, default=2048, metavar="MIB")
    parser.add_argument("--kill-after", type=int, metavar="SECONDS",
                        help="kill calque once, so long into the caching, and start it again")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                        help="as of calque train")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="calque-large-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "train.target").exists():
            begin = time.monotonic()
            make_text(folder, arguments.pairs)
            print(f"{arguments.pairs} pairs made in {time.monotonic() - begin:.0f} s", flush=True)
        config = folder / "large.yaml"
        config.write_text(CONFIG.format(folder))
        command = [arguments.calque, "train", str(config), "--run", str(folder / "run"),
                   "--threads", str(arguments.threads)]
        for assignment in arguments.set:
            command += ["--set", assignment]
        watch = Watch()
        if arguments.kill_after:
            code = run(command, folder / "killed.log", watch, arguments.kill_after)
            print((folder / "killed.log").read_text() + f"exit code {code}", flush=True)
        code = run(command, folder / "large.log", watch)
        print((folder / "large.log").read_text() + f"exit code {code}")
        print(watch.table())
        if code != 0:
            sys.exit("calque failed")
        if watch.greatest("bounded") >= arguments.bound:
            sys.exit(f"more than {arguments.bound} MiB of anonymous and shared memory")
    finally:
        if not arguments.folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
