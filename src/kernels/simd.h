#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

/// SIMD that names no instruction set: the compilers' vector extensions at the width of the machine
/// compiled for. An operation acts on every lane alone, so the bits of an element do not depend on
/// the lane it lies in.
namespace calque::kernels::simd {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
#elif defined(__AVX__)
inline constexpr int kVectorBytes = 32;
#else
inline constexpr int kVectorBytes = 16;
#endif

template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(kVectorBytes)));
};
/// kLanes<T> values side by side.
template <class T>
using Vec = typename VectorOf<T>::type;

/// Whole numbers as wide as T, one for each lane of a Vec<T>: what comparing those gives, and what
/// `mask ? a : b` takes.
template <class T>
using Integer = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
template <class T>
using Mask = Vec<Integer<T>>;

template <class T>
inline constexpr int64_t kLanes = kVectorBytes / static_cast<int64_t>(sizeof(T));

/// `count` rounded up to whole vectors.
template <class T>
constexpr int64_t padded(int64_t count) {
  return (count + kLanes<T> - 1) / kLanes<T> * kLanes<T>;
}

template <class T>
inline Vec<T> broadcast(T value) {
  return value - Vec<T>{};  // the compiler drops a - 0, but not a + 0, which changes -0
}

template <class T>
inline Vec<T> load(const T* from) {
  Vec<T> v;
  std::memcpy(&v, from, sizeof(v));
  return v;
}

template <class T>
inline void store(Vec<T> v, T* to) {
  std::memcpy(to, &v, sizeof(v));
}

/// The first `count` lanes from memory, `fill` in the others.
template <class T>
inline Vec<T> load_part(const T* from, int64_t count, T fill) {
  Vec<T> v = broadcast(fill);
  std::memcpy(&v, from, static_cast<size_t>(count) * sizeof(T));
  return v;
}

template <class T>
inline void store_part(Vec<T> v, T* to, int64_t count) {
  std::memcpy(to, &v, static_cast<size_t>(count) * sizeof(T));
}

template <class T>
inline Vec<T> max(Vec<T> a, Vec<T> b) {
  return a > b ? a : b;
}

/// The sum of all lanes, halves first: a fixed order.
template <class T>
inline T sum_lanes(Vec<T> v) {
  T lanes[kLanes<T>];
  store(v, lanes);
  for (int64_t half = kLanes<T> / 2; half > 0; half /= 2) {
    for (int64_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

template <class T>
inline T max_lane(Vec<T> v) {
  T result = v[0];
  for (int64_t i = 1; i < kLanes<T>; ++i) result = v[i] > result ? v[i] : result;
  return result;
}

namespace detail {

/// One step of a transposition: blocks of `Step` lanes change places between a (its odd blocks) and
/// b (its even ones).
template <int Step, class T, size_t... Lane>
inline void exchange_blocks(Vec<T>& a, Vec<T>& b, std::index_sequence<Lane...>) {
  constexpr size_t kCount = sizeof...(Lane);
  const Vec<T> first =
      __builtin_shufflevector(a, b, ((Lane & Step) != 0 ? kCount + (Lane ^ Step) : Lane)...);
  b = __builtin_shufflevector(a, b, ((Lane & Step) != 0 ? kCount + Lane : Lane ^ Step)...);
  a = first;
}

template <int Step, class T>
inline void transpose_steps(Vec<T> (&rows)[kLanes<T>]) {
  if constexpr (Step < kLanes<T>) {
    for (int64_t i = 0; i < kLanes<T>; ++i) {
      if ((i & Step) == 0) {
        exchange_blocks<Step, T>(rows[i], rows[i + Step], std::make_index_sequence<kLanes<T>>());
      }
    }
    transpose_steps<2 * Step, T>(rows);
  }
}

}  // namespace detail

/// Transposes a square of kLanes x kLanes in registers.
template <class T>
inline void transpose(Vec<T> (&rows)[kLanes<T>]) {
  detail::transpose_steps<1, T>(rows);
}

/// Lane i holds i.
template <class T>
inline Vec<T> lane_numbers() {
  Vec<T> numbers{};
  for (int64_t lane = 0; lane < kLanes<T>; ++lane) numbers[lane] = static_cast<T>(lane);
  return numbers;
}

/// e^x within 2 units in the last place: x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial for e^r
/// (coefficients of Cephes' expf), times 2^n. Exact 0 below -87.3 (where floats stop being normal)
/// and for -infinity, infinity above 88.3; NaN stays NaN.
inline Vec<float> exp(Vec<float> x) {
  typedef int32_t Ints __attribute__((vector_size(kVectorBytes)));
  constexpr float kLowest = -87.3f;
  constexpr float kHighest = 88.3f;
  constexpr float kLog2E = 1.44269504f;
  constexpr float kLn2High = 0.693359375f;  // few bits: its product with n is exact
  constexpr float kLn2Low = -2.12194440e-4f;
  constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
  const Vec<float> rounded = x * kLog2E + kRounder;
  const Vec<float> n = rounded - kRounder;
  const Vec<float> r = (x - n * kLn2High) - n * kLn2Low;
  Vec<float> p = broadcast(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  constexpr int32_t kExponentBias = 127;
  constexpr int32_t kMantissaBits = 23;
  const Ints whole = std::bit_cast<Ints>(rounded) - std::bit_cast<int32_t>(kRounder);
  const Vec<float> power = std::bit_cast<Vec<float>>((whole + kExponentBias) << kMantissaBits);
  const Vec<float> result = p * power;
  const Vec<float> bounded =
      x > kHighest ? broadcast(std::numeric_limits<float>::infinity()) : result;
  return x < kLowest ? Vec<float>{} : bounded;
}

inline Vec<double> exp(Vec<double> x) {
  for (int64_t i = 0; i < kLanes<double>; ++i) x[i] = std::exp(x[i]);
  return x;
}

/// The natural logarithm of normal positive numbers within 2 units in the last place: x = 2^n m
/// with m from sqrt(1/2) to sqrt(2), a polynomial for log m (coefficients of Cephes' logf).
inline Vec<float> log(Vec<float> x) {
  typedef int32_t Ints __attribute__((vector_size(kVectorBytes)));
  constexpr int32_t kMantissaBits = 23;
  constexpr int32_t kRootOfHalf = 0x3F3504F3;  // as a float
  constexpr float kLn2High = 0.693359375f;
  constexpr float kLn2Low = -2.12194440e-4f;
  const Ints n = (std::bit_cast<Ints>(x) - kRootOfHalf) >> kMantissaBits;
  const Vec<float> r =
      std::bit_cast<Vec<float>>(std::bit_cast<Ints>(x) - (n << kMantissaBits)) - 1.0f;
  const Vec<float> whole = __builtin_convertvector(n, Vec<float>);
  Vec<float> p = broadcast(7.0376836292e-2f);
  p = p * r - 1.1514610310e-1f;
  p = p * r + 1.1676998740e-1f;
  p = p * r - 1.2420140846e-1f;
  p = p * r + 1.4249322787e-1f;
  p = p * r - 1.6668057665e-1f;
  p = p * r + 2.0000714765e-1f;
  p = p * r - 2.4999993993e-1f;
  p = p * r + 3.3333331174e-1f;
  const Vec<float> square = r * r;
  return whole * kLn2High + (r + (whole * kLn2Low + (p * r - 0.5f) * square));
}

inline Vec<double> log(Vec<double> x) {
  for (int64_t i = 0; i < kLanes<double>; ++i) x[i] = std::log(x[i]);
  return x;
}

/// tanh within a few units in the last place of 1.
template <class V>
inline V tanh(V x) {
  return 1 - 2 / (exp(x * 2) + 1);
}

}  // namespace calque::kernels::simd
