#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/attention.h"
#include "kernels/ranges.h"
#include "kernels/simd.h"
#include "kernels/small_gemm.h"

// What the two passes of attention share. The scores of one sentence and head are computed block by
// block, a block being [keys, queries], queries side by side: so every lane of a vector is a query,
// whatever runs over the keys runs down the rows, and only queries are filled up to whole vectors.

namespace calque::kernels {

/// Queries, and keys, of a block: scratch is a few blocks, whatever the length.
inline constexpr int64_t kBlock = 96;

/// Rows of a block that are worked on at a time: on the diagonal of causal attention with the
/// columns that they reach, and with the dropout factors that stay in the first cache.
inline constexpr int64_t kBand = 16;

/// Columns of dropout draws that belong to one head.
inline constexpr int64_t kColumnsPerHead = 65536;

/// One sentence and head of an AttentionShape.
struct AttentionHead {
  int64_t sentence, index;
  int64_t query_begin, queries;  // rows
  int64_t key_begin, keys;
  int64_t column, width;  // the head's columns
  int64_t group;          // heads that share one of keys and values
  int64_t key_column;

  AttentionHead(const AttentionShape& shape, int64_t task, int64_t model, int64_t key_model)
      : sentence(task / shape.heads),
        index(task % shape.heads),
        query_begin(shape.queries.begins[sentence]),
        queries(shape.queries.lengths[sentence]),
        key_begin(shape.keys.begins[sentence]),
        keys(shape.keys.lengths[sentence]),
        column(index * (model / shape.heads)),
        width(model / shape.heads),
        group(model / key_model),
        key_column(index / group * width) {}

  template <class T>
  MatrixView<T> query_rows(MatrixView<T> x) const {
    return x.row_range(query_begin, queries).column_range(column, width);
  }
  template <class T>
  MatrixView<T> key_rows(MatrixView<T> x) const {
    return x.row_range(key_begin, keys).column_range(key_column, width);
  }
};

/// The part [begin, begin + count) of a sentence's queries or keys.
struct Range {
  int64_t begin, count;
  template <class T>
  MatrixView<T> of(MatrixView<T> x) const {
    return x.row_range(begin, count);
  }
  /// Part `index` of those, `size` long but for the last; empty behind it.
  Range part(int64_t index, int64_t size) const {
    const int64_t from = std::min(index * size, count);
    return {begin + from, std::min(size, count - from)};
  }
};

/// Calls `body(band)` for the bands of `count` rows.
template <class Body>
void for_bands(int64_t count, const Body& body) {
  for (int64_t begin = 0; begin < count; begin += kBand) {
    body(Range{begin, std::min(kBand, count - begin)});
  }
}

/// A block of scores: at most kBlock queries and keys. Element (key, query) lies at
/// key * kBlock + query.
struct Block {
  Range queries, keys;
  bool diagonal;  // causal, of the queries and keys with the same numbers: key <= query is seen

  /// Calls `body(rows)` for parts of `all` that see, or are seen by, different ranges.
  template <class Body>
  void for_rows(int64_t all, const Body& body) const {
    diagonal ? for_bands(all, body) : body(Range{0, all});
  }
  /// The first query that sees a key of this band, and the keys that a query of this band sees.
  int64_t first_query(Range band) const { return diagonal ? band.begin : 0; }
  int64_t visible_keys(Range band) const { return diagonal ? band.begin + band.count : keys.count; }
};

/// Calls `body(block)` for the blocks that these queries, at most kBlock, form with these keys, in
/// order. Both ranges begin at multiples of kBlock.
template <class Body>
void for_key_blocks(Range queries, Range keys, bool causal, const Body& body) {
  for (int64_t i = 0; i < pieces(keys.count, kBlock); ++i) {
    const Range part = keys.part(i, kBlock);
    if (causal && part.begin > queries.begin) return;
    body(Block{queries, part, causal && part.begin == queries.begin});
  }
}

/// The rows of x where they lie, or as a copy in `memory` [rows, cols] where they are whole half
/// pages apart, as ranges of columns are, and would fight for the same few lines of the caches.
template <class T>
ConstMatrixView<T> near_rows(ConstMatrixView<T> x, T* memory) {
  if (x.stride * static_cast<int64_t>(sizeof(T)) % 2048 != 0 || x.rows <= kBand) return x;
  for (int64_t r = 0; r < x.rows; ++r) std::copy_n(x.row(r), x.cols, memory + r * x.cols);
  return {memory, x.rows, x.cols};
}

/// Keys of a sentence and their values, near one another.
template <class T>
struct KeyRows {
  Range range;
  ConstMatrixView<T> keys, values;

  KeyRows(const AttentionHead& head, Range some, ConstMatrixView<T> key, ConstMatrixView<T> value,
          Workspace::Scope& scope)
      : range(some),
        keys(near_rows(some.of(head.key_rows(key)), scope.allocate<T>(some.count * head.width))),
        values(
            near_rows(some.of(head.key_rows(value)), scope.allocate<T>(some.count * head.width))) {}
  ConstMatrixView<T> keys_of(const Block& block) const { return part_of(keys, block); }
  ConstMatrixView<T> values_of(const Block& block) const { return part_of(values, block); }

 private:
  ConstMatrixView<T> part_of(ConstMatrixView<T> rows, const Block& block) const {
    return rows.row_range(block.keys.begin - range.begin, block.keys.count);
  }
};

/// to[c * kBlock + r] = scale x[r, c] for the at most kBlock rows of x, filled up with zeros to
/// whole vectors.
template <class T>
void pack_transposed(ConstMatrixView<T> x, T scale, T* to);

/// sums[r] = scale times the sum over c of a[r, c] b[r, c], r < a.rows <= kBlock, filled up with
/// zeros to whole vectors.
template <class T>
void multiply_rows(ConstMatrixView<T> a, ConstMatrixView<T> b, T scale, T* sums);

/// scores = the block's rows of `keys` times `packed` queries.
template <class T>
void multiply_keys(const Block& block, ConstMatrixView<T> keys, const T* packed, T* scores);

/// sums[query] (+)= sum over the keys that it sees of weights(key, query) keys[key].
template <class T>
void sum_over_keys(const Block& block, const T* weights, ConstMatrixView<T> keys,
                   MatrixView<T> sums, bool accumulate);

/// sums[key] (+)= sum over the queries that see it of weights(key, query) queries[query].
template <class T>
void sum_over_queries(const Block& block, const T* weights, ConstMatrixView<T> queries,
                      MatrixView<T> sums, bool accumulate);

/// For every vector of the block's queries that sees any of `keys`: `body(query, keys, visible)`
/// with its first query, the keys to visit, and visible(key, x, hidden), which is x where a lane
/// sees the key, else `hidden`.
template <class T, class Body>
void for_query_vectors(const Block& block, Range keys, const Body& body) {
  using simd::Vec;
  for (int64_t query = 0; query < block.queries.count; query += simd::kLanes<T>) {
    if (!block.diagonal) {
      body(query, keys, [](int64_t, Vec<T> x, T) { return x; });
      continue;
    }
    const int64_t end = (query / kBand + 1) * kBand;
    if (end <= keys.begin) continue;
    const simd::Mask<T> lanes =
        simd::lane_numbers<simd::Integer<T>>() + static_cast<int32_t>(query);
    body(query, Range{keys.begin, std::min(keys.count, end - keys.begin)},
         [&](int64_t key, Vec<T> x, T hidden) {
           return lanes >= static_cast<int32_t>(key) ? x : simd::broadcast(hidden);
         });
  }
}

/// The factors, [kBand, kBlock], that dropout, which is active, gives the weights of a band of the
/// block's keys.
template <class T>
void weight_factors(const Dropout& dropout, const AttentionHead& head, const Block& block,
                    Range band, T* factors);

/// What queries are multiplied by: 1 / sqrt(head) of the scaled dot product.
template <class T>
T score_scale(AttentionScore score, int64_t head) {
  return score == AttentionScore::kScaledDot ? T(1) / std::sqrt(static_cast<T>(head)) : T(1);
}

/// begins[sentence]: where the weights of each begin, as attention_forward saves them.
void place_probabilities(const AttentionShape& shape, int64_t* begins);

/// The longest of the hypotheses of a decoding step. Throws InternalError when what is given of
/// them does not fit the rows of queries, [rows, model].
int64_t check_steps(int64_t rows, int64_t model, int64_t key_model, int64_t heads,
                    std::span<const int32_t> slots, int64_t slot_stride,
                    std::span<const int32_t> lengths);

/// Throws InternalError when the layouts fit neither each other nor the matrices' rows and columns.
void check_attention(const AttentionShape& shape, int64_t query_rows, int64_t key_rows,
                     int64_t model, int64_t key_model);

}  // namespace calque::kernels
