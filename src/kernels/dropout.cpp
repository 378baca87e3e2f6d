#include "kernels/dropout.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include <bit>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/parallel.h"
#include "kernels/ranges.h"
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

/// The four words of a Philox counter, for one counter a lane; they become its random words.
struct Counters {
  Words words[4];
};

/// base/random.h's random_words, many at a time (Salmon et al. 2011, Philox4x32-10). Words 0 and 1
/// are given: the column and the row.
template <int64_t kVectors>
[[gnu::always_inline]] inline void draw(const RandomKey& key, Counters (&counters)[kVectors]) {
  Words c0[kVectors], c1[kVectors], c2[kVectors], c3[kVectors];
  for (int64_t v = 0; v < kVectors; ++v) {
    c0[v] = counters[v].words[0];
    c1[v] = counters[v].words[1];
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
  for (int64_t v = 0; v < kVectors; ++v) counters[v] = {{c0[v], c1[v], c2[v], c3[v]}};
}

static_assert(std::endian::native == std::endian::little, "draws are halves, low half first");

/// Words `low` and `high` of every counter side by side.
inline Words pairs(Words low, Words high) { return (low & 0xFFFFFFFFu) | (high << 32); }

/// The draws of the counters `first`, `first` + 1, ... of a row.
template <int64_t kVectors>
void draw_row(const RandomKey& key, uint32_t row, uint32_t first, uint16_t* draws) {
  Counters counters[kVectors];
  for (int64_t v = 0; v < kVectors; ++v) {
    counters[v].words[0] =
        simd::lane_numbers<uint64_t>() + (first + static_cast<uint64_t>(v * kLanes));
    counters[v].words[1] = Words{} + row;
  }
  draw(key, counters);
  for (int64_t v = 0; v < kVectors; ++v) {
    const Words(&c)[4] = counters[v].words;
    const Words low = pairs(c[0], c[1]);
    const Words high = pairs(c[2], c[3]);
    uint64_t words[2 * kLanes];
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      words[2 * lane] = low[lane];
      words[2 * lane + 1] = high[lane];
    }
    std::memcpy(draws + v * kDrawsPerVector, words, sizeof(words));
  }
}

/// What draws become.
template <class T>
struct Factors {
  int32_t threshold;  // draws below it drop
  T scale;            // of what is kept

  explicit Factors(const Dropout& dropout)
      : threshold(static_cast<int32_t>(std::lround(dropout.rate * 65536))),
        scale(static_cast<T>(1 / (1 - threshold / 65536.0))) {
    CALQUE_CHECK(dropout.rate < 1, "dropout rate {}", dropout.rate);
  }
};

/// Columns of one vector of counters in a tile, and the rows of each.
constexpr int64_t kTileDraws = 2 * kLanes;
constexpr int64_t kTileGroup = 4;

/// The draws of a tile's row, one in 32 bits, as factors.
template <class T>
inline void store_factors(const Factors<T>& factors, simd::Vec<int32_t> draws, T* to) {
  if constexpr (simd::kLanes<T> == simd::kLanes<int32_t>) {
    simd::store<T>(draws < factors.threshold ? simd::Vec<T>{} : simd::broadcast(factors.scale), to);
  } else {
    for (int64_t i = 0; i < kTileDraws; ++i) {
      to[i] = draws[i] < factors.threshold ? T{0} : factors.scale;
    }
  }
}

/// Where a vector of counters lies in a tile.
struct TilePlace {
  int64_t row = 0, col = 0;
  void advance(int64_t cols) {
    col += kTileDraws;
    if (col >= cols) {
      col = 0;
      row += kTileGroup;
    }
  }
};

/// The factors of `kVectors` vectors of counters from `place` on, which moves behind them.
template <int64_t kVectors, class T>
void fill_tile(const RandomKey& key, uint32_t row, uint32_t column, const Factors<T>& factors,
               int64_t cols, TilePlace& place, T* tile, int64_t stride) {
  Counters counters[kVectors];
  T* targets[kVectors];
  for (int64_t v = 0; v < kVectors; ++v) {
    counters[v].words[0] =
        simd::lane_numbers<uint64_t>() + (column + static_cast<uint64_t>(place.col)) / 2;
    counters[v].words[1] = Words{} + (row + static_cast<uint64_t>(place.row));
    targets[v] = tile + place.row * stride + place.col;
    place.advance(cols);
  }
  draw(key, counters);
  typedef uint32_t Halves __attribute__((vector_size(simd::kVectorBytes)));
  for (int64_t v = 0; v < kVectors; ++v) {
    for (int64_t half = 0; half < 2; ++half) {
      const auto words = std::bit_cast<Halves>(
          pairs(counters[v].words[2 * half], counters[v].words[2 * half + 1]));
      T* const to = targets[v] + 2 * half * stride;
      store_factors(factors, std::bit_cast<simd::Vec<int32_t>>(words & 0xFFFFu), to);
      store_factors(factors, std::bit_cast<simd::Vec<int32_t>>(words >> 16), to + stride);
    }
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
  CALQUE_CHECK(first_column % kDrawsPerCounter == 0, "first column {}", first_column);
  const Factors<T> wanted(dropout);
  uint32_t counter = first_column / kDrawsPerCounter;
  for (int64_t begin = 0; begin < cols; begin += kMostVectors * kDrawsPerVector) {
    uint16_t draws[kMostVectors * kDrawsPerVector];
    const int64_t count = std::min(cols - begin, kMostVectors * kDrawsPerVector);
    if (count <= kDrawsPerVector) {
      draw_row<1>(dropout.key, row, counter, draws);
    } else if (count <= 2 * kDrawsPerVector) {
      draw_row<2>(dropout.key, row, counter, draws);
    } else {
      draw_row<kMostVectors>(dropout.key, row, counter, draws);
    }
    for (int64_t i = 0; i < count; ++i) {
      factors[begin + i] = draws[i] < wanted.threshold ? T{0} : wanted.scale;
    }
    counter += static_cast<uint32_t>(kMostVectors * kLanes);
  }
}

template <class T>
void dropout_tile(const Dropout& dropout, uint32_t row, uint32_t column, int64_t rows, int64_t cols,
                  T* factors, int64_t stride) {
  CALQUE_CHECK(dropout.active() && column % 2 == 0, "rate {}, column {}", dropout.rate, column);
  const Factors<T> wanted(dropout);
  int64_t left = pieces(rows, kTileGroup) * pieces(cols, kTileDraws);
  TilePlace place;
  const auto fill = [&]<int64_t kVectors>() {
    fill_tile<kVectors>(dropout.key, row, column, wanted, cols, place, factors, stride);
    left -= kVectors;
  };
  while (left >= kMostVectors) fill.template operator()<kMostVectors>();
  while (left > 0) fill.template operator()<1>();
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

#define CALQUE_INSTANTIATE(T)                                                                    \
  template void dropout_factors(const Dropout&, uint32_t, uint32_t, int64_t, T*);                \
  template void dropout_tile(const Dropout&, uint32_t, uint32_t, int64_t, int64_t, T*, int64_t); \
  template void add_dropout(ConstMatrixView<T>, ConstMatrixView<T>, const Dropout&,              \
                            MatrixView<T>);                                                      \
  template void apply_dropout(ConstMatrixView<T>, const Dropout&, MatrixView<T>, bool);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
