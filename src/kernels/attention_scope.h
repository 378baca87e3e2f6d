#pragma once

#include <cstdint>

#include "kernels/attention_head.h"
#include "kernels/attention_options.h"
#include "kernels/simd.h"

namespace calque::kernels {

/// begin, begin + step, ..., `count` numbers of queries or keys of a sentence.
struct Progression {
  int64_t begin = 0;
  int64_t count = 0;
  int64_t step = 1;
  int64_t at(int64_t index) const { return begin + index * step; }
};

/// Queries of a sentence and head that are computed together, and the keys that any of them sees,
/// row by row: first `global_keys` from the sentence's begin, which all of them see, then `keys`.
struct QueryBlock {
  Progression queries;  // at most kBlock
  int64_t rank = 0;     // even; the queries' random numbers are drawn from `rank` on
  int64_t global_keys = 0;
  Progression keys;
  int32_t first[kBlock];  // the rows from which on, and up to which, a query sees `keys`; those
  int32_t last[kBlock];   // behind the last query, up to a whole vector, are as that one's

  int64_t rows() const { return global_keys + keys.count; }
  int64_t key(int64_t row) const { return row < global_keys ? row : keys.at(row - global_keys); }
};

/// What the keys that a query looks at depend on beside its number. Null where there is none.
template <class T>
struct QueryPlaces {
  const int32_t* positions = nullptr;  // of each query in its sentence, where not its number
  const T* centers = nullptr;          // of kPredictive: logits of each query's center,
  int64_t center_step = 0;             // so far apart
};

/// Which keys the queries of a sentence and head see. Query i sees key j when
///   kGlobal      always
///   kLocal       |i - j| <= window, or one of both is among the first `global_tokens` (Longformer;
///                Beltagy et al. 2020)
///   kStrided     |i - j| <= window in heads 0, 2, ..; j = i modulo window in heads 1, 3, .. (Child
///                et al. 2019, section 4.3)
///   kMonotonic   |min(position, keys - 1) - j| <= window, in cross-attention (Luong et al. 2015,
///                local-m; the position is kept inside the source)
///   kPredictive  |center - j| <= window, center = keys sigmoid(logit) (the same, local-p)
/// and, where `causal`, j <= i. Its queries fall into blocks whose keys are few, so that time and
/// memory grow with the number of pairs that see each other.
class ScopePattern {
 public:
  ScopePattern(const AttentionOptions& options, int64_t head, int64_t queries, int64_t keys,
               bool causal);

  /// How many blocks the queries have; some may be empty.
  int64_t blocks() const { return global_blocks_ + classes_ * blocks_of_class_; }
  template <class T>
  QueryBlock block(int64_t index, const QueryPlaces<T>& places) const;
  /// The block of one query.
  template <class T>
  QueryBlock single(int64_t query, const QueryPlaces<T>& places) const;

 private:
  AttentionOptions options_;
  int64_t queries_, keys_;
  bool causal_;
  bool by_stride_;           // a head of kStrided that looks afar
  int64_t size_;             // queries of a block: fewer where they share fewer keys
  int64_t globals_;          // queries, and keys, that see all
  int64_t global_blocks_;    // of those queries, which come first
  int64_t classes_;          // of the other queries: 1, or those that are equal modulo the stride
  int64_t blocks_of_class_;  // in each, at most

  struct Interval {
    int64_t first, last;  // keys
  };
  template <class T>
  Interval seen_by(int64_t query, const QueryPlaces<T>& places) const;
  template <class T>
  void find_keys(QueryBlock& block, const QueryPlaces<T>& places) const;
};

/// Of kPredictive: where a query looks, from a logit.
template <class T>
T predicted_center(T logit, int64_t keys) {
  return static_cast<T>(keys) / (T(1) + std::exp(-logit));
}

/// For every vector of the block's queries: `body(query, sees)` with its first query, and
/// sees(row), the lanes that see the key of a row.
template <class T, class Body>
void for_lanes(const QueryBlock& block, const Body& body) {
  for (int64_t query = 0; query < block.queries.count; query += simd::kLanes<T>) {
    simd::Mask<T> first, last;
    for (int64_t lane = 0; lane < simd::kLanes<T>; ++lane) {
      first[lane] = block.first[query + lane];
      last[lane] = block.last[query + lane];
    }
    const simd::Mask<T> global = simd::broadcast(static_cast<simd::Integer<T>>(block.global_keys));
    body(query, [=](int64_t row) -> simd::Mask<T> {
      const auto number = static_cast<simd::Integer<T>>(row);
      return ((number >= first) & (number <= last)) | (number < global);
    });
  }
}

}  // namespace calque::kernels
