#pragma once

#include "model/sublayer.h"
#include "nn/feed_forward.h"
#include "nn/multi_head_attention.h"

namespace calque {

/// One layer of the encoder (Vaswani et al. 2017, section 3.1): self-attention, then feed-forward.
class EncoderLayer {
 public:
  EncoderLayer(const Scope& scope, const TransformerOptions& options, const DeepNorm& deep);
  /// x: [source tokens, model] -> the same shape.
  Var forward(Context& context, const Var& x, const SequenceLayout& layout) const;

 private:
  MultiHeadAttention self_attention_;
  Sublayer self_attention_frame_;
  FeedForward feed_forward_;
  Sublayer feed_forward_frame_;
};

}  // namespace calque
