#pragma once

#include <cstdint>
#include <span>

#include "tensor/matrix_view.h"
#include "tensor/workspace.h"

namespace calque::kernels {

/// Rows in each part of a sum over rows: a function of the shape alone, so that the parts, added in
/// their order, give the same bits with any number of threads. At most 64 parts.
int64_t rows_per_part(int64_t rows, int64_t cols);

/// Sum over i of values[i]^2, in double, in parts fixed by the size. NaN and infinity show in it.
template <class T>
double sum_of_squares(std::span<const T> values);

/// sums[c] = sum over r of x[r, c] (or += with `accumulate`), in double, in parts fixed by the
/// shape: a bias's gradient. x: [rows, cols], sums: [cols].
template <class T>
void column_sums(ConstMatrixView<T> x, T* sums, bool accumulate, Workspace& workspace);

}  // namespace calque::kernels
