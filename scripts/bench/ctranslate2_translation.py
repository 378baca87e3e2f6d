"""Times CTranslate2's translating with a model that Calque exported;
scripts/bench/translate_vs_ctranslate2 runs it. Prints one JSON object, of the form of `calque bench
translate --json`: from text to text, the text once before the rounds that count."""

import argparse
import json
import statistics
import time
from pathlib import Path

import ctranslate2
import sentencepiece


def peak_bytes() -> int:
    """The most memory that this process has had in RAM."""
    [line] = [x for x in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in x]
    return int(line.split()[1]) * 1024


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--compute-type", required=True)
    parser.add_argument("--beam", type=int, required=True)
    parser.add_argument("--batch-tokens", type=int, required=True)
    parser.add_argument("--length-penalty", type=float, required=True)
    parser.add_argument("--max-length-ratio", type=float, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--alone", type=int, required=True)
    parser.add_argument("--intra-threads", type=int, required=True)
    parser.add_argument("--inter-threads", type=int, required=True)
    return parser.parse_args()


class Translating:
    def __init__(self, arguments: argparse.Namespace):
        self.arguments = arguments
        self.translator = ctranslate2.Translator(
            str(arguments.model), compute_type=arguments.compute_type,
            inter_threads=arguments.inter_threads, intra_threads=arguments.intra_threads,
        )  # fmt: skip
        self.source, self.target = (
            sentencepiece.SentencePieceProcessor(str(arguments.model / f"{side}.spm"))
            for side in ("source", "target")
        )
        self.output_tokens = 0
        self.seconds_between = 0.0  # in the translator alone, from pieces to pieces

    def translate(self, lines: list[str]) -> float:
        """Seconds from text to text."""
        start = time.perf_counter()
        sources = self.source.encode(lines, out_type=str)
        limit = self.arguments.max_length_ratio * (max(map(len, sources)) + 1) + 10
        begin = time.perf_counter()
        results = self.translator.translate_batch(
            sources, beam_size=self.arguments.beam,
            length_penalty=self.arguments.length_penalty,
            max_batch_size=max(1, self.arguments.batch_tokens // self.arguments.beam),
            batch_type="tokens", max_input_length=0, min_decoding_length=0,
            max_decoding_length=int(limit),
        )  # fmt: skip
        self.seconds_between += time.perf_counter() - begin
        pieces = [result.hypotheses[0] for result in results]
        self.target.decode(pieces)
        seconds = time.perf_counter() - start
        self.output_tokens += sum(len(line) + 1 for line in pieces)
        return seconds


def main() -> None:
    after_import = peak_bytes()
    arguments = parse_arguments()
    lines = arguments.source.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    translating = Translating(arguments)
    if arguments.rounds > 0:
        translating.translate(lines)
    translating.output_tokens, translating.seconds_between = 0, 0.0
    rounds = [translating.translate(lines) for _ in range(arguments.rounds)]
    round_tokens = translating.output_tokens // max(1, arguments.rounds)
    seconds_between = translating.seconds_between
    alone = lines[: arguments.alone]
    if alone:
        translating.translate(alone[:1])
    line_seconds = [translating.translate([line]) for line in alone]
    figures = {
        "ctranslate2": ctranslate2.__version__,
        "sentences": len(lines),
        "output_tokens": round_tokens,
        "round_seconds": rounds,
        "tokenising_share": 1 - seconds_between / sum(rounds) if rounds else 0,
        "memory_bytes": {"process_peak": peak_bytes(), "imports": after_import},
        "alone": {"sentences": len(alone)},
    }
    if line_seconds:
        at = statistics.quantiles(line_seconds, n=100, method="inclusive") if len(alone) > 1 else []
        figures["alone"] |= {
            "sentences_per_second": len(alone) / sum(line_seconds),
            "p50_seconds": statistics.median(line_seconds),
            "p95_seconds": at[94] if at else line_seconds[0],
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
