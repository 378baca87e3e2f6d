#!/usr/bin/env python3
"""Checks that an exported model says in CTranslate2 what it says in Calque.

Translates the same text with `calque translate` and with CTranslate2 (compute type float32) over the
folder that `calque export --format ctranslate2` made of the same model, greedily and with a beam, and
compares line by line. Each line that differs is shown with what CTranslate2's own scores say: the
gap of the log-probabilities of the two tokens where the translations part (greedy: a near tie that
rounding decides), or of the two whole translations (beam).

What agrees: both stop a beam search when `beam` hypotheses have ended, among the 2 * beam best
continuations of a step, and rank by log-probability / length^length_penalty with the end token
counted, so equal numbers mean equal things. CTranslate2 forbids an empty translation unless
min_decoding_length is 0, and its bound of the output is one number for a batch, so that lines of
different bounds are translated apart here. A hypothesis that is cut at its bound ends there in
CTranslate2, while Calque counts what its end would have cost: so a beam may rank those otherwise.

Needs ctranslate2 and sentencepiece: pip install ctranslate2 sentencepiece
"""

import argparse
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import ctranslate2
import sentencepiece

# A gap that rounding can turn over: sums of float32 in another order, over a few layers.
NEAR_TIE = 1e-3


@dataclass
class Peer:
    """The exported folder, opened."""

    translator: ctranslate2.Translator
    source: sentencepiece.SentencePieceProcessor
    target: sentencepiece.SentencePieceProcessor

    @staticmethod
    def open(folder: Path, threads: int) -> "Peer":
        translator = ctranslate2.Translator(
            str(folder), compute_type="float32", inter_threads=1, intra_threads=threads
        )
        pieces = [sentencepiece.SentencePieceProcessor(str(folder / f"{side}.spm"))
                  for side in ("source", "target")]
        return Peer(translator, *pieces)

    def translate(self, lines: list[str], arguments: argparse.Namespace, beam: int) -> list[list[str]]:
        """The pieces of each translation."""
        sources = self.source.encode(lines, out_type=str)
        places = defaultdict(list)
        for i, pieces in enumerate(sources):
            places[self.bound(pieces, arguments)].append(i)
        found: list[list[str]] = [[] for _ in lines]
        for bound, some in places.items():
            results = self.translator.translate_batch(
                [sources[i] for i in some], beam_size=beam, max_batch_size=4096,
                batch_type="tokens", length_penalty=arguments.length_penalty, max_input_length=0,
                min_decoding_length=0, max_decoding_length=bound,
            )  # fmt: skip
            for i, result in zip(some, results):
                found[i] = result.hypotheses[0]
        return found

    @staticmethod
    def bound(source: list[str], arguments: argparse.Namespace) -> int:
        """Most pieces of a translation, the end not counted, as `calque translate` has it."""
        return int(arguments.max_length_ratio * (len(source) + 1)) + 9

    def scores(self, source: str, target: list[str]) -> list[float]:
        """The log-probability of each piece of a translation, and of its end."""
        [result] = self.translator.score_batch([self.source.encode(source, out_type=str)], [target])
        return result.log_probs


def translate_with_calque(arguments: argparse.Namespace, beam: int) -> list[str]:
    command = [
        arguments.calque, "translate", "--quiet", "--model", arguments.model,
        "--input", arguments.source, "--beam", beam, "--threads", arguments.threads,
        "--length-penalty", arguments.length_penalty,
        "--max-length-ratio", arguments.max_length_ratio,
    ]  # fmt: skip
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout.split("\n")[:-1]


def parting(ours: list[str], theirs: list[str]) -> int:
    """The place of the first pieces that differ."""
    same = (i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b)
    return next(same, min(len(ours), len(theirs)))


def compare(peer: Peer, arguments: argparse.Namespace, beam: int) -> int:
    """Prints every line that differs; returns how many do so by more than a near tie."""
    lines = arguments.source.read_text(encoding="utf-8").split("\n")[:-1]
    ours = translate_with_calque(arguments, beam)
    found = peer.translate(lines, arguments, beam)
    unlike, cut, far = 0, 0, 0
    for number, (line, text, pieces) in enumerate(zip(lines, ours, found, strict=True), start=1):
        if text == peer.target.decode(pieces):
            continue
        unlike += 1
        own = peer.target.encode(text, out_type=str)
        scores = [peer.scores(line, target) for target in (own, pieces)]
        if beam == 1:
            place = parting(own, pieces)
            gap = scores[1][place] - scores[0][place]
            what = f"at token {place + 1}"
        else:
            means = [sum(s) / len(s) ** arguments.length_penalty for s in scores]
            gap = means[1] - means[0]
            what = "of the translations' scores"
        bound = peer.bound(peer.source.encode(line, out_type=str), arguments)
        if beam > 1 and max(len(own), len(pieces)) >= bound:
            cut += 1
            what += ", cut at the bound of the length"
        elif abs(gap) > NEAR_TIE:
            far += 1
        print(f"line {number}: gap {gap:.2e} {what}\n  Calque       {text}\n"
              f"  CTranslate2  {peer.target.decode(pieces)}")
    print(f"beam {beam}: {len(lines) - unlike} of {len(lines)} lines equal; of the others "
          f"{unlike - cut - far} differ by a near tie (below {NEAR_TIE:g}), {cut} are cut at the "
          f"bound of the length, {far} differ by more")
    return far


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="run or checkpoint folder")
    parser.add_argument("exported", type=Path, help="what `calque export` made of it")
    parser.add_argument("source", type=Path, help="text to translate")
    parser.add_argument("--calque", default="build/release/calque", help="default: %(default)s")
    parser.add_argument("--beams", default="1,4", help="default: %(default)s")
    parser.add_argument("--length-penalty", type=float, default=1.0, help="default: %(default)s")
    parser.add_argument("--max-length-ratio", type=float, default=2.0, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=2, help="default: %(default)s")
    arguments = parser.parse_args()
    peer = Peer.open(arguments.exported, arguments.threads)
    far = [compare(peer, arguments, int(beam)) for beam in arguments.beams.split(",")]
    sys.exit(1 if any(far) else 0)


if __name__ == "__main__":
    main()
