#!/usr/bin/env python3
"""Golden values of some small Transformers for tests/parity, computed with PyTorch.

Needs: python3 -m pip install torch numpy
Run:   python3 scripts/reference/make_transformer_dump.py

Writes tests/fixtures/transformer/{pre_norm,post_norm,rms_swiglu,deep_norm}.safetensors. Parameters are float32 values;
everything else is computed from them in float64 and rounded to float32 once, so that a float
implementation is compared with the true value and not with another one's rounding. The last lines
printed are PyTorch's own float32 differences from that truth, as max|a - b| / max|b| of a tensor.

The bias of the attention's keys has no gradient (see comparison.py): it is written as zero, and
such a bias moves by weight decay alone.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

import safetensors_file
from comparison import KINK_MARGIN, ROUNDING_OF_DOUBLE, clear_key_biases, relative, worst
from reference_model import (
    BOS,
    EOS,
    LAYER_NORM_EPSILON,
    UNKNOWN,
    Config,
    Sentence,
    Transformer,
    has_torch_modules,
    initial_values,
    make_batch,
    parameter_shapes,
    torch_modules_logits,
)

ROOT = Path(__file__).resolve().parents[2]
LABEL_SMOOTHING = 0.1
STEPS = 10
LEARNING_RATE = 1e-3
BETAS = (0.9, 0.98)
ADAM_EPSILON = 1e-9


@dataclass(frozen=True)
class Case:
    """One file: a model, its optimizer and the seed of its values."""

    name: str
    config: Config
    optimizer: str  # adam | adamw
    weight_decay: float
    seed: int


CASES = [
    Case("pre_norm", Config("pre", "layer", "gelu", "none", 2, 1), "adamw", 0.01, seed=1),
    Case("post_norm", Config("post", "layer", "relu", "all", 2, 2), "adam", 0.0, seed=2),
    Case("rms_swiglu", Config("pre", "rms", "swiglu", "all", 1, 2), "adam", 0.0, seed=3),
    Case("deep_norm", Config("deep", "layer", "gelu", "all", 2, 1), "adam", 0.0, seed=4),
]


@dataclass
class Results:
    """What one precision gives: four values before the first step, then those of all steps."""

    logits: Tensor
    loss: Tensor
    gradients: dict[str, Tensor]
    key_bias_noise: float
    losses: list[Tensor]
    final: dict[str, Tensor]
    closest_to_kink: float


def target_tokens(batch: list[Sentence]) -> int:
    return sum(len(s.target_output) for s in batch)


def loss_sum(model: Transformer, batch: list[Sentence]) -> tuple[Tensor, Tensor]:
    """The loss summed over target tokens, and the logits."""
    logits = model.logits(batch)
    expected = torch.tensor([word for s in batch for word in s.target_output])
    loss = F.cross_entropy(logits, expected, reduction="sum", label_smoothing=LABEL_SMOOTHING)
    return loss, logits


def compute(
    case: Case, values: dict[str, Tensor], batch: list[Sentence], dtype: torch.dtype
) -> Results:
    """Forward, backward and the optimizer's steps, all in `dtype`."""
    parameters = {n: v.to(dtype, copy=True).requires_grad_() for n, v in values.items()}
    model = Transformer(case.config, parameters)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[case.optimizer]
    optimizer = kind(
        parameters.values(),
        lr=LEARNING_RATE,
        betas=BETAS,
        eps=ADAM_EPSILON,
        weight_decay=case.weight_decay,
    )
    steps = []
    for _ in range(STEPS):
        loss, logits = loss_sum(model, batch)
        found = torch.autograd.grad(loss, list(parameters.values()))
        gradients = dict(zip(parameters, found, strict=True))
        noise = clear_key_biases(gradients)
        steps.append((logits.detach(), loss.detach(), gradients, noise))
        for name, parameter in parameters.items():
            parameter.grad = gradients[name] / target_tokens(batch)
        optimizer.step()
    final = {name: parameter.detach() for name, parameter in parameters.items()}
    losses = [loss for _, loss, _, _ in steps]
    return Results(*steps[0], losses, final, model.closest_to_kink)


def check(case: Case, values: dict[str, Tensor], batch: list[Sentence], truth: Results) -> None:
    """Refuses a dump that torch.nn disagrees with, or that float32 could not be held to."""
    if has_torch_modules(case.config):
        model = Transformer(case.config, {n: v.double() for n, v in values.items()})
        difference = (torch_modules_logits(model, batch) - truth.logits).abs().max().item()
        assert difference < ROUNDING_OF_DOUBLE, f"torch.nn's layers differ by {difference}"
    assert truth.key_bias_noise < ROUNDING_OF_DOUBLE, f"key bias: {truth.key_bias_noise}"
    assert truth.closest_to_kink > KINK_MARGIN, f"relu: {truth.closest_to_kink}; change the seed"


def as_float(x: Tensor) -> np.ndarray:
    return x.to(torch.float32).numpy()


def as_int(values: list[int]) -> np.ndarray:
    return np.array(values, np.int32)


def tensors(
    values: dict[str, Tensor], batch: list[Sentence], truth: Results
) -> dict[str, np.ndarray]:
    """All arrays of a file; rows of the batch are packed, sentence after sentence."""
    arrays = {
        "source.ids": as_int([word for s in batch for word in s.source]),
        "source.lengths": as_int([len(s.source) for s in batch]),
        "target.input_ids": as_int([word for s in batch for word in s.target_input]),
        "target.output_ids": as_int([word for s in batch for word in s.target_output]),
        "target.lengths": as_int([len(s.target_output) for s in batch]),
        "logits": as_float(truth.logits),
        "loss": as_float(truth.loss.reshape(1)),
        "adam10.losses": as_float(torch.stack(truth.losses)),
    }
    groups = {"parameters": values, "gradients": truth.gradients, "adam10": truth.final}
    for group, members in groups.items():
        arrays |= {f"{group}.{name}": as_float(value) for name, value in members.items()}
    return arrays


def metadata(case: Case) -> dict[str, str]:
    """The configuration, as strings."""
    config = case.config
    return {
        "model": str(config.model),
        "heads": str(config.heads),
        "hidden": str(config.hidden),
        "encoder_layers": str(config.encoder_layers),
        "decoder_layers": str(config.decoder_layers),
        "vocab": str(config.vocab),
        "norm": config.norm,
        "norm_kind": config.norm_kind,
        "activation": config.activation,
        "tied": config.tied,
        "positions": config.positions,
        "layer_norm_epsilon": str(LAYER_NORM_EPSILON),
        "label_smoothing": str(LABEL_SMOOTHING),
        "loss": "sum over target tokens",
        "optimizer": case.optimizer,
        "optimizer_gradient": "mean over target tokens",
        "optimizer_steps": str(STEPS),
        "learning_rate": str(LEARNING_RATE),
        "beta1": str(BETAS[0]),
        "beta2": str(BETAS[1]),
        "adam_epsilon": str(ADAM_EPSILON),
        "weight_decay": str(case.weight_decay),
        "weight_decay_on": "all parameters",
        "unknown_id": str(UNKNOWN),
        "bos_id": str(BOS),
        "eos_id": str(EOS),
        "seed": str(case.seed),
    }


def report(case: Case, single: Results, truth: Results) -> None:
    """What PyTorch's float32 reaches."""
    key_weights = [g for n, g in truth.gradients.items() if n.endswith("attention.key.weight")]
    scale = min(g.abs().max().item() for g in key_weights)
    print(f"{case.name}: loss {truth.loss.item():.6f}, after {STEPS - 1} steps "
          f"{truth.losses[-1].item():.6f}; PyTorch's float32 against float64:")  # fmt: skip
    print(f"  logits           {relative(single.logits, truth.logits):.2e}")
    print(f"  loss             {relative(single.loss, truth.loss):.2e}")
    print(f"  gradients, worst {worst(single.gradients, truth.gradients)}")
    print(f"  adam10, worst    {worst(single.final, truth.final)}")
    losses = relative(torch.stack(single.losses), torch.stack(truth.losses))
    print(f"  adam10.losses    {losses:.2e}")
    print(f"  key bias noise   {single.key_bias_noise:.2e} beside key weights' {scale:.2e}")
    print(f"  closest relu     {truth.closest_to_kink:.2e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "tests/fixtures/transformer")
    output = parser.parse_args().output
    torch.set_num_threads(1)
    for case in CASES:
        values = initial_values(parameter_shapes(case.config), case.seed)
        batch = make_batch(case.config.vocab, case.seed)
        truth = compute(case, values, batch, torch.float64)
        check(case, values, batch, truth)
        path = output / f"{case.name}.safetensors"
        safetensors_file.save(path, tensors(values, batch, truth), metadata(case))
        print(f"{path}: {path.stat().st_size} bytes")
        report(case, compute(case, values, batch, torch.float32), truth)


if __name__ == "__main__":
    main()
