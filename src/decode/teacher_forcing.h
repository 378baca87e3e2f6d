#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/transformer.h"

namespace calque {

/// A sentence with a translation that the model is to judge, not to find.
struct ForcedPair {
  std::span<const int32_t> source;  // with its end
  std::span<const int32_t> target;  // without begin and end
};

/// Called with a packed batch, and which of the pairs are in it.
using OnForcedBatch = std::function<void(const TrainingExample&, std::span<const size_t>)>;

/// Packs pairs of like length together, `batch_tokens` source and target tokens at most, but one
/// pair at least.
void for_each_forced_batch(std::span<const ForcedPair> pairs, int64_t batch_tokens,
                           const OnForcedBatch& on_batch);

/// What a forward pass works with, beside its model.
struct ForwardTools {
  Arena& arena;
  Workspace& workspace;
  kernels::PreparedWeights<Real>* weights = nullptr;  // as BeamSearch
};

/// The log-probability of each token of each target, its end being the last. What a pair is scored
/// with changes no bit. `progress`, when given, is called with the number of pairs done; what it
/// throws ends the scoring.
std::vector<std::vector<Real>> score_pairs(Transformer& model, std::span<const ForcedPair> pairs,
                                           int64_t batch_tokens, const ForwardTools& tools,
                                           const std::function<void(int64_t)>& progress = {});

}  // namespace calque
