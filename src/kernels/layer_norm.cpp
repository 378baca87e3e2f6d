#include "kernels/layer_norm.h"

#include <cmath>

#include "base/error.h"
#include "kernels/row_sums.h"

namespace calque::kernels {
namespace {

template <class T>
void normalise_row(const T* x, int64_t model, const T* gain, const T* bias, double epsilon, T* y,
                   T& mean, T& rstd) {
  const T size = static_cast<T>(model);
  const T mu = sum_over<T>(
                   model, [](auto value) { return value; }, x) /
               size;
  const T squares = sum_over<T>(
      model, [mu](auto value) { return (value - mu) * (value - mu); }, x);
  const T inverse = static_cast<T>(1 / std::sqrt(static_cast<double>(squares / size) + epsilon));
  for (int64_t c = 0; c < model; ++c) y[c] = gain[c] * ((x[c] - mu) * inverse) + bias[c];
  mean = mu;
  rstd = inverse;
}

/// The gradient of one row; `mean` and `rstd` are the row's.
template <class T>
void input_gradient(const T* dy, const T* x, const T* gain, T mean, T rstd, int64_t model, T* dx,
                    bool accumulate) {
  const T size = static_cast<T>(model);
  const T mean_g = sum_over<T>(
                       model, [](auto d, auto w) { return d * w; }, dy, gain) /
                   size;
  const T mean_gn =
      sum_over<T>(
          model,
          [mean, rstd](auto d, auto w, auto value) { return d * w * ((value - mean) * rstd); }, dy,
          gain, x) /
      size;
  const auto gradient = [=](int64_t c) {
    return rstd * (gain[c] * dy[c] - mean_g - (x[c] - mean) * rstd * mean_gn);
  };
  write_row(model, accumulate, gradient, dx);
}

}  // namespace

template <class T>
void layer_norm_forward(ConstMatrixView<T> x, const T* gain, const T* bias, double epsilon,
                        MatrixView<T> y, T* mean, T* rstd) {
  CALQUE_CHECK(x.rows == y.rows && x.cols == y.cols, "[{}, {}] into [{}, {}]", x.rows, x.cols,
               y.rows, y.cols);
  parallel_rows(x.rows, x.cols, [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) {
      T row_mean;
      T row_rstd;
      normalise_row(x.row(r), x.cols, gain, bias, epsilon, y.row(r), row_mean, row_rstd);
      if (mean != nullptr) mean[r] = row_mean;
      if (rstd != nullptr) rstd[r] = row_rstd;
    }
  });
}

template <class T>
void layer_norm_backward(ConstMatrixView<T> dy, ConstMatrixView<T> x, const T* gain, const T* mean,
                         const T* rstd, MatrixView<T> dx, bool accumulate_x, T* dgain,
                         bool accumulate_gain, T* dbias, bool accumulate_bias,
                         Workspace& workspace) {
  const int64_t model = x.cols;
  CALQUE_CHECK(dy.rows == x.rows && dy.cols == model, "dy [{}, {}] for x [{}, {}]", dy.rows,
               dy.cols, x.rows, model);
  CALQUE_CHECK(dx.data == nullptr || (dx.rows == x.rows && dx.cols == model),
               "dx [{}, {}] for x [{}, {}]", dx.rows, dx.cols, x.rows, model);
  const std::array targets{SumTarget<T>{dgain, accumulate_gain},
                           SumTarget<T>{dbias, accumulate_bias}};
  sum_rows<T>(x.rows, model, targets, workspace, [&](int64_t r, T* gain_sums) {
    T* const bias_sums = gain_sums + model;
    const T* const dy_row = dy.row(r);
    const T* const x_row = x.row(r);
    const T row_mean = mean[r];
    const T row_rstd = rstd[r];
    for (int64_t c = 0; c < model; ++c) {
      gain_sums[c] += dy_row[c] * ((x_row[c] - row_mean) * row_rstd);
      bias_sums[c] += dy_row[c];
    }
    if (dx.data != nullptr) {
      input_gradient(dy_row, x_row, gain, row_mean, row_rstd, model, dx.row(r), accumulate_x);
    }
  });
}

#define CALQUE_INSTANTIATE(T)                                                                     \
  template void layer_norm_forward(ConstMatrixView<T>, const T*, const T*, double, MatrixView<T>, \
                                   T*, T*);                                                       \
  template void layer_norm_backward(ConstMatrixView<T>, ConstMatrixView<T>, const T*, const T*,   \
                                    const T*, MatrixView<T>, bool, T*, bool, T*, bool,            \
                                    Workspace&);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
