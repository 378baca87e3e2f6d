#pragma once

#include "kernels/attention_scope.h"
#include "kernels/attention_score.h"
#include "kernels/row_attention.h"

namespace calque::kernels {

/// Inputs of one sentence and head, by the numbers of queries and keys.
template <class T>
struct HeadRows {
  ConstMatrixView<T> query, key, value;
  const int32_t* slots = nullptr;  // [keys], the rows of keys and values; null: their numbers
  const T* energy = nullptr;       // [head]
  const T* advantages = nullptr;   // [queries], of REINFORCE
  QueryPlaces<T> places = {};
  T slope = 0;              // by which scores fall with the distance
  int64_t first_query = 0;  // the number of the first row of queries
};

/// A block of queries with the keys that they see, gathered; what a block of row attention does,
/// step by step. Weights and their gradients are [rows of the block, kBlock], which each step but
/// the first changes in place. Its memory is taken from an arena, to which it gives it back.
template <class T>
class RowBlock {
 public:
  /// `random_row`, `random_column`: where the random numbers of the sentence and head begin.
  RowBlock(const AttentionShape& shape, const QueryBlock& block, const HeadRows<T>& rows,
           int64_t keys, uint32_t random_row, uint32_t random_column, Arena& arena);

  /// Memory for weights.
  T* allocate() const { return arena_.allocate<T>(block_.rows() * kBlock); }

  /// The weights P, from scores and thresholds, [kBlock], which are found where `find`, else given.
  T* weigh(T* thresholds, bool find) const;
  /// Weights P become those that values are taken by, but for dropout.
  void take(T* weights) const;
  /// Multiplies by dropout's factors.
  void drop(T* weights) const;
  /// sums: [queries, head], of weights times values.
  void sum_values(const T* weights, MatrixView<T> sums) const;

  /// dweights[row, query] = doutput[query] value[row]; doutput: [queries, head].
  void multiply_values(ConstMatrixView<T> doutput, T* dweights) const;
  /// Of all that made the weights: dqueries [queries, head], dkeys [rows, head]; adds to denergy
  /// [head]. `weights`: P; `dweights` become gradients of the scores.
  void differentiate(const T* weights, T* dweights, MatrixView<T> dqueries, MatrixView<T> dkeys,
                     T* denergy) const;
  /// The gradient of a predicted center's logit, from weights behind `drop` and their gradients.
  T center_gradient(int64_t query, const T* weights, const T* dweights) const;

  /// Rows of queries as a matrix of their own.
  ConstMatrixView<T> gather_queries(ConstMatrixView<T> x, T scale) const;

 private:
  const AttentionShape& shape_;
  const QueryBlock& block_;
  const HeadRows<T>& rows_;
  int64_t keys_;
  uint32_t random_row_, random_column_;
  Arena& arena_;
  Workspace::Scope memory_;
  T scale_;
  ScoreRows<T> score_rows_;
  ConstMatrixView<T> values_;

  ConstMatrixView<T> gather_keys(ConstMatrixView<T> x) const;
  const T* pack(ConstMatrixView<T> x) const;
  T center(int64_t query) const;
  /// Whether hard selection draws the key, by scores with noise or by the weights P.
  bool draws_by_noise() const { return shape_.draw.active() && !shape_.options.reinforces(); }
  bool draws_by_race() const { return shape_.draw.active() && shape_.options.reinforces(); }
  /// 1 for the key that hard selection takes, else 0.
  void select(T* weights) const;
  /// dweights: of weight advantage log P(the key taken), for each query.
  void reinforce(const T* weights, T* dweights) const;
  /// Takes slope |query - key| from the scores.
  void lower(T* scores) const;
  /// Multiplies by the Gaussian of predicted centers, where they are.
  void spread(T* weights) const;
};

}  // namespace calque::kernels
