#include "analysis/source_gradients.h"

#include <cmath>

#include "model/embedding_gradient.h"

namespace calque {
namespace {

double norm(std::span<const Real> values) {
  double squares = 0;
  for (const Real value : values) {
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  return std::sqrt(squares);
}

}  // namespace

std::vector<SourceGradient> source_gradients(Transformer& model, std::span<const ForcedPair> pairs,
                                             int64_t batch_tokens, const ForwardTools& tools) {
  std::vector<SourceGradient> result(pairs.size());
  std::vector<Real> log_probabilities;
  for_each_forced_batch(
      pairs, batch_tokens, [&](const TrainingExample& example, std::span<const size_t> members) {
        const Arena::Scope scope(tools.arena);
        log_probabilities.resize(example.target_output.size());
        const Tensor gradient = source_embedding_gradient(
            model, example, tools.arena, tools.workspace, tools.weights, log_probabilities);
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
