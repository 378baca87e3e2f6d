#include "kernels/reduce.h"

#include <algorithm>
#include <array>

#include "base/parallel.h"

namespace calque::kernels {
namespace {

constexpr int64_t kMostParts = 64;

/// Sum of squares of one part, in 16 partial sums that the compiler keeps in vectors.
template <class T>
double part_sum_of_squares(const T* values, int64_t count) {
  constexpr int64_t kSums = 16;
  double sums[kSums] = {};
  const int64_t whole = count / kSums * kSums;
  for (int64_t i = 0; i < whole; i += kSums) {
    for (int64_t j = 0; j < kSums; ++j) {
      const double value = values[i + j];
      sums[j] += value * value;
    }
  }
  double total = 0;
  for (const double sum : sums) total += sum;
  for (int64_t i = whole; i < count; ++i) total += double{values[i]} * double{values[i]};
  return total;
}

}  // namespace

int64_t rows_per_part(int64_t rows, int64_t cols) {
  return std::max(rows_per_task(rows, cols), (rows + kMostParts - 1) / kMostParts);
}

template <class T>
double sum_of_squares(std::span<const T> values) {
  const auto size = static_cast<int64_t>(values.size());
  const int64_t step = rows_per_part(size, 1);
  const int64_t parts = (size + step - 1) / step;
  std::array<double, kMostParts> sums{};
  parallel_for(parts, [&](int64_t part, int) {
    const int64_t begin = part * step;
    sums[static_cast<size_t>(part)] =
        part_sum_of_squares(values.data() + begin, std::min(step, size - begin));
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

template <class T>
void column_sums(ConstMatrixView<T> x, T* sums, bool accumulate, Workspace& workspace) {
  const int64_t step = rows_per_part(x.rows, x.cols);
  const int64_t parts = (x.rows + step - 1) / step;
  Workspace::Scope scope(workspace.shared());
  double* const part_sums = scope.allocate<double>(parts * x.cols);
  parallel_for(parts, [&](int64_t part, int) {
    double* const own = part_sums + part * x.cols;
    std::fill_n(own, x.cols, 0.0);
    const int64_t end = std::min(x.rows, (part + 1) * step);
    for (int64_t r = part * step; r < end; ++r) {
      const T* const row = x.row(r);
      for (int64_t c = 0; c < x.cols; ++c) own[c] += static_cast<double>(row[c]);
    }
  });
  for (int64_t c = 0; c < x.cols; ++c) {
    double total = 0;
    for (int64_t part = 0; part < parts; ++part) total += part_sums[part * x.cols + c];
    sums[c] = static_cast<T>(accumulate ? static_cast<double>(sums[c]) + total : total);
  }
}

#define CALQUE_INSTANTIATE(T)                         \
  template double sum_of_squares(std::span<const T>); \
  template void column_sums(ConstMatrixView<T>, T*, bool, Workspace&);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
