#pragma once

#include "kernels/dropout.h"
#include "tensor/matrix_view.h"

namespace calque::kernels {

/// One to one: relu: max(0, u). gelu: u Phi(u), exact with erf (Hendrycks and Gimpel 2016). swish:
/// u sigmoid(u) (Ramachandran et al. 2017). Gated: a function of `gate` times `input`, side by side
/// in u (Shazeer 2020, "GLU Variants Improve Transformer"). glu: sigmoid(gate) input (Dauphin et
/// al. 2017). geglu: gelu(gate) input. swiglu: swish(gate) input.
enum class Activation { kRelu, kGelu, kSwish, kGlu, kGeglu, kSwiglu };

/// How many columns of u make one of y: 2 for the gated kinds.
constexpr int64_t activation_inputs(Activation kind) {
  switch (kind) {
    case Activation::kRelu:
    case Activation::kGelu:
    case Activation::kSwish:
      return 1;
    case Activation::kGlu:
    case Activation::kGeglu:
    case Activation::kSwiglu:
      return 2;
  }
  return 0;  // no such kind
}

/// y = dropout(activation(u)). y: [rows, cols]; u: the same shape, and y may be u; of gated kinds
/// [rows, 2 cols]: gate, then input. Backward needs u, or y of relu in its place.
template <class T>
void activation_forward(Activation kind, ConstMatrixView<T> u, const Dropout& dropout,
                        MatrixView<T> y);

/// du = dropout(dy) times activation's derivatives at u, or du += with `accumulate`. dy as y, du as
/// u; du may be dy where they have one shape.
template <class T>
void activation_backward(Activation kind, ConstMatrixView<T> u, const Dropout& dropout,
                         ConstMatrixView<T> dy, MatrixView<T> du, bool accumulate);

}  // namespace calque::kernels
