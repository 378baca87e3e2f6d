#pragma once

// The innermost loop of products with int8 operands. There is no portable way to say these
// instructions, so this file names them (Intel 64 and IA-32 Architectures Software Developer's
// Manual, volume 2: VPDPBUSD, VPMADDWD). A unit says how operands lie, and multiplies groups of
// neighbouring inner indices, which a lane adds up: the packed right operand is
// [panel of kCols columns][group][column][kGroup], the left one rows of groups.

#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
#define CALQUE_VNNI
#endif
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace calque::kernels::int8 {

#ifdef CALQUE_VNNI

/// Unsigned bytes times signed bytes: the left operand is stored with 128 added.
struct Vnni {
  using Left = uint8_t;
  using Right = int8_t;
  static constexpr int kGroup = 4;
  static constexpr int kRows = 14;
  static constexpr int kCols = 32;
  static constexpr int32_t kShift = 128;

  template <int Rows>
  static void multiply(int64_t groups, const Left* left, int64_t left_stride, const Right* panel,
                       int32_t* sums) {
    __m512i acc[Rows][2];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) acc[r][0] = acc[r][1] = _mm512_setzero_si512();
    for (int64_t g = 0; g < groups; ++g, left += kGroup, panel += kCols * kGroup) {
      const __m512i first = _mm512_loadu_si512(panel);
      const __m512i second = _mm512_loadu_si512(panel + 64);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        int32_t four;
        std::memcpy(&four, left + r * left_stride, sizeof(four));
        const __m512i both = _mm512_set1_epi32(four);
        acc[r][0] = _mm512_dpbusd_epi32(acc[r][0], both, first);
        acc[r][1] = _mm512_dpbusd_epi32(acc[r][1], both, second);
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      _mm512_storeu_si512(sums + r * kCols, acc[r][0]);
      _mm512_storeu_si512(sums + r * kCols + 16, acc[r][1]);
    }
  }
};

#endif

/// 16-bit operands, in pairs: no product of two bytes, nor the sum of two, is ever too large.
struct Wide {
  using Left = int16_t;
  using Right = int16_t;
  static constexpr int kGroup = 2;
  static constexpr int kRows = 6;
  static constexpr int kCols = 16;
  static constexpr int32_t kShift = 0;

  template <int Rows>
  static void multiply(int64_t groups, const Left* left, int64_t left_stride, const Right* panel,
                       int32_t* sums) {
#ifdef __AVX2__
    __m256i acc[Rows][2];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) acc[r][0] = acc[r][1] = _mm256_setzero_si256();
    for (int64_t g = 0; g < groups; ++g, left += kGroup, panel += kCols * kGroup) {
      const auto* const from = reinterpret_cast<const __m256i*>(panel);
      const __m256i first = _mm256_loadu_si256(from);
      const __m256i second = _mm256_loadu_si256(from + 1);
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        int32_t pair;
        std::memcpy(&pair, left + r * left_stride, sizeof(pair));
        const __m256i both = _mm256_set1_epi32(pair);
        acc[r][0] = _mm256_add_epi32(acc[r][0], _mm256_madd_epi16(both, first));
        acc[r][1] = _mm256_add_epi32(acc[r][1], _mm256_madd_epi16(both, second));
      }
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      auto* const to = reinterpret_cast<__m256i*>(sums + r * kCols);
      _mm256_storeu_si256(to, acc[r][0]);
      _mm256_storeu_si256(to + 1, acc[r][1]);
    }
#else
    std::fill_n(sums, Rows * kCols, 0);
    for (int64_t g = 0; g < groups; ++g, left += kGroup, panel += kCols * kGroup) {
      for (int r = 0; r < Rows; ++r) {
        const Left* const pair = left + r * left_stride;
        for (int c = 0; c < kCols; ++c) {
          sums[r * kCols + c] += pair[0] * panel[2 * c] + pair[1] * panel[2 * c + 1];
        }
      }
    }
#endif
  }
};

}  // namespace calque::kernels::int8
