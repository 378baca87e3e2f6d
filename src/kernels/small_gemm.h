#pragma once

#include <cstdint>

namespace calque::kernels {

/// A matrix read element by element: (i, j) is data[i * row_step + j * col_step], and one of the
/// steps is 1. So a transpose costs nothing.
template <class T>
struct StridedMatrix {
  const T* data;
  int64_t row_step;
  int64_t col_step;
};

/// c = a b, or c += with `accumulate`, on the calling thread: a [m, k]; b [k, n] with rows
/// `b_stride` apart; c [m, n] with rows `c_stride` apart. For small matrices in cache, where a
/// library call would cost more than the product.
/// Each element of c is one sum in the order of k, so its bits depend neither on its place nor on m
/// and n: a row alone equals the same row among many.
template <class T>
void small_gemm(int64_t m, int64_t n, int64_t k, StridedMatrix<T> a, const T* b, int64_t b_stride,
                T* c, int64_t c_stride, bool accumulate);

}  // namespace calque::kernels
