#include "nn/positional_encoding.h"

#include <algorithm>
#include <cmath>

namespace calque {

PositionalEncoding::PositionalEncoding(const Scope& scope, Positions kind, int64_t model,
                                       int64_t max_positions)
    : store_(scope.store()), kind_(kind), max_positions_(max_positions), sinusoids_(model) {
  if (kind == Positions::kLearned) {
    weight_ = scope.declare("weight", {max_positions, model}, Init::kNormal,
                            1 / std::sqrt(static_cast<double>(model)));
  }
}

Var PositionalEncoding::table(Context& context, int64_t longest) {
  if (weight_) {
    if (longest > max_positions_) {
      throw UserError(
          fmt::format("a sentence has {} tokens, but this model has learned only {} positions "
                      "(model.max_positions): shorten the sentence, or train with more positions",
                      longest, max_positions_));
    }
    return store_.var(context, weight_);
  }
  if (kind_ != Positions::kSinusoidal) return Var();
  const MatrixView<Real> table = sinusoids_.rows(longest);
  return Var(Tensor{table.data, {table.rows, table.cols}});
}

std::span<const int32_t> positions_of(Arena& arena, const SequenceLayout& layout) {
  auto* positions = arena.allocate<int32_t>(layout.tokens);
  int32_t* row = positions;
  for (const int32_t length : layout.lengths) {
    for (int32_t i = 0; i < length; ++i) *row++ = i;
  }
  return {positions, static_cast<size_t>(layout.tokens)};
}

std::span<const int32_t> newest_positions(Arena& arena, const CacheSlots& slots) {
  auto* positions = arena.allocate<int32_t>(slots.rows());
  std::ranges::transform(slots.lengths, positions, [](int32_t length) { return length - 1; });
  return {positions, slots.lengths.size()};
}

}  // namespace calque
