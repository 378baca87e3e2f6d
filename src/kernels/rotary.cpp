#include "kernels/rotary.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"

namespace calque::kernels {
namespace {

/// y = or += `columns` numbers of x, pairs turned by what the row of the table says.
template <bool Accumulate, class T>
void turn_row(const T* x, int64_t columns, const T* table, int64_t head, T direction, T* y) {
  for (int64_t begin = 0; begin < columns; begin += head) {
    for (int64_t c = 0; c < head; c += 2) {
      const T sine = direction * table[c];
      const T cosine = table[c + 1];
      const T even = x[begin + c];
      const T odd = x[begin + c + 1];
      const T pair[2] = {even * cosine - odd * sine, even * sine + odd * cosine};
      for (int64_t i = 0; i < 2; ++i) {
        T& to = y[begin + c + i];
        to = Accumulate ? to + pair[i] : pair[i];
      }
    }
  }
}

template <bool Accumulate, class T>
void hand_on(const T* x, int64_t columns, T* y) {
  if (!Accumulate && x == y) return;
  for (int64_t c = 0; c < columns; ++c) y[c] = Accumulate ? y[c] + x[c] : x[c];
}

}  // namespace

template <class T>
void rotary(ConstMatrixView<T> x, int64_t turned, ConstMatrixView<T> table,
            std::span<const int32_t> positions, Turn turn, MatrixView<T> y, bool accumulate) {
  const int64_t head = table.cols;
  CALQUE_CHECK(head > 0 && head % 2 == 0 && turned % head == 0 && turned <= x.cols,
               "{} of {} columns in heads of {}", turned, x.cols, head);
  CALQUE_CHECK(x.rows == y.rows && x.cols == y.cols && std::ssize(positions) == x.rows,
               "[{}, {}] and {} positions for [{}, {}]", x.rows, x.cols, positions.size(), y.rows,
               y.cols);
  CALQUE_CHECK(std::ranges::all_of(positions, [&](int32_t p) { return p >= 0 && p < table.rows; }),
               "a position that is none of {}", table.rows);
  const T direction = turn == Turn::kForward ? T(1) : T(-1);
  parallel_rows(x.rows, x.cols, [&](int64_t begin, int64_t end, int) {
    for (int64_t t = begin; t < end; ++t) {
      const T* const angles = table.row(positions[static_cast<size_t>(t)]);
      const int64_t rest = x.cols - turned;
      if (accumulate) {
        turn_row<true>(x.row(t), turned, angles, head, direction, y.row(t));
        hand_on<true>(x.row(t) + turned, rest, y.row(t) + turned);
      } else {
        turn_row<false>(x.row(t), turned, angles, head, direction, y.row(t));
        hand_on<false>(x.row(t) + turned, rest, y.row(t) + turned);
      }
    }
  });
}

#define CALQUE_INSTANTIATE(T)                                                                     \
  template void rotary(ConstMatrixView<T>, int64_t, ConstMatrixView<T>, std::span<const int32_t>, \
                       Turn, MatrixView<T>, bool);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
