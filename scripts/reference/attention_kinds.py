"""The kinds of attention by their definitions, for one sentence: every pair of query and key, masks,
and normalisers whose support is found by bisection. Nothing here is fast or shared with the program.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from reference_model import Layers, attention_shapes


@dataclass(frozen=True)
class Kind:
    """One block of a config's attention."""

    score: str = "scaled_dot"  # scaled_dot | dot | general | additive
    scope: str = "global"  # global | local | strided | monotonic | predictive
    window: int = 1
    global_tokens: int = 0
    normalizer: str = "softmax"  # softmax | sparsemax | entmax15


def kind_shapes(scope: str, kind: Kind, model: int, heads: int) -> dict[str, tuple[int, ...]]:
    shapes = attention_shapes(scope, model)
    if kind.score == "general":
        shapes[f"{scope}.general.weight"] = (model, model)
    if kind.score == "additive":
        shapes[f"{scope}.energy.weight"] = (model,)
    if kind.scope == "predictive":
        shapes[f"{scope}.center.input.weight"] = (model, model)
        shapes[f"{scope}.center.output.weight"] = (heads, model)
    return shapes


def sparsemax(scores: Tensor) -> Tensor:
    """Martins and Astudillo 2016, eq. 2-4: the projection of a row onto the simplex."""
    low, high = scores.max() - 1, scores.max()
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if (scores - middle).clamp(min=0).sum() > 1 else (low, middle)
    support = (scores > high.detach()).to(scores.dtype)
    threshold = ((scores * support).sum() - 1) / support.sum()
    return (scores - threshold) * support


def entmax15(scores: Tensor) -> Tensor:
    """Peters et al. 2019, eq. 9-10: [scores / 2 - threshold]_+^2, which sums to 1."""
    half = scores / 2
    low, high = half.max() - 1, half.max()
    for _ in range(100):
        middle = (low + high) / 2
        above = ((half - middle).clamp(min=0) ** 2).sum() > 1
        low, high = (middle, high) if above else (low, middle)
    support = (half > high.detach()).to(scores.dtype)
    count = support.sum()
    mean = (half * support).sum() / count
    spread = (((half - mean) * support) ** 2).sum()
    threshold = mean - ((1 - spread) / count).sqrt()
    return ((half - threshold) * support) ** 2


NORMALIZERS = {"softmax": lambda x: x.softmax(0), "sparsemax": sparsemax, "entmax15": entmax15}


def sees(kind: Kind, head: int, i: int, j: int, keys: int, causal: bool, center: float) -> bool:
    """Whether query i looks at key j."""
    if causal and j > i:
        return False
    if kind.scope == "local":
        return abs(i - j) <= kind.window or min(i, j) < kind.global_tokens
    if kind.scope == "strided":
        return (i - j) % kind.window == 0 if head % 2 else abs(i - j) <= kind.window
    if kind.scope == "monotonic":
        return abs(min(i, keys - 1) - j) <= kind.window
    if kind.scope == "predictive":
        return abs(center - j) <= kind.window
    return True


def attend(
    layers: Layers, scope: str, kind: Kind, heads: int, x: Tensor, memory: Tensor, causal: bool
) -> Tensor:
    """Rows of `x` attend to rows of `memory`: [queries, model]."""
    parameters = layers.parameters
    query = layers.linear(f"{scope}.query", x)
    key = layers.linear(f"{scope}.key", memory)
    value = layers.linear(f"{scope}.value", memory)
    if kind.score == "general":
        query = query @ parameters[f"{scope}.general.weight"].T
    if kind.scope == "predictive":
        hidden = torch.tanh(x @ parameters[f"{scope}.center.input.weight"].T)
        logits = hidden @ parameters[f"{scope}.center.output.weight"].T
        centers = len(memory) * torch.sigmoid(logits)
    width = x.shape[1] // heads
    outputs = []
    for head in range(heads):
        columns = slice(head * width, (head + 1) * width)
        rows = []
        for i in range(len(x)):
            center = centers[i, head] if kind.scope == "predictive" else torch.tensor(0.0)
            seen = [
                j
                for j in range(len(memory))
                if sees(kind, head, i, j, len(memory), causal, center.item())
            ]
            q, k = query[i, columns], key[seen][:, columns]
            if kind.score == "additive":
                scores = torch.tanh(q + k) @ parameters[f"{scope}.energy.weight"][columns]
            else:
                scores = k @ q / (math.sqrt(width) if kind.score == "scaled_dot" else 1)
            weights = NORMALIZERS[kind.normalizer](scores)
            if kind.scope == "predictive":
                deviation = kind.window / 2
                places = torch.tensor(seen, dtype=x.dtype)
                weights = weights * torch.exp(-((places - center) ** 2) / (2 * deviation**2))
            rows.append(weights @ value[seen][:, columns])
        outputs.append(torch.stack(rows))
    return layers.linear(f"{scope}.output", torch.cat(outputs, dim=1))
