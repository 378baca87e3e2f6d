#pragma once

#include "model/transformer.h"

namespace calque {

/// The source embedding gradient: d(-log p(targets | sources)) / dx, where x are the embedded
/// source tokens that the encoder reads (scaled, with their positions), [source tokens, model]. Of
/// a packed batch: each sentence's rows are of its own target alone. The model computes as when it
/// translates, without dropout.
///
/// `model`: opened for inference; its parameters get no gradients. The result and what it was made
/// of lie in `arena`, until the caller takes them back. `weights`: as Context's.
/// `log_probabilities`: [target tokens] or empty: log p of each target token, ends included.
Tensor source_embedding_gradient(Transformer& model, const TrainingExample& example, Arena& arena,
                                 Workspace& workspace, kernels::PreparedWeights<Real>* weights,
                                 std::span<Real> log_probabilities = {});

}  // namespace calque
