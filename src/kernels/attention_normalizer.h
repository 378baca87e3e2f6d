#pragma once

#include <span>

#include "kernels/attention_scope.h"

namespace calque::kernels {

// What makes weights of scores. All three kinds are alpha-entmax (Peters et al. 2019) with alpha 1,
// 2 and 1.5: the distribution P that maximises P scores + H_alpha(P). One number of a row of
// scores, its threshold, gives each weight from its own score:
//   softmax    P = exp(S - threshold)              threshold = log(sum of exp(S))
//   sparsemax  P = max(S - threshold, 0)           both the one number with which
//   entmax15   P = max(S / 2 - threshold, 0)^2     the weights' sum is 1
// and one Jacobian, with G = P^(2 - alpha), which is P, [P > 0] and sqrt(P):
//   dS = G (dP - sum(G dP) / sum(G))
// A query's scores are a column of a block: [rows of the block, kBlock].

/// The threshold of sparsemax (Martins and Astudillo 2016, algorithm 1): by sorting, exact but for
/// rounding. Sorts what it needs of `scores`, which are one or more; NaN where one of those is NaN.
template <class T>
T sparsemax_threshold(std::span<T> scores);

/// The same of entmax15 (Peters et al. 2019, algorithm 2).
template <class T>
T entmax15_threshold(std::span<T> scores);

/// thresholds[query], of the scores of the keys that the query sees. `row`: scratch, [rows].
template <class T>
void find_thresholds(AttentionNormalizer normalizer, const QueryBlock& block, const T* scores,
                     T* thresholds, T* row);

/// Scores become weights, in place; 0 of the keys that a query does not see.
template <class T>
void weigh_scores(AttentionNormalizer normalizer, const QueryBlock& block, const T* thresholds,
                  T* scores);

/// Gradients of weights become gradients of scores, in place.
template <class T>
void differentiate_weights(AttentionNormalizer normalizer, const QueryBlock& block,
                           const T* weights, T* gradients);

}  // namespace calque::kernels
