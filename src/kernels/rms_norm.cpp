#include "kernels/rms_norm.h"

#include <cmath>

#include "base/error.h"
#include "kernels/row_sums.h"

namespace calque::kernels {
namespace {

/// Returns the row's rrms.
template <class T>
T normalise_row(const T* x, int64_t model, const T* gain, double epsilon, T* y) {
  const T squares = sum_over<T>(
      model, [](auto value) { return value * value; }, x);
  const T mean = squares / static_cast<T>(model);
  const T rrms = static_cast<T>(1 / std::sqrt(static_cast<double>(mean) + epsilon));
  for (int64_t c = 0; c < model; ++c) y[c] = gain[c] * (x[c] * rrms);
  return rrms;
}

/// The gradient of one row.
template <class T>
void input_gradient(const T* dy, const T* x, const T* gain, T rrms, int64_t model, T* dx,
                    bool accumulate) {
  const T sum_gn = sum_over<T>(
      model, [rrms](auto d, auto w, auto value) { return d * w * (value * rrms); }, dy, gain, x);
  const T mean_gn = sum_gn / static_cast<T>(model);
  const auto gradient = [=](int64_t c) { return rrms * (gain[c] * dy[c] - x[c] * rrms * mean_gn); };
  write_row(model, accumulate, gradient, dx);
}

}  // namespace

template <class T>
void rms_norm_forward(ConstMatrixView<T> x, const T* gain, double epsilon, MatrixView<T> y,
                      T* rrms) {
  CALQUE_CHECK(x.rows == y.rows && x.cols == y.cols, "[{}, {}] into [{}, {}]", x.rows, x.cols,
               y.rows, y.cols);
  parallel_rows(x.rows, x.cols, [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) {
      const T row_rrms = normalise_row(x.row(r), x.cols, gain, epsilon, y.row(r));
      if (rrms != nullptr) rrms[r] = row_rrms;
    }
  });
}

template <class T>
void rms_norm_backward(ConstMatrixView<T> dy, ConstMatrixView<T> x, const T* gain, const T* rrms,
                       MatrixView<T> dx, bool accumulate_x, T* dgain, bool accumulate_gain,
                       Workspace& workspace) {
  const int64_t model = x.cols;
  CALQUE_CHECK(dy.rows == x.rows && dy.cols == model, "dy [{}, {}] for x [{}, {}]", dy.rows,
               dy.cols, x.rows, model);
  CALQUE_CHECK(dx.data == nullptr || (dx.rows == x.rows && dx.cols == model),
               "dx [{}, {}] for x [{}, {}]", dx.rows, dx.cols, x.rows, model);
  const std::array targets{SumTarget<T>{dgain, accumulate_gain}};
  sum_rows<T>(x.rows, model, targets, workspace, [&](int64_t r, T* gain_sums) {
    const T* const dy_row = dy.row(r);
    const T* const x_row = x.row(r);
    const T row_rrms = rrms[r];
    for (int64_t c = 0; c < model; ++c) gain_sums[c] += dy_row[c] * (x_row[c] * row_rrms);
    if (dx.data != nullptr) {
      input_gradient(dy_row, x_row, gain, row_rrms, model, dx.row(r), accumulate_x);
    }
  });
}

#define CALQUE_INSTANTIATE(T)                                                                 \
  template void rms_norm_forward(ConstMatrixView<T>, const T*, double, MatrixView<T>, T*);    \
  template void rms_norm_backward(ConstMatrixView<T>, ConstMatrixView<T>, const T*, const T*, \
                                  MatrixView<T>, bool, T*, bool, Workspace&);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
