#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "analysis/head_figures.h"

namespace calque {

/// How sharply each head looks over a whole corpus, and how sharply words are aligned.
class AttentionSummary {
 public:
  /// Of a model of these sizes. `aligning_layer`: the decoder's layer, from 0, whose
  /// cross-attention aligns.
  AttentionSummary(const TransformerOptions& options, int64_t aligning_layer);

  /// Adds the sentences of a batch.
  void add(const TappedAttention& batch);

  /// The figures of each layer and head: [layers * heads].
  const std::vector<EntropySums>& heads(AttentionPlace place) const {
    return heads_[static_cast<size_t>(place)];
  }
  int64_t heads_of_a_layer() const { return heads_of_a_layer_; }

  /// The mean over target tokens of the largest weight that the mean of the aligning layer's heads
  /// gives to a source token: 1 where each looks at one alone.
  double alignment_sharpness() const { return sharpness_ / static_cast<double>(queries_); }

 private:
  int64_t heads_of_a_layer_;
  int64_t aligning_layer_;
  std::array<std::vector<EntropySums>, kAttentionPlaces.size()> heads_;
  double sharpness_ = 0;
  int64_t queries_ = 0;
};

}  // namespace calque
