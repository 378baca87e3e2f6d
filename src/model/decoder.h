#pragma once

#include <optional>
#include <vector>

#include "model/decoder_layer.h"

namespace calque {

/// Takes the weights of one layer's cross-attention out of a forward pass: per sentence in order,
/// [heads, target tokens, source tokens] contiguous.
struct CrossAttentionTap {
  int64_t layer = 0;  // from 0, the one that reads the embeddings
  Real* probabilities = nullptr;
};

/// The stack of decoder layers, with a final norm when norms stand in front of sub-layers.
class Decoder {
 public:
  Decoder(const Scope& scope, const TransformerOptions& options);

  /// Teacher forcing: all positions at once. x: embedded target input, [target tokens, model];
  /// memory: [source tokens, model]. Returns [target tokens, model], to be projected to logits.
  Var forward(Context& context, Var x, const SequenceLayout& target, const Var& memory,
              const SequenceLayout& source, const CrossAttentionTap& tap = {}) const;

  /// A cache for `slots` tokens and `source_rows` rows of memory, in an arena.
  DecoderCache make_cache(Arena& arena, int64_t slots, int64_t source_rows) const;

  /// Puts the keys and values of `memory`, [source tokens, model], into the cache: those of its
  /// sentence s from row rows[s] on.
  void remember(Context& context, DecoderCache& cache, const Var& memory,
                const SequenceLayout& source, std::span<const int32_t> rows) const;

  /// One position of each hypothesis. x: [rows, model] -> the same shape.
  Var step(Context& context, Var x, DecoderCache& cache, const CacheSlots& slots,
           const SequenceLayout& queries, const SequenceLayout& source) const;

 private:
  std::vector<DecoderLayer> layers_;
  std::optional<Norm> norm_;
  double layer_dropout_;
  int64_t encoder_layers_;

  Var finish(Context& context, const Var& x) const;
};

}  // namespace calque
