#pragma once

#include "kernels/gemm.h"

namespace calque::kernels {

/// What multiplies int8 numbers: AVX512_VNNI, which takes them four at a time, or 16-bit arithmetic
/// on widened operands. Sums are exact in 32 bits, so both give the same bits.
enum class Int8Unit { kVnni, kWide };

/// Units that this binary has, the fastest first; kWide is always there.
std::vector<Int8Unit> int8_units();
/// The unit in use: the fastest.
Int8Unit int8_unit();
/// Changes the unit from now on (tests and benchmarks). What was packed for another is void.
void set_int8_unit(Int8Unit unit);

/// A weight [n, k] as 8-bit integers: row r is scales[r] * q, -127 <= q <= 127, packed as the unit
/// in use reads it.
struct Int8Panels {
  const void* panels;
  const float* scales;     // [n]
  const int32_t* offsets;  // [n]: 128 * the row's sum of q, which kVnni's unsigned operand adds
};

/// The right operand of form kNT, quantised and packed, in memory of `arena`.
const Int8Panels* int8_panels(const RightOperand<float>& right, Arena& arena);

/// c = a b^T + bias, of form kNT with right.int8 and without `accumulate`, on all threads: each row
/// of a is quantised to scale * q, -127 <= q <= 127, by its own largest value (Jacob et al. 2018,
/// the symmetric case); the integers are multiplied and added exactly, then scaled. The bits of an
/// element depend on its rows of a and b alone.
void int8_gemm(ConstMatrixView<float> a, const RightOperand<float>& right, MatrixView<float> c,
               const float* bias, Workspace& workspace);

/// The same on the calling thread alone: inside a task of a parallel loop.
void int8_gemm_in_task(ConstMatrixView<float> a, const RightOperand<float>& right,
                       MatrixView<float> c, const float* bias, Arena& scratch);

}  // namespace calque::kernels
