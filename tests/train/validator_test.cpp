#include "train/validator.h"

#include <cmath>

#include "support/catch.h"
#include "support/tiny_trainer.h"

using namespace calque;
using calque::test::TinyCorpus;
using calque::test::TinyTrainer;

TEST_CASE("a validation that is stopped gives nothing", "[train]") {
  const TinyCorpus corpus;
  TinyTrainer tiny(corpus, {"validation.batch_tokens=64"});
  Validator validator(tiny.model, tiny.tokenizers, tiny.pairs, tiny.config.data.train,
                      tiny.config.validation, tiny.config.train);
  Arena arena;
  Workspace workspace(1);
  int64_t checks = 0;
  const auto stop_at = [&](int64_t check) {
    checks = 0;
    kernels::PreparedWeights<Real> weights;
    return validator.validate(arena, workspace, weights, [&] { return ++checks == check; });
  };
  CHECK(stop_at(-1).has_value());
  const int64_t all = checks;
  CHECK(all > 20);
  for (const int64_t check : {int64_t{1}, all / 2, all}) {
    CHECK(!stop_at(check).has_value());
    CHECK(checks == check);
  }
}

TEST_CASE("a validation counts the words that validation.tokenize finds", "[train]") {
  const TinyCorpus corpus;
  const auto bleu = [&](const std::string& tokenizer) {
    TinyTrainer tiny(corpus, {"validation.tokenize=" + tokenizer});
    Validator validator(tiny.model, tiny.tokenizers, tiny.pairs, tiny.config.data.train,
                        tiny.config.validation, tiny.config.train);
    Arena arena;
    Workspace workspace(1);
    kernels::PreparedWeights<Real> weights;
    return validator.validate(arena, workspace, weights, [] { return false; })->bleu;
  };
  const BleuScore words = bleu("none");
  const BleuScore characters = bleu("char");
  CHECK(bleu("13a").reference_length == words.reference_length);  // no punctuation in this text
  CHECK(characters.reference_length == 2 * words.reference_length);
  CHECK(characters.hypothesis_length > words.hypothesis_length);
}

TEST_CASE("validation takes no more memory for activations than training", "[train]") {
  const TinyCorpus corpus;
  TinyTrainer tiny(corpus, {"train.batch_tokens=4096", "train.micro_batch_tokens=64",
                            "validation.batch_tokens=32", "validation.beam=1"});
  Validator validator(tiny.model, tiny.tokenizers, tiny.pairs, tiny.config.data.train,
                      tiny.config.validation, tiny.config.train);
  for (int i = 0; i < 3; ++i) tiny.trainer.update();
  Arena arena;
  Workspace workspace(1);
  kernels::PreparedWeights<Real> weights;
  const auto result = validator.validate(arena, workspace, weights, [] { return false; });
  REQUIRE(result.has_value());
  CHECK(arena.peak() <= tiny.trainer.learner().activation_bytes());

  // The loss is that of all pairs in one batch, of the same weights.
  Context whole(arena, workspace);
  const std::vector<Batch> all = make_batches(tiny.pairs, test::budget_for(tiny.pairs, 1));
  const kernels::CrossEntropySums sums =
      tiny.model.loss(whole, training_example(all.front()), tiny.config.train.label_smoothing);
  const auto tokens = static_cast<double>(all.front().target_tokens());
  CHECK(result->loss == Approx(sums.loss / tokens).epsilon(1e-6));
  CHECK(result->perplexity == Approx(std::exp(sums.negative_log_likelihood / tokens)));
}
