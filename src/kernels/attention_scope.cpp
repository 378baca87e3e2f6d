#include "kernels/attention_scope.h"

#include <algorithm>
#include <cmath>

namespace calque::kernels {

ScopePattern::ScopePattern(const AttentionOptions& options, int64_t head, int64_t queries,
                           int64_t keys, bool causal)
    : options_(options),
      queries_(queries),
      keys_(keys),
      causal_(causal),
      by_stride_(options.scope == AttentionScope::kStrided && head % 2 == 1),
      size_(options.scope == AttentionScope::kGlobal || by_stride_ ? kBlock : kBlock / 2),
      globals_(options.scope == AttentionScope::kLocal ? std::min(options.global_tokens, queries)
                                                       : 0),
      global_blocks_(pieces(globals_, size_)),
      classes_(by_stride_ ? std::min(options.window, queries) : 1),
      blocks_of_class_(by_stride_ ? pieces(pieces(queries, options.window), size_)
                                  : pieces(queries - globals_, size_)) {}

template <class T>
QueryBlock ScopePattern::block(int64_t index, const QueryPlaces<T>& places) const {
  QueryBlock block;
  Progression all{globals_, queries_ - globals_};
  int64_t part = index - global_blocks_;
  if (index < global_blocks_) {
    all = {0, globals_};
    part = index;
  } else if (by_stride_) {
    const int64_t begin = part / blocks_of_class_;
    all = {begin, pieces(queries_ - begin, options_.window), options_.window};
    part %= blocks_of_class_;
    block.rank = begin * (pieces(queries_, options_.window) + 1) / 2 * 2;
  }
  const int64_t from = std::min(part * size_, all.count);
  block.queries = {all.at(from), std::min(size_, all.count - from), all.step};
  block.rank += by_stride_ ? from : (block.queries.begin + 1) / 2 * 2;
  find_keys(block, places);
  return block;
}

template <class T>
QueryBlock ScopePattern::single(int64_t query, const QueryPlaces<T>& places) const {
  QueryBlock block;
  block.queries = {query, 1, by_stride_ ? options_.window : 1};
  find_keys(block, places);
  return block;
}

template <class T>
ScopePattern::Interval ScopePattern::seen_by(int64_t query, const QueryPlaces<T>& places) const {
  Interval seen{0, keys_ - 1};
  const auto around = [&](int64_t center) {
    seen = {center - options_.window, center + options_.window};
  };
  switch (options_.scope) {
    case AttentionScope::kGlobal:
      break;
    case AttentionScope::kLocal:
      if (query >= globals_) around(query);
      break;
    case AttentionScope::kStrided:
      if (!by_stride_) around(query);
      break;
    case AttentionScope::kMonotonic:
      around(std::min<int64_t>(places.positions != nullptr ? places.positions[query] : query,
                               keys_ - 1));
      break;
    case AttentionScope::kPredictive: {
      const T center = predicted_center(places.centers[query * places.center_step], keys_);
      if (!std::isfinite(center)) break;
      const T window = static_cast<T>(options_.window);
      seen = {static_cast<int64_t>(std::ceil(center - window)),
              static_cast<int64_t>(std::floor(center + window))};
      break;
    }
  }
  return {std::max<int64_t>(seen.first, 0),
          std::min(seen.last, causal_ ? std::min(query, keys_ - 1) : keys_ - 1)};
}

template <class T>
void ScopePattern::find_keys(QueryBlock& block, const QueryPlaces<T>& places) const {
  if (block.queries.count == 0 || keys_ == 0) return;
  const bool of_globals = block.queries.begin < globals_;
  block.global_keys = of_globals ? 0 : globals_;
  Interval seen{keys_, -1};
  Interval of_query[kBlock];
  for (int64_t i = 0; i < block.queries.count; ++i) {
    of_query[i] = seen_by(block.queries.at(i), places);
    of_query[i].first = std::max(of_query[i].first, block.global_keys);
    seen.first = std::min(seen.first, of_query[i].first);
    seen.last = std::max(seen.last, of_query[i].last);
  }
  const int64_t step = block.queries.step;
  const int64_t begin = step > 1 ? block.queries.begin % step : seen.first;
  block.keys = {begin, std::max<int64_t>(pieces(seen.last + 1 - begin, step), 0), step};
  for (int64_t i = 0; i < simd::padded<T>(block.queries.count); ++i) {
    const Interval& keys = of_query[std::min(i, block.queries.count - 1)];
    const auto row_of = [&](int64_t key) {
      return static_cast<int32_t>(block.global_keys + (key - begin) / step);
    };
    block.first[i] = step > 1 ? 0 : row_of(keys.first);
    block.last[i] = row_of(keys.last);
  }
}

#define CALQUE_INSTANTIATE(T)                                                    \
  template QueryBlock ScopePattern::block(int64_t, const QueryPlaces<T>&) const; \
  template QueryBlock ScopePattern::single(int64_t, const QueryPlaces<T>&) const;
CALQUE_INSTANTIATE(float)
CALQUE_INSTANTIATE(double)
#undef CALQUE_INSTANTIATE

}  // namespace calque::kernels
