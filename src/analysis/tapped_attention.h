#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "model/transformer.h"

namespace calque {

/// The weights of one head over one sentence: [queries, keys]. A row is a distribution, but behind
/// the Gaussian of a predictive scope, where its sum is less than 1.
struct AttentionMap {
  MatrixView<const Real> weights;
  bool causal = false;  // query i sees the keys 0..i only

  int64_t queries() const { return weights.rows; }
  int64_t keys() const { return weights.cols; }
  int64_t visible_keys(int64_t query) const { return causal ? query + 1 : keys(); }
  double weight(int64_t query, int64_t key) const {
    return static_cast<double>(weights.row(query)[key]);
  }
  double row_sum(int64_t query) const {
    double sum = 0;
    for (int64_t key = 0; key < keys(); ++key) sum += weight(query, key);
    return sum;
  }
};

/// All attention weights of one pass of teacher forcing over a packed batch: memory for them in an
/// arena, and the tap that fills it.
class TappedAttention {
 public:
  /// `source`, `target`: the layouts of the batch. The memory is not set before the pass.
  TappedAttention(const TransformerOptions& options, const SequenceLayout& source,
                  const SequenceLayout& target, Arena& arena);

  const AttentionTap& tap() const { return tap_; }

  int64_t sentences() const { return std::ssize(lengths_[0]); }
  int64_t layers(AttentionPlace place) const { return std::ssize(tap_.at(place)); }
  int64_t heads() const { return heads_; }
  AttentionMap map(AttentionPlace place, int64_t layer, int64_t head, int64_t sentence = 0) const;

 private:
  struct Lengths {
    int64_t begin;  // of the sentence's weights among those of a layer
    int64_t queries;
    int64_t keys;
  };
  int64_t heads_;
  std::array<std::vector<Lengths>, kAttentionPlaces.size()> lengths_;
  AttentionTap tap_;
};

}  // namespace calque
