#pragma once

#include "kernels/gemm.h"

namespace calque::kernels {

/// The right operand, packed as the micro-kernel reads it, in memory of `arena`.
template <class T>
const T* packed_panels(const RightOperand<T>& right, Arena& arena);

/// The whole product c = op(a) op(b) + what c starts from, with kernels of our own, on all threads;
/// as gemm, whose shapes were checked, with m, n and k all above 0.
/// Each element of c is a sum in the order of the inner index, in blocks of a fixed size: its bits
/// depend on its row of op(a), its column of op(b) and k alone, not on its place, the other sizes
/// or the threads. A small c of form kTN is summed in two halves of the inner size, where the sizes
/// say so.
template <class T>
void packed_gemm(ConstMatrixView<T> a, const RightOperand<T>& right, MatrixView<T> c,
                 bool accumulate, const T* bias, Workspace& workspace);

/// weight_gradient (kernels/gemm.h), as packed_gemm. Where dweight is small, its sums are cut in
/// the middle of the tokens: their bits depend on all three sizes then.
template <class T>
void packed_weight_gradient(ConstMatrixView<T> dy, ConstMatrixView<T> x, MatrixView<T> dweight,
                            bool accumulate_weight, T* dbias, bool accumulate_bias,
                            Workspace& workspace);

/// packed_gemm on the calling thread alone: inside a task of a parallel loop.
template <class T>
void packed_gemm_in_task(ConstMatrixView<T> a, const RightOperand<T>& right, MatrixView<T> c,
                         bool accumulate, const T* bias, Arena& scratch);

}  // namespace calque::kernels
