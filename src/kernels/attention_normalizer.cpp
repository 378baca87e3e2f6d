#include "kernels/attention_normalizer.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace calque::kernels {
namespace {

using simd::kLanes;
using simd::Vec;

/// Those of `scores` that may have a weight, largest first: the threshold is no more than `reach`
/// below the largest. Moved to the front; empty where some are NaN.
template <class T>
std::span<T> sorted_candidates(std::span<T> scores, T reach) {
  T highest = scores[0];
  for (const T score : scores) {
    if (std::isnan(score)) return {};
    highest = std::max(highest, score);
  }
  const auto end = std::partition(scores.begin(), scores.end(),
                                  [&](T score) { return score > highest - reach; });
  const auto candidates = std::span<T>(scores.begin(), end);
  std::sort(candidates.begin(), candidates.end(), std::greater<>());
  return candidates;
}

template <class T>
void find_log_sums(const QueryBlock& block, const T* scores, T* thresholds) {
  for_lanes<T>(block, [&](int64_t query, const auto& sees) {
    const Vec<T> lowest = simd::broadcast(-std::numeric_limits<T>::infinity());
    Vec<T> highest = lowest;
    for (int64_t row = 0; row < block.rows(); ++row) {
      const Vec<T> score = simd::load(scores + row * kBlock + query);
      highest = simd::max<T>(highest, sees(row) ? score : lowest);
    }
    Vec<T> sum{};
    for (int64_t row = 0; row < block.rows(); ++row) {
      const Vec<T> weight = simd::exp(simd::load(scores + row * kBlock + query) - highest);
      sum += sees(row) ? weight : Vec<T>{};
    }
    simd::store<T>(highest + simd::log(sum), thresholds + query);
  });
}

/// The scores that a query sees, one behind the other in `row`.
template <class T>
std::span<T> seen_scores(const QueryBlock& block, int64_t query, const T* scores, T* row) {
  int64_t count = 0;
  const auto take = [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; ++at) row[count++] = scores[at * kBlock + query];
  };
  take(0, block.global_keys);
  take(block.first[query], block.last[query] + 1);
  return {row, static_cast<size_t>(count)};
}

/// scores[row, query] = weight(score) where the query sees the row, else 0.
template <class T, class Weight>
void weigh(const QueryBlock& block, const T* thresholds, T* scores, const Weight& weight) {
  for_lanes<T>(block, [&](int64_t query, const auto& sees) {
    const Vec<T> threshold = simd::load(thresholds + query);
    for (int64_t row = 0; row < block.rows(); ++row) {
      T* const at = scores + row * kBlock + query;
      simd::store<T>(sees(row) ? weight(simd::load(at), threshold) : Vec<T>{}, at);
    }
  });
}

/// `share(P)`: the G of the header.
template <class T, class Share>
void differentiate(const QueryBlock& block, const T* weights, T* gradients, const Share& share) {
  for_lanes<T>(block, [&](int64_t query, const auto&) {
    Vec<T> sum{};
    Vec<T> shares{};
    for (int64_t row = 0; row < block.rows(); ++row) {
      const int64_t at = row * kBlock + query;
      const Vec<T> g = share(simd::load(weights + at));
      sum += g * simd::load(gradients + at);
      shares += g;
    }
    const Vec<T> mean = sum / shares;
    for (int64_t row = 0; row < block.rows(); ++row) {
      const int64_t at = row * kBlock + query;
      simd::store<T>(share(simd::load(weights + at)) * (simd::load(gradients + at) - mean),
                     gradients + at);
    }
  });
}

template <class T>
Vec<T> root(Vec<T> x) {
  for (int64_t lane = 0; lane < kLanes<T>; ++lane) x[lane] = std::sqrt(x[lane]);
  return x;
}

}  // namespace

template <class T>
T sparsemax_threshold(std::span<T> scores) {
  double sum = 0;
  double threshold = std::numeric_limits<double>::quiet_NaN();
  double count = 0;
  for (const T score : sorted_candidates(scores, T(1))) {
    if (count > 0 && static_cast<double>(score) <= threshold) break;
    sum += static_cast<double>(score);
    threshold = (sum - 1) / ++count;
  }
  return static_cast<T>(threshold);
}

template <class T>
T entmax15_threshold(std::span<T> scores) {
  const std::span<T> candidates = sorted_candidates(scores, T(2));
  if (candidates.empty()) return std::numeric_limits<T>::quiet_NaN();
  const double highest = static_cast<double>(candidates[0]) / 2;  // taken out for the squares' sake
  double sum = 0;
  double squares = 0;
  double threshold = 0;
  double count = 0;
  for (const T score : candidates) {
    const double half = static_cast<double>(score) / 2 - highest;
    if (count > 0 && half <= threshold) break;
    sum += half;
    squares += half * half;
    const double mean = sum / ++count;
    const double spread = squares - sum * mean;
    threshold = mean - std::sqrt(std::max(0.0, (1 - spread) / count));
  }
  return static_cast<T>(threshold + highest);
}

template <class T>
void find_thresholds(AttentionNormalizer normalizer, const QueryBlock& block, const T* scores,
                     T* thresholds, T* row) {
  if (normalizer == AttentionNormalizer::kSoftmax) return find_log_sums(block, scores, thresholds);
  const auto find = normalizer == AttentionNormalizer::kSparsemax ? &sparsemax_threshold<T>
                                                                  : &entmax15_threshold<T>;
  for (int64_t query = 0; query < block.queries.count; ++query) {
    thresholds[query] = find(seen_scores(block, query, scores, row));
  }
  const T last = thresholds[block.queries.count - 1];
  std::fill(thresholds + block.queries.count, thresholds + simd::padded<T>(block.queries.count),
            last);
}

template <class T>
void weigh_scores(AttentionNormalizer normalizer, const QueryBlock& block, const T* thresholds,
                  T* scores) {
  const auto above = [](Vec<T> score, Vec<T> threshold) {
    const Vec<T> weight = score - threshold;
    return weight < T(0) ? Vec<T>{} : weight;  // NaN stays NaN
  };
  switch (normalizer) {
    case AttentionNormalizer::kSoftmax:
      return weigh(block, thresholds, scores,
                   [](Vec<T> score, Vec<T> threshold) { return simd::exp(score - threshold); });
    case AttentionNormalizer::kSparsemax:
      return weigh(block, thresholds, scores, above);
    case AttentionNormalizer::kEntmax15:
      return weigh(block, thresholds, scores, [&](Vec<T> score, Vec<T> threshold) {
        const Vec<T> weight = above(score * T(0.5), threshold);
        return weight * weight;
      });
  }
}

template <class T>
void differentiate_weights(AttentionNormalizer normalizer, const QueryBlock& block,
                           const T* weights, T* gradients) {
  switch (normalizer) {
    case AttentionNormalizer::kSoftmax:
      return differentiate(block, weights, gradients, [](Vec<T> p) { return p; });
    case AttentionNormalizer::kSparsemax:
      return differentiate(block, weights, gradients,
                           [](Vec<T> p) { return p > T(0) ? simd::broadcast(T(1)) : Vec<T>{}; });
    case AttentionNormalizer::kEntmax15:
      return differentiate(block, weights, gradients, [](Vec<T> p) { return root<T>(p); });
  }
}

#define CALQUE_INSTANTIATE(T)                                                              \
  template T sparsemax_threshold(std::span<T>);                                            \
  template T entmax15_threshold(std::span<T>);                                             \
  template void find_thresholds(AttentionNormalizer, const QueryBlock&, const T*, T*, T*); \
  template void weigh_scores(AttentionNormalizer, const QueryBlock&, const T*, T*);        \
  template void differentiate_weights(AttentionNormalizer, const QueryBlock&, const T*, T*);
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
