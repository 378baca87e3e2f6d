// What a training does when its numbers are no longer finite: skip, go back, pass over, stop.
#include <signal.h>

#include <algorithm>

#include "base/file.h"
#include "checkpoint/save.h"
#include "config/run_files.h"
#include "support/catch.h"
#include "support/run_contents.h"
#include "support/running_binary.h"
#include "support/tiny_corpus.h"

using calque::read_file;
using calque::read_lines;
using calque::write_file_atomically;
using calque::test::checkpoint_file;
using calque::test::checkpoint_folder;
using calque::test::measured_steps;
using calque::test::named_step;
using calque::test::read_metrics;
using calque::test::run_binary;
using calque::test::RunningBinary;
using calque::test::RunResult;
using calque::test::set;
using calque::test::TinyCorpus;

namespace {

constexpr int64_t kSaveEvery = 4;  // does not divide the step where a run first fails

/// A tiny corpus, of which the first `poisoned` sources end with a further word, and a model to
/// start from, in which that word has a finite embedding that overflows where it is used: no batch
/// with such a pair can be trained on.
class PoisonedCorpus {
 public:
  explicit PoisonedCorpus(int poisoned) {
    std::string text;
    for (const std::string& line : read_lines(corpus_ / "train.source")) {
      text += line + (poisoned-- > 0 ? " zo\n" : "\n");
    }
    write_file_atomically(corpus_ / "train.source", text);
    REQUIRE(run_binary(corpus_.train("clean", set({kUntied, "train.max_steps=1"}))).exit_code == 0);
    const calque::OpenedModel clean = calque::open_model(corpus_ / "clean");
    calque::ParameterStore& parameters = clean.model->parameters();
    const calque::Tensor embedding = parameters.value(*parameters.find("source_embedding.weight"));
    for (int32_t id = 0; id < clean.tokenizers.source().size(); ++id) {
      if (clean.tokenizers.source().piece(id).find('z') == std::string::npos) continue;
      std::fill_n(embedding.data + id * clean.config.model.model, clean.config.model.model, 2e38F);
    }
    const calque::Checkpoint checkpoint(clean.checkpoint);
    calque::write_checkpoint_folder(
        corpus_ / "poisoned",
        {parameters, parameters.values(), {}, checkpoint.texts(), checkpoint.state()});
  }

  std::filesystem::path operator/(const std::string& name) const { return corpus_ / name; }

  /// Arguments of a training from the poisoned model, with all that a resumed run could get wrong.
  std::vector<std::string> train(const std::string& run, int64_t max_skipped, int64_t steps,
                                 int threads = 1) const {
    std::vector<std::string> more =
        set({kUntied, "vocabulary.path=" + corpus_.path("clean/vocabulary.model"),
             "train.initial_model=" + corpus_.path("poisoned"), "data.validation.source=[]",
             "data.validation.target=[]", "model.dropout.attention=0.1", "train.moving_average=0.9",
             "train.save_every=" + std::to_string(kSaveEvery), "train.log_every=1",
             "train.max_skipped=" + std::to_string(max_skipped),
             "train.max_steps=" + std::to_string(steps)});
    more.insert(more.end(), {"--threads", std::to_string(threads)});
    return corpus_.train(run, more);
  }

 private:
  static constexpr const char kUntied[] = "model.tied_embeddings=none";
  TinyCorpus corpus_;
};

/// A step that no test here reaches.
constexpr int64_t kEndless = 1'000'000;

nlohmann::json read_state(const std::filesystem::path& run, int64_t step) {
  return nlohmann::json::parse(checkpoint_file(run, step, "state.json"));
}

std::vector<nlohmann::json> read_skipped(const std::filesystem::path& run) {
  std::vector<nlohmann::json> records;
  for (const std::string& line : read_lines(run / "skipped.jsonl")) {
    records.push_back(nlohmann::json::parse(line));
  }
  return records;
}

void check_same_end(const PoisonedCorpus& corpus, int64_t step) {
  REQUIRE(named_step(corpus / "parts", "latest") == step);
  for (const std::string file : {"model.safetensors", "optimizer.safetensors"}) {
    INFO(file);
    const bool equal = checkpoint_file(corpus / "whole", step, file) ==
                       checkpoint_file(corpus / "parts", step, file);
    CHECK(equal);
  }
  const nlohmann::json whole = read_state(corpus / "whole", step);
  const nlohmann::json parts = read_state(corpus / "parts", step);
  for (const std::string key : {"epoch", "pairs", "micro_batches", "skipped", "passed_over"}) {
    INFO(key);
    CHECK(whole[key] == parts[key]);
  }
  CHECK(read_file(corpus / "whole/skipped.jsonl") == read_file(corpus / "parts/skipped.jsonl"));
}

/// The step behind which a run diverged for good.
int64_t last_step(const RunResult& result) {
  const std::string before = "error: training diverged after step ";
  const size_t found = result.err.find(before);
  REQUIRE(found != std::string::npos);
  return std::stoll(result.err.substr(found + before.size()));
}

}  // namespace

TEST_CASE("an update without finite numbers is skipped, counted and named", "[train][diverge]") {
  const PoisonedCorpus corpus(1);
  constexpr int64_t kSteps = 60;  // two epochs and a half
  const RunResult whole = run_binary(corpus.train("whole", 2, kSteps));
  INFO(whole.err);
  REQUIRE(whole.exit_code == 0);
  CHECK_THAT(whole.err,
             ContainsSubstring(" is skipped, 1 in a row of 2 (train.max_skipped): loss "));
  CHECK_THAT(whole.err, ContainsSubstring(": lines 1, "));
  CHECK_THAT(whole.err, ContainsSubstring("  1 skipped\n"));
  const nlohmann::json state = read_state(corpus / "whole", kSteps);
  const int64_t skipped = state["skipped"];
  CHECK(skipped >= 2);
  CHECK(state["optimizer_steps"] == kSteps);
  CHECK(state["passed_over"].is_null());
  CHECK(read_metrics(corpus / "whole").back()["skipped"] == skipped);
  const auto records = read_skipped(corpus / "whole");
  REQUIRE(std::ssize(records) == skipped);
  for (const nlohmann::json& record : records) {
    CHECK(record["lines"][0] == 1);
    CHECK_THAT(record["reason"].get<std::string>(), ContainsSubstring("loss nan"));
  }

  // Stopped there, by a signal or a kill, and gone on with.
  int threads = 1;
  for (const int signal : {SIGINT, SIGKILL}) {
    RunningBinary run(corpus.train("parts", 2, kSteps, ++threads));
    if (run.wait_for(" is skipped")) run.send(signal);
    run.wait();
  }
  CHECK(run_binary(corpus.train("parts", 2, kSteps)).exit_code == 0);
  check_same_end(corpus, kSteps);
}

TEST_CASE("a run goes back once and passes over what led there, and the second time it stops",
          "[train][diverge]") {
  const PoisonedCorpus corpus(1);
  const RunResult endless = run_binary(corpus.train("endless", 1, kEndless));
  INFO(endless.err);
  REQUIRE(endless.exit_code == 3);
  const int64_t end = last_step(endless);
  CHECK_THAT(
      endless.err,
      ContainsSubstring("warning: training diverged after step ") &&
          ContainsSubstring(": 1 update in a row had no finite loss or gradient "
                            "(train.max_skipped), the last loss ") &&
          ContainsSubstring(". Going back to " +
                            checkpoint_folder(corpus / "endless", 0).parent_path().string()) &&
          ContainsSubstring("It is the second time: the batches behind epoch 0, pair ") &&
          ContainsSubstring("Try a lower train.learning_rate"));
  const int64_t latest = named_step(corpus / "endless", "latest");
  CHECK(latest == end / kSaveEvery * kSaveEvery);
  const RunResult inspected =
      run_binary({"inspect", checkpoint_folder(corpus / "endless", latest)});
  CHECK(inspected.exit_code == 0);
  CHECK_THAT(inspected.out, ContainsSubstring("training can go on from it") &&
                                ContainsSubstring("skipped      1 update without") &&
                                ContainsSubstring("passed over  the batches behind epoch 0, "));
  CHECK(run_binary(corpus.train("endless", 1, kEndless)).exit_code == 3);  // the same again
  CHECK(named_step(corpus / "endless", "latest") == latest);

  // Before the second time it ends well. Each step is measured once.
  const RunResult whole = run_binary(corpus.train("whole", 1, end));
  CHECK(whole.exit_code == 0);
  std::string steps;
  for (int64_t step = 1; step <= end; ++step) {
    steps += std::to_string(step) + (step < end ? " " : " | ");
  }
  CHECK(measured_steps(corpus / "whole") == steps);
  const nlohmann::json passed_over = read_state(corpus / "whole", end)["passed_over"];
  const auto records = read_skipped(corpus / "whole");
  REQUIRE(records.size() > 2);
  CHECK(records.back()["reason"] == "passed over");
  for (const std::string part : {"epoch", "pairs"}) {
    CHECK(records.back()[part] == passed_over["last"][part]);
  }

  // Stopped before, while and after it goes back.
  for (int64_t stop = 2; stop < end; stop += 5) {
    CHECK(run_binary(corpus.train("parts", 1, stop, 2)).exit_code == 0);
  }
  CHECK(run_binary(corpus.train("parts", 1, end)).exit_code == 0);
  check_same_end(corpus, end);
  std::filesystem::remove_all(corpus / "parts");
  RunningBinary run(corpus.train("parts", 1, end));
  if (run.wait_for("Going back to")) run.send(SIGKILL);
  run.wait();
  CHECK(run_binary(corpus.train("parts", 1, end, 2)).exit_code == 0);
  check_same_end(corpus, end);
}

TEST_CASE("stopped among skipped updates, a run tries them again", "[train][diverge]") {
  const PoisonedCorpus corpus(300);  // all
  RunningBinary run(corpus.train("run", kEndless, kEndless));
  REQUIRE(run.wait_for(" is skipped, 3 in a row"));
  run.send(SIGINT);
  CHECK(run.wait().exit_code == 130);
  CHECK(named_step(corpus / "run", "latest") == 0);
  const nlohmann::json state = read_state(corpus / "run", 0);
  CHECK(state["epoch"] == 0);
  CHECK(state["pairs"] == 0);
  CHECK(state["micro_batches"] == 0);
  CHECK(state["skipped"] == 0);
  CHECK(read_skipped(corpus / "run").size() >= 3);

  const RunResult again = run_binary(corpus.train("run", 2, kEndless));
  INFO(again.err);
  CHECK(again.exit_code == 3);
  CHECK_THAT(again.err, ContainsSubstring("warning: train.max_skipped: was 1000000, is 2 now") &&
                            ContainsSubstring("update 1 is skipped, 2 in a row of 2") &&
                            ContainsSubstring("There is no checkpoint of train.save_every yet"));
  CHECK(read_skipped(corpus / "run").size() == 2);
}

TEST_CASE("a diverging run ends with exit code 3 and keeps a checkpoint that loads",
          "[train][diverge]") {
  const TinyCorpus corpus;
  const RunResult result = run_binary(corpus.train(
      "run", set({"train.learning_rate=1e30", "train.warmup_steps=0", "train.save_every=1",
                  "data.validation.source=[]", "data.validation.target=[]"})));
  INFO(result.err);
  CHECK(result.exit_code == 3);
  const int64_t latest = named_step(corpus / "run", "latest");
  CHECK_THAT(result.err, ContainsSubstring("error: training diverged after step " +
                                           std::to_string(latest) + ": 5 updates in a row"));
  CHECK_THAT(result.err, ContainsSubstring("Try a lower train.learning_rate"));
  CHECK(run_binary({"inspect", checkpoint_folder(corpus / "run", latest)}).exit_code == 0);
}

TEST_CASE("weights that are not finite are never saved", "[train][diverge]") {
  const TinyCorpus corpus;
  const RunResult result = run_binary(
      corpus.train("run", set({"train.learning_rate=1e39", "train.warmup_steps=0",
                               "train.save_every=1", "train.save_every_minutes=1e-9",
                               "data.validation.source=[]", "data.validation.target=[]"})));
  INFO(result.err);
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.err, ContainsSubstring("training diverged after step 1: a weight is no longer "
                                           "finite. There is no checkpoint"));
  CHECK(!std::filesystem::exists(checkpoint_folder(corpus / "run", 1)));
}

TEST_CASE("a validation that is not finite takes the run back", "[train][diverge]") {
  const TinyCorpus corpus;
  const RunResult result =
      run_binary(corpus.train("run", set({"train.learning_rate=1e30", "train.warmup_steps=0",
                                          "train.save_every=1", "train.validate_every=1"})));
  INFO(result.err);
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.err, ContainsSubstring("training diverged after step 1: the validation loss is "
                                           "not a finite number. There is no checkpoint"));
}
