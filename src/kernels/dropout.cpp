#include "kernels/dropout.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include <bit>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/simd.h"

namespace calque::kernels {
namespace {

/// Four vectors keep the multipliers busy; each lane computes one Philox counter.
constexpr int64_t kMostVectors = 4;
constexpr int64_t kLanes = simd::kLanes<uint64_t>;
constexpr int64_t kDrawsPerCounter = 8;
constexpr int64_t kDrawsPerVector = kLanes * kDrawsPerCounter;

/// Words of 32 bits, each in the low half of a lane. The high halves hold anything.
using Words = simd::Vec<uint64_t>;

/// words *= factor, low halves only: 64-bit products. Spelled out because GCC does not find the
/// instruction by itself; without it the plain product has the same value.
inline void multiply_low(Words& words, uint64_t factor) {
#if defined(__AVX512F__)
  words = std::bit_cast<Words>(_mm512_maskz_mul_epu32(
      0xFF, std::bit_cast<__m512i>(words), _mm512_set1_epi64(static_cast<int64_t>(factor))));
#elif defined(__AVX2__)
  words = std::bit_cast<Words>(_mm256_mul_epu32(std::bit_cast<__m256i>(words),
                                                _mm256_set1_epi64x(static_cast<int64_t>(factor))));
#else
  words = (words & 0xFFFFFFFFu) * factor;
#endif
}

/// The draws of the counters `first`, `first` + 1, ... of a row: base/random.h's random_words, many
/// at a time (Salmon et al. 2011, Philox4x32-10).
template <int64_t kVectors>
void draw(const RandomKey& key, uint32_t row, uint32_t first, uint16_t* draws) {
  Words c0[kVectors], c1[kVectors], c2[kVectors], c3[kVectors];
  for (int64_t v = 0; v < kVectors; ++v) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      c0[v][lane] = first + static_cast<uint64_t>(v * kLanes + lane);
    }
    c1[v] = Words{} + row;
    c2[v] = Words{} + key.stream;
    c3[v] = Words{} + key.micro_batch;
  }
  auto k0 = static_cast<uint32_t>(key.seed);
  auto k1 = static_cast<uint32_t>(key.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int64_t v = 0; v < kVectors; ++v) {
      multiply_low(c0[v], 0xD2511F53u);
      multiply_low(c2[v], 0xCD9E8D57u);
      const Words p0 = c0[v];
      const Words p1 = c2[v];
      c0[v] = (p1 >> 32) ^ c1[v] ^ k0;
      c2[v] = (p0 >> 32) ^ c3[v] ^ k1;
      c1[v] = p1;
      c3[v] = p0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  static_assert(std::endian::native == std::endian::little, "draws are halves, low half first");
  for (int64_t v = 0; v < kVectors; ++v) {
    const Words low = (c0[v] & 0xFFFFFFFFu) | (c1[v] << 32);
    const Words high = (c2[v] & 0xFFFFFFFFu) | (c3[v] << 32);
    uint64_t words[2 * kLanes];
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      words[2 * lane] = low[lane];
      words[2 * lane + 1] = high[lane];
    }
    std::memcpy(draws + v * kDrawsPerVector, words, sizeof(words));
  }
}

template <class T>
void check_shapes(ConstMatrixView<T> a, ConstMatrixView<T> b) {
  CALQUE_CHECK(a.rows == b.rows && a.cols == b.cols, "dropout between [{}, {}] and [{}, {}]",
               a.rows, a.cols, b.rows, b.cols);
}

}  // namespace

template <class T>
void dropout_factors(const Dropout& dropout, uint32_t row, uint32_t first_column, int64_t cols,
                     T* factors) {
  if (!dropout.active()) {
    std::fill_n(factors, cols, T{1});
    return;
  }
  CALQUE_CHECK(dropout.rate < 1, "dropout rate {}", dropout.rate);
  CALQUE_CHECK(first_column % kDrawsPerCounter == 0, "first column {}", first_column);
  const auto threshold = static_cast<int32_t>(std::lround(dropout.rate * 65536));
  const auto scale = static_cast<T>(1 / (1 - threshold / 65536.0));
  uint32_t counter = first_column / kDrawsPerCounter;
  for (int64_t begin = 0; begin < cols; begin += kMostVectors * kDrawsPerVector) {
    uint16_t draws[kMostVectors * kDrawsPerVector];
    const int64_t count = std::min(cols - begin, kMostVectors * kDrawsPerVector);
    if (count <= kDrawsPerVector) {
      draw<1>(dropout.key, row, counter, draws);
    } else if (count <= 2 * kDrawsPerVector) {
      draw<2>(dropout.key, row, counter, draws);
    } else {
      draw<kMostVectors>(dropout.key, row, counter, draws);
    }
    for (int64_t i = 0; i < count; ++i) {
      factors[begin + i] = draws[i] < threshold ? T{0} : scale;
    }
    counter += static_cast<uint32_t>(kMostVectors * kLanes);
  }
}

template <class T>
void add_dropout(ConstMatrixView<T> x, ConstMatrixView<T> f, const Dropout& dropout,
                 MatrixView<T> y) {
  check_shapes<T>(x, f);
  check_shapes<T>(x, y);
  parallel_rows(x.rows, x.cols, [&](int64_t begin_row, int64_t end_row, int) {
    for (int64_t r = begin_row; r < end_row; ++r) {
      for_each_dropout_chunk<T>(dropout, r, x.cols, [&](int64_t begin, int64_t count, T* values) {
        const T* const x_row = x.row(r) + begin;
        const T* const f_row = f.row(r) + begin;
        for (int64_t i = 0; i < count; ++i) values[i] = x_row[i] + f_row[i] * values[i];
        std::copy_n(values, count, y.row(r) + begin);
      });
    }
  });
}

template <class T>
void apply_dropout(ConstMatrixView<T> dy, const Dropout& dropout, MatrixView<T> dx,
                   bool accumulate) {
  if (accumulate) {
    add_dropout<T>(dx, dy, dropout, dx);
    return;
  }
  check_shapes<T>(dy, dx);
  parallel_rows(dy.rows, dy.cols, [&](int64_t begin_row, int64_t end_row, int) {
    for (int64_t r = begin_row; r < end_row; ++r) {
      for_each_dropout_chunk<T>(dropout, r, dy.cols, [&](int64_t begin, int64_t count, T* values) {
        const T* const dy_row = dy.row(r) + begin;
        for (int64_t i = 0; i < count; ++i) values[i] *= dy_row[i];
        std::copy_n(values, count, dx.row(r) + begin);
      });
    }
  });
}

#define CALQUE_INSTANTIATE(T)                                                       \
  template void dropout_factors(const Dropout&, uint32_t, uint32_t, int64_t, T*);   \
  template void add_dropout(ConstMatrixView<T>, ConstMatrixView<T>, const Dropout&, \
                            MatrixView<T>);                                         \
  template void apply_dropout(ConstMatrixView<T>, const Dropout&, MatrixView<T>, bool);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
