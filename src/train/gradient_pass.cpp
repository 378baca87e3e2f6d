#include "train/gradient_pass.h"

#include "kernels/elementwise.h"
#include "train/adversarial.h"

namespace calque {
namespace {

/// Computes `loss(context)`, a root, and the gradients from it.
template <class Loss>
kernels::CrossEntropySums differentiate(Context context, const Loss& loss) {
  const Arena::Scope scope(context.arena);
  context.tape->reset();
  const kernels::CrossEntropySums sums = loss(context);
  context.tape->backward();
  return sums;
}

/// Zeros: where layer-drop leaves out the whole decoder nothing depends on the source.
Tensor start_embedding_gradient(Arena& arena, int64_t tokens, int64_t model) {
  const Tensor gradient = arena.tensor({tokens, model});
  kernels::fill<Real>(gradient.values(), 0);
  return gradient;
}

kernels::CrossEntropySums add_adversarial_gradients(const Context& context, Transformer& model,
                                                    const TrainOptions& options,
                                                    const TrainingExample& example) {
  Arena& arena = context.arena;
  const AdversarialOptions& adversarial = options.adversarial;
  const auto start = [&](const SequenceLayout& layout) {
    return start_embedding_gradient(arena, layout.tokens, model.options().model);
  };
  const Tensor source = start(example.source_layout);
  const Tensor target = start(example.target_layout);
  const auto pass = [&](std::span<const Real> weights, const EmbeddingTaps& taps) {
    return differentiate(context, [&](Context& c) {
      return model.loss(c, example, options.label_smoothing, weights, {}, taps);
    });
  };
  const kernels::CrossEntropySums sums = pass({}, {.source = {{}, source}, .target = {{}, target}});
  turn_into_perturbation(source, example.source_layout, adversarial.epsilon);
  turn_into_perturbation(target, example.target_layout, adversarial.epsilon);
  const Tensor weights = arena.tensor({example.target_layout.tokens});
  kernels::fill<Real>(weights.values(), static_cast<Real>(adversarial.weight));
  pass(weights.values(), {.source = {source, {}}, .target = {target, {}}});
  return sums;
}

}  // namespace

kernels::CrossEntropySums add_gradients(const Context& context, Transformer& model,
                                        const TrainOptions& options,
                                        const TrainingExample& example) {
  context.arena.reset();
  if (options.adversarial.weight > 0) {
    return add_adversarial_gradients(context, model, options, example);
  }
  return differentiate(context, [&](Context& c) {
    return options.r_drop > 0
               ? model.r_drop_loss(c, example, options.label_smoothing, options.r_drop)
               : model.loss(c, example, options.label_smoothing);
  });
}

int gradient_passes(const TrainOptions& options) {
  return options.r_drop > 0 || options.adversarial.weight > 0 ? 2 : 1;
}

int64_t dropout_draws(const TrainOptions& options) { return options.r_drop > 0 ? 2 : 1; }

}  // namespace calque
