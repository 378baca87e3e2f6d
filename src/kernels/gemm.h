#pragma once

#include <string>
#include <vector>

#include "kernels/bfloat16.h"
#include "tensor/matrix_view.h"
#include "tensor/workspace.h"

namespace calque::kernels {

/// Who multiplies: kernels of our own, or a library, to compare with. Eigen is always there, oneDNN
/// where it was found when building (float only: double goes to Eigen then). Nothing outside gemm
/// knows which one runs.
enum class GemmEngine { kCalque, kOneDnn, kEigen };

/// Engines built into this binary, our own first.
std::vector<GemmEngine> gemm_engines();
/// The engine in use: what CALQUE_GEMM (`calque`, `onednn` or `eigen`) says, else our own. Throws
/// UserError when CALQUE_GEMM names something else or an engine that is not built in.
GemmEngine gemm_engine();
/// Changes the engine from now on (tests and benchmarks).
void set_gemm_engine(GemmEngine engine);
/// Another engine for as long as it lives.
class GemmEngineScope {
 public:
  explicit GemmEngineScope(GemmEngine engine) : before_(gemm_engine()) { set_gemm_engine(engine); }
  ~GemmEngineScope() { set_gemm_engine(before_); }
  GemmEngineScope(const GemmEngineScope&) = delete;
  GemmEngineScope& operator=(const GemmEngineScope&) = delete;

 private:
  GemmEngine before_;
};
/// "Calque 0.1.0", "oneDNN 2.6.3", "Eigen 3.4.0".
std::string gemm_engine_name(GemmEngine engine);

/// What multiplies bfloat16 numbers: AMX or AVX512_BF16, or, for want of such, float32 arithmetic
/// on rounded operands, which is slower than float32 alone but rounds no differently.
enum class Bfloat16Unit { kAmx, kAvx512, kFloat32 };

/// Units that this binary and this processor have, the fastest first; kFloat32 is always there.
std::vector<Bfloat16Unit> bfloat16_units();
/// The unit in use: the fastest, with our own engine; the libraries multiply by kFloat32.
Bfloat16Unit bfloat16_unit();
/// Changes the unit of our own engine from now on (tests and benchmarks).
void set_bfloat16_unit(Bfloat16Unit unit);
/// "AMX", "AVX512_BF16", "float32 arithmetic".
std::string bfloat16_unit_name(Bfloat16Unit unit);

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
  const T* panels = nullptr;                  // packed for our own engine, or null
  const Bfloat16* bf16_panels = nullptr;      // packed for its bfloat16 units, or null
  const Int8Panels* int8 = nullptr;           // as integers, with precision kInt8

  bool is_packed() const { return panels != nullptr || bf16_panels != nullptr || int8 != nullptr; }
};

/// Prepares b, where the engine in use gains by it, for several products: in memory of `arena`.
/// Without it there are no products of precision kInt8, which are of form kNT, and always our own.
template <class T>
RightOperand<T> prepare_right(GemmForm form, ConstMatrixView<T> b, Precision precision,
                              Arena& arena);

/// c = op(a) op(b), or c += with `accumulate`. Shapes: c is [m, n];
/// kNN: a [m, k], b [k, n]; kNT: a [m, k], b [n, k]; kTN: a [k, m], b [k, n].
/// With `bias` ([n], never together with `accumulate`) c = op(a) op(b) + bias on every row.
/// The number of threads changes no bit: our own sums have an order that depends on k alone (of
/// kTN: on the sizes), and a library is called for tiles that depend on the shapes alone, each on
/// one thread. Of precision kBfloat16, a and b are rounded first, and the order depends on the
/// unit; of kInt8, which knows no `accumulate`, they are quantised first. k = 0 gives zeros (or the bias). Throws InternalError when shapes do not fit.
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
