#!/usr/bin/env python3
"""Checks that a folder of `calque export --format safetensors` is all that a translation needs.

Builds the plain PyTorch Transformer of reference_model.py from the folder, and from nothing else,
translates greedily, a sentence at a time, and compares with `calque translate --beam 1` of the model
that was exported. For each line that differs it shows how close the two best tokens came to each
other at their closest: rounding decides between those.

Needs torch, safetensors and sentencepiece.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import sentencepiece
import torch
import torch.nn.functional as F
from reference_model import Config, Transformer
from safetensors.torch import load_file
from torch import Tensor

NEAR_TIE = 1e-3


class ExportedModel(Transformer):
    """An exported folder as the reference model."""

    def __init__(self, folder: Path):
        self.settings = json.loads((folder / "config.json").read_text())
        parameters = load_file(folder / "model.safetensors")
        tied = self.settings["tied_embeddings"]
        if tied == "decoder":  # to the reference model, two equal matrices
            parameters["output_projection.weight"] = parameters["target_embedding.weight"]
        config = Config(
            norm=self.settings["norm"],
            norm_kind=self.settings["norm_kind"],
            activation=self.settings["activation"],
            tied="all" if tied == "all" else "none",
            encoder_layers=self.settings["encoder_layers"],
            decoder_layers=self.settings["decoder_layers"],
            vocab=self.settings["target_vocabulary_size"],
            model=self.settings["size"],
            heads=self.settings["heads"],
            hidden=self.settings["hidden"],
            positions=self.settings["positions"],
        )
        super().__init__(config, parameters)
        self.source, self.target = (
            sentencepiece.SentencePieceProcessor(str(folder / f"{side}.spm"))
            for side in ("source", "target")
        )

    def embed(self, table: Tensor, ids: list[int]) -> Tensor:
        if self.settings["positions"] != "learned":
            return super().embed(table, ids)
        positions = self.parameters[f"{self.side}_positions.weight"][: len(ids)]
        return table[torch.tensor(ids)] * self.settings["embedding_scale"] + positions

    def encode(self, ids: list[int]) -> Tensor:
        self.side = "source"
        return super().encode(ids)

    def decode(self, ids: list[int], memory: Tensor) -> Tensor:
        self.side = "target"
        return super().decode(ids, memory)

    @torch.no_grad()
    def translate(self, line: str, max_length_ratio: float) -> tuple[str, float]:
        """The greedy translation, and the smallest lead of a token over the second best."""
        source = self.source.encode(line)
        if not source:
            return "", float("inf")
        end = self.settings["end_id"]
        memory = self.encode([*source, end])
        ids, lead = [self.settings["begin_id"]], float("inf")
        limit = int(max_length_ratio * (len(source) + 1)) + 10
        while len(ids) < limit:
            logits = F.linear(self.decode(ids, memory)[-1], self.output_table)
            best = logits.topk(2)
            lead = min(lead, (best.values[0] - best.values[1]).item())
            if best.indices[0] == end:
                break
            ids.append(int(best.indices[0]))
        return self.target.decode(ids[1:]), lead


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="run or checkpoint folder")
    parser.add_argument("exported", type=Path, help="what `calque export` made of it")
    parser.add_argument("source", type=Path, help="text to translate")
    parser.add_argument("--calque", default="build/release/calque", help="default: %(default)s")
    parser.add_argument("--lines", type=int, default=100, help="so many of it (default 100)")
    parser.add_argument("--max-length-ratio", type=float, default=2.0, help="default: %(default)s")
    arguments = parser.parse_args()
    lines = arguments.source.read_text(encoding="utf-8").split("\n")[: arguments.lines]
    command = [
        arguments.calque, "translate", "--quiet", "--model", str(arguments.model), "--beam", "1",
        "--max-length-ratio", str(arguments.max_length_ratio),
    ]  # fmt: skip
    text = "".join(line + "\n" for line in lines)
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    torch.set_num_threads(1)  # one sentence at a time gives others nothing to do
    model = ExportedModel(arguments.exported)
    unlike, far = 0, 0
    for number, (line, ours) in enumerate(zip(lines, done.stdout.split("\n")), start=1):
        found, lead = model.translate(line, arguments.max_length_ratio)
        if found == ours:
            continue
        unlike += 1
        far += lead > NEAR_TIE
        print(f"line {number}: smallest lead {lead:.2e}\n  Calque   {ours}\n  PyTorch  {found}")
    print(f"{len(lines) - unlike} of {len(lines)} lines equal; of the others {unlike - far} have a "
          f"near tie (below {NEAR_TIE:g}), {far} have none")
    sys.exit(1 if far else 0)


if __name__ == "__main__":
    main()
