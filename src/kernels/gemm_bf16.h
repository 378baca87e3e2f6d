#pragma once

#include "kernels/gemm.h"

namespace calque::kernels {

/// Units of this binary and processor that multiply bfloat16 numbers themselves, fastest first.
std::vector<Bfloat16Unit> bfloat16_hardware();

/// The right operand, rounded and packed as the units read it, in memory of `arena`.
const Bfloat16* bf16_panels(const RightOperand<float>& right, Arena& arena);

/// The whole product c = op(a) op(b) + what c starts from by a unit of bfloat16_hardware(), on all
/// threads; as gemm, whose shapes were checked, with m, n and k all above 0.
/// Each element of c is a sum in float, in the order of the inner index: its bits depend on its row
/// of op(a), its column of op(b), k and the unit alone.
void bf16_gemm(Bfloat16Unit unit, ConstMatrixView<float> a, const RightOperand<float>& right,
               MatrixView<float> c, bool accumulate, const float* bias, Workspace& workspace);

/// The same on the calling thread alone: inside a task of a parallel loop.
void bf16_gemm_in_task(Bfloat16Unit unit, ConstMatrixView<float> a,
                       const RightOperand<float>& right, MatrixView<float> c, bool accumulate,
                       const float* bias, Arena& scratch);

}  // namespace calque::kernels
