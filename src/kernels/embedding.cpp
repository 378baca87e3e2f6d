#include "kernels/embedding.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/elementwise.h"

namespace calque::kernels {
namespace {

/// Throws InternalError unless every index lies in [0, rows).
void check_indices(std::span<const int32_t> indices, int64_t rows) {
  for (const int32_t index : indices) {
    CALQUE_CHECK(index >= 0 && index < rows, "index {} of a table of {} rows", index, rows);
  }
}

template <class T>
void zero(MatrixView<T> table) {
  parallel_rows(table.rows, table.cols, [&](int64_t begin, int64_t end, int) {
    zero_rows(table.row_range(begin, end - begin));
  });
}

}  // namespace

template <class T>
void embedding_forward(ConstMatrixView<T> weight, std::span<const int32_t> ids, T scale,
                       ConstMatrixView<T> position_table, std::span<const int32_t> positions,
                       const Dropout& dropout, MatrixView<T> y) {
  const auto tokens = static_cast<int64_t>(ids.size());
  const bool with_positions = position_table.data != nullptr;
  CALQUE_CHECK(y.rows == tokens && y.cols == weight.cols, "[{}, {}] for {} ids of width {}", y.rows,
               y.cols, tokens, weight.cols);
  check_indices(ids, weight.rows);
  if (with_positions) {
    CALQUE_CHECK(positions.size() == ids.size() && position_table.cols == y.cols,
                 "{} positions of width {} for {} ids of width {}", positions.size(),
                 position_table.cols, tokens, y.cols);
    check_indices(positions, position_table.rows);
  }
  parallel_rows(tokens, y.cols, [&](int64_t begin_row, int64_t end_row, int) {
    for (int64_t t = begin_row; t < end_row; ++t) {
      const auto i = static_cast<size_t>(t);
      const T* const word = weight.row(ids[i]);
      const T* const position = with_positions ? position_table.row(positions[i]) : nullptr;
      for_each_dropout_chunk<T>(dropout, t, y.cols, [&](int64_t begin, int64_t count, T* values) {
        if (with_positions) {
          for (int64_t c = 0; c < count; ++c) {
            values[c] *= scale * word[begin + c] + position[begin + c];
          }
        } else {
          for (int64_t c = 0; c < count; ++c) values[c] *= scale * word[begin + c];
        }
        std::copy_n(values, count, y.row(t) + begin);
      });
    }
  });
}

template <class T>
void embedding_backward(ConstMatrixView<T> dy, std::span<const int32_t> ids, T scale,
                        const Dropout& dropout, MatrixView<T> dtable, bool accumulate) {
  // A task owns a block of columns and goes over all tokens: equal ids never meet in two tasks.
  constexpr int64_t kBlock = 64;
  const auto tokens = static_cast<int64_t>(ids.size());
  CALQUE_CHECK(dy.rows == tokens && dy.cols == dtable.cols, "[{}, {}] for {} ids of width {}",
               dy.rows, dy.cols, tokens, dtable.cols);
  check_indices(ids, dtable.rows);
  if (!accumulate) zero(dtable);
  parallel_for((dy.cols + kBlock - 1) / kBlock, [&](int64_t task, int) {
    const int64_t begin = task * kBlock;
    const int64_t count = std::min(kBlock, dy.cols - begin);
    T factors[kBlock];
    for (int64_t t = 0; t < tokens; ++t) {
      dropout_factors(dropout, static_cast<uint32_t>(t), static_cast<uint32_t>(begin), count,
                      factors);
      const T* const from = dy.row(t) + begin;
      T* const to = dtable.row(ids[static_cast<size_t>(t)]) + begin;
      for (int64_t c = 0; c < count; ++c) to[c] += scale * factors[c] * from[c];
    }
  });
}

template <class T>
void sinusoidal_positions(MatrixView<T> table) {
  const auto model = static_cast<double>(table.cols);
  for (int64_t p = 0; p < table.rows; ++p) {
    for (int64_t c = 0; c < table.cols; ++c) {
      const auto even = static_cast<double>(c / 2 * 2);
      const double angle = static_cast<double>(p) / std::pow(10000.0, even / model);
      table.row(p)[c] = static_cast<T>(c % 2 == 0 ? std::sin(angle) : std::cos(angle));
    }
  }
}

#define CALQUE_INSTANTIATE(T)                                                                   \
  template void embedding_forward(ConstMatrixView<T>, std::span<const int32_t>, T,              \
                                  ConstMatrixView<T>, std::span<const int32_t>, const Dropout&, \
                                  MatrixView<T>);                                               \
  template void embedding_backward(ConstMatrixView<T>, std::span<const int32_t>, T,             \
                                   const Dropout&, MatrixView<T>, bool);                        \
  template void sinusoidal_positions(MatrixView<T>);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
