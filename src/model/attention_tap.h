#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "tensor/real.h"

namespace calque {

/// The three attentions of the Transformer (Vaswani et al. 2017, section 3.2.3).
enum class AttentionPlace { kEncoderSelf, kDecoderSelf, kDecoderCross };

inline constexpr std::array kAttentionPlaces{
    AttentionPlace::kEncoderSelf, AttentionPlace::kDecoderSelf, AttentionPlace::kDecoderCross};

/// What programs call it: "decoder_cross".
constexpr std::string_view name_of(AttentionPlace place) {
  constexpr std::array<std::string_view, kAttentionPlaces.size()> kNames{
      "encoder_self", "decoder_self", "decoder_cross"};
  return kNames[static_cast<size_t>(place)];
}

/// Takes attention weights out of a forward pass. Of each place: for each layer, the one that reads
/// the embeddings first, null, or where its weights go: per sentence in order, [heads, queries,
/// keys] contiguous (kernels::attention_forward). A list may be shorter than the stack, or empty.
struct AttentionTap {
  std::array<std::vector<Real*>, kAttentionPlaces.size()> probabilities;

  std::vector<Real*>& at(AttentionPlace place) { return probabilities[static_cast<size_t>(place)]; }
  const std::vector<Real*>& at(AttentionPlace place) const {
    return probabilities[static_cast<size_t>(place)];
  }
  /// Null where none are wanted.
  Real* of(AttentionPlace place, size_t layer) const {
    return layer < at(place).size() ? at(place)[layer] : nullptr;
  }
};

}  // namespace calque
