#pragma once

#include <cstdint>
#include <span>

#include "tensor/matrix_view.h"

namespace calque::kernels {

/// Which way the pairs of numbers are turned: backward turns gradients back.
enum class Turn { kForward, kBack };

/// Rotary positions (Su et al. 2021, section 3.2.2). In the first `turned` columns of row t of x,
/// every `head` columns of one head, each pair of neighbours is turned by the angle a =
/// positions[t] / 10000^(2i / head):
///   y[2i] = x[2i] cos a - x[2i + 1] sin a;  y[2i + 1] = x[2i] sin a + x[2i + 1] cos a
/// (kBack: by -a). The other columns are handed on. x, y: [tokens, columns], y may be x; with
/// `accumulate` y += that. table: [longest, head], sinusoidal_positions of an even width `head`,
/// which divides `turned`. Throws InternalError for sizes that do not fit and positions out of
/// range.
template <class T>
void rotary(ConstMatrixView<T> x, int64_t turned, ConstMatrixView<T> table,
            std::span<const int32_t> positions, Turn turn, MatrixView<T> y, bool accumulate);

}  // namespace calque::kernels
