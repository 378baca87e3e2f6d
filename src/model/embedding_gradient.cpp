#include "model/embedding_gradient.h"

namespace calque {

Tensor source_embedding_gradient(Transformer& model, const TrainingExample& example, Arena& arena,
                                 Workspace& workspace, kernels::PreparedWeights<Real>* weights,
                                 std::span<Real> log_probabilities) {
  Tape tape(arena, workspace);
  Context context(arena, workspace);
  context.tape = &tape;
  context.weights = weights;
  const Tensor gradient =
      arena.tensor({static_cast<int64_t>(example.source.size()), model.options().model});
  model.loss(context, example, /*label_smoothing=*/0, {}, log_probabilities,
             {.source = {.addend = {}, .gradient = gradient}, .target = {}});
  tape.backward();
  return gradient;
}

}  // namespace calque
