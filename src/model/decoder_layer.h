#pragma once

#include "model/decoder_cache.h"
#include "model/sublayer.h"
#include "nn/feed_forward.h"
#include "nn/multi_head_attention.h"

namespace calque {

/// One layer of the decoder (Vaswani et al. 2017, section 3.1): causal self-attention,
/// cross-attention to the encoder's memory, then feed-forward.
class DecoderLayer {
 public:
  DecoderLayer(const Scope& scope, const TransformerOptions& options, const DeepNorm& deep);

  /// All positions at once. x: [target tokens, model] -> the same shape; memory: [source tokens,
  /// model]. `probabilities`: null, or where the weights of the cross-attention go.
  Var forward(Context& context, const Var& x, const SequenceLayout& target, const Var& memory,
              const SequenceLayout& source, Real* probabilities = nullptr) const;

  /// A cache for `slots` tokens and `source_rows` rows of memory, in an arena.
  DecoderCache::Layer make_cache(Arena& arena, int64_t slots, int64_t source_rows) const;

  /// The memory's keys and values: [source tokens, 2 key model].
  Var project_memory(Context& context, const Var& memory) const {
    return cross_attention_.project_memory(context, memory);
  }

  /// One position of each hypothesis. x: [rows, model] -> the same shape; `queries` says which rows
  /// are hypotheses of which sentence of `source`.
  Var step(Context& context, const Var& x, DecoderCache::Layer& cache, const CacheSlots& slots,
           const SequenceLayout& queries, const SequenceLayout& source) const;

 private:
  MultiHeadAttention self_attention_;
  Sublayer self_attention_frame_;
  MultiHeadAttention cross_attention_;
  Sublayer cross_attention_frame_;
  FeedForward feed_forward_;
  Sublayer feed_forward_frame_;

  /// Cross-attention and feed-forward: what both ways of running the layer have in common. `slots`:
  /// of a step, else null.
  Var attend_and_feed(Context& context, const Var& x, const SequenceLayout& queries,
                      const Var& projected_memory, const SequenceLayout& source,
                      Real* probabilities, const CacheSlots* slots) const;
};

}  // namespace calque
