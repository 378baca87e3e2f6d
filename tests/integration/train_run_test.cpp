// A training from start to end through the real binary: what it says and what it leaves behind.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include <algorithm>

#include "base/file.h"
#include "config/known_keys.h"
#include "support/catch.h"
#include "support/file_size_limit.h"
#include "support/run_contents.h"
#include "support/running_binary.h"
#include "support/tiny_corpus.h"

using calque::read_file;
using calque::write_file_atomically;
using calque::test::checkpoint_file;
using calque::test::checkpoint_folder;
using calque::test::FileSizeLimit;
using calque::test::listing;
using calque::test::measured_steps;
using calque::test::named_step;
using calque::test::read_metrics;
using calque::test::run_binary;
using calque::test::RunningBinary;
using calque::test::RunResult;
using calque::test::set;
using calque::test::TinyCorpus;

namespace {

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Lets two paths trade places in one step.
void exchange(const std::filesystem::path& a, const std::filesystem::path& b) {
  REQUIRE(renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0);
}

}  // namespace

TEST_CASE("a training run says what it does and leaves a whole run folder", "[train]") {
  const TinyCorpus corpus;
  const RunResult result = run_binary(corpus.train("run"));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(result.out.empty());
  for (const std::string said : {"Calque ",
                                 "1 thread\n",
                                 "\nmachine: ",
                                 " allowed, ",
                                 " of memory available\n",
                                 "seed 7",
                                 "train: 300 of 300 pairs kept",
                                 "validation: 20 of 20 pairs kept",
                                 "vocabulary 60+60: 6,592 parameters",
                                 "memory, estimated: ",
                                 "validation at step 10: loss ",
                                 "  source     ",
                                 "  reference  ",
                                 "  hypothesis ",
                                 "step 5/24  epoch ",
                                 "  ppl ",
                                 "  lr ",
                                 " tokens/s  ETA ",
                                 "validation at step 24: ",
                                 "all 24 steps (train.max_steps) are done",
                                 "translate with: calque translate"}) {
    CHECK_THAT(result.err, ContainsSubstring(said));
  }
  CHECK(result.err.find("parameters") < result.err.find("step 5/24"));
  CHECK(result.err.find("step 10/24") < result.err.find("validation at step 10"));

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
  CHECK(measured_steps(corpus / "run") == "5 10 15 20 | 10 20 24");
  CHECK(read_metrics(corpus / "run").back()["validation_loss"] <
        read_metrics(corpus / "run").front()["loss"]);
  CHECK(read_file(corpus / "run" / "config.yaml") ==
        read_file(checkpoint_folder(corpus / "run", 24) / "config.yaml"));
  CHECK_THAT(read_file(corpus / "run" / "log.txt"), ContainsSubstring("info: step 20/24"));

  const RunResult again = run_binary(corpus.train("run"));
  CHECK(again.exit_code == 0);
  CHECK_THAT(again.err, ContainsSubstring("nothing left to do: all 24 steps"));
  CHECK(listing(corpus / "run") == names);
  const RunResult shorter = run_binary(corpus.train("run", set({"train.max_steps=20"})));
  CHECK(shorter.exit_code == 0);
  CHECK_THAT(shorter.err,
             ContainsSubstring("nothing left to do: the run is at step 24 and train.max_steps is "
                               "20. A larger train.max_steps goes on; --fresh starts over\n"));
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
    if (!line.contains("validation_loss") || line["step"] == 0) continue;
    if (line["validation_loss"] >= best_loss) continue;
    best_loss = line["validation_loss"];
    best_step = line["step"];
  }
  CHECK(named_step(corpus / "run", "best") == best_step);
  CHECK(named_step(corpus / "run", "latest") == best_step + 3 * 2);
  CHECK_THAT(result.err,
             ContainsSubstring(
                 "the last 3 validations were no better than the best (train.patience): done"));
  const RunResult again = run_binary(arguments);
  CHECK(again.exit_code == 0);
  CHECK(named_step(corpus / "run", "latest") == best_step + 3 * 2);
  CHECK_THAT(again.err,
             ContainsSubstring(
                 "nothing left to do: the last 3 validations found nothing better and "
                 "train.patience is 3. A larger train.patience, or 0 for no such end, goes on"));
}

TEST_CASE("of equal BLEU the lower loss is the better, and random weights are no result",
          "[train]") {
  const TinyCorpus corpus;
  // References of one long word each, which no model writes: BLEU is 0 throughout.
  std::string text = read_file(corpus / "validation.target");
  std::erase(text, ' ');
  write_file_atomically(corpus / "validation.target", text);
  const RunResult result = run_binary(corpus.train(
      "run", set({"train.best_metric=bleu", "train.validate_every=4", "train.max_steps=12",
                  "train.learning_rate=0.001", "train.patience=1"})));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  double loss = 1e9;
  for (const auto& line : read_metrics(corpus / "run")) {
    if (!line.contains("validation_bleu")) continue;
    CHECK(line["validation_bleu"] == 0);
    CHECK(line["validation_loss"] < loss);
    loss = line["validation_loss"];
  }
  CHECK(measured_steps(corpus / "run") == "5 10 | 4 8 12");
  CHECK(named_step(corpus / "run", "best") == 12);
  CHECK(!std::filesystem::exists(checkpoint_folder(corpus / "run", 0)));
}

TEST_CASE("the clock ends a call with a validation, and is told to be of this call", "[train]") {
  const TinyCorpus corpus;
  const RunResult result = run_binary(
      corpus.train("run", set({"train.max_minutes=0.005", "train.max_steps=1000000",
                               "train.save_every=1000000", "train.validate_every=1000000"})));
  INFO(result.err);
  CHECK(result.exit_code == 0);
  const int64_t step = named_step(corpus / "run", "latest");
  CHECK_THAT(result.err,
             ContainsSubstring(
                 "the 0.005 minutes of this call (train.max_minutes) are over at step " +
                 std::to_string(step) + "; the same command goes on from there for as long again"));
  CHECK_THAT(result.err, ContainsSubstring("validation at step " + std::to_string(step) + ":"));
}

TEST_CASE("the validation at the end of a call by the clock takes no patience", "[train]") {
  const TinyCorpus corpus;
  const std::vector<std::string> arguments = corpus.train(
      "run", set({"train.max_minutes=0.002", "train.max_steps=1000000", "train.patience=1",
                  "train.validate_every=1000000", "train.learning_rate=1e-30"}));
  for (int call = 0; call < 3; ++call) {
    const RunResult result = run_binary(arguments);
    INFO(result.err);
    CHECK(result.exit_code == 0);
    CHECK_THAT(result.err, ContainsSubstring("validation at step "));
    CHECK_THAT(result.err, ContainsSubstring("(train.max_minutes) are over at step "));
  }
  double first = 0;
  for (const auto& line : read_metrics(corpus / "run")) {
    if (!line.contains("validation_loss")) continue;
    if (first == 0) first = line["validation_loss"];
    CHECK(line["validation_loss"] == first);  // none was better
  }
  CHECK(first > 0);
}

TEST_CASE("saves by the clock change no byte and take no scheduled checkpoint's place", "[train]") {
  const TinyCorpus corpus;
  const auto train = [&](const std::string& run, const std::string& minutes) {
    const RunResult result = run_binary(corpus.train(
        run, set({"train.save_every=7", "train.keep_last=2", "data.validation.source=[]",
                  "data.validation.target=[]", "train.save_every_minutes=" + minutes})));
    INFO(result.err);
    CHECK(result.exit_code == 0);
    return result.err;
  };
  const std::string never = train("never", "0");
  CHECK_THAT(never, !ContainsSubstring("step_00000008"));
  const std::string always = train("always", "1e-9");
  CHECK_THAT(always,
             ContainsSubstring("saved " + checkpoint_folder(corpus / "always", 8).string()));
  CHECK_THAT(always,
             ContainsSubstring("saved " + checkpoint_folder(corpus / "always", 23).string()));
  for (const std::string run : {"never", "always"}) {
    INFO(run);
    const std::vector<std::string> names = listing(corpus / run / "checkpoints");
    CHECK(std::count_if(names.begin(), names.end(), [](const std::string& name) {
            return name.find('/') == std::string::npos;
          }) == 3);
    for (const int64_t step : {14, 21, 24}) {
      CHECK(std::filesystem::exists(checkpoint_folder(corpus / run, step)));
    }
  }
  for (const std::string file : {"model.safetensors", "optimizer.safetensors"}) {
    const bool equal =
        checkpoint_file(corpus / "never", 24, file) == checkpoint_file(corpus / "always", 24, file);
    CHECK(equal);
  }
}

TEST_CASE("a dry run checks the run that the folder holds, and changes nothing in it", "[train]") {
  const TinyCorpus corpus;
  REQUIRE(run_binary(corpus.train("run", set({"train.max_steps=3"}))).exit_code == 0);
  const std::vector<std::string> before = listing(corpus / ".");
  const std::string log = read_file(corpus / "run/log.txt");
  const auto dry_run = [&](const std::vector<std::string>& values) {
    std::vector<std::string> more = set(values);
    more.push_back("--dry-run");
    return run_binary(corpus.train("run", more));
  };
  const RunResult good = dry_run({"train.max_steps=5"});
  INFO(good.err);
  CHECK(good.exit_code == 0);
  CHECK_THAT(good.err, ContainsSubstring("holds a run: going on from"));
  CHECK_THAT(good.err, ContainsSubstring("nothing was written"));
  CHECK_THAT(good.err, !ContainsSubstring("token cache"));
  CHECK_THAT(good.err, !ContainsSubstring("vocabulary: "));
  CHECK_THAT(dry_run({"train.max_steps=3"}).err, ContainsSubstring("nothing left to do: all 3"));

  const RunResult other = dry_run({"model.size=32"});
  CHECK(other.exit_code == 2);
  CHECK_THAT(other.err, ContainsSubstring("\n  model.size: was 16, is 32 now"));
  corpus.append("train", "ba", "la");
  const RunResult text = dry_run({"train.max_steps=5"});
  CHECK(text.exit_code == 2);
  CHECK_THAT(text.err,
             ContainsSubstring("\n  data.train.source: " + corpus.path("train.source") + " had "));
  CHECK(listing(corpus / ".") == before);
  CHECK(read_file(corpus / "run/log.txt") == log);

  const RunResult initial = run_binary(
      corpus.train("new", {"--dry-run", "--set", "train.initial_model=" + corpus.path("nowhere")}));
  CHECK(initial.exit_code == 2);
  CHECK_THAT(initial.err, ContainsSubstring("train.initial_model: " + corpus.path("nowhere") +
                                            " does not exist\n"));
}

TEST_CASE("a full disk does not end a training, and is told when it stays full", "[train]") {
  const TinyCorpus corpus;
  const std::vector<std::string> arguments = corpus.train(
      "run", set({"train.max_steps=1000000", "train.save_every=5", "train.validate_every=1000000",
                  "train.log_every=1", "data.validation.source=[]", "data.validation.target=[]"}));
  // A file where the checkpoints belong: no save succeeds while it is there.
  std::filesystem::create_directory(corpus / "run");
  write_file_atomically(corpus / "run/checkpoints", "");
  RunningBinary run(arguments);
  const std::string failure = "warning: cannot create " + corpus.path("run/checkpoints");
  REQUIRE(run.wait_for(failure));
  CHECK(run.wait_for("; training goes on, and the next save tries again\n"));
  std::filesystem::remove(corpus / "run/checkpoints");
  REQUIRE(run.wait_for("saved "));
  // The same with the metrics, which lose no line.
  std::filesystem::create_directory(corpus / "metrics");
  exchange(corpus / "metrics", corpus / "run/metrics.jsonl");
  REQUIRE(run.wait_for("warning: cannot open " + corpus.path("run/metrics.jsonl") +
                       ": Is a directory; training goes on, and the next save tries again\n"));
  exchange(corpus / "metrics", corpus / "run/metrics.jsonl");
  run.send(SIGINT);
  const RunResult result = run.wait();
  INFO(result.err);
  CHECK(result.exit_code == 130);
  const int64_t step = named_step(corpus / "run", "latest");
  const auto metrics = read_metrics(corpus / "run");
  REQUIRE(std::ssize(metrics) == step);
  for (int64_t i = 0; i < step; ++i) CHECK(metrics[static_cast<size_t>(i)]["step"] == i + 1);

  // Still full at the end: the exit code says that the last state was not saved.
  std::filesystem::remove_all(corpus / "run");
  std::filesystem::create_directory(corpus / "run");
  write_file_atomically(corpus / "run/checkpoints", "");
  const RunResult full = run_binary(corpus.train("run"));
  CHECK(full.exit_code == 2);
  CHECK_THAT(full.err, ContainsSubstring(failure));
  CHECK_THAT(full.err,
             ContainsSubstring("calque: error: cannot create " + corpus.path("run/checkpoints")));
  CHECK(measured_steps(corpus / "run") == "5 10 15 20 | 10 20 24");
}

TEST_CASE("where files cannot grow, the checkpoint of before stays and still loads", "[train]") {
  const TinyCorpus corpus;
  REQUIRE(run_binary(corpus.train("run", set({"train.max_steps=10"}))).exit_code == 0);
  const std::string weights = checkpoint_file(corpus / "run", 10, "model.safetensors");
  RunResult full;
  {
    const FileSizeLimit limit(weights.size() / 2);
    full = run_binary(corpus.train("run", set({"train.save_every=5"})));
  }
  INFO(full.err);
  CHECK(full.exit_code == 2);
  const std::string why = "cannot write " + corpus.path("run/checkpoints/");
  CHECK_THAT(full.err, ContainsSubstring("warning: " + why) &&
                           ContainsSubstring("calque: error: " + why) &&
                           ContainsSubstring("model.safetensors: File too large"));
  CHECK(named_step(corpus / "run", "latest") == 10);
  CHECK(checkpoint_file(corpus / "run", 10, "model.safetensors") == weights);
  const RunResult again = run_binary(corpus.train("run"));
  CHECK(again.exit_code == 0);
  CHECK(measured_steps(corpus / "run") == "5 10 15 20 | 10 20 24");
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

  const RunResult other_heads = run_binary(corpus.train(
      "heads",
      set({vocabulary, weights, "model.heads=4", "model.activation=gelu", "train.max_steps=1"})));
  CHECK(other_heads.exit_code == 0);
  CHECK_THAT(other_heads.err, ContainsSubstring("warning: train.initial_model: model.heads was 2 "
                                                "where its weights were trained, is 4 here\n"));
  CHECK_THAT(other_heads.err, ContainsSubstring("warning: train.initial_model: model.activation"));

  const RunResult other_size =
      run_binary(corpus.train("fourth", set({vocabulary, weights, "model.hidden=48"})));
  CHECK(other_size.exit_code == 2);
  CHECK_THAT(other_size.err, ContainsSubstring("encoder.layers.0.feed_forward"));
}

TEST_CASE("a vocabulary that was made ahead is used, and never replaced by the command",
          "[train]") {
  const TinyCorpus corpus;
  std::filesystem::remove(corpus / "validation.source");  // not needed for a vocabulary
  const auto vocab = [&](const std::vector<std::string>& values) {
    std::vector<std::string> arguments{"vocab", corpus.config(), "--run", corpus.path("run")};
    for (const std::string& word : set(values)) arguments.push_back(word);
    return run_binary(arguments);
  };
  const std::string model = corpus.path("run/vocabulary.model");
  const RunResult made = vocab({"vocabulary.type=bpe"});
  INFO(made.err);
  CHECK(made.exit_code == 0);
  CHECK_THAT(made.out, ContainsSubstring("joint vocabulary: 60 pieces, bpe\n"));
  CHECK_THAT(made.out, ContainsSubstring("written to " + model));
  CHECK_THAT(vocab({"vocabulary.type=bpe"}).out, ContainsSubstring("was there already"));
  const std::string bytes = read_file(model);
  const RunResult refused = vocab({});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err,
             ContainsSubstring(model + " was made with other options than the config states:"
                                       "\n  vocabulary.type: was bpe, is unigram now\n"));
  CHECK(read_file(model) == bytes);
  const RunResult trained = run_binary(
      corpus.train("run", set({"vocabulary.type=bpe", "train.max_steps=1",
                               "data.validation.source=[]", "data.validation.target=[]"})));
  CHECK(trained.exit_code == 0);
  CHECK_THAT(trained.err, ContainsSubstring("vocabulary: using " + model + " (60 pieces)\n"));
}
