#pragma once

#include <string>
#include <vector>

#include "model/options.h"

namespace calque::test {

/// A kind of attention for each part of a model, under a name.
struct AttentionKind {
  std::string name;
  kernels::AttentionOptions encoder, decoder, cross;

  void apply(TransformerOptions& options) const {
    options.encoder_self_attention = encoder;
    options.decoder_self_attention = decoder;
    options.decoder_cross_attention = cross;
  }
};

/// Kinds that, together, have every score, scope and normaliser in every part that knows it, and
/// whose gradient is that of their output.
inline std::vector<AttentionKind> differentiable_attention_kinds() {
  using enum kernels::AttentionScore;
  using enum kernels::AttentionScope;
  using enum kernels::AttentionNormalizer;
  return {
      {"dot", {.score = kDot}, {.score = kDot}, {.score = kDot}},
      {"general", {.score = kGeneral}, {.score = kGeneral}, {.score = kGeneral}},
      {"additive", {.score = kAdditive}, {.score = kAdditive}, {.score = kAdditive}},
      {"sparsemax",
       {.normalizer = kSparsemax},
       {.normalizer = kSparsemax},
       {.normalizer = kSparsemax}},
      {"entmax15", {.normalizer = kEntmax15}, {.normalizer = kEntmax15}, {.normalizer = kEntmax15}},
      {"local, monotonic",
       {.scope = kLocal, .window = 2, .global_tokens = 1},
       {.scope = kLocal, .window = 1, .global_tokens = 2},
       {.scope = kMonotonic, .window = 1}},
      {"strided, predictive",
       {.scope = kStrided, .window = 2},
       {.scope = kStrided, .window = 3},
       {.scope = kPredictive, .window = 2}},
      {"mixed",
       {.score = kAdditive, .scope = kLocal, .window = 3, .normalizer = kEntmax15},
       {.score = kGeneral, .scope = kStrided, .window = 2, .normalizer = kSparsemax},
       {.score = kAdditive, .scope = kPredictive, .window = 3, .normalizer = kEntmax15}}};
}

/// Those, and hard selection, whose gradient is an estimate.
inline std::vector<AttentionKind> attention_kinds() {
  constexpr auto kHard = kernels::AttentionSelection::kHard;
  constexpr auto kReinforce = kernels::SelectionEstimator::kReinforce;
  using enum kernels::AttentionScope;
  std::vector<AttentionKind> kinds = differentiable_attention_kinds();
  kinds.push_back({"hard",
                   {.selection = kHard},
                   {.scope = kLocal, .window = 2, .selection = kHard},
                   {.scope = kPredictive, .window = 2, .selection = kHard}});
  kinds.push_back({"reinforce",
                   {.selection = kHard, .estimator = kReinforce},
                   {.scope = kStrided, .window = 2, .selection = kHard, .estimator = kReinforce},
                   {.score = kernels::AttentionScore::kAdditive,
                    .normalizer = kernels::AttentionNormalizer::kEntmax15,
                    .selection = kHard,
                    .estimator = kReinforce}});
  return kinds;
}

}  // namespace calque::test
