#include "analysis/tapped_attention.h"

namespace calque {

TappedAttention::TappedAttention(const TransformerOptions& options, const SequenceLayout& source,
                                 const SequenceLayout& target, Arena& arena)
    : heads_(options.heads) {
  for (const AttentionPlace place : kAttentionPlaces) {
    const SequenceLayout& queries = place == AttentionPlace::kEncoderSelf ? source : target;
    const SequenceLayout& keys = place == AttentionPlace::kDecoderSelf ? target : source;
    const bool in_encoder = place == AttentionPlace::kEncoderSelf;
    int64_t weights = 0;
    for (size_t s = 0; s < queries.lengths.size(); ++s) {
      lengths_[static_cast<size_t>(place)].push_back(
          {weights, queries.lengths[s], keys.lengths[s]});
      weights += heads_ * queries.lengths[s] * keys.lengths[s];
    }
    const int64_t layers = in_encoder ? options.encoder_layers : options.decoder_layers;
    for (int64_t layer = 0; layer < layers; ++layer) {
      tap_.at(place).push_back(arena.allocate<Real>(weights));
    }
  }
}

AttentionMap TappedAttention::map(AttentionPlace place, int64_t layer, int64_t head,
                                  int64_t sentence) const {
  const Lengths& lengths = lengths_[static_cast<size_t>(place)][static_cast<size_t>(sentence)];
  const Real* const weights = tap_.at(place)[static_cast<size_t>(layer)] + lengths.begin +
                              head * lengths.queries * lengths.keys;
  return {{weights, lengths.queries, lengths.keys}, place == AttentionPlace::kDecoderSelf};
}

}  // namespace calque
