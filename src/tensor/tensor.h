#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "tensor/matrix_view.h"
#include "tensor/real.h"
#include "tensor/shape.h"

namespace calque {

/// Where numbers lie and how they are counted: a pointer and a shape, contiguous, row-major.
/// Trivially copyable; owns nothing. Its memory belongs to an Arena (activations), a GapPool
/// (gradients) or a ParameterStore, and lives as long as its owner says.
struct Tensor {
  Real* data = nullptr;
  Shape shape;

  int64_t count() const { return shape.count(); }
  /// Product of all sizes but the innermost: the rows of the matrix that the tensor is.
  int64_t rows() const { return cols() == 0 ? 0 : shape.count() / cols(); }
  /// The innermost size.
  int64_t cols() const { return shape.rank() == 0 ? 1 : shape[-1]; }
  MatrixView<Real> matrix() const { return {data, rows(), cols()}; }
  std::span<Real> values() const { return {data, static_cast<size_t>(count())}; }
  explicit operator bool() const { return data != nullptr; }
};

/// Ids of tokens, packed: sentence after sentence, no padding.
using Ids = std::span<const int32_t>;

}  // namespace calque

/// A shape promise that is also documentation: `CHECK_SHAPE(x, {tokens, model})`. Throws
/// InternalError naming the tensor, the shape expected and the shape found.
#define CHECK_SHAPE(tensor, ...)                                                             \
  CALQUE_CHECK(((tensor).shape == ::calque::Shape __VA_ARGS__), "{} should be {} but is {}", \
               #tensor, (::calque::Shape __VA_ARGS__).to_string(), (tensor).shape.to_string())
