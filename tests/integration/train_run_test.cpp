// A training from start to end through the real binary: what it says and what it leaves behind.
#include <algorithm>

#include "base/file.h"
#include "config/known_keys.h"
#include "support/catch.h"
#include "support/run_contents.h"
#include "support/tiny_corpus.h"

using calque::read_file;
using calque::test::checkpoint_folder;
using calque::test::listing;
using calque::test::measured_steps;
using calque::test::named_step;
using calque::test::read_metrics;
using calque::test::run_binary;
using calque::test::RunResult;
using calque::test::set;
using calque::test::TinyCorpus;

namespace {

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

TEST_CASE("a training run says what it does and leaves a whole run folder", "[train]") {
  const TinyCorpus corpus;
  const RunResult result = run_binary(corpus.train("run"));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(result.out.empty());
  for (const std::string said :
       {"Calque ", "1 thread\n", "seed 7", "train: 300 of 300 pairs kept",
        "validation: 20 of 20 pairs kept", "vocabulary 60+60: 6,592 parameters",
        "memory, estimated: ", "validation at step 0: loss ", "  source     ", "  reference  ",
        "  hypothesis ", "step 5/24  epoch ", "  ppl ", "  lr ", " tokens/s  ETA ",
        "validation at step 24: ", "all 24 steps are done", "translate with: calque translate"}) {
    CHECK_THAT(result.err, ContainsSubstring(said));
  }
  CHECK(result.err.find("validation at step 0") < result.err.find("step 5/24"));
  CHECK(result.err.find("parameters") < result.err.find("validation at step 0"));

  const std::vector<std::string> names = listing(corpus / "run");
  for (const std::string name : {"config.yaml", "vocabulary.model", "log.txt", "metrics.jsonl",
                                 "cache/train.ids", "cache/validation.ids", "latest", "best"}) {
    INFO(name);
    CHECK(has(names, name));
  }
  for (const std::string file :
       {"model.safetensors", "optimizer.safetensors", "state.json", "config.yaml", "vocab.model"}) {
    INFO(file);
    for (const std::string step : {"step_00000010/", "step_00000024/"}) {
      CHECK(has(names, "checkpoints/" + step + file));
    }
  }
  CHECK(named_step(corpus / "run", "latest") == 24);
  CHECK(measured_steps(corpus / "run") == "5 10 15 20 | 0 10 20 24");
  CHECK(read_metrics(corpus / "run").back()["validation_loss"] <
        read_metrics(corpus / "run").front()["validation_loss"]);
  CHECK(read_file(corpus / "run" / "config.yaml") ==
        read_file(checkpoint_folder(corpus / "run", 24) / "config.yaml"));
  CHECK_THAT(read_file(corpus / "run" / "log.txt"), ContainsSubstring("info: step 20/24"));

  const RunResult again = run_binary(corpus.train("run"));
  CHECK(again.exit_code == 0);
  CHECK_THAT(again.err, ContainsSubstring("nothing left to do: all 24 steps"));
  CHECK(listing(corpus / "run") == names);
}

TEST_CASE("what is left out of the data is counted and named", "[train]") {
  const TinyCorpus corpus;
  corpus.append("train", "", "la");
  corpus.append("train", "ba", " ");
  std::string long_sentence;
  for (int i = 0; i < 40; ++i) long_sentence += "ba ";
  corpus.append("train", long_sentence, "la");
  const RunResult result = run_binary(corpus.train("run", set({"train.max_steps=1"})));
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.err, ContainsSubstring("train: 300 of 303 pairs kept"));
  CHECK_THAT(result.err, ContainsSubstring("train: left out: 1 with an empty source (" +
                                           corpus.path("train.source") + ":301)"));
  CHECK_THAT(result.err, ContainsSubstring("train: left out: 1 with an empty target (" +
                                           corpus.path("train.target") + ":302)"));
  CHECK_THAT(result.err, ContainsSubstring("train: left out: 1 with too long a source (" +
                                           corpus.path("train.source") + ":303)"));
}

TEST_CASE("a dry run prints sizes, memory and time, and writes nothing", "[train]") {
  const TinyCorpus corpus;
  const std::vector<std::string> before = listing(corpus / ".");
  const RunResult result = run_binary(corpus.train("run", {"--dry-run"}));
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(result.out.empty());
  for (const std::string said : {"300 of 300 pairs kept", "6,592 parameters",
                                 "memory, estimated: ", "memory, measured: ", "tokens/s",
                                 "24 updates would take about ", "nothing was written"}) {
    CHECK_THAT(result.err, ContainsSubstring(said));
  }
  CHECK(listing(corpus / ".") == before);
}

TEST_CASE("a quiet training prints warnings only", "[train]") {
  const TinyCorpus corpus;
  const RunResult result = run_binary(corpus.train("run", {"--quiet"}));
  CHECK(result.exit_code == 0);
  CHECK(result.out.empty());
  CHECK(result.err.empty());
  CHECK_THAT(read_file(corpus / "run" / "log.txt"), ContainsSubstring("step 20/24"));
  const RunResult warned = run_binary(corpus.train(
      "run", {"--quiet", "--set", "train.max_steps=25", "--set", "train.learning_rate=0.002"}));
  CHECK(warned.exit_code == 0);
  CHECK(warned.err == "warning: train.learning_rate: was 0.01, is 0.002 now\n");
}

TEST_CASE("the flag --help-config lists every key", "[train]") {
  const RunResult result = run_binary({"train", "--help-config"});
  CHECK(result.exit_code == 0);
  CHECK(result.err.empty());
  CHECK(calque::known_keys().size() > 50);
  for (const calque::KnownKey& key : calque::known_keys()) {
    CHECK_THAT(result.out, ContainsSubstring(key.key));
    CHECK_THAT(result.out, ContainsSubstring(key.default_text));
  }
}

TEST_CASE("training stops when patience is over, and best names the best step", "[train]") {
  const TinyCorpus corpus;
  const std::vector<std::string> arguments = corpus.train(
      "run", set({"train.max_steps=4000", "train.learning_rate=0.3", "train.warmup_steps=0",
                  "train.validate_every=2", "train.patience=3"}));
  const RunResult result = run_binary(arguments);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  int64_t best_step = 0;
  double best_loss = 1e9;
  for (const auto& line : read_metrics(corpus / "run")) {
    if (!line.contains("validation_loss") || line["validation_loss"] >= best_loss) continue;
    best_loss = line["validation_loss"];
    best_step = line["step"];
  }
  CHECK(named_step(corpus / "run", "best") == best_step);
  CHECK(named_step(corpus / "run", "latest") == best_step + 3 * 2);
  CHECK_THAT(result.err,
             ContainsSubstring("no better validation in the last 3 (train.patience): done"));
  const RunResult again = run_binary(arguments);
  CHECK(again.exit_code == 0);
  CHECK(named_step(corpus / "run", "latest") == best_step + 3 * 2);
}

TEST_CASE("a diverging run ends with exit code 3 and keeps its last checkpoint", "[train]") {
  const TinyCorpus corpus;
  const RunResult result = run_binary(corpus.train(
      "run", set({"train.learning_rate=1e30", "train.warmup_steps=0", "train.save_every=1"})));
  INFO(result.err);
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.err, ContainsSubstring("training diverged at step "));
  CHECK_THAT(result.err, ContainsSubstring("Try a lower train.learning_rate"));
  const int64_t latest = named_step(corpus / "run", "latest");
  CHECK_THAT(result.err, ContainsSubstring("diverged at step " + std::to_string(latest + 1) + ":"));
  CHECK(run_binary({"inspect", checkpoint_folder(corpus / "run", latest)}).exit_code == 0);
}

TEST_CASE("train.initial_model starts from given weights", "[train]") {
  const TinyCorpus corpus;
  REQUIRE(run_binary(corpus.train("first")).exit_code == 0);
  const std::string vocabulary = "vocabulary.path=" + corpus.path("first/vocabulary.model");
  const std::string weights =
      "train.initial_model=" + checkpoint_folder(corpus / "first", 24).string();

  const RunResult second =
      run_binary(corpus.train("second", set({vocabulary, weights, "seed=8", "train.max_steps=1"})));
  INFO(second.err);
  REQUIRE(second.exit_code == 0);
  CHECK(read_metrics(corpus / "second").front()["validation_loss"] ==
        read_metrics(corpus / "first").back()["validation_loss"]);

  const RunResult foreign = run_binary(corpus.train("third", set({weights, "vocabulary.size=50"})));
  CHECK(foreign.exit_code == 2);
  CHECK_THAT(foreign.err, ContainsSubstring("was trained with another vocabulary"));
  CHECK_THAT(foreign.err, ContainsSubstring("vocabulary.path"));

  const RunResult other_size =
      run_binary(corpus.train("fourth", set({vocabulary, weights, "model.hidden=48"})));
  CHECK(other_size.exit_code == 2);
  CHECK_THAT(other_size.err, ContainsSubstring("encoder.layers.0.feed_forward"));
}
