#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/attention.h"
#include "kernels/simd.h"
#include "kernels/small_gemm.h"

// What the two passes of attention share: one sentence and head at a time, the queries in blocks.

namespace calque::kernels {

/// Queries that are in scratch at once, so that scratch is linear in the length.
inline constexpr int64_t kQueryBlock = 64;

/// Columns of dropout draws that belong to one head.
inline constexpr int32_t kColumnsPerHead = 65536;

/// One sentence and head of an AttentionShape.
struct AttentionTask {
  int64_t sentence, head_index;
  int64_t query_begin, queries;  // rows
  int64_t key_begin, keys;
  int64_t column, head;  // the head's columns

  AttentionTask(const AttentionShape& shape, int64_t task, int64_t model)
      : sentence(task / shape.heads),
        head_index(task % shape.heads),
        query_begin(shape.queries.begins[sentence]),
        queries(shape.queries.lengths[sentence]),
        key_begin(shape.keys.begins[sentence]),
        keys(shape.keys.lengths[sentence]),
        column(head_index * (model / shape.heads)),
        head(model / shape.heads) {}

  template <class T>
  MatrixView<T> query_rows(MatrixView<T> x) const {
    return x.row_range(query_begin, queries).column_range(column, head);
  }
  template <class T>
  MatrixView<T> key_rows(MatrixView<T> x) const {
    return x.row_range(key_begin, keys).column_range(column, head);
  }
};

/// The queries [begin, begin + rows) of a task, and the keys [0, keys) that any of them sees.
struct QueryBlock {
  int64_t begin, rows, keys;

  /// Number of keys that row `r` of the block sees.
  int64_t visible(bool causal, int64_t r) const { return causal ? begin + r + 1 : keys; }
};

/// Calls `body(block)` for the task's query blocks in order; a task without queries has none.
template <class Body>
void for_query_blocks(const AttentionTask& task, bool causal, const Body& body) {
  for (int64_t begin = 0; begin < task.queries; begin += kQueryBlock) {
    const int64_t rows = std::min(kQueryBlock, task.queries - begin);
    body(QueryBlock{begin, rows, causal ? begin + rows : task.keys});
  }
}

/// Throws InternalError when the layouts fit neither each other nor the matrices' rows and columns.
void check_attention(const AttentionShape& shape, int64_t query_rows, int64_t key_rows,
                     int64_t model);

template <class T>
StridedMatrix<T> strided(ConstMatrixView<T> x) {
  return {x.data, x.stride, 1};
}

/// to[c, r] = scale x[r, c], rows of `to` padded(x.rows) apart and filled up with zeros.
template <class T>
void pack_transposed(ConstMatrixView<T> x, T scale, T* to) {
  const int64_t stride = simd::padded<T>(x.rows);
  for (int64_t c = 0; c < x.cols; ++c) {
    std::fill(to + c * stride + x.rows, to + (c + 1) * stride, T(0));
  }
  for (int64_t r = 0; r < x.rows; ++r) {
    const T* const row = x.row(r);
    for (int64_t c = 0; c < x.cols; ++c) to[c * stride + r] = scale * row[c];
  }
}

/// The factors of the weights that `query` (a row of the query matrix) gives to the first `count`
/// keys. Only while dropout is active.
template <class T>
void weight_factors(const AttentionShape& shape, const AttentionTask& task, int64_t query,
                    int64_t count, T* factors) {
  dropout_factors(shape.dropout, static_cast<uint32_t>(query),
                  static_cast<uint32_t>(task.head_index * kColumnsPerHead), count, factors);
}

}  // namespace calque::kernels
