#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "kernels/gemm.h"
#include "tensor/arena.h"

namespace calque::kernels {

/// Weights prepared as right operands (`prepare_right`), each once, for as long as their values
/// stay: those of an update's micro-batches, or of all that a model translates. Their products, and
/// those that give their gradients, are of one precision; with kInt8 there are no gradients.
template <class T>
class PreparedWeights {
 public:
  using OnPacked = std::function<void(ConstMatrixView<T>)>;

  /// For products by `unit` where they are of precision kFloat32: by default the one in use, which
  /// is the fastest for many rows; kVectors for few, as decoding multiplies, and for little memory.
  /// `on_packed`, when given, is called with each weight that was packed, and which products of
  /// form kNT, then the only ones, do not read any more where it lies.
  explicit PreparedWeights(Precision precision = Precision::kFloat32,
                           Float32Unit unit = float32_unit(), OnPacked on_packed = {})
      : precision_(precision), unit_(unit), on_packed_(std::move(on_packed)) {}

  Precision precision() const { return precision_; }
  /// `weight`, prepared at the first call for this form. It must not have changed since.
  RightOperand<T> right(GemmForm form, ConstMatrixView<T> weight);
  /// Weights have changed: prepare anew. Keeps the memory.
  void forget();
  Float32Unit unit() const { return unit_; }
  /// Forgets, and prepares for another unit from now on.
  void use(Float32Unit unit);
  size_t bytes() const { return arena_.peak(); }

 private:
  Precision precision_;
  Float32Unit unit_;
  OnPacked on_packed_;
  std::vector<RightOperand<T>> operands_;
  Arena arena_;
};

/// The right operand that `weight` is: prepared where somebody keeps it, else as it lies.
template <class T>
RightOperand<T> right_operand(PreparedWeights<T>* prepared, GemmForm form,
                              ConstMatrixView<T> weight) {
  return prepared == nullptr ? RightOperand<T>{form, weight} : prepared->right(form, weight);
}

/// Of the products that give a weight's gradient: the keeper's, or float32.
template <class T>
Precision precision(const PreparedWeights<T>* prepared) {
  return prepared == nullptr ? Precision::kFloat32 : prepared->precision();
}

}  // namespace calque::kernels
