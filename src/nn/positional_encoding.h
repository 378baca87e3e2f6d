#pragma once

#include <cstdint>
#include <span>

#include "nn/key_value_cache.h"
#include "nn/parameter.h"
#include "nn/sinusoid_table.h"
#include "tensor/sequence_layout.h"

namespace calque {

/// How a token's position enters the model: added to its embedding, as sinusoids (Vaswani et al.
/// 2017, section 3.5) or a learned vector per position (Gehring et al. 2017); in self-attention, by
/// turning queries and keys (kRotary; Su et al. 2021), by what their distance takes off the scores
/// (kAlibi; Press et al. 2022) or by learned vectors per distance (kRelative; Shaw et al. 2018); or
/// not at all (kNone), where only causal attention knows of an order (Haviv et al. 2022).
enum class Positions { kSinusoidal, kLearned, kNone, kRotary, kAlibi, kRelative };

/// What self-attention is to know of positions.
struct SelfPositions {
  Positions kind = Positions::kNone;
  int64_t max_distance = 16;  // kRelative: the farthest that is told apart
};

/// The table that is added to the embeddings: [longest, model].
class PositionalEncoding {
 public:
  /// Learned tables have `max_positions` rows and declare one parameter, `weight`; sinusoids are a
  /// constant that grows with the longest sentence seen.
  PositionalEncoding(const Scope& scope, Positions kind, int64_t model, int64_t max_positions);

  /// The table, with at least `longest` rows; an empty Var for kinds that add none. Throws
  /// UserError when a learned one is shorter. Learned ones stay valid as long as the context.
  Var table(Context& context, int64_t longest);

 private:
  ParameterStore& store_;
  Positions kind_;
  int64_t max_positions_;
  ParameterId weight_;  // learned
  SinusoidTable sinusoids_;
};

/// The position of each row of a packed batch inside its sentence, from 0: [tokens], in the arena.
std::span<const int32_t> positions_of(Arena& arena, const SequenceLayout& layout);

/// The position of the newest token of each hypothesis of a decoding step: [rows], in the arena.
std::span<const int32_t> newest_positions(Arena& arena, const CacheSlots& slots);

}  // namespace calque
