#include "train/adversarial.h"

#include "kernels/elementwise.h"
#include "support/catch.h"
#include "support/random_values.h"
#include "support/tiny_trainer.h"

using namespace calque;
using calque::test::TinyCorpus;
using calque::test::TinyTrainer;

namespace {

double norm(std::span<const Real> values) {
  double squares = 0;
  for (const Real value : values) squares += double{value} * double{value};
  return std::sqrt(squares);
}

}  // namespace

TEST_CASE("a perturbation goes along the gradient, equally far for each sentence",
          "[train][adversarial]") {
  test::RandomTensor values({7, 5}, 3);
  const std::vector<Real> gradient = values.values();
  SequenceLayoutBuffer layout;
  for (const int64_t length : {3, 0, 1, 3}) layout.append(length);
  std::fill_n(values.values().begin() + 15, 5, Real(0));  // the third sentence's
  turn_into_perturbation(values.tensor(), layout.view(), 0.5);
  constexpr size_t size = 15;
  for (const size_t begin : {0, 20}) {
    const auto found = std::span<const Real>(values.values()).subspan(begin, size);
    const auto along = std::span<const Real>(gradient).subspan(begin, size);
    CHECK(norm(found) == Approx(0.5));
    for (size_t i = 0; i < size; ++i) {
      CHECK(double{found[i]} == Approx(0.5 * double{along[i]} / norm(along)).margin(1e-6));
    }
  }
  CHECK(norm(std::span<const Real>(values.values()).subspan(15, 5)) == 0);
}

TEST_CASE("adversarial training adds the weighted gradient on perturbed embeddings",
          "[train][adversarial]") {
  const TinyCorpus corpus;
  const std::vector<std::string> plain{"train.batch_tokens=256", "train.micro_batch_tokens=256",
                                       "model.dropout.residual=0.3", "train.label_smoothing=0.1"};
  std::vector<std::string> with = plain;
  with.insert(with.end(), {"train.adversarial.weight=0.7", "train.adversarial.epsilon=2"});
  TinyTrainer clean(corpus, plain);
  TinyTrainer adversarial(corpus, with);
  const UpdateResult without = clean.trainer.update();
  const UpdateResult result = adversarial.trainer.update();
  CHECK(result.loss == without.loss);
  CHECK(result.gradient_norm != without.gradient_norm);

  // The same by hand, with the weights as they were.
  Transformer& model = clean.model;
  model.parameters().initialize(clean.config.seed);
  Batcher batcher(clean.pairs, batcher_options(clean.config.train, clean.config.seed, nullptr));
  Batch batch;
  batcher.next(batch);
  MicroBatch whole(256);
  whole.cut(batch, 0, 1);
  const TrainingExample& example = whole.example();
  Arena arena;
  Workspace workspace(1);
  Tape tape(arena, workspace);
  test::RandomTensor source({example.source_layout.tokens, clean.config.model.model}, 1);
  test::RandomTensor target({example.target_layout.tokens, clean.config.model.model}, 2);
  const auto pass = [&](const EmbeddingTaps& taps, std::span<const Real> weights) {
    tape.reset();
    Context context(arena, workspace, tape, clean.config.seed, 0);
    model.loss(context, example, 0.1, weights, {}, taps);
    tape.backward();
  };
  model.parameters().start_gradients();
  pass({{{}, source.tensor()}, {{}, target.tensor()}}, {});
  turn_into_perturbation(source.tensor(), example.source_layout, 2);
  turn_into_perturbation(target.tensor(), example.target_layout, 2);
  pass({{source.tensor(), {}}, {target.tensor(), {}}},
       std::vector<Real>(example.target_output.size(), Real(0.7)));
  model.parameters().finish_gradients();
  CHECK(test::relative_difference(adversarial.model.parameters().gradients(),
                                  model.parameters().gradients()) < 1e-5);
}
