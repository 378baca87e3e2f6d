#include "kernels/elementwise.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"

namespace calque::kernels {
namespace {

/// body(begin, end) over ranges of [0, size) in parallel.
template <class Body>
void for_ranges(size_t size, const Body& body) {
  parallel_rows(static_cast<int64_t>(size), 1,
                [&](int64_t begin, int64_t end, int) { body(begin, end); });
}

template <class T>
void check_sizes(std::span<const T> source, std::span<T> target) {
  CALQUE_CHECK(source.size() == target.size(), "{} values for {}", source.size(), target.size());
}

}  // namespace

template <class T>
void fill(std::span<T> values, T value) {
  for_ranges(values.size(), [&](int64_t begin, int64_t end) {
    std::fill(values.data() + begin, values.data() + end, value);
  });
}

template <class T>
void copy(std::span<const T> source, std::span<T> target) {
  check_sizes(source, target);
  for_ranges(source.size(), [&](int64_t begin, int64_t end) {
    std::copy(source.data() + begin, source.data() + end, target.data() + begin);
  });
}

template <class T>
void scale(std::span<const T> source, T factor, std::span<T> target, bool accumulate) {
  check_sizes(source, target);
  for_ranges(source.size(), [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      target.data()[i] =
          accumulate ? target.data()[i] + factor * source.data()[i] : factor * source.data()[i];
    }
  });
}

template <class T>
void add_to(std::span<const T> source, std::span<T> target) {
  check_sizes(source, target);
  for_ranges(source.size(), [from = source.data(), to = target.data()](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] += from[i];
  });
}

template <class T>
void add_rows(ConstMatrixView<T> source, MatrixView<T> target) {
  CALQUE_CHECK(source.rows == target.rows && source.cols == target.cols,
               "[{}, {}] added to [{}, {}]", source.rows, source.cols, target.rows, target.cols);
  parallel_rows(target.rows, target.cols, [&](int64_t begin, int64_t end, int) {
    for (int64_t r = begin; r < end; ++r) {
      const T* const from = source.row(r);
      T* const to = target.row(r);
      for (int64_t c = 0; c < target.cols; ++c) to[c] += from[c];
    }
  });
}

template <class T>
void move_towards(std::span<const T> source, T factor, std::span<T> target) {
  check_sizes(source, target);
  for_ranges(source.size(),
             [from = source.data(), to = target.data(), factor](int64_t begin, int64_t end) {
               for (int64_t i = begin; i < end; ++i) to[i] += factor * (from[i] - to[i]);
             });
}

#define CALQUE_INSTANTIATE(T)                                     \
  template void fill(std::span<T>, T);                            \
  template void copy(std::span<const T>, std::span<T>);           \
  template void scale(std::span<const T>, T, std::span<T>, bool); \
  template void add_to(std::span<const T>, std::span<T>);         \
  template void add_rows(ConstMatrixView<T>, MatrixView<T>);      \
  template void move_towards(std::span<const T>, T, std::span<T>);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
