#pragma once

#include <cstdint>
#include <span>

#include "nn/parameter.h"
#include "tensor/sequence_layout.h"

namespace calque {

/// How a token's position enters the model: sinusoids (Vaswani et al. 2017, section 3.5), or a
/// learned vector per position (Gehring et al. 2017).
enum class Positions { kSinusoidal, kLearned };

/// The table that is added to the embeddings: [longest, model].
class PositionalEncoding {
 public:
  /// Learned tables have `max_positions` rows and declare one parameter, `weight`; sinusoids are a
  /// constant that grows with the longest sentence seen.
  PositionalEncoding(const Scope& scope, Positions kind, int64_t model, int64_t max_positions);

  /// The table, with at least `longest` rows. Throws UserError when a learned one is shorter.
  /// Sinusoids stay valid until a longer sentence comes, learned ones as long as the context.
  Var table(Context& context, int64_t longest);

 private:
  ParameterStore& store_;
  int64_t model_;
  int64_t max_positions_;
  ParameterId weight_;  // learned
  MemoryBlock memory_;  // sinusoidal
  int64_t rows_ = 0;
};

/// The position of each row of a packed batch inside its sentence, from 0: [tokens], in the arena.
std::span<const int32_t> positions_of(Arena& arena, const SequenceLayout& layout);

}  // namespace calque
