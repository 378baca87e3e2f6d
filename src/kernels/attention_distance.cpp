#include "kernels/attention_distance.h"

#include <bit>

#include "base/error.h"
#include "kernels/elementwise.h"
#include "kernels/gemm.h"

namespace calque::kernels {
namespace {

/// scores(key, query) -= slope |query - key|, counted in the sentence.
template <class T>
void lower_by_distance(const Block& block, T slope, T* scores) {
  using simd::Vec;
  for_query_vectors<T>(
      block, {0, block.keys.count}, [&](int64_t query, Range keys, const auto& /*visible*/) {
        const Vec<T> first = simd::lane_numbers<T>() +
                             static_cast<T>(block.queries.begin + query - block.keys.begin);
        for (int64_t key = 0; key < keys.count; ++key) {
          T* const at = scores + key * kBlock + query;
          const Vec<T> ahead = first - static_cast<T>(key);
          const Vec<T> distance = simd::max<T>(ahead, -ahead);
          simd::store<T>(simd::load(at) - slope * distance, at);
        }
      });
}

/// Calls `body(key, query, row)` for the pairs of the block that see each other, with the row of a
/// table of `rows` rows that their distance chooses, counted from the first that occurs.
template <class Body>
void for_table_rows(const Block& block, int64_t rows, const Body& body) {
  const int64_t farthest = rows / 2;
  const int64_t offset = block.keys.begin - block.queries.begin;
  const int64_t first = table_rows(block, rows).begin;
  for (int64_t key = 0; key < block.keys.count; ++key) {
    for (int64_t query = block.diagonal ? key : 0; query < block.queries.count; ++query) {
      const int64_t distance = std::clamp(offset + key - query, -farthest, farthest);
      body(key, query, distance + farthest - first);
    }
  }
}

}  // namespace

double alibi_slope(int64_t index, int64_t heads) {
  const auto power = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(heads)));
  const int64_t of_next = 2 * (index - power) + 1;  // among the slopes of 2 power heads, from 1
  const double exponent = index < power
                              ? static_cast<double>(index + 1) / static_cast<double>(power)
                              : static_cast<double>(of_next) / static_cast<double>(2 * power);
  return std::exp2(-8 * exponent);
}

template <class T>
void score_block(const AttentionShape& shape, const DistanceTerms<T>& distances,
                 const AttentionHead& head, const Block& block, ConstMatrixView<T> keys,
                 const T* packed, T* scratch, T* scores) {
  multiply_keys(block, keys, packed, scores);
  if (distances.keys.data != nullptr) {
    add_table_products(block, distances.keys, packed, scratch, scores);
  }
  if (distances.alibi) {
    lower_by_distance(block, static_cast<T>(alibi_slope(head.index, shape.heads)), scores);
  }
}

Range table_rows(const Block& block, int64_t rows) {
  const int64_t farthest = rows / 2;
  const int64_t offset = block.keys.begin - block.queries.begin;
  const int64_t lowest = std::clamp(offset - (block.queries.count - 1), -farthest, farthest);
  const int64_t highest = std::clamp(offset + block.keys.count - 1, -farthest, farthest);
  return {lowest + farthest, highest - lowest + 1};
}

template <class T>
void add_table_products(const Block& block, ConstMatrixView<T> table, const T* packed, T* scratch,
                        T* scores) {
  const Range rows = table_rows(block, table.rows);
  small_gemm<T>(rows.count, simd::padded<T>(block.queries.count), table.cols,
                {table.row(rows.begin), table.stride, 1}, packed, kBlock, scratch, kBlock, false);
  for_table_rows(block, table.rows, [&](int64_t key, int64_t query, int64_t row) {
    scores[key * kBlock + query] += scratch[row * kBlock + query];
  });
}

template <class T>
void sum_by_distance(const Block& block, const T* weights, int64_t rows, T* sums) {
  std::fill_n(sums, table_rows(block, rows).count * kBlock, T(0));
  for_table_rows(block, rows, [&](int64_t key, int64_t query, int64_t row) {
    sums[row * kBlock + query] += weights[key * kBlock + query];
  });
}

template <class T>
void add_table_rows(const Block& block, const T* sums, ConstMatrixView<T> table, MatrixView<T> to) {
  const Range rows = table_rows(block, table.rows);
  small_gemm<T>(block.queries.count, table.cols, rows.count, {sums, 1, kBlock},
                table.row(rows.begin), table.stride, to.data, to.stride, true);
}

template <class T>
DistanceSums<T>::DistanceSums(const AttentionShape& shape, const DistanceTerms<T>& distances,
                              const DistanceGradients<T>& gradients, int64_t query_rows,
                              Workspace::Scope& scope)
    : heads_(shape.heads), table_rows_(distances.keys.rows) {
  const auto zeros = [&](MatrixView<T> wanted) {
    if (wanted.data == nullptr) return MatrixView<T>();
    CALQUE_CHECK(shape.queries.tokens == query_rows, "{} of {} rows are queries",
                 shape.queries.tokens, query_rows);
    const int64_t cols = heads_ * table_rows_;
    const MatrixView<T> all(scope.allocate<T>(query_rows * cols), query_rows, cols);
    fill(std::span(all.data, static_cast<size_t>(query_rows * cols)), T(0));
    return all;
  };
  of_keys_ = zeros(gradients.keys);
  of_values_ = zeros(gradients.values);
}

template <class T>
void DistanceSums<T>::add(MatrixView<T> all, const AttentionHead& head, const Block& block,
                          const T* sums) const {
  if (all.data == nullptr) return;
  const Range rows = table_rows(block, table_rows_);
  for (int64_t query = 0; query < block.queries.count; ++query) {
    T* const to = all.row(head.query_begin + block.queries.begin + query) +
                  head.index * table_rows_ + rows.begin;
    for (int64_t row = 0; row < rows.count; ++row) to[row] += sums[row * kBlock + query];
  }
}

template <class T>
void DistanceSums<T>::multiply(MatrixView<T> all, ConstMatrixView<T> rows, MatrixView<T> gradient,
                               bool accumulate, Workspace& workspace) const {
  if (all.data == nullptr) return;
  const int64_t head = rows.cols / heads_;
  for (int64_t h = 0; h < heads_; ++h) {
    gemm<T>(GemmForm::kTN, all.column_range(h * table_rows_, table_rows_),
            rows.column_range(h * head, head), gradient, accumulate || h > 0, workspace);
  }
}

template <class T>
void DistanceSums<T>::finish(ConstMatrixView<T> query, ConstMatrixView<T> doutput,
                             const DistanceGradients<T>& gradients, Workspace& workspace) const {
  multiply(of_keys_, query, gradients.keys, gradients.accumulate_keys, workspace);
  multiply(of_values_, doutput, gradients.values, gradients.accumulate_values, workspace);
}

#define CALQUE_INSTANTIATE(T)                                                                     \
  template void score_block(const AttentionShape&, const DistanceTerms<T>&, const AttentionHead&, \
                            const Block&, ConstMatrixView<T>, const T*, T*, T*);                  \
  template void add_table_products(const Block&, ConstMatrixView<T>, const T*, T*, T*);           \
  template void sum_by_distance(const Block&, const T*, int64_t, T*);                             \
  template void add_table_rows(const Block&, const T*, ConstMatrixView<T>, MatrixView<T>);        \
  template class DistanceSums<T>;
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
