#include "kernels/small_gemm.h"

#include <array>
#include <utility>

#include "kernels/micro_kernel.h"
#include "kernels/ranges.h"

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
  int64_t n, k;
  bool accumulate;
};

/// The tile of `Rows` rows and `Vectors` vectors at (row, col); with `Partial`, one vector of which
/// only `lanes` lanes exist. The compiler knows the rows of a to be neighbours where `Transposed`.
template <int Rows, int Vectors, bool Partial, bool Transposed, class T>
void tile(const Product<T>& x, int64_t row, int64_t col, int64_t lanes) {
  Vec<T> sums[Rows][Vectors];
  const int64_t row_step = Transposed ? 1 : x.a.row_step;
  const int64_t col_step = Transposed ? x.a.col_step : 1;
  multiply_tile<Rows, Vectors, Partial>(x.k, x.a.data + row * row_step, row_step, col_step,
                                        x.b + col, x.b_stride, lanes, sums);
  T* const c = x.c + row * x.c_stride + col;
  const Addend<T> addend = x.accumulate ? Addend<T>{c, x.c_stride} : Addend<T>{};
  store_tile<Rows, Vectors, Partial>(sums, addend, c, x.c_stride, lanes);
}

/// All columns of `Rows` rows from `row` on.
template <int Rows, bool Transposed, class T>
void band(const Product<T>& x, int64_t row) {
  int64_t col = 0;
  for (; col + kTileVectors * kLanes<T> <= x.n; col += kTileVectors * kLanes<T>) {
    tile<Rows, kTileVectors, false, Transposed>(x, row, col, kLanes<T>);
  }
  for (; col + kLanes<T> <= x.n; col += kLanes<T>) {
    tile<Rows, 1, false, Transposed>(x, row, col, kLanes<T>);
  }
  if (col < x.n) tile<Rows, 1, true, Transposed>(x, row, col, x.n - col);
}

/// The rows in bands of even height: no narrow last one, whose few sums would wait for each other.
template <bool Transposed, class T>
void multiply(const Product<T>& x, int64_t m) {
  constexpr auto kBands = []<int... kLess>(std::integer_sequence<int, kLess...>) {
    return std::array{&band<kLess + 1, Transposed, T>...};
  }
  (std::make_integer_sequence<int, kTileRows>());
  int64_t row = 0;
  for (int64_t left = pieces(m, kTileRows); left > 0; --left) {
    const int64_t rows = pieces(m - row, left);
    kBands[static_cast<size_t>(rows - 1)](x, row);
    row += rows;
  }
}

}  // namespace

template <class T>
void small_gemm(int64_t m, int64_t n, int64_t k, StridedMatrix<T> a, const T* b, int64_t b_stride,
                T* c, int64_t c_stride, bool accumulate) {
  const Product<T> product{a, b, b_stride, c, c_stride, n, k, accumulate};
  if (a.row_step == 1) {
    multiply<true>(product, m);
  } else {
    multiply<false>(product, m);
  }
}

template void small_gemm(int64_t, int64_t, int64_t, StridedMatrix<float>, const float*, int64_t,
                         float*, int64_t, bool);
template void small_gemm(int64_t, int64_t, int64_t, StridedMatrix<double>, const double*, int64_t,
                         double*, int64_t, bool);

}  // namespace calque::kernels
