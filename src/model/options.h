#pragma once

#include <cstdint>

#include "kernels/activation.h"
#include "kernels/attention_options.h"
#include "nn/norm.h"
#include "nn/positional_encoding.h"

namespace calque {

/// Where the norms stand: kPost: norm(x + f(x)), as the paper; kPre: x + f(norm(x)) with
/// a final norm behind each stack (Xiong et al. 2020); kDeep: norm(alpha x + f(x)), for deep stacks
/// (model/deep_norm.h).
enum class NormPlace { kPre, kPost, kDeep };

/// Which embeddings are one matrix (Press and Wolf 2017): none; kDecoder: target embedding and
/// output projection; kAll: the source embedding too, which needs a shared vocabulary.
enum class Tying { kNone, kDecoder, kAll };

/// The `model` block of a config: every size of the Transformer.
struct TransformerOptions {
  int64_t model = 512;    // width of the residual stream
  int64_t heads = 8;      // attention heads; divide `model`
  int64_t hidden = 2048;  // width inside the feed-forward network; of gated kinds, of each half
  int64_t encoder_layers = 6;
  int64_t decoder_layers = 6;
  NormPlace norm = NormPlace::kPre;
  NormKind norm_kind = NormKind::kLayer;
  kernels::Activation activation = kernels::Activation::kRelu;
  Positions positions = Positions::kSinusoidal;
  int64_t max_positions = 512;  // rows of a learned position table
  int64_t max_distance = 16;    // farthest that relative positions tell apart
  Tying tied_embeddings = Tying::kAll;
  kernels::AttentionOptions encoder_self_attention;
  kernels::AttentionOptions decoder_self_attention;
  kernels::AttentionOptions decoder_cross_attention;
  // Probabilities of dropout.
  double embedding_dropout = 0.1;   // on embedding + position
  double residual_dropout = 0.1;    // on each sub-layer's output
  double attention_dropout = 0.0;   // on attention weights
  double activation_dropout = 0.0;  // inside the feed-forward network
  double layer_dropout = 0.0;       // of whole layers: see model/layer_drop.h

  SelfPositions self_positions() const { return {positions, max_distance}; }

  /// Whether some attention learns what to select by REINFORCE.
  bool reinforces() const {
    return encoder_self_attention.reinforces() || decoder_self_attention.reinforces() ||
           decoder_cross_attention.reinforces();
  }

  /// Width of a row of an attention's keys, and of its values.
  int64_t key_model(const kernels::AttentionOptions& attention) const {
    return model / heads * attention.key_value_heads_of(heads);
  }
};

}  // namespace calque
