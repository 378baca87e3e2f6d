#pragma once

#include <array>
#include <vector>

#include "analysis/tapped_attention.h"

namespace calque {

/// Attention rollout (Abnar and Zuidema 2020, "Quantifying Attention Flow in Transformers"): how
/// much of each input there is in each token behind a layer, if weights were all that mixes them
/// and the residual connection counts half. With W the mean of the layer's heads and A = (W + I) /
/// 2, its rows scaled to sum up to 1:
///   encoder:  E_0 = I;  E_l = A_l E_(l-1)                                     [source, source]
///   decoder:  T_0 = I;  T_l = A_l T_(l-1)                                     [target, target]
///             S_0 = 0;  S_l = (A_l S_(l-1) + W_cross E_last) / 2              [target, source]
/// T counts what reaches a position by self-attention alone. S takes both connections of a decoder
/// layer in their turn; a row of it is scaled to sum up to 1.
struct Rollout {
  /// Of each place, behind each layer: [queries, keys].
  std::array<std::vector<std::vector<double>>, kAttentionPlaces.size()> layers;

  const std::vector<double>& at(AttentionPlace place, int64_t layer) const {
    return layers[static_cast<size_t>(place)][static_cast<size_t>(layer)];
  }
};

/// Of one sentence of the batch.
Rollout roll_out(const TappedAttention& attention, int64_t sentence = 0);

}  // namespace calque
