#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "tensor/matrix_view.h"

namespace calque::kernels {

/// x = 0, on the calling thread: for the rows of a task.
template <class T>
void zero_rows(const MatrixView<T>& x) {
  for (int64_t r = 0; r < x.rows; ++r) std::fill_n(x.row(r), x.cols, T(0));
}

/// values[i] = value.
template <class T>
void fill(std::span<T> values, T value);

/// target[i] = source[i].
template <class T>
void copy(std::span<const T> source, std::span<T> target);

/// target[i] = factor source[i], or += with `accumulate`; target may be source.
template <class T>
void scale(std::span<const T> source, T factor, std::span<T> target, bool accumulate);

/// target[i] += source[i].
template <class T>
void add_to(std::span<const T> source, std::span<T> target);

/// target[r][c] += source[r][c]; both of one shape, contiguous or strided.
template <class T>
void add_rows(ConstMatrixView<T> source, MatrixView<T> target);

/// target[i] += factor * (source[i] - target[i]): one step of an exponential moving average.
template <class T>
void move_towards(std::span<const T> source, T factor, std::span<T> target);

}  // namespace calque::kernels
