#!/usr/bin/env python3
"""Golden values of single layers for tests/parity, computed with PyTorch.

Needs: python3 -m pip install torch numpy
Run:   python3 scripts/reference/make_layer_dump.py

Writes tests/fixtures/layers/*.safetensors. As in make_transformer_dump.py, inputs and parameters
are float32 values and the rest is computed in float64. Gradients are those of
sum(output * output_gradient), whose second factor is random, so that no symmetry hides an error;
only R-Drop's, which has no weights of rows, is 1.
Rows are packed, sentence after sentence.
"""

import argparse
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

import safetensors_file
from comparison import KINK_MARGIN, ROUNDING_OF_DOUBLE, clear_key_biases, relative, worst
from reference_model import (
    LAYER_NORM_EPSILON,
    Layers,
    attention_shapes,
    feed_forward_shapes,
    initial_values,
    norm_shapes,
)

ROOT = Path(__file__).resolve().parents[2]
MODEL, HEADS, HIDDEN, VOCAB = 16, 4, 32, 37
MAX_DISTANCE = 2  # of relative positions
LABEL_SMOOTHING = 0.1
QUERY_LENGTHS = [5, 1, 3]
MEMORY_LENGTHS = [2, 7, 4]
ROWS = sum(QUERY_LENGTHS)
VALUES_SEED = 8  # and a case's number; the inputs have its number alone
SCOPE = "layer"  # parameters are called layer.query.weight ... inside, and without it in the file


@dataclass
class Case:
    """One file: `forward` maps the layers and the inputs by name to [rows, outputs]."""

    name: str
    shapes: dict[str, tuple[int, ...]]
    inputs: dict[str, tuple[int, int]]
    outputs: int
    forward: Callable[[Layers, dict[str, Tensor]], Tensor]
    integers: dict[str, list[int]] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    is_sum: bool = False  # the gradients are those of the outputs' plain sum
    key_bias_matters: bool = False  # scores of a query are not just shifted by it


def attention_case(name: str, causal: bool, cross: bool, positions: str = "none", shared: int = HEADS) -> Case:
    """Multi-head attention of packed sentences, projections included; `shared`: heads of keys."""
    memory_lengths = MEMORY_LENGTHS if cross else QUERY_LENGTHS

    def forward(layers: Layers, inputs: dict[str, Tensor]) -> Tensor:
        queries = inputs["input"].split(QUERY_LENGTHS)
        memories = inputs["memory" if cross else "input"].split(memory_lengths)
        pairs = zip(queries, memories, strict=True)
        return torch.cat([layers.attention(SCOPE, HEADS, x, m, causal, positions) for x, m in pairs])

    inputs = {"input": (ROWS, MODEL)}
    integers = {"lengths": QUERY_LENGTHS}
    if cross:
        inputs["memory"] = (sum(MEMORY_LENGTHS), MODEL)
        integers["memory_lengths"] = MEMORY_LENGTHS
    metadata = {"heads": str(HEADS), "causal": str(causal).lower()}
    if positions != "none":
        metadata["positions"] = positions
    if shared != HEADS:
        metadata["key_value_heads"] = str(shared)
    table = (2 * MAX_DISTANCE + 1, MODEL // HEADS) if positions == "relative" else None
    shapes = attention_shapes(SCOPE, MODEL, MODEL // HEADS * shared, table)
    turned = positions == "rotary"
    return Case(name, shapes, inputs, MODEL, forward, integers, metadata, key_bias_matters=turned)


def norm_case(kind: str) -> Case:
    return Case(
        f"{kind}_norm",
        norm_shapes(SCOPE, kind, MODEL),
        {"input": (ROWS, MODEL)},
        MODEL,
        lambda layers, inputs: layers.norm(SCOPE, kind, inputs["input"]),
        metadata={"epsilon": str(LAYER_NORM_EPSILON)},
    )


def feed_forward_case(activation: str) -> Case:
    return Case(
        f"feed_forward_{activation}",
        feed_forward_shapes(SCOPE, activation, MODEL, HIDDEN),
        {"input": (ROWS, MODEL)},
        MODEL,
        lambda layers, inputs: layers.feed_forward(SCOPE, activation, inputs["input"]),
        metadata={"activation": activation},
    )


def cross_entropy_case() -> Case:
    """Output projection without bias and label-smoothed loss of each row: output is [rows, 1]."""
    generator = random.Random(VOCAB)
    targets = [generator.randrange(VOCAB) for _ in range(ROWS)]

    def forward(layers: Layers, inputs: dict[str, Tensor]) -> Tensor:
        logits = F.linear(inputs["input"], layers.parameters[f"{SCOPE}.weight"])
        losses = F.cross_entropy(
            logits, torch.tensor(targets), reduction="none", label_smoothing=LABEL_SMOOTHING
        )
        return losses[:, None]

    return Case(
        "cross_entropy",
        {f"{SCOPE}.weight": (VOCAB, MODEL)},
        {"input": (ROWS, MODEL)},
        1,
        forward,
        {"targets": targets},
        {"label_smoothing": str(LABEL_SMOOTHING)},
    )


def r_drop_case() -> Case:
    """Two passes over the same targets, as Liang et al. 2021 put them, halved: [rows, 1]."""
    r_drop = 3.0
    generator = random.Random(VOCAB + 1)
    targets = [generator.randrange(VOCAB) for _ in range(ROWS)]

    def forward(layers: Layers, inputs: dict[str, Tensor]) -> Tensor:
        weight = layers.parameters[f"{SCOPE}.weight"]
        logits = [F.linear(inputs[name], weight) for name in ("first", "second")]
        losses = [
            F.cross_entropy(
                x, torch.tensor(targets), reduction="none", label_smoothing=LABEL_SMOOTHING
            )
            for x in logits
        ]
        p, q = (F.log_softmax(x, dim=-1) for x in logits)
        divergences = [
            F.kl_div(q, p, reduction="none", log_target=True).sum(-1),  # KL(p || q)
            F.kl_div(p, q, reduction="none", log_target=True).sum(-1),
        ]
        return (sum(losses) / 2 + r_drop / 4 * sum(divergences))[:, None]

    return Case(
        "r_drop",
        {f"{SCOPE}.weight": (VOCAB, MODEL)},
        {"first": (ROWS, MODEL), "second": (ROWS, MODEL)},
        1,
        forward,
        {"targets": targets},
        {"label_smoothing": str(LABEL_SMOOTHING), "r_drop": str(r_drop)},
        is_sum=True,
    )


CASES = [
    attention_case("attention_self", causal=False, cross=False),
    attention_case("attention_causal", causal=True, cross=False),
    attention_case("attention_cross", causal=False, cross=True),
    norm_case("layer"),
    feed_forward_case("relu"),
    feed_forward_case("gelu"),
    feed_forward_case("swish"),
    cross_entropy_case(),
    norm_case("rms"),
    feed_forward_case("glu"),
    feed_forward_case("geglu"),
    feed_forward_case("swiglu"),
    attention_case("attention_rotary", causal=False, cross=False, positions="rotary"),
    attention_case("attention_alibi", causal=False, cross=False, positions="alibi"),
    attention_case("attention_grouped", causal=True, cross=False, shared=2),
    attention_case("attention_multi_query", causal=False, cross=True, shared=1),
    attention_case("attention_relative", causal=False, cross=False, positions="relative"),
    r_drop_case(),
]


def random_rows(generator: random.Random, shape: tuple[int, int]) -> Tensor:
    flat = [generator.uniform(-1.5, 1.5) for _ in range(shape[0] * shape[1])]
    return torch.tensor(flat, dtype=torch.float32).reshape(shape)


def compute(
    case: Case, leaves: dict[str, Tensor], output_gradient: Tensor, dtype: torch.dtype
) -> tuple[Tensor, dict[str, Tensor]]:
    """The output, and the gradient of every leaf: inputs and parameters, under the same names."""
    leaves = {name: value.to(dtype, copy=True).requires_grad_() for name, value in leaves.items()}
    layers = Layers(leaves)
    output = case.forward(layers, leaves)
    gradients = torch.autograd.grad(output, list(leaves.values()), output_gradient.to(dtype))
    assert layers.closest_to_kink > KINK_MARGIN, f"{case.name}: change the seed"
    return output.detach(), dict(zip(leaves, gradients, strict=True))


def save(
    case: Case,
    path: Path,
    leaves: dict[str, Tensor],
    output_gradient: Tensor,
    output: Tensor,
    gradients: dict[str, Tensor],
) -> None:
    """Writes input, output and memory with `*_gradient` beside, `parameters.*`, `gradients.*`."""
    arrays = {name: np.array(values, np.int32) for name, values in case.integers.items()}
    tensors = {"output": output, "output_gradient": output_gradient}
    for name in case.inputs:
        tensors |= {name: leaves[name], f"{name}_gradient": gradients[name]}
    for name in case.shapes:
        short = name.removeprefix(f"{SCOPE}.")
        tensors |= {f"parameters.{short}": leaves[name], f"gradients.{short}": gradients[name]}
    arrays |= {name: value.to(torch.float32).numpy() for name, value in tensors.items()}
    safetensors_file.save(path, arrays, case.metadata)


def write(case: Case, seed: int, values_seed: int, folder: Path) -> None:
    """Draws a case's inputs by `seed` and its parameters by `values_seed`, and writes its file."""
    generator = random.Random(seed)
    leaves = {name: random_rows(generator, shape) for name, shape in case.inputs.items()}
    leaves |= initial_values(case.shapes, values_seed)
    output_gradient = random_rows(generator, (ROWS, case.outputs))
    if case.is_sum:
        output_gradient = torch.ones_like(output_gradient)
    output, gradients = compute(case, leaves, output_gradient, torch.float64)
    noise = 0.0 if case.key_bias_matters else clear_key_biases(gradients)
    assert noise < ROUNDING_OF_DOUBLE, f"{case.name}: key bias {noise}"
    path = folder / f"{case.name}.safetensors"
    save(case, path, leaves, output_gradient, output, gradients)
    single_output, single_gradients = compute(case, leaves, output_gradient, torch.float32)
    print(f"{path}: {path.stat().st_size} bytes; PyTorch's float32 against float64:")
    print(f"  output           {relative(single_output, output):.2e}")
    print(f"  gradients, worst {worst(single_gradients, gradients)}")


def write_all(cases: list[Case], values_seed: int, folder: str, what: str) -> None:
    """Writes tests/fixtures/`folder`, or --output. A case is drawn by its number, its parameters by
    `values_seed` and that.
    """
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--output", type=Path, default=ROOT / "tests/fixtures" / folder)
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for seed, case in enumerate(cases, start=1):
        write(case, seed, values_seed + seed, output)


if __name__ == "__main__":
    write_all(CASES, VALUES_SEED, "layers", __doc__.splitlines()[0])
