#pragma once

#include "model/transformer.h"
#include "train/options.h"

namespace calque {

/// Forward and backward of one micro-batch, the way that `train.*` says: once, or twice where two
/// passes are to agree (R-Drop, Transformer::r_drop_loss), or where a second one is on embeddings
/// perturbed by what the first one found, under the same dropout (train/adversarial.h). Adds to the
/// model's gradients; the sums are those of training without perturbation. `context`: with a tape,
/// which is reset, as its arena is.
kernels::CrossEntropySums add_gradients(const Context& context, Transformer& model,
                                        const TrainOptions& options,
                                        const TrainingExample& example);

/// Passes of the model that this takes.
int gradient_passes(const TrainOptions& options);

/// Draws of dropout that it takes, by which Context::micro_batch goes on.
int64_t dropout_draws(const TrainOptions& options);

}  // namespace calque
