#pragma once

#include <algorithm>
#include <cstdint>

#include "base/random.h"
#include "tensor/matrix_view.h"

namespace calque::kernels {

/// Dropout at one site in one pass (Srivastava et al. 2014, "inverted": what is kept is scaled by
/// 1 / (1 - rate), so nothing changes when it is off). An element's fate is a pure function of the
/// key and its logical row and column: one Philox call gives the 16-bit draws of eight neighbouring
/// columns, and an element is dropped when its draw is below rate * 65536. Nothing is saved:
/// backward draws again.
struct Dropout {
  double rate = 0;  // in [0, 1), effective in steps of 1/65536
  RandomKey key;
  bool active() const { return rate > 0; }
};

/// The factor (0 or 1 / (1 - rate)) of each logical column [first_column, first_column + cols) of
/// logical row `row`; all 1 when not active. `first_column` is a multiple of 8 (one draw's
/// columns). Vectorised.
template <class T>
void dropout_factors(const Dropout& dropout, uint32_t row, uint32_t first_column, int64_t cols,
                     T* factors);

/// The factors of a tile of a matrix, for attention: factors[r * stride + c] is that of row `row` +
/// r and column `column` + c, for r < rows, c < cols. Here one Philox call, at (row + r, (column +
/// c) / 2) of the tile's rows r = 0, 4, 8 ..., gives the draws of four rows by two columns, so that
/// they come out of the registers in order: word 2 (r % 4 / 2) + c % 2, its low half for even r. A
/// tile begins at an even column, and where any tile of the same matrix has a row that is a
/// multiple of 4. Written are whole groups of 4 rows and whole vectors of columns.
template <class T>
void dropout_tile(const Dropout& dropout, uint32_t row, uint32_t column, int64_t rows, int64_t cols,
                  T* factors, int64_t stride);

/// For kernels with a dropout of their own: calls `body(begin, count, factors)` for neighbouring
/// column ranges of row `row`, each short enough to stay in the first cache. `factors` holds the
/// `count` factors; the body may overwrite them with its results.
template <class T, class Body>
void for_each_dropout_chunk(const Dropout& dropout, int64_t row, int64_t cols, const Body& body) {
  constexpr int64_t kChunk = 256;
  T factors[kChunk];
  for (int64_t begin = 0; begin < cols; begin += kChunk) {
    const int64_t count = std::min(kChunk, cols - begin);
    dropout_factors(dropout, static_cast<uint32_t>(row), static_cast<uint32_t>(begin), count,
                    factors);
    body(begin, count, factors);
  }
}

/// y = x + dropout(f): the residual connection around a sub-layer. All [rows, cols], contiguous or
/// strided; y may be x or f.
template <class T>
void add_dropout(ConstMatrixView<T> x, ConstMatrixView<T> f, const Dropout& dropout,
                 MatrixView<T> y);

/// dx = dropout(dy), or dx += with `accumulate`: backward of dropout, and its forward too.
template <class T>
void apply_dropout(ConstMatrixView<T> dy, const Dropout& dropout, MatrixView<T> dx,
                   bool accumulate);

}  // namespace calque::kernels
