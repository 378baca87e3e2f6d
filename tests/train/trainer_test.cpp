#include "train/trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/file.h"
#include "support/catch.h"
#include "support/tiny_trainer.h"

using namespace calque;
using calque::test::TinyCorpus;
using calque::test::TinyTrainer;

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
