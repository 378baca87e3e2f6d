#include "train/adversarial.h"

#include "config/run_config.h"
#include "kernels/elementwise.h"
#include "support/catch.h"
#include "support/random_values.h"
#include "support/threads_scope.h"
#include "support/tiny_corpus.h"
#include "train/trainer.h"

using namespace calque;
using calque::test::TinyCorpus;

namespace {

double norm(std::span<const Real> values) {
  double squares = 0;
  for (const Real value : values) squares += double{value} * double{value};
  return std::sqrt(squares);
}

/// The first batch of a corpus, and an update on it alone.
struct OneUpdate {
  test::ThreadsScope one_thread{1};
  RunConfig config;
  RunFolder folder;
  TokenizerPair tokenizers;
  ParallelCorpus pairs;
  Transformer model;
  UpdateResult result;

  OneUpdate(const TinyCorpus& corpus, const std::string& name,
            const std::vector<std::string>& values)
      : config(load_config(corpus.config(), values)),
        folder(corpus / name),
        tokenizers(load_or_train_vocabulary(config.vocabulary, folder.path(),
                                            config.data.train.source, config.data.train.target,
                                            config.seed)),
        pairs("train", config.data.train, config.data, tokenizers, folder.cache_folder()),
        model(config.model, tokenizers.source().size(), tokenizers.target().size(),
              /*inference=*/false) {
    model.parameters().initialize(config.seed);
    Trainer trainer(config.train, {model, pairs, nullptr, folder, config.seed, {}, {}});
    result = trainer.update();
  }
};

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
  OneUpdate clean(corpus, "clean", plain);
  OneUpdate adversarial(corpus, "adversarial", with);
  CHECK(adversarial.result.loss == clean.result.loss);
  CHECK(adversarial.result.gradient_norm != clean.result.gradient_norm);

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
