#include "kernels/tanh.h"

#include <algorithm>

#include "base/parallel.h"
#include "kernels/simd.h"

namespace calque::kernels {

template <class T>
void tanh_forward(const T* x, int64_t count, T* y) {
  using simd::kLanes;
  parallel_rows(
      simd::padded<T>(count) / kLanes<T>, kLanes<T>, [&](int64_t begin, int64_t end, int) {
        for (int64_t i = begin * kLanes<T>; i < end * kLanes<T>; i += kLanes<T>) {
          const int64_t lanes = std::min(kLanes<T>, count - i);
          simd::store_part<T>(simd::tanh(simd::load_part(x + i, lanes, T(0))), y + i, lanes);
        }
      });
}

template <class T>
void tanh_backward(const T* y, const T* dy, int64_t count, T* dx, bool accumulate) {
  parallel_rows(count, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const T gradient = dy[i] * (T(1) - y[i] * y[i]);
      dx[i] = accumulate ? dx[i] + gradient : gradient;
    }
  });
}

template void tanh_forward(const float*, int64_t, float*);
template void tanh_forward(const double*, int64_t, double*);
template void tanh_backward(const float*, const float*, int64_t, float*, bool);
template void tanh_backward(const double*, const double*, int64_t, double*, bool);

}  // namespace calque::kernels
