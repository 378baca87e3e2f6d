#include "train/trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/file.h"
#include "base/parallel.h"
#include "config/run_config.h"
#include "support/allocation_count.h"
#include "support/catch.h"
#include "support/threads_scope.h"
#include "support/tiny_corpus.h"
#include "train/memory_estimate.h"

using namespace calque;
using calque::test::TinyCorpus;

namespace {

/// A Trainer over a tiny corpus, with some values of its config replaced.
struct TinyTrainer {
  static inline int runs = 0;
  test::ThreadsScope with_threads;
  RunConfig config;
  RunFolder folder;
  TokenizerPair tokenizers;
  ParallelCorpus pairs;
  Variation variation;
  Transformer model;
  Trainer trainer;

  /// One thread by default: some tests look at the scratch memory of one worker.
  TinyTrainer(const TinyCorpus& corpus, const std::vector<std::string>& values, int threads = 1)
      : with_threads(threads),
        config(load_config(corpus.config(), values)),
        folder(corpus / ("run-" + std::to_string(++runs))),  // a folder serves one at a time
        tokenizers(load_or_train_vocabulary(config.vocabulary, folder.path(),
                                            config.data.train.source, config.data.train.target,
                                            config.seed)),
        pairs("train", config.data.train, config.data, tokenizers, folder.cache_folder()),
        variation(config.data, tokenizers),
        model(config.model, tokenizers.source().size(), tokenizers.target().size(),
              /*inference=*/false),
        trainer(config.train, parts()) {}

  TrainerParts parts() {
    const Variation* const wanted = variation.is_wanted() ? &variation : nullptr;
    return {initialized(), pairs, nullptr, folder, config.seed, {}, {}, wanted};
  }

  Transformer& initialized() {
    model.parameters().initialize(config.seed);
    return model;
  }
};

const std::vector<std::string> kNoDropout{"model.dropout.embedding=0", "model.dropout.residual=0",
                                          "model.dropout.attention=0",
                                          "model.dropout.activation=0"};

/// The largest budget that cuts a corpus into `count` batches.
int64_t budget_for(const ParallelCorpus& pairs, size_t count) {
  int64_t budget = pairs.source_pieces() + pairs.target_pieces() + 2 * pairs.size();
  while (make_batches(pairs, budget).size() < count) --budget;
  return budget;
}

}  // namespace

void check_same_gradients(TinyTrainer& one, TinyTrainer& other) {
  const UpdateResult whole = one.trainer.update();
  const UpdateResult parts = other.trainer.update();
  CHECK(whole.source_tokens == one.pairs.source_pieces() + one.pairs.size());
  CHECK(parts.source_tokens == whole.source_tokens);
  CHECK(parts.target_tokens == whole.target_tokens);
  CHECK(parts.loss == Approx(whole.loss).epsilon(1e-6));
  CHECK(parts.gradient_norm == Approx(whole.gradient_norm).epsilon(1e-5));
  const auto expected = one.model.parameters().gradients();
  const auto found = other.model.parameters().gradients();
  double largest = 0;
  double difference = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(double{expected[i]}));
    difference = std::max(difference, std::abs(double{expected[i]} - double{found[i]}));
  }
  CHECK(largest > 1);
  CHECK(difference < 1e-5 * largest);
}

TEST_CASE("batches added up, and parts of a batch, give what one batch of all their pairs gives",
          "[train]") {
  const TinyCorpus corpus;
  const TinyTrainer probe(corpus, {});
  std::vector<std::string> values = kNoDropout;
  values.push_back("train.window_batches=10");
  const int64_t all_tokens = budget_for(probe.pairs, 1);
  const std::vector<std::string> whole{"train.batch_tokens=" + std::to_string(all_tokens),
                                       "train.micro_batch_tokens=" + std::to_string(all_tokens)};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> result = values;
    result.insert(result.end(), more.begin(), more.end());
    return result;
  };
  SECTION("two batches") {
    TinyTrainer one(corpus, with(whole));
    TinyTrainer two(
        corpus, with({"train.batch_tokens=" + std::to_string(budget_for(probe.pairs, 2)), whole[1],
                      "train.accumulate=2"}));
    check_same_gradients(one, two);
    CHECK(one.trainer.state().micro_batches == 1);
    CHECK(two.trainer.state().micro_batches == 2);
  }
  SECTION("a batch in parts") {
    TinyTrainer one(corpus, with(whole));
    TinyTrainer parts(
        corpus, with({whole[0], "train.micro_batch_tokens=" + std::to_string(all_tokens / 12)}));
    check_same_gradients(one, parts);
    CHECK(parts.trainer.state().micro_batches >= 5);
    CHECK(2 * parts.trainer.learner().activation_bytes() <
          one.trainer.learner().activation_bytes());
  }
}

TEST_CASE("the baseline of REINFORCE follows the cost of a target token", "[train]") {
  const TinyCorpus corpus;
  const std::string cross = "model.decoder.cross_attention.";
  const std::vector<std::string> hard{cross + "selection=hard", cross + "estimator=reinforce"};
  TinyTrainer tiny(corpus, hard);
  double expected = std::log(static_cast<double>(tiny.model.target_vocab()));
  for (int i = 0; i < 3; ++i) {
    const UpdateResult result = tiny.trainer.update();
    expected = 0.9 * expected +
               0.1 * result.negative_log_likelihood / static_cast<double>(result.target_tokens);
    CHECK(tiny.trainer.state().reinforce_baseline.value() == Approx(expected).epsilon(1e-12));
  }
  tiny.model.parameters().values()[0] = std::numeric_limits<Real>::quiet_NaN();
  CHECK(tiny.trainer.update().skipped);
  CHECK(tiny.trainer.state().reinforce_baseline.value() == Approx(expected).epsilon(1e-12));

  TinyTrainer straight(corpus, {hard[0]});
  straight.trainer.update();
  CHECK(!straight.trainer.state().reinforce_baseline);
}

TEST_CASE("the memory estimate is near what updates use", "[train]") {
  const TinyCorpus corpus;
  for (const std::string kind :
       {"model.norm=pre", "model.norm=post", "model.norm=deep", "model.norm_kind=rms",
        "model.activation=gelu", "model.activation=swiglu", "model.positions=rotary",
        "model.positions=relative", "model.decoder.cross_attention.key_value_heads=1",
        "train.r_drop=1"}) {
    TinyTrainer tiny(corpus, {"train.batch_tokens=1024", "model.size=64", "model.hidden=192",
                              "model.encoder.layers=3", "model.decoder.layers=2", kind});
    for (int i = 0; i < 4; ++i) tiny.trainer.update();
    const MemoryEstimate estimate =
        estimate_memory(tiny.config.model, tiny.config.train, tiny.model.parameters().count(),
                        tiny.model.target_vocab(), tiny.pairs);
    INFO(kind << ": " << estimate.to_string());
    const auto activations = static_cast<double>(tiny.trainer.learner().activation_bytes());
    CHECK(estimate.activations == Approx(activations).epsilon(0.3));
    const auto gradients = static_cast<double>(tiny.trainer.learner().gradient_bytes());
    CHECK(estimate.gradients == Approx(gradients).epsilon(0.5));
    const auto count = static_cast<double>(tiny.model.parameters().count());
    CHECK(estimate.parameters == 2 * count * sizeof(Real));
    CHECK(estimate.optimizer == 2 * count * sizeof(Real));
    CHECK(estimate.total() > activations + gradients + 4 * count * sizeof(Real));
  }
}

TEST_CASE("the estimate of decoding is near what validation uses", "[train]") {
  const TinyCorpus corpus;
  for (const std::string beam : {"1", "4"}) {
    TinyTrainer tiny(corpus, {"model.size=64", "model.hidden=192", "model.encoder.layers=2",
                              "model.decoder.layers=3", "validation.beam=" + beam,
                              "validation.batch_tokens=512"});
    Validator validator(tiny.model, tiny.tokenizers, tiny.pairs, tiny.config.data.train,
                        tiny.config.validation, tiny.config.train);
    Arena arena;
    Workspace workspace(1);
    kernels::PreparedWeights<Real> weights;
    bool decoding = false;
    size_t before = 0;
    REQUIRE(validator.validate(arena, workspace, weights, [&] {
      if (!decoding) before = arena.peak();
      decoding = true;
      return false;
    }));
    Arena alone;
    Translator translator(tiny.model, tiny.tokenizers, tiny.config.validation.decode, alone,
                          workspace);
    translator.translate(calque::read_lines(tiny.config.data.train.source[0]));
    const double estimate = estimate_decoding(tiny.config.model, tiny.config.validation.decode,
                                              tiny.model.target_vocab(), tiny.pairs);
    INFO("beam " << beam << ": " << alone.peak());
    CHECK(before == 0);
    CHECK(estimate > 0.7 * static_cast<double>(alone.peak()));
    CHECK(estimate < 2 * static_cast<double>(alone.peak()));
  }
}

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

TEST_CASE("a validation is due at its turn, at the start and at the end, once", "[train]") {
  TrainOptions options;
  options.validate_every = 10;
  options.max_steps = 24;
  options.patience = 3;
  CheckpointState state;
  CHECK(!is_validation_due(state, options));  // random weights
  options.initial_model = "some run";
  CHECK(is_validation_due(state, options));
  state.validated_step = 0;
  CHECK(!is_validation_due(state, options));
  for (const auto& [step, due] : std::vector<std::pair<int64_t, bool>>{
           {9, false}, {10, true}, {11, false}, {20, true}, {23, false}, {24, true}, {25, false}}) {
    INFO(step);
    state.step = step;
    CHECK(is_validation_due(state, options) == due);
  }
  state.step = state.validated_step = 20;
  CHECK(!is_validation_due(state, options));
  CHECK(!is_patience_over(state, options));
  state.validations_without_best = 3;
  CHECK(is_patience_over(state, options));
  options.patience = 0;
  CHECK(!is_patience_over(state, options));
}

TEST_CASE("time is over when the last save and validation just fit", "[train]") {
  TrainOptions options;
  CHECK(!is_time_over(options, 1e9, 1e9));
  options.max_minutes = 2;
  CHECK(!is_time_over(options, 119, 0));
  CHECK(is_time_over(options, 120, 0));
  CHECK(!is_time_over(options, 89, 30));
  CHECK(is_time_over(options, 90, 30));
}

TEST_CASE("a skipped update leaves the weights, and belongs to the state behind the next one",
          "[train]") {
  const TinyCorpus corpus;
  TinyTrainer tiny(corpus, {"train.max_skipped=3", "train.accumulate=2"});
  for (int i = 0; i < 3; ++i) tiny.trainer.update();
  const CheckpointState before = tiny.trainer.state();
  const std::span<Real> values = tiny.model.parameters().values();
  const std::vector<Real> good(values.begin(), values.end());
  const std::vector<Real> bad(values.size(), std::numeric_limits<Real>::infinity());
  for (int i = 0; i < 2; ++i) {
    std::ranges::copy(bad, values.begin());
    const UpdateResult skipped = tiny.trainer.update();
    CHECK(skipped.skipped);
    CHECK(!std::isfinite(skipped.gradient_norm));
    CHECK(std::ranges::equal(values, bad));
    CHECK(tiny.trainer.state() == before);
  }
  std::ranges::copy(good, values.begin());
  CHECK(!tiny.trainer.update().skipped);
  const CheckpointState& after = tiny.trainer.state();
  CHECK(after.step == 4);
  CHECK(after.skipped == 2);
  CHECK(after.position > before.position);
  CHECK(after.micro_batches >= before.micro_batches + 6);

  // Not in a row any more.
  std::ranges::copy(bad, values.begin());
  for (int i = 0; i < 2; ++i) CHECK(tiny.trainer.update().skipped);
  CHECK_THROWS_WITH(
      tiny.trainer.update(),
      ContainsSubstring("training diverged after step 4: 3 updates in a row had no finite "
                        "loss or gradient (train.max_skipped), the last loss nan"));
  const std::vector<std::string> records = read_lines(tiny.folder.skipped_file());
  CHECK(records.size() == 2 * 5);
}

TEST_CASE("after the first epoch no memory is added", "[train]") {
  const TinyCorpus corpus;
  TinyTrainer tiny(corpus, {});
  const std::vector<Batch> batches = make_batches(tiny.pairs, 256);
  REQUIRE(batches.size() > 5);
  Arena arena;
  Workspace workspace(1);
  Tape tape(arena, workspace);
  const auto epoch = [&] {
    for (const Batch& batch : batches) {
      tape.reset();
      arena.reset();
      Context context(arena, workspace, tape, 1, 0);
      tiny.model.parameters().start_gradients();
      tiny.model.loss(context, training_example(batch), 0.1);
      tape.backward();
    }
  };
  epoch();
  epoch();
  const size_t activations = arena.capacity();
  const size_t gradients = tape.gradients().capacity();
  const size_t scratch = workspace.shared().capacity() + workspace.worker(0).capacity();
  CHECK(activations >= arena.peak());
  epoch();
  CHECK(arena.capacity() == activations);
  CHECK(tape.gradients().capacity() == gradients);
  CHECK(workspace.shared().capacity() + workspace.worker(0).capacity() == scratch);
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
  const std::vector<Batch> all = make_batches(tiny.pairs, budget_for(tiny.pairs, 1));
  const kernels::CrossEntropySums sums =
      tiny.model.loss(whole, training_example(all.front()), tiny.config.train.label_smoothing);
  const auto tokens = static_cast<double>(all.front().target_tokens());
  CHECK(result->loss == Approx(sums.loss / tokens).epsilon(1e-6));
  CHECK(result->perplexity == Approx(std::exp(sums.negative_log_likelihood / tokens)));
}

#if CALQUE_COUNTS_ALLOCATIONS
TEST_CASE("in the steady state nothing is allocated", "[train]") {
  const TinyCorpus corpus;
  const int threads = GENERATE(1, 2);
  const auto more =
      GENERATE(as<std::string>(), "train.accumulate=1", "train.accumulate=3",
               "train.moving_average=0.9", "model.dropout.attention=0.1", "train.clip_norm=1",
               "model.norm=post", "model.norm=deep", "model.positions=learned",
               "model.positions=rotary", "model.positions=relative", "model.norm_kind=rms",
               "model.activation=swiglu", "model.dropout.layer=0.2", "train.micro_batch_tokens=48",
               "train.precision=bfloat16", "model.encoder.self_attention.normalizer=entmax15",
               "model.decoder.cross_attention.scope=predictive", "data.subword_sampling=0.3",
               "data.bidirectional_epochs=1000", "train.r_drop=2");
  INFO(threads << " threads, " << more);
  const kernels::GemmEngineScope scope(
      kernels::GemmEngine::kCalque);  // a library may do as it likes
  TinyTrainer tiny(corpus, {"train.window_batches=10", more}, threads);
  for (int step = 0; step < 20; ++step) tiny.trainer.update();
  const test::AllocationCount count;
  for (int step = 20; step < 60; ++step) tiny.trainer.update();
  CHECK(count.value() == 0);
}
#endif

TEST_CASE("updates count tokens and follow the schedule", "[train]") {
  const TinyCorpus corpus;
  TinyTrainer tiny(corpus, {"train.warmup_steps=4", "train.learning_rate=0.01"});
  int64_t target_tokens = 0;
  double first_loss = 0;
  double last_loss = 0;
  for (int step = 1; step <= 40; ++step) {
    const UpdateResult result = tiny.trainer.update();
    target_tokens += result.target_tokens;
    CHECK(result.target_tokens <= 128);
    CHECK(result.source_tokens <= 128);
    CHECK(result.loss > result.target_tokens * 0.1);
    if (step <= 4) CHECK(result.learning_rate == Approx(0.01 * step / 4));
    if (step == 16) CHECK(result.learning_rate == Approx(0.01 * std::sqrt(4.0 / 16)));
    if (step == 1) first_loss = result.loss / static_cast<double>(result.target_tokens);
    last_loss = result.loss / static_cast<double>(result.target_tokens);
  }
  CHECK(tiny.trainer.step() == 40);
  CHECK(tiny.trainer.state().target_tokens == target_tokens);
  CHECK(tiny.trainer.state().position.epoch == 1);
  CHECK(tiny.trainer.epochs() > 1);
  CHECK(tiny.trainer.epochs() <= 2);
  CHECK(first_loss == Approx(std::log(60)).epsilon(0.2));
  CHECK(last_loss < 0.85 * first_loss);
}
