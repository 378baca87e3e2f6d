#pragma once

#include "kernels/dropout.h"
#include "tensor/matrix_view.h"

namespace calque::kernels {

/// relu: max(0, u). gelu: u Phi(u), exact with erf (Hendrycks and Gimpel 2016). swish: u sigmoid(u)
/// (Ramachandran et al. 2017).
enum class Activation { kRelu, kGelu, kSwish };

/// y = dropout(activation(u)), [rows, cols]; y may be u. Backward needs u, or y of relu in its
/// place.
template <class T>
void activation_forward(Activation kind, ConstMatrixView<T> u, const Dropout& dropout,
                        MatrixView<T> y);

/// du = activation'(u) dropout(dy), or du += with `accumulate`; du may be dy.
template <class T>
void activation_backward(Activation kind, ConstMatrixView<T> u, const Dropout& dropout,
                         ConstMatrixView<T> dy, MatrixView<T> du, bool accumulate);

}  // namespace calque::kernels
