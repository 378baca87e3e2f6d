#include "kernels/row_math.h"

#include <algorithm>
#include <limits>

#include "kernels/simd.h"

namespace calque::kernels {
namespace {

using simd::kLanes;
using simd::Vec;

/// Float lanes take this many values before they are added up in double.
constexpr int64_t kValuesPerSum = 1024;

/// Calls `step(v, from, lanes)` for every vector of the row; the last may be shorter, and holds
/// `fill` in its free lanes.
template <class T, class Step>
void for_vectors(const T* x, int64_t count, T fill, const Step& step) {
  int64_t i = 0;
  for (; i + kLanes<T> <= count; i += kLanes<T>) step(simd::load(x + i), i, kLanes<T>);
  if (i < count) step(simd::load_part(x + i, count - i, fill), i, count - i);
}

/// Adds up what `step(v, from, lanes)` returns for every vector of the row.
template <class T, class Step>
double sum_vectors(const T* x, int64_t count, T fill, const Step& step) {
  double total = 0;
  for (int64_t begin = 0; begin < count; begin += kValuesPerSum) {
    Vec<T> sum{};
    for_vectors(
        x + begin, std::min(kValuesPerSum, count - begin), fill,
        [&](Vec<T> v, int64_t from, int64_t lanes) { sum += step(v, begin + from, lanes); });
    total += static_cast<double>(simd::sum_lanes<T>(sum));
  }
  return total;
}

}  // namespace

template <class T>
T row_max(const T* x, int64_t count) {
  constexpr T kLowest = -std::numeric_limits<T>::infinity();
  Vec<T> highest = simd::broadcast(kLowest);
  for_vectors(x, count, kLowest,
              [&](Vec<T> v, int64_t, int64_t) { highest = simd::max<T>(highest, v); });
  return simd::max_lane<T>(highest);
}

template <class T>
MaxAndSum<T> max_and_sum(const T* x, int64_t count) {
  constexpr T kLowest = -std::numeric_limits<T>::infinity();
  Vec<T> highest = simd::broadcast(kLowest);
  const double sum = sum_vectors(x, count, T(0), [&](Vec<T> v, int64_t from, int64_t lanes) {
    const bool whole = lanes == kLanes<T>;
    highest = simd::max<T>(highest, whole ? v : simd::load_part(x + from, lanes, kLowest));
    return v;
  });
  return {simd::max_lane<T>(highest), sum};
}

template <class T>
double exp_row(const T* x, int64_t count, T shift, T* y) {
  return sum_vectors(x, count, -std::numeric_limits<T>::infinity(),
                     [&](Vec<T> v, int64_t from, int64_t lanes) {
                       const Vec<T> e = simd::exp(v - shift);
                       if (lanes == kLanes<T>) {
                         simd::store(e, y + from);
                       } else {
                         simd::store_part(e, y + from, lanes);
                       }
                       return e;
                     });
}

template <class T>
double sum_of_exp(const T* x, int64_t count, T shift) {
  return sum_vectors(x, count, -std::numeric_limits<T>::infinity(),
                     [&](Vec<T> v, int64_t, int64_t) { return simd::exp(v - shift); });
}

template <class T>
T dot(const T* a, const T* b, int64_t count) {
  Vec<T> sum{};
  for_vectors(a, count, T(0), [&](Vec<T> v, int64_t from, int64_t lanes) {
    sum += v * (lanes == kLanes<T> ? simd::load(b + from) : simd::load_part(b + from, lanes, T(0)));
  });
  return simd::sum_lanes<T>(sum);
}

template float row_max(const float*, int64_t);
template double row_max(const double*, int64_t);
template double exp_row(const float*, int64_t, float, float*);
template double exp_row(const double*, int64_t, double, double*);
template MaxAndSum<float> max_and_sum(const float*, int64_t);
template MaxAndSum<double> max_and_sum(const double*, int64_t);
template double sum_of_exp(const float*, int64_t, float);
template double sum_of_exp(const double*, int64_t, double);
template float dot(const float*, const float*, int64_t);
template double dot(const double*, const double*, int64_t);

}  // namespace calque::kernels
