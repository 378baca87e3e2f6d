#pragma once

#include "kernels/gemm.h"

namespace calque::kernels {

/// Units of this binary and processor that multiply bfloat16 numbers themselves, fastest first.
std::vector<Bfloat16Unit> bfloat16_hardware();

// Of precision kBfloat16 operands are rounded. Of precision kFloat32, for AMX alone, each number is
// split into three bfloat16 numbers that sum up to it, and of the nine products of two numbers'
// parts the six are added that a float can hold: what is left out is below 2^-24 of the product
// (Henry, Tang and Heinecke, "Leveraging the bfloat16 Artificial Intelligence Datatype For
// Higher-Precision Computations", 2019). So infinities, and numbers above 3.39e38, give NaN; numbers
// and products below 1e-31 lose last bits, and denormal ones are zero.

/// The right operand, rounded or split, packed as the units read it, in memory of `arena`.
const Bfloat16* bf16_panels(const RightOperand<float>& right, Arena& arena);

/// The whole product c = op(a) op(b) + what c starts from by a unit of bfloat16_hardware(), on all
/// threads; as gemm, whose shapes were checked, with m, n and k all above 0.
/// Each element of c is a sum in float, step by step of 32 inner indices, in each part by part: its
/// bits depend on its row of op(a), its column of op(b), k and the unit alone.
void bf16_gemm(Bfloat16Unit unit, ConstMatrixView<float> a, const RightOperand<float>& right,
               MatrixView<float> c, bool accumulate, const float* bias, Workspace& workspace);

/// weight_gradient (kernels/gemm.h), as bf16_gemm, of `precision`. Where dweight is small, its sums
/// are cut in the middle of the tokens: their bits depend on all three sizes then.
void bf16_weight_gradient(Bfloat16Unit unit, Precision precision, ConstMatrixView<float> dy,
                          ConstMatrixView<float> x, MatrixView<float> dweight,
                          bool accumulate_weight, float* dbias, bool accumulate_bias,
                          Workspace& workspace);

/// bf16_gemm on the calling thread alone: inside a task of a parallel loop.
void bf16_gemm_in_task(Bfloat16Unit unit, ConstMatrixView<float> a,
                       const RightOperand<float>& right, MatrixView<float> c, bool accumulate,
                       const float* bias, Arena& scratch);

}  // namespace calque::kernels
