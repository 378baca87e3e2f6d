"""How two computations of the same values are compared, and what must not be compared."""

from torch import Tensor

ROUNDING_OF_DOUBLE = 1e-12  # what counts as zero for a value computed in float64
KINK_MARGIN = 2e-5  # an input of relu this close to 0 might change its side in float32


def clear_key_biases(gradients: dict[str, Tensor]) -> float:
    """Sets the gradients of key biases to zero; returns the largest absolute value found there.

    Such a bias adds the same number to all scores of a query, which softmax ignores, so its true
    gradient is zero. What is computed is rounding, which Adam would blow up to full steps.
    """
    noise = 0.0
    for name, gradient in gradients.items():
        if name.endswith("key.bias"):
            noise = max(noise, gradient.abs().max().item())
            gradient.zero_()
    return noise


def relative(a: Tensor, b: Tensor) -> float:
    """max|a - b| / max|b|."""
    return ((a.double() - b).abs().max() / b.abs().max()).item()


def worst(found: dict[str, Tensor], truth: dict[str, Tensor]) -> str:
    """The tensor that differs most, and by how much; tensors that are all zero are left out."""
    differences = {n: relative(found[n], b) for n, b in truth.items() if b.abs().max() > 0}
    name = max(differences, key=differences.get)
    return f"{differences[name]:.2e}  ({name})"
