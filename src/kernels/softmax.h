#pragma once

#include "tensor/matrix_view.h"

namespace calque::kernels {

/// Rows of logits become rows of log-probabilities, in place:
/// x[r, c] -= log(sum over j of exp(x[r, j])), with the row's maximum taken out first. The sum of a
/// row is in a fixed order that depends on `cols` alone. x: [rows, vocab].
template <class T>
void log_softmax(MatrixView<T> x);

}  // namespace calque::kernels
