#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace calque {

/// A tensor that an op computed or a leaf that it may start from, and where its gradient is kept:
/// `slot` of the tape, or kConstant when no gradient is wanted. Trivially copyable, so that a
/// backward struct can hold it.
struct Var {
  static constexpr int32_t kConstant = -1;

  Tensor value;
  int32_t slot = kConstant;

  Var() = default;
  /// A constant.
  explicit Var(const Tensor& v) : value(v) {}
  Var(const Tensor& v, int32_t s) : value(v), slot(s) {}

  bool needs_gradient() const { return slot != kConstant; }
  int64_t rows() const { return value.rows(); }
  int64_t cols() const { return value.cols(); }
  MatrixView<Real> matrix() const { return value.matrix(); }
  explicit operator bool() const { return static_cast<bool>(value); }
};

}  // namespace calque
