#pragma once

#include <bit>
#include <cstdint>

#include "tensor/matrix_view.h"

namespace calque::kernels {

/// What the operands of a matrix product are rounded to before they are multiplied; sums are in the
/// scalar. kFloat32 stands for the scalar as it is. kInt8 is for prepared weights (kernels/
/// gemm_int8.h).
enum class Precision { kFloat32, kBfloat16, kInt8 };

/// The upper half of a float: its range, with 8 bits of precision instead of 24.
struct Bfloat16 {
  uint16_t bits;
};

inline float to_float(Bfloat16 x) { return std::bit_cast<float>(uint32_t{x.bits} << 16); }

/// The nearest one, of two as near the even one, as the processors' instructions round: what is
/// smaller than a normal float becomes a zero of its sign, and NaN stays NaN.
inline Bfloat16 to_bfloat16(float x) {
  constexpr uint32_t kSign = 0x8000'0000, kInfinity = 0x7f80'0000, kQuiet = 0x0040'0000;
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  const uint32_t size = bits & ~kSign;
  uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
  rounded = size < 0x0080'0000 ? bits & kSign : rounded;
  rounded = size > kInfinity ? bits | kQuiet : rounded;
  return {static_cast<uint16_t>(rounded >> 16)};
}

/// to = x, each element rounded to bfloat16. T is the scalar.
template <class T>
void round_to_bfloat16(ConstMatrixView<T> x, MatrixView<T> to);

}  // namespace calque::kernels
