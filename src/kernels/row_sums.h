#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/parallel.h"
#include "kernels/reduce.h"
#include "kernels/simd.h"
#include "tensor/workspace.h"

/// What the norms of rows have in common: sums along a row, sums over the rows, a row written.
namespace calque::kernels {

/// Sum over c of term(rows[c]...), in two vectors of partial sums: an order fixed by `cols`. `term`
/// takes vectors and scalars alike.
template <class T, class Term, class... Row>
T sum_over(int64_t cols, const Term& term, const Row*... rows) {
  constexpr int64_t kLanes = simd::kLanes<T>;
  simd::Vec<T> even{};
  simd::Vec<T> odd{};
  int64_t c = 0;
  for (; c + 2 * kLanes <= cols; c += 2 * kLanes) {
    even += term(simd::load(rows + c)...);
    odd += term(simd::load(rows + c + kLanes)...);
  }
  T total = simd::sum_lanes<T>(even + odd);
  for (; c < cols; ++c) total += term(rows[c]...);
  return total;
}

/// row[c] = (or +=) value(c).
template <class T, class Value>
void write_row(int64_t cols, bool accumulate, const Value& value, T* row) {
  if (accumulate) {
    for (int64_t c = 0; c < cols; ++c) row[c] += value(c);
  } else {
    for (int64_t c = 0; c < cols; ++c) row[c] = value(c);
  }
}

/// Where the gradient of a gain or bias goes, [cols]; without data it is not wanted.
template <class T>
struct SumTarget {
  T* data;
  bool accumulate;
};

/// targets[k][c] = (or +=) the sum over the rows r of what `add_row(r, sums)` adds to sums[k * cols
/// + c]; in parts fixed by the shape, added in their order. `add_row` is called once for each row.
template <class T, size_t kTargets, class AddRow>
void sum_rows(int64_t rows, int64_t cols, const std::array<SumTarget<T>, kTargets>& targets,
              Workspace& workspace, const AddRow& add_row) {
  constexpr auto kSums = static_cast<int64_t>(kTargets);
  const int64_t step = rows_per_part(rows, cols);
  const int64_t parts = (rows + step - 1) / step;
  Workspace::Scope scope(workspace.shared());
  T* const part_sums = scope.allocate<T>(parts * kSums * cols);
  parallel_for(parts, [&](int64_t part, int) {
    T* const sums = part_sums + part * kSums * cols;
    std::fill_n(sums, kSums * cols, T{0});
    const int64_t end = std::min(rows, (part + 1) * step);
    for (int64_t r = part * step; r < end; ++r) add_row(r, sums);
  });
  for (int64_t k = 0; k < kSums; ++k) {
    const auto [target, accumulate] = targets[static_cast<size_t>(k)];
    if (target == nullptr) continue;
    if (!accumulate) std::fill_n(target, cols, T{0});
    for (int64_t part = 0; part < parts; ++part) {
      const T* const sums = part_sums + (part * kSums + k) * cols;
      for (int64_t c = 0; c < cols; ++c) target[c] += sums[c];
    }
  }
}

}  // namespace calque::kernels
