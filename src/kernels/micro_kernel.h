#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/simd.h"

// The innermost loop of every matrix product of our own: a tile of the result stays in registers
// while the inner size runs by (Goto and van de Geijn 2008). Its loops over rows and vectors are
// unrolled by hand: GCC would do so too late to keep the sums out of memory before and behind it.

namespace calque::kernels {

/// Rows and vectors of columns of a full tile. The sums, the vectors of b and one value of a fill
/// the registers: 14 x 2 + 2 + 1 of AVX-512's 32, 6 x 2 + 2 + 1 of the 16 elsewhere.
inline constexpr int kTileRows = simd::kVectorBytes == 64 ? 14 : 6;
inline constexpr int kTileVectors = 2;
/// Columns of a full tile.
template <class T>
inline constexpr int64_t kTileCols = kTileVectors* simd::kLanes<T>;

/// What the rows of a product are added to: row r starts at data + r * stride. Without data: zeros;
/// with stride 0: one row for all, a bias.
template <class T>
struct Addend {
  const T* data = nullptr;
  int64_t stride = 0;
  Addend from(int64_t row, int64_t col) const {
    return data == nullptr ? *this : Addend{data + row * stride + col, stride};
  }
};

/// A vector, or with `Partial` its first `lanes` lanes (the others 0).
template <bool Partial, class T>
simd::Vec<T> read(const T* from, [[maybe_unused]] int64_t lanes) {
  if constexpr (Partial) {
    return simd::load_part(from, lanes, T(0));
  } else {
    return simd::load(from);
  }
}

/// sums[r][v] = sum over p < k of a[r * a_row_step + p * a_col_step] b[p * b_stride + v * lanes
/// ...]: each lane one sum in the order of p. With `Partial` only `lanes` columns of b exist. With
/// `FetchRows`, for a transposed a (a_row_step = 1), the values of the next tile's rows are fetched
/// on the way: a column of a is a new cache line at each step, which no hardware foresees.
template <int Rows, int Vectors, bool Partial, bool FetchRows = false, class T>
[[gnu::always_inline]] inline void multiply_tile(int64_t k, const T* a, int64_t a_row_step,
                                                 int64_t a_col_step, const T* b, int64_t b_stride,
                                                 int64_t lanes,
                                                 simd::Vec<T> (&sums)[Rows][Vectors]) {
  constexpr int64_t kStepsAhead = 12;  // b is fetched this early: about the second cache's latency
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < Vectors; ++v) sums[r][v] = simd::Vec<T>{};
  }
  for (int64_t p = 0; p < k; ++p, a += a_col_step, b += b_stride) {
    simd::Vec<T> right[Vectors];
#pragma GCC unroll 16
    for (int v = 0; v < Vectors; ++v) right[v] = read<Partial>(b + v * simd::kLanes<T>, lanes);
#pragma GCC unroll 16
    for (int v = 0; v < Vectors; ++v) {
      __builtin_prefetch(b + kStepsAhead * b_stride + v * simd::kLanes<T>);
    }
    if constexpr (FetchRows) __builtin_prefetch(a + 2 * Rows - 1);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      const simd::Vec<T> left = simd::broadcast(a[r * a_row_step]);
#pragma GCC unroll 16
      for (int v = 0; v < Vectors; ++v) sums[r][v] += left * right[v];
    }
  }
}

/// c[r] = addend[r] + sums[r], `cols` columns, full vectors where `Partial` is false.
template <int Rows, int Vectors, bool Partial, class T>
[[gnu::always_inline]] inline void store_tile(simd::Vec<T> (&sums)[Rows][Vectors], Addend<T> addend,
                                              T* c, int64_t c_stride,
                                              [[maybe_unused]] int64_t cols) {
  constexpr int64_t kLanes = simd::kLanes<T>;
  if (addend.data != nullptr) {
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
      for (int v = 0; v < Vectors; ++v) {
        const T* const from = addend.data + r * addend.stride + v * kLanes;
        const int64_t lanes = std::clamp<int64_t>(cols - v * kLanes, 0, kLanes);
        sums[r][v] += read<Partial>(from, lanes);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < Vectors; ++v) {
      T* const to = c + r * c_stride + v * kLanes;
      if constexpr (Partial) {
        simd::store_part(sums[r][v], to, std::clamp<int64_t>(cols - v * kLanes, 0, kLanes));
      } else {
        simd::store(sums[r][v], to);
      }
    }
  }
}

}  // namespace calque::kernels
