#pragma once

// The innermost loop of products with bfloat16 operands, and how their operands are packed. There
// is no portable way to say these instructions, so this file names them, as kernels/dropout.cpp
// does one; no other file of Calque does. AVX512_BF16 multiplies pairs of neighbouring inner
// indices, lane by lane; AMX multiplies whole squares of pairs in registers of its own (Intel 64
// and IA-32 Architectures Software Developer's Manual, volume 2: VDPBF16PS, TDPBF16PS). Both take
// the same packed operands.

#if defined(__AVX512BF16__) && defined(__AVX512BW__)
#define CALQUE_AVX512_BF16
#if defined(__AMX_BF16__) && defined(__AMX_TILE__) && defined(__linux__)
#define CALQUE_AMX
#endif

#include <immintrin.h>

#include <algorithm>
#include <atomic>

#include "kernels/bfloat16.h"
#include "kernels/micro_kernel.h"
#include "kernels/ranges.h"
#include "tensor/matrix_view.h"

namespace calque::kernels::bf16 {

/// A square: 16 x 16 pairs of neighbouring inner indices, what one AMX register holds.
/// Of the left operand: 16 rows of 16 pairs; of the right one: 16 pairs of 16 columns.
inline constexpr int64_t kSquare = 16;
inline constexpr int64_t kSquareSize = 2 * kSquare * kSquare;  // elements
/// The inner indices of a square; inner sizes are filled up to whole squares with zeros.
inline constexpr int64_t kStep = 2 * kSquare;
/// Rows and columns of a tile of the result: two squares each. Both operands are packed in the
/// order [tile, step, part, square of the tile].
inline constexpr int64_t kTile = 2 * kSquare;

/// What an operand's numbers are packed as: rounded to one bfloat16, or split into three that sum
/// up to it, each the rest of the one before, rounded: x = x_0 + x_1 + x_2, exactly (Henry, Tang
/// and Heinecke 2019).
inline constexpr int kRounded = 1;
inline constexpr int kSplit = 3;
template <int Parts>
inline constexpr int64_t kStepSize = Parts * 2 * kSquareSize;  // elements of a tile's step

/// Where the pairs of an operand lie: in a row of it, or in a column.
enum class Pairs { kInRows, kInColumns };

using SquareRows = simd::Vec<float>[kSquare];  // a pair a lane

inline __mmask16 first_lanes(int64_t count) {
  return static_cast<__mmask16>((1u << std::clamp<int64_t>(count, 0, kSquare)) - 1);
}

/// 16 values behind `from`, of which `count` exist.
template <bool Partial>
inline __m512 load_some(const float* from, [[maybe_unused]] int64_t count) {
  if constexpr (Partial) {
    return _mm512_maskz_loadu_ps(first_lanes(count), from);
  } else {
    return _mm512_loadu_ps(from);
  }
}

/// pairs[i][j] = (x(i, 2 j), x(i, 2 j + 1)), rounded; zeros outside x.
template <bool Partial>
inline void load_pairs_in_rows(ConstMatrixView<float> x, SquareRows& pairs) {
#pragma GCC unroll 16
  for (int64_t i = 0; i < kSquare; ++i) {
    if (Partial && i >= x.rows) {
      pairs[i] = simd::Vec<float>{};
      continue;
    }
    const float* const row = x.row(i);
    const __m512 low = load_some<Partial>(row, x.cols);
    const __m512 high = load_some<Partial>(row + kSquare, x.cols - kSquare);
    pairs[i] = (__m512)_mm512_cvtne2ps_pbh(high, low);
  }
}

/// pairs[i][j] = (x(2 i, j), x(2 i + 1, j)), rounded; zeros outside x.
template <bool Partial>
inline void load_pairs_in_columns(ConstMatrixView<float> x, SquareRows& pairs) {
  alignas(64) static constexpr uint16_t kInterleave[] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                         21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                         11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i order = _mm512_load_si512(kInterleave);
#pragma GCC unroll 16
  for (int64_t i = 0; i < kSquare; ++i) {
    const int64_t upper = Partial && 2 * i >= x.rows ? 0 : x.cols;
    const int64_t lower = Partial && 2 * i + 1 >= x.rows ? 0 : x.cols;
    const __m512 first = load_some<Partial>(x.row(2 * i), upper);
    const __m512 second = load_some<Partial>(x.row(2 * i + 1), lower);
    pairs[i] = (__m512)_mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(second, first));
  }
}

/// The square of op(x) that begins at x(0, 0), rounded: with rows of pairs in `to`, or transposed.
template <Pairs pairs, bool Transposed>
[[gnu::always_inline]] inline void pack_rounded_square(ConstMatrixView<float> x, bool whole,
                                                       Bfloat16* to) {
  constexpr bool kInRows = pairs == Pairs::kInRows;
  SquareRows square;
  if constexpr (kInRows) {
    whole ? load_pairs_in_rows<false>(x, square) : load_pairs_in_rows<true>(x, square);
  } else {
    whole ? load_pairs_in_columns<false>(x, square) : load_pairs_in_columns<true>(x, square);
  }
  if constexpr (Transposed) simd::transpose<float>(square);
  for (int64_t i = 0; i < kSquare; ++i) {
    _mm512_storeu_ps(to + i * kStep, square[i]);
  }
}

/// first[i][j] and second[i][j]: the numbers of pair (i, j), which are x(i, j) and x(i, j + 16),
/// or, in columns, x(i, j) and x(i + 16, j); zeros outside x. Which indices make a pair is free, as
/// long as both operands agree.
template <Pairs pairs, bool Partial>
inline void load_distant_pairs(ConstMatrixView<float> x, SquareRows& first, SquareRows& second) {
  constexpr bool kInRows = pairs == Pairs::kInRows;
  const auto load_row = [&](int64_t row, int64_t col) {
    if (Partial && row >= x.rows) return _mm512_setzero_ps();
    return load_some<Partial>(x.row(row) + col, x.cols - col);
  };
#pragma GCC unroll 16
  for (int64_t i = 0; i < kSquare; ++i) {
    first[i] = load_row(i, 0);
    second[i] = kInRows ? load_row(i, kSquare) : load_row(i + kSquare, 0);
  }
}

using Words = uint32_t __attribute__((vector_size(64)));
inline constexpr uint32_t kUpperHalf = 0xffff'0000;

/// The nearest bfloat16 of each, as a float; of two as near the larger one in magnitude.
inline simd::Vec<float> nearest_bfloat16(simd::Vec<float> x) {
  return std::bit_cast<simd::Vec<float>>((std::bit_cast<Words>(x) + 0x8000) & kUpperHalf);
}

/// Pairs of the upper halves of floats.
inline Words pairs_of_halves(simd::Vec<float> first, simd::Vec<float> second) {
  return (std::bit_cast<Words>(first) >> 16) | (std::bit_cast<Words>(second) & kUpperHalf);
}

/// As pack_rounded_square, split: the three parts go to squares `part_step` elements apart.
template <Pairs pairs, bool Transposed>
[[gnu::always_inline]] inline void pack_split_square(ConstMatrixView<float> x, bool whole,
                                                     Bfloat16* to, int64_t part_step) {
  SquareRows first, second;
  whole ? load_distant_pairs<pairs, false>(x, first, second)
        : load_distant_pairs<pairs, true>(x, first, second);
  if constexpr (Transposed) {
    simd::transpose<float>(first);
    simd::transpose<float>(second);
  }
#pragma GCC unroll 16
  for (int64_t i = 0; i < kSquare; ++i) {
    simd::Vec<float> low = first[i];
    simd::Vec<float> high = second[i];
#pragma GCC unroll 3
    for (int64_t part = 0; part < kSplit; ++part) {
      // What is left for the last part is a bfloat16 as it is.
      const simd::Vec<float> low_part = part < kSplit - 1 ? nearest_bfloat16(low) : low;
      const simd::Vec<float> high_part = part < kSplit - 1 ? nearest_bfloat16(high) : high;
      const Words halves = pairs_of_halves(low_part, high_part);
      std::memcpy(to + part * part_step + i * kStep, &halves, sizeof(halves));
      low -= low_part;
      high -= high_part;
    }
  }
}

/// Neighbouring tiles of an operand, all their steps: x has their rows (of the left operand) or
/// columns (of the right one) and the inner size, whichever way round. The rows of squares that no
/// row of the left operand needs stay as they are. Goes through x in the order of its memory.
template <int Parts, Pairs pairs, bool AsLeft>
inline void pack_tiles(ConstMatrixView<float> x, Bfloat16* to) {
  constexpr bool kInRows = pairs == Pairs::kInRows;
  const int64_t steps = pieces(kInRows ? x.cols : x.rows, kStep);
  const int64_t width = kInRows ? x.rows : x.cols;
  const int64_t unit = AsLeft ? kSquare : kTile;
  const int64_t squares = pieces(width, unit) * unit / kSquare;
  const auto pack = [&](int64_t square, int64_t step) {
    const int64_t row = std::min(kInRows ? square * kSquare : step * kStep, x.rows);
    const int64_t col = std::min(kInRows ? step * kStep : square * kSquare, x.cols);
    const ConstMatrixView<float> from =
        x.row_range(row, x.rows - row).column_range(col, x.cols - col);
    const bool whole =
        from.rows >= (kInRows ? kSquare : kStep) && from.cols >= (kInRows ? kStep : kSquare);
    Bfloat16* const into =
        to + (square / 2 * steps + step) * kStepSize<Parts> + square % 2 * kSquareSize;
    if constexpr (Parts == kSplit) {
      pack_split_square<pairs, kInRows != AsLeft>(from, whole, into, 2 * kSquareSize);
    } else {
      pack_rounded_square<pairs, kInRows != AsLeft>(from, whole, into);
    }
  };
  if constexpr (kInRows) {
    for (int64_t square = 0; square < squares; ++square) {
      for (int64_t step = 0; step < steps; ++step) pack(square, step);
    }
  } else {
    for (int64_t step = 0; step < steps; ++step) {
      for (int64_t square = 0; square < squares; ++square) pack(square, step);
    }
  }
}

/// c = addend + left right, of Rows <= 2 squares of rows and a whole tile of columns: with
/// AVX512_BF16, 8 rows at a time.
template <int Rows>
inline void multiply_by_vectors(int64_t steps, const Bfloat16* left, const Bfloat16* right,
                                Addend<float> addend, float* c, int64_t c_stride) {
  constexpr int64_t kRows = 8;
  for (int64_t row = 0; row < Rows * kSquare; row += kRows) {
    __m512 sums[kRows][2];
    for (int64_t r = 0; r < kRows; ++r) {
      for (int64_t v = 0; v < 2; ++v) {
        sums[r][v] = addend.data == nullptr
                         ? _mm512_setzero_ps()
                         : _mm512_loadu_ps(addend.data + (row + r) * addend.stride + v * kSquare);
      }
    }
    for (int64_t step = 0; step < steps; ++step) {
      const Bfloat16* const from = left + step * kStepSize<kRounded> + row * kStep;
      const Bfloat16* const squares = right + step * kStepSize<kRounded>;
      for (int64_t pair = 0; pair < kSquare; ++pair) {
        const auto first = (__m512bh)_mm512_loadu_ps(squares + pair * kStep);
        const auto second = (__m512bh)_mm512_loadu_ps(squares + kSquareSize + pair * kStep);
#pragma GCC unroll 8
        for (int64_t r = 0; r < kRows; ++r) {
          int32_t values;
          std::memcpy(&values, from + r * kStep + 2 * pair, sizeof(values));
          const auto both = (__m512bh)_mm512_set1_epi32(values);
          sums[r][0] = _mm512_dpbf16_ps(sums[r][0], both, first);
          sums[r][1] = _mm512_dpbf16_ps(sums[r][1], both, second);
        }
      }
    }
    for (int64_t r = 0; r < kRows; ++r) {
      for (int64_t v = 0; v < 2; ++v) {
        _mm512_storeu_ps(c + (row + r) * c_stride + v * kSquare, sums[r][v]);
      }
    }
  }
}

#ifdef CALQUE_AMX

/// The registers of AMX in use by this thread: all 8, of a square each.
class AmxRegisters {
 public:
  AmxRegisters() {
    struct alignas(64) Configuration {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t row_bytes[16] = {};
      uint8_t rows[16] = {};
    } configuration;
    std::fill_n(configuration.row_bytes, 8, uint16_t{2 * kStep});
    std::fill_n(configuration.rows, 8, uint8_t{kSquare});
    _tile_loadconfig(&configuration);
  }
  ~AmxRegisters() { _tile_release(); }
  AmxRegisters(const AmxRegisters&) = delete;
  AmxRegisters& operator=(const AmxRegisters&) = delete;
};

/// Adds the products of Rows squares of rows and two of columns to the sums. Without `LoadLeft` the
/// left squares are still in their registers.
template <int Rows, bool LoadLeft>
[[gnu::always_inline]] inline void multiply_squares(const Bfloat16* left, const Bfloat16* right) {
  if constexpr (LoadLeft) _tile_loadd(4, left, 2 * kStep);
  if constexpr (LoadLeft && Rows > 1) _tile_loadd(5, left + kSquareSize, 2 * kStep);
  _tile_loadd(6, right, 2 * kStep);
  _tile_dpbf16ps(0, 4, 6);
  if constexpr (Rows > 1) _tile_dpbf16ps(2, 5, 6);
  _tile_loadd(7, right + kSquareSize, 2 * kStep);
  _tile_dpbf16ps(1, 4, 7);
  if constexpr (Rows > 1) _tile_dpbf16ps(3, 5, 7);
}

/// One step of the inner size. Of numbers in three parts there are six products that a float can
/// hold, the smallest first; the other three are below its last bit.
template <int Rows, int Parts>
[[gnu::always_inline]] inline void multiply_step(const Bfloat16* left, const Bfloat16* right) {
  constexpr int64_t kPart = 2 * kSquareSize;
  if constexpr (Parts == kSplit) {
    multiply_squares<Rows, true>(left + 2 * kPart, right);
    multiply_squares<Rows, true>(left + kPart, right + kPart);
    multiply_squares<Rows, false>(left + kPart, right);
    multiply_squares<Rows, true>(left, right + 2 * kPart);
    multiply_squares<Rows, false>(left, right + kPart);
    multiply_squares<Rows, false>(left, right);
  } else {
    multiply_squares<Rows, true>(left, right);
  }
}

/// As multiply_by_vectors. Registers: 0 to 3 the sums, 4 and 5 the left squares, 6 and 7 the right.
template <int Rows, int Parts>
inline void multiply_by_squares(int64_t steps, const Bfloat16* left, const Bfloat16* right,
                                Addend<float> addend, float* c, int64_t c_stride) {
  constexpr int64_t kBytes = sizeof(float);
  // GCC's intrinsics do not say that they read memory.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (addend.data == nullptr) {
    _tile_zero(0);
    _tile_zero(1);
    if constexpr (Rows > 1) _tile_zero(2);
    if constexpr (Rows > 1) _tile_zero(3);
  } else {
    const float* const lower = addend.data + kSquare * addend.stride;
    _tile_loadd(0, addend.data, addend.stride * kBytes);
    _tile_loadd(1, addend.data + kSquare, addend.stride * kBytes);
    if constexpr (Rows > 1) _tile_loadd(2, lower, addend.stride * kBytes);
    if constexpr (Rows > 1) _tile_loadd(3, lower + kSquare, addend.stride * kBytes);
  }
  for (int64_t step = 0; step < steps; ++step) {
    multiply_step<Rows, Parts>(left + step * kStepSize<Parts>, right + step * kStepSize<Parts>);
  }
  float* const lower = c + kSquare * c_stride;
  _tile_stored(0, c, c_stride * kBytes);
  _tile_stored(1, c + kSquare, c_stride * kBytes);
  if constexpr (Rows > 1) _tile_stored(2, lower, c_stride * kBytes);
  if constexpr (Rows > 1) _tile_stored(3, lower + kSquare, c_stride * kBytes);
}

#endif  // CALQUE_AMX

}  // namespace calque::kernels::bf16

#endif  // AVX512_BF16
