#!/usr/bin/env python3
"""Golden values of the kinds of attention, computed with PyTorch by their definitions.

Needs: python3 -m pip install torch numpy
Run:   python3 scripts/reference/make_attention_dump.py

Writes tests/fixtures/attention/*.safetensors, as make_layer_dump.py does.
"""

import argparse
import random
from pathlib import Path

import torch

from attention_kinds import Kind, attend, kind_shapes
from comparison import ROUNDING_OF_DOUBLE, clear_key_biases, relative, worst
from make_layer_dump import (
    HEADS,
    MEMORY_LENGTHS,
    MODEL,
    QUERY_LENGTHS,
    ROOT,
    ROWS,
    SCOPE,
    Case,
    compute,
    random_rows,
    save,
)
from reference_model import Layers, initial_values

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
    return Case(name, shapes, inputs, MODEL, forward, integers, metadata)


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "tests/fixtures/attention")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for seed, case in enumerate(CASES, start=1):
        generator = random.Random(seed)
        leaves = {name: random_rows(generator, shape) for name, shape in case.inputs.items()}
        leaves |= initial_values(case.shapes, VALUES_SEED + seed)
        output_gradient = random_rows(generator, (ROWS, case.outputs))
        output, gradients = compute(case, leaves, output_gradient, torch.float64)
        if "energy.weight" not in " ".join(case.shapes):  # else scores are not shift-invariant
            noise = clear_key_biases(gradients)
            assert noise < ROUNDING_OF_DOUBLE, f"{case.name}: key bias {noise}"
        path = folder / f"{case.name}.safetensors"
        save(case, path, leaves, output_gradient, output, gradients)
        single_output, single_gradients = compute(case, leaves, output_gradient, torch.float32)
        print(f"{path}: {path.stat().st_size} bytes; PyTorch's float32 against float64:")
        print(f"  output           {relative(single_output, output):.2e}")
        print(f"  gradients, worst {worst(single_gradients, gradients)}")


if __name__ == "__main__":
    main()
