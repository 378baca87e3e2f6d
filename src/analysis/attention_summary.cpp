#include "analysis/attention_summary.h"

#include <algorithm>

#include "base/parallel.h"

namespace calque {
namespace {

/// The sum over queries of the largest weight of the mean of all heads.
double sum_of_largest(const TappedAttention& batch, int64_t layer, int64_t sentence) {
  std::vector<AttentionMap> maps;
  for (int64_t head = 0; head < batch.heads(); ++head) {
    maps.push_back(batch.map(AttentionPlace::kDecoderCross, layer, head, sentence));
  }
  double sum = 0;
  for (int64_t query = 0; query < maps.front().queries(); ++query) {
    double largest = 0;
    double all = 0;
    for (int64_t key = 0; key < maps.front().keys(); ++key) {
      double weight = 0;
      for (const AttentionMap& map : maps) weight += map.weight(query, key);
      largest = std::max(largest, weight);
      all += weight;
    }
    if (all > 0) sum += largest / all;
  }
  return sum;
}

}  // namespace

AttentionSummary::AttentionSummary(const TransformerOptions& options, int64_t aligning_layer)
    : heads_of_a_layer_(options.heads), aligning_layer_(aligning_layer) {
  for (const AttentionPlace place : kAttentionPlaces) {
    const bool in_encoder = place == AttentionPlace::kEncoderSelf;
    const int64_t layers = in_encoder ? options.encoder_layers : options.decoder_layers;
    heads_[static_cast<size_t>(place)].resize(static_cast<size_t>(layers * options.heads));
  }
}

void AttentionSummary::add(const TappedAttention& batch) {
  for (const AttentionPlace place : kAttentionPlaces) {
    std::vector<EntropySums>& heads = heads_[static_cast<size_t>(place)];
    parallel_for(std::ssize(heads), [&](int64_t i, int) {
      for (int64_t s = 0; s < batch.sentences(); ++s) {
        heads[static_cast<size_t>(i)].add(
            batch.map(place, i / heads_of_a_layer_, i % heads_of_a_layer_, s));
      }
    });
  }
  for (int64_t s = 0; s < batch.sentences(); ++s) {
    sharpness_ += sum_of_largest(batch, aligning_layer_, s);
    queries_ += batch.map(AttentionPlace::kDecoderCross, aligning_layer_, 0, s).queries();
  }
}

}  // namespace calque
