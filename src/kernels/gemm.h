#pragma once

#include <string>
#include <vector>

#include "tensor/matrix_view.h"
#include "tensor/workspace.h"

namespace calque::kernels {

/// Who multiplies. Eigen is always there; oneDNN where it was found when building (float only: double
/// always goes to Eigen). Nothing outside gemm knows which one runs.
enum class GemmEngine { kEigen, kOneDnn };

/// Engines built into this binary, fastest first.
std::vector<GemmEngine> gemm_engines();
/// The engine in use: what CALQUE_GEMM (`eigen` or `onednn`) says, else the fastest built in. Throws
/// UserError when CALQUE_GEMM names something else or an engine that is not built in.
GemmEngine gemm_engine();
/// Changes the engine from now on (tests and benchmarks).
void set_gemm_engine(GemmEngine engine);
/// "oneDNN 2.6.3", "Eigen 3.4.0".
std::string gemm_engine_name(GemmEngine engine);

/// Which operand is transposed. The three products of a linear layer y = x W^T:
/// kNT forward (x, W), kNN the input's gradient (dy, W), kTN the weight's gradient (dy, x).
enum class GemmForm { kNN, kNT, kTN };

/// c = op(a) op(b), or c += with `accumulate`. Shapes: c is [m, n];
/// kNN: a [m, k], b [k, n]; kNT: a [m, k], b [n, k]; kTN: a [k, m], b [k, n].
/// With `bias` ([n], never together with `accumulate`) c = op(a) op(b) + bias on every row.
/// Cut into tiles by the shapes alone; each tile is one library call on one thread, and where the
/// inner size is cut, the parts are added in fixed order. So the number of threads changes no bit.
/// k = 0 gives zeros (or the bias). Throws InternalError when shapes do not fit.
template <class T>
void gemm(GemmForm form, ConstMatrixView<T> a, ConstMatrixView<T> b, MatrixView<T> c,
          bool accumulate, Workspace& workspace, const T* bias = nullptr);

}  // namespace calque::kernels
