#pragma once

#include <cstdint>

namespace calque::kernels {

// Vectorised steps over one row. The order of every sum depends on `count` alone.

/// The largest of x[0..count); -infinity for an empty row.
template <class T>
T row_max(const T* x, int64_t count);

/// y[i] = exp(x[i] - shift); returns their sum. y may be x.
template <class T>
double exp_row(const T* x, int64_t count, T shift, T* y);

/// The sums that log-softmax and its loss need, without writing anything.
struct RowSums {
  double exponentials = 0;  // sum of exp(x[i] - shift)
  double differences = 0;   // sum of x[i] - shift
};
template <class T>
RowSums row_sums(const T* x, int64_t count, T shift);

/// sum of a[i] b[i].
template <class T>
T dot(const T* a, const T* b, int64_t count);

}  // namespace calque::kernels
