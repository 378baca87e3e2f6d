#include "nn/positional_encoding.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/embedding.h"

namespace calque {

PositionalEncoding::PositionalEncoding(const Scope& scope, Positions kind, int64_t model,
                                       int64_t max_positions)
    : store_(scope.store()), model_(model), max_positions_(max_positions) {
  if (kind == Positions::kLearned) {
    weight_ = scope.declare("weight", {max_positions, model}, Init::kNormal,
                            1 / std::sqrt(static_cast<double>(model)));
  }
}

Var PositionalEncoding::table(Context& context, int64_t longest) {
  if (weight_) {
    if (longest > max_positions_) {
      throw UserError(fmt::format(
          "a sentence has {} tokens, but this model has learned only {} positions "
          "(model.max_positions): shorten the sentence, or train with more positions",
          longest, max_positions_));
    }
    return store_.var(context, weight_);
  }
  if (longest > rows_) {
    rows_ = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(longest, 256))));
    memory_ = MemoryBlock(static_cast<size_t>(rows_ * model_) * sizeof(Real));
    kernels::sinusoidal_positions<Real>(
        {reinterpret_cast<Real*>(memory_.data()), rows_, model_});
  }
  return Var(Tensor{reinterpret_cast<Real*>(memory_.data()), {rows_, model_}});
}

std::span<const int32_t> positions_of(Arena& arena, const SequenceLayout& layout) {
  auto* positions = arena.allocate<int32_t>(layout.tokens);
  int32_t* row = positions;
  for (const int32_t length : layout.lengths) {
    for (int32_t i = 0; i < length; ++i) *row++ = i;
  }
  return {positions, static_cast<size_t>(layout.tokens)};
}

}  // namespace calque
