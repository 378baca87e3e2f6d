#pragma once

#include "kernels/attention_options.h"
#include "kernels/attention_scope.h"

namespace calque::kernels {

/// Queries and keys of a block and head, gathered, and what the additive score has beside.
template <class T>
struct ScoreRows {
  ConstMatrixView<T> queries;  // [queries, head], times score_scale
  const T* packed;             // the same as [head, kBlock], filled up with zeros
  ConstMatrixView<T> keys;     // [rows, head]
  const T* energy = nullptr;   // [head], v of AttentionScore::kAdditive
};

/// scores[row, query], [rows, kBlock]: query key, where the query comes scaled; or, additive,
///   sum over c of energy[c] tanh(query[c] + key[c])
template <class T>
void fill_scores(AttentionScore score, const QueryBlock& block, const ScoreRows<T>& rows,
                 T* scores);

/// Of dscores, [rows, kBlock]: assigns dqueries [queries, head] (of the scaled queries) and dkeys
/// [rows, head], and adds to denergy [head]. Additive, with t the tanh, computed again:
///   d(query[c] + key[c]) = dscore energy[c] (1 - t^2);  denergy[c] = sum of dscore t
/// `scratch`: [head, kBlock].
template <class T>
void differentiate_scores(AttentionScore score, const QueryBlock& block, const ScoreRows<T>& rows,
                          const T* dscores, MatrixView<T> dqueries, MatrixView<T> dkeys, T* denergy,
                          T* scratch);

}  // namespace calque::kernels
