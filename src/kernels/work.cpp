#include "kernels/work.h"

#include "kernels/attention_scope.h"

namespace calque::kernels::work {
namespace {

/// The same in sentence `s`, where the scope has a window; predicted ones are taken as monotonic.
double pairs_in_scope(const AttentionShape& shape, size_t s) {
  AttentionOptions options = shape.options;
  if (options.scope == AttentionScope::kPredictive) options.scope = AttentionScope::kMonotonic;
  double pairs = 0;
  for (int64_t head = 0; head < shape.heads; ++head) {
    const ScopePattern pattern(options, head, shape.queries.lengths[s], shape.keys.lengths[s],
                               shape.causal);
    for (int64_t i = 0; i < pattern.blocks(); ++i) {
      const QueryBlock block = pattern.block(i, QueryPlaces<float>());
      for (int64_t q = 0; q < block.queries.count && block.rows() > 0; ++q) {
        pairs += static_cast<double>(block.global_keys + block.last[q] - block.first[q] + 1);
      }
    }
  }
  return pairs / static_cast<double>(shape.heads);
}

}  // namespace

double visible_pairs(const AttentionShape& shape) {
  double pairs = 0;
  for (int64_t s = 0; s < shape.queries.sentences(); ++s) {
    const auto at = static_cast<size_t>(s);
    const double queries = shape.queries.lengths[at];
    const double keys = shape.keys.lengths[at];
    if (shape.options.scope != AttentionScope::kGlobal) {
      pairs += pairs_in_scope(shape, at);
      continue;
    }
    pairs += shape.causal ? queries * (queries + 1) / 2 : queries * keys;
  }
  return pairs;
}

}  // namespace calque::kernels::work
