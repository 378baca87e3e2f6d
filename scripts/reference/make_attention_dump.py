#!/usr/bin/env python3
"""Golden values of the kinds of attention, computed with PyTorch by their definitions.

Needs: python3 -m pip install torch numpy
Run:   python3 scripts/reference/make_attention_dump.py

Writes tests/fixtures/attention/*.safetensors, as make_layer_dump.py does.
"""

import torch

from attention_kinds import Kind, attend, kind_shapes
from make_layer_dump import (
    HEADS,
    MEMORY_LENGTHS,
    MODEL,
    QUERY_LENGTHS,
    ROWS,
    SCOPE,
    Case,
    write_all,
)
from reference_model import Layers

VALUES_SEED = 40  # and a case's number; the inputs have its number alone


def kind_case(name: str, place: str, kind: Kind) -> Case:
    """`place`: self | causal | cross."""
    memory_lengths = MEMORY_LENGTHS if place == "cross" else QUERY_LENGTHS

    def forward(layers: Layers, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        queries = inputs["input"].split(QUERY_LENGTHS)
        memories = inputs["memory" if place == "cross" else "input"].split(memory_lengths)
        pairs = zip(queries, memories, strict=True)
        causal = place == "causal"
        return torch.cat([attend(layers, SCOPE, kind, HEADS, x, m, causal) for x, m in pairs])

    inputs = {"input": (ROWS, MODEL)}
    integers = {"lengths": QUERY_LENGTHS}
    if place == "cross":
        inputs["memory"] = (sum(MEMORY_LENGTHS), MODEL)
        integers["memory_lengths"] = MEMORY_LENGTHS
    shapes = kind_shapes(SCOPE, kind, MODEL, HEADS)
    metadata = {"heads": str(HEADS)}
    bends = kind.score == "additive"  # its tanh: a bias is no mere shift of the scores
    return Case(name, shapes, inputs, MODEL, forward, integers, metadata, key_bias_matters=bends)


CASES = [
    kind_case("dot", "cross", Kind(score="dot")),
    kind_case("general", "causal", Kind(score="general")),
    kind_case("additive", "cross", Kind(score="additive")),
    kind_case("sparsemax", "self", Kind(normalizer="sparsemax")),
    kind_case("entmax15", "causal", Kind(normalizer="entmax15")),
    kind_case("local", "self", Kind(scope="local", window=1, global_tokens=1)),
    kind_case("local_causal", "causal", Kind(scope="local", window=2)),
    kind_case("strided", "causal", Kind(scope="strided", window=2)),
    kind_case("monotonic", "cross", Kind(scope="monotonic", window=1)),
    kind_case("predictive", "cross", Kind(score="general", scope="predictive", window=2)),
    kind_case("mixed", "cross", Kind("additive", "predictive", 2, normalizer="entmax15")),
]


if __name__ == "__main__":
    write_all(CASES, VALUES_SEED, "attention", __doc__.splitlines()[0])
