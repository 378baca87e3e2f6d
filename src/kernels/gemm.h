#pragma once

#include "kernels/bfloat16.h"
#include "kernels/gemm_engine.h"
#include "tensor/matrix_view.h"
#include "tensor/workspace.h"

namespace calque::kernels {

/// Which operand is transposed. The three products of a linear layer y = x W^T:
/// kNT forward (x, W), kNN the input's gradient (dy, W), kTN the weight's gradient (dy, x).
enum class GemmForm { kNN, kNT, kTN };

struct Int8Panels;

/// The right operand of a product, as it lies in memory or prepared for many products.
template <class T>
struct RightOperand {
  GemmForm form;
  ConstMatrixView<T> b;
  Precision precision = Precision::kFloat32;  // of the product
  Float32Unit unit = float32_unit();          // with precision kFloat32, by our own engine
  const T* panels = nullptr;                  // packed for vectors, or null
  const Bfloat16* bf16_panels = nullptr;      // packed for AMX and AVX512_BF16, or null
  const Int8Panels* int8 = nullptr;           // as integers, with precision kInt8

  bool is_packed() const { return panels != nullptr || bf16_panels != nullptr || int8 != nullptr; }
};

/// Prepares b, where the engine in use gains by it, for several products: in memory of `arena`.
/// Without it there are no products of precision kInt8, which are of form kNT, and always our own.
template <class T>
RightOperand<T> prepare_right(GemmForm form, ConstMatrixView<T> b, Precision precision,
                              Arena& arena, Float32Unit unit = float32_unit());

/// Bytes of memory that each element of b takes about when it is prepared for our own engine; 0
/// where that is not done.
int64_t prepared_bytes(Precision precision, Float32Unit unit = float32_unit());

/// c = op(a) op(b), or c += with `accumulate`. Shapes: c is [m, n];
/// kNN: a [m, k], b [k, n]; kNT: a [m, k], b [n, k]; kTN: a [k, m], b [k, n].
/// With `bias` ([n], never together with `accumulate`) c = op(a) op(b) + bias on every row.
/// The number of threads changes no bit: our own sums have an order that depends on k and the unit
/// alone (of kTN: on the sizes), and a library is called for tiles that depend on the shapes alone,
/// each on one thread. Of precision kBfloat16, a and b are rounded first; of kInt8, which knows no
/// `accumulate`, they are quantised first. k = 0 gives zeros (or the bias). Throws InternalError
/// when shapes do not fit.
template <class T>
void gemm(ConstMatrixView<T> a, const RightOperand<T>& right, MatrixView<T> c, bool accumulate,
          Workspace& workspace, const T* bias = nullptr);

template <class T>
void gemm(GemmForm form, ConstMatrixView<T> a, ConstMatrixView<T> b, MatrixView<T> c,
          bool accumulate, Workspace& workspace, const T* bias = nullptr) {
  gemm<T>(a, RightOperand<T>{form, b}, c, accumulate, workspace, bias);
}

/// The gradients of a linear layer's weight and bias in one pass over dy: dweight = dy^T x, dbias =
/// the sum of dy's rows, each assigned or added to. dy: [tokens, out], x: [tokens, in], dweight:
/// [out, in], dbias: [out] or null when not wanted. `precision` is that of dy^T x.
template <class T>
void weight_gradient(ConstMatrixView<T> dy, ConstMatrixView<T> x, MatrixView<T> dweight,
                     bool accumulate_weight, T* dbias, bool accumulate_bias, Workspace& workspace,
                     Precision precision = Precision::kFloat32);

/// The same as `gemm` on the calling thread alone, for tasks of a parallel loop that multiply parts
/// of their own. With our own engine an element has the bits that `gemm` gives it.
template <class T>
void gemm_in_task(ConstMatrixView<T> a, const RightOperand<T>& right, MatrixView<T> c,
                  bool accumulate, Arena& scratch, const T* bias = nullptr);

}  // namespace calque::kernels
