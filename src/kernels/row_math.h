#pragma once

#include <cstdint>

namespace calque::kernels {

// Vectorised steps over one row. The order of every sum depends on `count` alone.

/// The largest of x[0..count); -infinity for an empty row.
template <class T>
T row_max(const T* x, int64_t count);

/// The largest of a row, and the sum of all.
template <class T>
struct MaxAndSum {
  T highest;
  double sum;
};
template <class T>
MaxAndSum<T> max_and_sum(const T* x, int64_t count);

/// y[i] = exp(x[i] - shift); returns their sum. y may be x.
template <class T>
double exp_row(const T* x, int64_t count, T shift, T* y);

/// The sum of exp(x[i] - shift), without writing anything.
template <class T>
double sum_of_exp(const T* x, int64_t count, T shift);

/// sum of a[i] b[i].
template <class T>
T dot(const T* a, const T* b, int64_t count);

}  // namespace calque::kernels
