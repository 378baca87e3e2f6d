#pragma once

#include <cstdint>
#include <type_traits>

namespace calque {

/// A matrix in somebody else's memory: `rows` x `cols`, row-major, rows `stride` elements apart
/// (`stride >= cols`). What kernels take; a column range of a wider matrix is such a view too.
template <class T>
struct MatrixView {
  T* data = nullptr;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;

  MatrixView() = default;
  MatrixView(T* d, int64_t r, int64_t c) : data(d), rows(r), cols(c), stride(c) {}
  MatrixView(T* d, int64_t r, int64_t c, int64_t s) : data(d), rows(r), cols(c), stride(s) {}
  /// A writable view serves where a read-only one is asked for.
  template <class U>
    requires(std::is_const_v<T> && std::is_same_v<U, std::remove_const_t<T>>)
  MatrixView(const MatrixView<U>& o)
      : data(o.data), rows(o.rows), cols(o.cols), stride(o.stride) {}

  T* row(int64_t r) const { return data + r * stride; }
  MatrixView row_range(int64_t begin, int64_t count) const {
    return {data + begin * stride, count, cols, stride};
  }
  MatrixView column_range(int64_t begin, int64_t count) const {
    return {data + begin, rows, count, stride};
  }
};

template <class T>
using ConstMatrixView = MatrixView<const T>;

}  // namespace calque
