#include "kernels/small_gemm.h"

#include "kernels/micro_kernel.h"

namespace calque::kernels {
namespace {

using simd::kLanes;
using simd::Vec;

/// One product: what every tile of it shares.
template <class T>
struct Product {
  StridedMatrix<T> a;
  const T* b;
  int64_t b_stride;
  T* c;
  int64_t c_stride;
  int64_t k;
  bool accumulate;
};

/// The tile of `Rows` rows and `Vectors` vectors at (row, col); with `Partial`, one vector of which
/// only `lanes` lanes exist.
template <int Rows, int Vectors, bool Partial, class T>
void tile(const Product<T>& x, int64_t row, int64_t col, int64_t lanes) {
  Vec<T> sums[Rows][Vectors];
  multiply_tile<Rows, Vectors, Partial>(x.k, x.a.data + row * x.a.row_step, x.a.row_step,
                                        x.a.col_step, x.b + col, x.b_stride, lanes, sums);
  T* const c = x.c + row * x.c_stride + col;
  const Addend<T> addend = x.accumulate ? Addend<T>{c, x.c_stride} : Addend<T>{};
  store_tile<Rows, Vectors, Partial>(sums, addend, c, x.c_stride, lanes);
}

/// All columns of `Rows` rows from `row` on.
template <int Rows, class T>
void band(const Product<T>& x, int64_t row, int64_t n) {
  int64_t col = 0;
  for (; col + kTileVectors * kLanes<T> <= n; col += kTileVectors * kLanes<T>) {
    tile<Rows, kTileVectors, false>(x, row, col, kLanes<T>);
  }
  for (; col + kLanes<T> <= n; col += kLanes<T>) tile<Rows, 1, false>(x, row, col, kLanes<T>);
  if (col < n) tile<Rows, 1, true>(x, row, col, n - col);
}

/// The last `rows` < Rows rows.
template <int Rows, class T>
void last_band(const Product<T>& x, int64_t row, int64_t rows, int64_t n) {
  if constexpr (Rows > 1) {
    if (rows < Rows) return last_band<Rows - 1>(x, row, rows, n);
  }
  band<Rows>(x, row, n);
}

}  // namespace

template <class T>
void small_gemm(int64_t m, int64_t n, int64_t k, StridedMatrix<T> a, const T* b, int64_t b_stride,
                T* c, int64_t c_stride, bool accumulate) {
  const Product<T> product{a, b, b_stride, c, c_stride, k, accumulate};
  int64_t row = 0;
  for (; row + kTileRows <= m; row += kTileRows) band<kTileRows>(product, row, n);
  if (row < m) last_band<kTileRows>(product, row, m - row, n);
}

template void small_gemm(int64_t, int64_t, int64_t, StridedMatrix<float>, const float*, int64_t,
                         float*, int64_t, bool);
template void small_gemm(int64_t, int64_t, int64_t, StridedMatrix<double>, const double*, int64_t,
                         double*, int64_t, bool);

}  // namespace calque::kernels
