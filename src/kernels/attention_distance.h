#pragma once

#include "kernels/attention_head.h"

// What distances add to the blocks of scores that attention is computed in.

namespace calque::kernels {

/// Scratch for the functions below, [2 kBlock, kBlock]; null where there are no tables.
template <class T>
T* distance_scratch(const DistanceTerms<T>& distances, Workspace::Scope& scope) {
  return distances.keys.data == nullptr ? nullptr : scope.allocate<T>(2 * kBlock * kBlock);
}

/// The block's scores: its rows of `keys` times `packed` queries, which are scaled, and what
/// distances add.
template <class T>
void score_block(const AttentionShape& shape, const DistanceTerms<T>& distances,
                 const AttentionHead& head, const Block& block, ConstMatrixView<T> keys,
                 const T* packed, T* scratch, T* scores);

/// scores(key, query) += the row of `table` for their distance times the `packed` query.
template <class T>
void add_table_products(const Block& block, ConstMatrixView<T> table, const T* packed, T* scratch,
                        T* scores);

/// The rows of a table of `rows` rows that the distances of a block choose.
Range table_rows(const Block& block, int64_t rows);

/// sums(row, query) = the sum of the weights of the keys whose distance chooses `row`, for
/// table_rows; kBlock apart.
template <class T>
void sum_by_distance(const Block& block, const T* weights, int64_t rows, T* sums);

/// to[query] += the sum over table_rows of sums(row, query) table[row].
template <class T>
void add_table_rows(const Block& block, const T* sums, ConstMatrixView<T> table, MatrixView<T> to);

/// What the gradients of both tables are made of: for each query row and head the sums by distance
/// of its gradients of scores, and of its weights, gathered over its keys.
template <class T>
class DistanceSums {
 public:
  /// Zeros, in `scope`; nothing where no gradient is wanted.
  DistanceSums(const AttentionShape& shape, const DistanceTerms<T>& distances,
               const DistanceGradients<T>& gradients, int64_t query_rows, Workspace::Scope& scope);
  /// Adds what sum_by_distance found in a block.
  void add_to_keys(const AttentionHead& head, const Block& block, const T* sums) const {
    add(of_keys_, head, block, sums);
  }
  void add_to_values(const AttentionHead& head, const Block& block, const T* sums) const {
    add(of_values_, head, block, sums);
  }
  /// The gradients: the sums times the queries and times the output's gradient, over all rows and
  /// heads in order.
  void finish(ConstMatrixView<T> query, ConstMatrixView<T> doutput,
              const DistanceGradients<T>& gradients, Workspace& workspace) const;

 private:
  int64_t heads_, table_rows_;
  MatrixView<T> of_keys_, of_values_;  // [query rows, heads * table rows], or without data

  void add(MatrixView<T> all, const AttentionHead& head, const Block& block, const T* sums) const;
  void multiply(MatrixView<T> all, ConstMatrixView<T> rows, MatrixView<T> gradient, bool accumulate,
                Workspace& workspace) const;
};

}  // namespace calque::kernels
