#include "train/learner.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "support/allocation_count.h"
#include "support/catch.h"
#include "support/tiny_trainer.h"

using namespace calque;
using calque::test::TinyCorpus;
using calque::test::TinyTrainer;

namespace {

const std::vector<std::string> kNoDropout{"model.dropout.embedding=0", "model.dropout.residual=0",
                                          "model.dropout.attention=0",
                                          "model.dropout.activation=0"};

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
  const int64_t all_tokens = test::budget_for(probe.pairs, 1);
  const std::vector<std::string> whole{"train.batch_tokens=" + std::to_string(all_tokens),
                                       "train.micro_batch_tokens=" + std::to_string(all_tokens)};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> result = values;
    result.insert(result.end(), more.begin(), more.end());
    return result;
  };
  SECTION("two batches") {
    TinyTrainer one(corpus, with(whole));
    TinyTrainer two(corpus,
                    with({"train.batch_tokens=" + std::to_string(test::budget_for(probe.pairs, 2)),
                          whole[1], "train.accumulate=2"}));
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
  TinyTrainer tiny(corpus, {more}, threads);
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
