#pragma once

#include <algorithm>

#include "kernels/elementwise.h"
#include "kernels/ranges.h"
#include "tensor/matrix_view.h"
#include "tensor/workspace.h"

namespace calque::kernels {

/// How our own engine sums up the gradients of a linear layer's weight and bias, dweight = dy^T x
/// and dbias = the sum of dy's rows. A small dweight is summed in two parts, one of each half of
/// the tokens: those halves of dy and x are where the threads have just written them, each in its
/// own cache. Whether it is small depends on the sizes alone. For every half, each with sums of its
/// own, the caller adds up dy^T x in `target` and dy's rows in `bias_sums`; then `finish` adds the
/// halves.
template <class T>
class TokenHalves {
 public:
  /// Without dbias there are no `bias_sums`. Memory lasts as long as `scope`.
  TokenHalves(ConstMatrixView<T> dy, ConstMatrixView<T> x, MatrixView<T> dweight, T* dbias,
              Workspace::Scope& scope)
      : dy_(dy),
        x_(x),
        dweight_(dweight),
        second_(dweight),
        dbias_(dbias),
        halves_{dy.rows, is_small(dy, x) ? 2 : 1} {
    if (count() > 1) second_ = {scope.allocate<T>(dy.cols * x.cols), dy.cols, x.cols};
    if (dbias == nullptr) return;
    bias_sums_ = scope.allocate<T>(count() * dy.cols);
    std::fill_n(bias_sums_, count() * dy.cols, T(0));
  }

  int64_t count() const { return halves_.count; }
  ConstMatrixView<T> dy(int64_t half) const { return dy_.row_range(begin(half), tokens(half)); }
  ConstMatrixView<T> x(int64_t half) const { return x_.row_range(begin(half), tokens(half)); }
  /// The first half is added to what dweight starts from, the second to nothing.
  MatrixView<T> target(int64_t half) const { return half == 0 ? dweight_ : second_; }
  /// [out], of zeros at first, or null.
  T* bias_sums(int64_t half) const {
    return bias_sums_ == nullptr ? nullptr : bias_sums_ + half * dy_.cols;
  }

  void finish(bool accumulate_bias) const {
    if (count() > 1) add_rows<T>(second_, dweight_);
    if (dbias_ == nullptr) return;
    if (!accumulate_bias) std::fill_n(dbias_, dy_.cols, T(0));
    for (int64_t half = 0; half < count(); ++half) {
      for (int64_t c = 0; c < dy_.cols; ++c) dbias_[c] += bias_sums(half)[c];
    }
  }

 private:
  ConstMatrixView<T> dy_, x_;
  MatrixView<T> dweight_, second_;
  T* dbias_;
  T* bias_sums_ = nullptr;  // [halves, out]
  Ranges halves_;

  static bool is_small(ConstMatrixView<T> dy, ConstMatrixView<T> x) {
    constexpr int64_t kFewTokens = 32;
    return dy.rows >= kFewTokens && 2 * dy.cols * x.cols <= dy.rows * (dy.cols + x.cols);
  }
  int64_t begin(int64_t half) const { return halves_.begin(half); }
  int64_t tokens(int64_t half) const { return begin(half + 1) - begin(half); }
};

/// sums[c] += the sum of x's column c, four rows at a time.
template <class T>
void add_columns(ConstMatrixView<T> x, T* sums) {
  int64_t r = 0;
  for (; r + 4 <= x.rows; r += 4) {
    const T* const rows[] = {x.row(r), x.row(r + 1), x.row(r + 2), x.row(r + 3)};
    for (int64_t c = 0; c < x.cols; ++c) {
      sums[c] += (rows[0][c] + rows[1][c]) + (rows[2][c] + rows[3][c]);
    }
  }
  for (; r < x.rows; ++r) {
    for (int64_t c = 0; c < x.cols; ++c) sums[c] += x.row(r)[c];
  }
}

}  // namespace calque::kernels
