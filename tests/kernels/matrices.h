#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/parallel.h"
#include "base/random.h"
#include "tensor/matrix_view.h"
#include "tensor/sequence_layout.h"

namespace calque {

/// A matrix with memory of its own, inside wider rows where `stride` > `cols`.
template <class T>
class TestMatrix {
 public:
  TestMatrix(int64_t rows, int64_t cols, int64_t stride = 0)
      : rows_(rows),
        cols_(cols),
        stride_(std::max(stride, cols)),
        values_(static_cast<size_t>(rows * stride_)) {}

  /// Standard normal numbers that depend on `seed` and the logical place, not on the stride or T.
  static TestMatrix random(int64_t rows, int64_t cols, uint64_t seed, int64_t stride = 0) {
    TestMatrix m(rows, cols, stride);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < cols; ++c) {
        const auto index = static_cast<uint64_t>(r * cols + c);
        m.at(r, c) = static_cast<T>(static_cast<float>(random_normal({seed, 0, 0}, index)));
      }
    }
    return m;
  }

  T& at(int64_t r, int64_t c) { return values_[static_cast<size_t>(r * stride_ + c)]; }
  T at(int64_t r, int64_t c) const { return values_[static_cast<size_t>(r * stride_ + c)]; }
  int64_t rows() const { return rows_; }
  int64_t cols() const { return cols_; }

  MatrixView<T> view() { return {values_.data(), rows_, cols_, stride_}; }
  ConstMatrixView<T> view() const { return {values_.data(), rows_, cols_, stride_}; }
  operator MatrixView<T>() { return view(); }
  operator ConstMatrixView<T>() const { return view(); }

  /// All of the memory, also what lies between the rows.
  const std::vector<T>& values() const { return values_; }

 private:
  int64_t rows_, cols_, stride_;
  std::vector<T> values_;
};

/// max |a - b| / max |b| over all elements (0 where both are zeros).
template <class A, class B>
double relative_difference(const TestMatrix<A>& a, const TestMatrix<B>& b) {
  double difference = 0;
  double largest = 0;
  for (int64_t r = 0; r < b.rows(); ++r) {
    for (int64_t c = 0; c < b.cols(); ++c) {
      const double left = static_cast<double>(a.at(r, c));
      const double right = static_cast<double>(b.at(r, c));
      if (!std::isfinite(left)) return INFINITY;
      difference = std::max(difference, std::abs(left - right));
      largest = std::max(largest, std::abs(right));
    }
  }
  return difference == 0 ? 0 : difference / largest;
}

/// The gradient of `loss()` with respect to every element of `x`, by central differences.
template <class Loss>
TestMatrix<double> numeric_gradient(TestMatrix<double>& x, const Loss& loss) {
  constexpr double kStep = 1e-5;
  TestMatrix<double> gradient(x.rows(), x.cols());
  for (int64_t r = 0; r < x.rows(); ++r) {
    for (int64_t c = 0; c < x.cols(); ++c) {
      const double kept = x.at(r, c);
      x.at(r, c) = kept + kStep;
      const double above = loss();
      x.at(r, c) = kept - kStep;
      const double below = loss();
      x.at(r, c) = kept;
      gradient.at(r, c) = (above - below) / (2 * kStep);
    }
  }
  return gradient;
}

/// A layout of sentences one after another.
inline SequenceLayoutBuffer sentences_of(const std::vector<int64_t>& lengths) {
  SequenceLayoutBuffer layout;
  for (const int64_t length : lengths) layout.append(length);
  return layout;
}

}  // namespace calque
