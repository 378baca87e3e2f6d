// The gradient with respect to embedded tokens, in double, against numeric differences.

#include "model/embedding_gradient.h"

#include "support/catch.h"
#include "support/example_batch.h"
#include "support/gradient_check.h"

namespace calque {
namespace {

constexpr int64_t kVocab = 11;
constexpr double kTolerance = 1e-7;

/// The same weights without memory for their gradients.
Transformer inference_model(const TransformerOptions& options) {
  Transformer trained = test::random_model(options, kVocab, kVocab);
  Transformer model(options, kVocab, kVocab, /*inference=*/true);
  std::ranges::copy(trained.parameters().values(), model.parameters().values().begin());
  return model;
}

TEST_CASE("the source embedding gradient is exact", "[model]") {
  set_poisoning(true);
  TransformerOptions options = test::tiny_options();
  options.norm = GENERATE(NormPlace::kPre, NormPlace::kPost);
  options.tied_embeddings = GENERATE(Tying::kNone, Tying::kAll);
  options.embedding_dropout = options.residual_dropout = 0.3;  // which is off
  Transformer model = inference_model(options);
  const test::ExampleBatch batch({3, 0, 2}, {1, 4, 2}, kVocab);
  const TrainingExample example = batch.view();
  Arena arena;
  Workspace workspace(8);
  std::vector<Real> log_probabilities(example.target_output.size());
  const Tensor found =
      source_embedding_gradient(model, example, arena, workspace, nullptr, log_probabilities);
  CHECK_SHAPE(found, {static_cast<int64_t>(example.source.size()), options.model});
  const std::vector<Real> gradient(found.values().begin(), found.values().end());

  std::vector<Real> addend(gradient.size());
  double sum = 0;
  const auto value = [&] {
    arena.reset();
    Context context(arena, workspace);
    const Tensor added{addend.data(), {std::ssize(example.source), options.model}};
    return model.loss(context, example, 0, {}, {}, {.source = {added, {}}, .target = {}}).loss;
  };
  for (const Real log_probability : log_probabilities) sum += log_probability;
  CHECK(-sum == Approx(value()).epsilon(1e-12));
  const std::vector<Real> numeric = test::numeric_gradient(addend, value, 4e-5);
  set_poisoning(false);
  CHECK(test::relative_difference(gradient, numeric) < kTolerance);
}

TEST_CASE("the target's embeddings have exact gradients, too, while the model trains", "[model]") {
  TransformerOptions options = test::tiny_options();
  Transformer model = test::random_model(options, kVocab, kVocab);
  const test::ExampleBatch batch({3, 2}, {1, 4}, kVocab);
  const TrainingExample example = batch.view();
  const Shape shape{std::ssize(example.target_output), options.model};
  std::vector<Real> seen(static_cast<size_t>(shape.count()));
  Arena arena;
  Workspace workspace(8);
  Tape tape(arena, workspace);
  Context context(arena, workspace, tape, 1, 0);
  model.parameters().start_gradients();
  model.loss(context, example, 0.1, {}, {}, {.source = {}, .target = {{}, {seen.data(), shape}}});
  tape.backward();
  model.parameters().finish_gradients();
  const auto with_tap = model.parameters().gradients();
  const std::vector<Real> kept(with_tap.begin(), with_tap.end());

  std::vector<Real> addend(seen.size());
  const auto value = [&] {
    Context plain(arena, workspace);
    const Arena::Scope scope(arena);
    return model
        .loss(plain, example, 0.1, {}, {}, {.source = {}, .target = {{addend.data(), shape}, {}}})
        .loss;
  };
  CHECK(test::relative_difference(seen, test::numeric_gradient(addend, value, 4e-5)) < kTolerance);

  tape.reset();
  Context untapped(arena, workspace, tape, 1, 0);
  model.parameters().start_gradients();
  model.loss(untapped, example, 0.1);
  tape.backward();
  model.parameters().finish_gradients();
  CHECK(std::ranges::equal(model.parameters().gradients(), kept));  // a tap changes no bit
}

}  // namespace
}  // namespace calque
