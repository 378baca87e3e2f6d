#include "analysis/source_gradients.h"

#include <cmath>

namespace calque {
namespace {

double norm(std::span<const Real> values) {
  double squares = 0;
  for (const Real value : values)
    squares += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(squares);
}

}  // namespace

std::vector<SourceGradient> source_gradients(Transformer& model, std::span<const ForcedPair> pairs,
                                             int64_t batch_tokens, const ForwardTools& tools) {
  std::vector<SourceGradient> result(pairs.size());
  Tape tape(tools.arena, tools.workspace);
  std::vector<Real> log_probabilities;
  for_each_forced_batch(
      pairs, batch_tokens, [&](const TrainingExample& example, std::span<const size_t> members) {
        const Arena::Scope scope(tools.arena);
        Context context(tools.arena, tools.workspace);
        context.tape = &tape;
        context.weights = tools.weights;
        const Var constant = model.embed_source(context, example.source, example.source_layout);
        const Tensor gradient = tools.arena.tensor(constant.value.shape);
        uint8_t written = 0;
        const Var embedded = tape.leaf(constant.value, gradient, {&written, 1});
        log_probabilities.resize(example.target_output.size());
        model.loss(context, embedded, example, /*label_smoothing=*/0, {}, log_probabilities);
        tape.backward();
        tape.reset();
        for (size_t s = 0; s < members.size(); ++s) {
          SourceGradient& of_pair = result[members[s]];
          for (int32_t i = 0; i < example.source_layout.lengths[s]; ++i) {
            const int64_t row = example.source_layout.begins[s] + i;
            of_pair.norms.push_back(
                norm({gradient.matrix().row(row), static_cast<size_t>(gradient.cols())}));
          }
          for (int32_t i = 0; i < example.target_layout.lengths[s]; ++i) {
            const auto row = static_cast<size_t>(example.target_layout.begins[s] + i);
            of_pair.log_probability += static_cast<double>(log_probabilities[row]);
          }
        }
      });
  return result;
}

}  // namespace calque
