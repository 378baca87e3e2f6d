// A run that was stopped, by itself, by a signal or by a kill, goes on as if it had not been.
#include <signal.h>

#include <algorithm>
#include <functional>

#include "base/file.h"
#include "support/catch.h"
#include "support/run_contents.h"
#include "support/running_binary.h"
#include "support/tiny_corpus.h"

using calque::read_file;
using calque::write_file_atomically;
using calque::test::checkpoint_file;
using calque::test::checkpoint_folder;
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

/// Everything that a resumed run could get wrong is on; `save_every` divides no stop below.
const std::vector<std::string> kFull{"model.dropout.embedding=0.1", "model.dropout.residual=0.2",
                                     "model.dropout.attention=0.1", "model.dropout.activation=0.1",
                                     "train.accumulate=2",          "train.moving_average=0.9",
                                     "train.save_every=7",          "train.log_every=1",
                                     "data.subword_sampling=0.3",   "train.r_drop=1",
                                     "data.bidirectional_epochs=1"};

/// A step that no test here reaches.
constexpr int64_t kEndless = 1'000'000;

std::vector<std::string> full_run(const TinyCorpus& corpus, const std::string& run, int64_t steps,
                                  int threads) {
  std::vector<std::string> more = set(kFull);
  more.insert(more.end(), {"--set", "train.max_steps=" + std::to_string(steps), "--threads",
                           std::to_string(threads)});
  return corpus.train(run, more);
}

void check_same_weights(const TinyCorpus& corpus, int64_t step) {
  for (const std::string file : {"model.safetensors", "optimizer.safetensors"}) {
    INFO(file);
    const bool equal = checkpoint_file(corpus / "whole", step, file) ==
                       checkpoint_file(corpus / "parts", step, file);
    CHECK(equal);
  }
}

/// metrics.jsonl holds one progress line for each step from 1 to `steps`, and no validation twice.
void check_each_step_once(const std::filesystem::path& run, int64_t steps) {
  std::vector<int64_t> progress;
  std::vector<int64_t> validations;
  for (const auto& line : read_metrics(run)) {
    (line.contains("validation_loss") ? validations : progress).push_back(line["step"]);
  }
  REQUIRE(std::ssize(progress) == steps);
  for (int64_t i = 0; i < steps; ++i) CHECK(progress[static_cast<size_t>(i)] == i + 1);
  CHECK(std::adjacent_find(validations.begin(), validations.end(), std::greater_equal<>()) ==
        validations.end());
}

/// What the environment can choose to multiply by.
std::vector<std::string> multipliers() {
  std::vector<std::string> all{"CALQUE_GEMM=calque", "CALQUE_FLOAT32=vectors", "CALQUE_GEMM=eigen"};
  if (run_binary({"version"}).out.find("oneDNN") != std::string::npos) {
    all.push_back("CALQUE_GEMM=onednn");
  }
  return all;
}

}  // namespace

TEST_CASE("stopped and resumed with other thread counts, a run ends in the same bytes",
          "[train][resume]") {
  const TinyCorpus corpus;
  for (const std::string& multiplier : multipliers()) {
    INFO(multiplier);
    const std::vector<std::string> environment{multiplier};
    constexpr int64_t kSteps = 31;  // two epochs and a half
    const RunResult whole = RunningBinary(full_run(corpus, "whole", kSteps, 1), environment).wait();
    CHECK(whole.exit_code == 0);
    const auto place = [&](const std::string& text) { return whole.err.find(text); };
    const size_t switched = place("from here on, every pair goes from source to target");
    CHECK(place("epoch 1 is over") < switched);
    CHECK(switched < place("epoch 2 is over"));
    CHECK(RunningBinary(full_run(corpus, "parts", 11, 1), environment).wait().exit_code == 0);
    CHECK(RunningBinary(full_run(corpus, "parts", 16, 2), environment).wait().exit_code == 0);
    const RunResult last = RunningBinary(full_run(corpus, "parts", kSteps, 3), environment).wait();
    CHECK(last.exit_code == 0);
    CHECK_THAT(last.err, ContainsSubstring("holds a run: going on from"));
    CHECK_THAT(last.err, ContainsSubstring("train.max_steps: was 16, is 31 now"));
    check_same_weights(corpus, kSteps);
    check_each_step_once(corpus / "parts", kSteps);
    std::filesystem::remove_all(corpus / "whole");
    std::filesystem::remove_all(corpus / "parts");
  }
}

TEST_CASE("a bfloat16 run says what multiplies, and its resumed parts end in the same bytes",
          "[train][resume]") {
  const TinyCorpus corpus;
  const auto run = [&](const std::string& name, int64_t steps, int threads) {
    std::vector<std::string> arguments = full_run(corpus, name, steps, threads);
    arguments.insert(arguments.end(), {"--set", "train.precision=bfloat16"});
    return run_binary(arguments);
  };
  const RunResult whole = run("whole", 15, 1);
  CHECK(whole.exit_code == 0);
  CHECK_THAT(whole.err, ContainsSubstring("precision: bfloat16 by "));
  CHECK(run("parts", 6, 3).exit_code == 0);
  CHECK(run("parts", 15, 2).exit_code == 0);
  check_same_weights(corpus, 15);

  const RunResult other = run_binary(full_run(corpus, "parts", 16, 1));
  CHECK(other.exit_code == 0);
  CHECK_THAT(other.err, ContainsSubstring("train.precision: was bfloat16, is float32 now"));
}

TEST_CASE("a run with RMS norms and gates ends in the same bytes in parts, and keeps its kinds",
          "[train][resume]") {
  const TinyCorpus corpus;
  const auto run = [&](const std::string& name, int64_t steps, int threads,
                       const std::string& norm_kind, const std::string& activation) {
    std::vector<std::string> arguments = full_run(corpus, name, steps, threads);
    arguments.insert(arguments.end(), {"--set", "model.norm_kind=" + norm_kind, "--set",
                                       "model.activation=" + activation});
    return run_binary(arguments);
  };
  for (const std::string activation : {"glu", "geglu", "swiglu"}) {
    INFO(activation);
    CHECK(run("whole", 15, 1, "rms", activation).exit_code == 0);
    CHECK(run("parts", 6, 3, "rms", activation).exit_code == 0);
    CHECK(run("parts", 15, 2, "rms", activation).exit_code == 0);
    check_same_weights(corpus, 15);
    check_each_step_once(corpus / "parts", 15);
    std::filesystem::remove_all(corpus / "whole");
    if (activation != "swiglu") std::filesystem::remove_all(corpus / "parts");
  }
  const RunResult other = run("parts", 16, 1, "layer", "geglu");
  CHECK(other.exit_code == 2);
  CHECK_THAT(other.err, ContainsSubstring("\n  model.norm_kind: was rms, is layer now"));
  CHECK_THAT(other.err, ContainsSubstring("\n  model.activation: was swiglu, is geglu now"));
}

TEST_CASE(
    "runs with other positions, shared keys, deep norms and dropped layers end in the same bytes "
    "in parts",
    "[train][resume]") {
  const TinyCorpus corpus;
  const std::vector<std::string> everything{"model.encoder.self_attention.key_value_heads=1",
                                            "model.decoder.self_attention.key_value_heads=1",
                                            "model.decoder.cross_attention.key_value_heads=1",
                                            "model.norm=deep",
                                            "model.dropout.layer=0.3",
                                            "model.encoder.layers=2",
                                            "model.decoder.layers=2",
                                            "model.max_distance=3"};
  const auto run = [&](const std::string& name, int64_t steps, int threads,
                       const std::string& positions) {
    std::vector<std::string> arguments = full_run(corpus, name, steps, threads);
    for (const std::string& argument : set(everything)) arguments.push_back(argument);
    arguments.insert(arguments.end(), {"--set", "model.positions=" + positions});
    return run_binary(arguments);
  };
  for (const std::string positions : {"rotary", "alibi", "relative"}) {
    INFO(positions);
    CHECK(run("whole", 15, 1, positions).exit_code == 0);
    CHECK(run("parts", 6, 3, positions).exit_code == 0);
    CHECK(run("parts", 15, 2, positions).exit_code == 0);
    check_same_weights(corpus, 15);
    std::filesystem::remove_all(corpus / "whole");
    if (positions != "relative") std::filesystem::remove_all(corpus / "parts");
  }
  const RunResult other = run("parts", 16, 1, "none");
  CHECK(other.exit_code == 2);
  CHECK_THAT(other.err, ContainsSubstring("\n  model.positions: was relative, is none now"));
}

TEST_CASE("bfloat16 without a processor for it and settings without effect are warnings",
          "[train][resume]") {
  const TinyCorpus corpus;
  std::vector<std::string> arguments = corpus.train(
      "run", set({"train.precision=bfloat16", "model.encoder.self_attention.window=8"}));
  arguments.push_back("--dry-run");
  const RunResult dry = RunningBinary(arguments, {"CALQUE_GEMM=eigen"}).wait();
  CHECK(dry.exit_code == 0);
  CHECK_THAT(dry.err, ContainsSubstring("train.precision: bfloat16 will be slow") &&
                          ContainsSubstring("self_attention.window: 8 has no effect without"));
}

TEST_CASE("signals and kills lose nothing that was saved, and change no byte", "[train][resume]") {
  const TinyCorpus corpus;
  struct Stop {
    int signal;
    int exit_code;
    const char* wait_for;
  };
  int threads = 1;
  for (const Stop& stop : {Stop{SIGINT, 130, "tokens/s  ETA"}, Stop{SIGTERM, 143, "tokens/s  ETA"},
                           Stop{SIGKILL, 137, "saved "}}) {
    RunningBinary run(full_run(corpus, "parts", kEndless, threads++));
    REQUIRE(run.wait_for(stop.wait_for));
    run.send(stop.signal);
    const RunResult result = run.wait();
    INFO(result.err);
    REQUIRE(result.exit_code == stop.exit_code);
    if (stop.signal == SIGKILL) continue;
    const int64_t step = named_step(corpus / "parts", "latest");
    CHECK_THAT(result.err,
               ContainsSubstring("stopped by a signal at step " + std::to_string(step)));
    check_each_step_once(corpus / "parts", step);
  }
  const int64_t end = named_step(corpus / "parts", "latest") + 9;
  CHECK(run_binary(full_run(corpus, "parts", end, 1)).exit_code == 0);
  CHECK(run_binary(full_run(corpus, "whole", end, 2)).exit_code == 0);
  check_same_weights(corpus, end);
  check_each_step_once(corpus / "parts", end);
}

TEST_CASE("a second training in the folder of a first is refused, until that has ended",
          "[train][resume]") {
  const TinyCorpus corpus;
  RunningBinary first(corpus.train("run", set({"train.max_steps=1000000"})));
  REQUIRE(first.wait_for("saved "));
  std::string pid = read_file(corpus / "run/lock");
  pid.pop_back();
  for (const std::string flag : {"--quiet", "--fresh"}) {
    const RunResult second = run_binary(corpus.train("run", {flag}));
    CHECK(second.exit_code == 2);
    CHECK(second.err == "calque: error: " + corpus.path("run") +
                            " is in use by another training, process " + pid +
                            ". Wait until it is done, stop it (`kill " + pid +
                            "` saves and stops), or choose another folder with --run\n");
  }
  const RunResult vocabulary = run_binary({"vocab", corpus.config(), "--run", corpus.path("run")});
  CHECK(vocabulary.exit_code == 2);
  CHECK_THAT(vocabulary.err, ContainsSubstring("process " + pid));
  first.send(SIGKILL);
  CHECK(first.wait().exit_code == 137);
  const int64_t end = named_step(corpus / "run", "latest") + 3;
  CHECK(
      run_binary(corpus.train("run", set({"train.max_steps=" + std::to_string(end)}))).exit_code ==
      0);
  CHECK(named_step(corpus / "run", "latest") == end);
}

TEST_CASE("a validation that a signal ends is made when the run goes on", "[train][resume]") {
  const TinyCorpus corpus;
  corpus.write_pairs("validation", 1500, 5);
  const auto steps = [&](const std::string& run) {
    return corpus.train(
        run, set({"train.max_steps=2", "train.log_every=1", "train.validate_every=1",
                  "train.moving_average=0.9", "validation.batch_tokens=256", "validation.beam=3"}));
  };
  REQUIRE(run_binary(steps("whole")).exit_code == 0);
  for (const std::string progress : {"step 1/2", "step 2/2"}) {
    RunningBinary run(steps("parts"));
    REQUIRE(run.wait_for(progress));
    run.send(SIGINT);
    const RunResult stopped = run.wait();
    INFO(stopped.err);
    REQUIRE(stopped.exit_code == 130);
    const std::string step = progress.substr(5, 1);
    CHECK(named_step(corpus / "parts", "latest") == std::stoll(step));
    CHECK_THAT(stopped.err, !ContainsSubstring("validation at step " + step));
  }
  const RunResult last = run_binary(steps("parts"));
  INFO(last.err);
  CHECK(last.exit_code == 0);
  CHECK_THAT(last.err, ContainsSubstring("validation at step 2"));
  check_same_weights(corpus, 2);
  const auto whole = read_metrics(corpus / "whole");
  const auto parts = read_metrics(corpus / "parts");
  REQUIRE(parts.size() == whole.size());
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const std::string key : {"step", "loss", "validation_loss", "validation_bleu"}) {
      INFO(i << " " << key);
      CHECK(parts[i].value(key, -1.0) == whole[i].value(key, -1.0));
    }
  }
  CHECK(named_step(corpus / "parts", "best") == named_step(corpus / "whole", "best"));
  CHECK_THAT(run_binary(steps("parts")).err, ContainsSubstring("nothing left to do"));
}

TEST_CASE("going on from before a damaged checkpoint leaves a later best", "[train][resume]") {
  const TinyCorpus corpus;
  const auto train = [&](const std::string& more) {
    const RunResult result = run_binary(corpus.train(
        "run", set({"train.max_steps=15", "train.validate_every=5", "train.save_every=5", more})));
    INFO(result.err);
    CHECK(result.exit_code == 0);
    return result.err;
  };
  train("train.max_minutes=0");
  REQUIRE(named_step(corpus / "run", "best") == 15);
  for (const int64_t step : {10, 15}) {  // the optimizer alone: both still translate
    write_file_atomically(checkpoint_folder(corpus / "run", step) / "optimizer.safetensors", "no");
  }
  const std::string back = train("train.max_minutes=1e-9");
  CHECK_THAT(back, ContainsSubstring("using " + checkpoint_folder(corpus / "run", 5).string() +
                                     " instead"));
  CHECK_THAT(back, ContainsSubstring("are over at step 5"));
  CHECK(named_step(corpus / "run", "best") == 15);
  train("train.max_minutes=0");
  CHECK(named_step(corpus / "run", "best") == 15);
  CHECK(named_step(corpus / "run", "latest") == 15);
  CHECK(measured_steps(corpus / "run") == "5 10 15 | 5 10 15");
}

TEST_CASE("killed before its first checkpoint, a run starts over", "[train][resume]") {
  const TinyCorpus corpus;
  const std::vector<std::string> blind =
      set({"data.validation.source=[]", "data.validation.target=[]", "train.log_every=1",
           "train.save_every=1000000"});
  std::vector<std::string> endless = blind;
  endless.insert(endless.end(), {"--set", "train.max_steps=1000000"});
  RunningBinary run(corpus.train("run", endless));
  REQUIRE(run.wait_for("tokens/s  ETA"));
  run.send(SIGKILL);
  CHECK(run.wait().exit_code == 137);
  CHECK(run_binary(corpus.train("run", blind)).exit_code == 0);
  check_each_step_once(corpus / "run", 24);
}

TEST_CASE("a run that the clock stopped before its first step goes on", "[train][resume]") {
  const TinyCorpus corpus;
  const RunResult result = run_binary(corpus.train("run", set({"train.max_minutes=1e-9"})));
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.err, ContainsSubstring("(train.max_minutes) are over at step 0"));
  CHECK(run_binary(corpus.train("run")).exit_code == 0);
  CHECK(measured_steps(corpus / "run") == "5 10 15 20 | 10 20 24");
}

TEST_CASE("an incompatible config is refused key by key, others go on", "[train][resume]") {
  const TinyCorpus corpus;
  REQUIRE(run_binary(corpus.train("run", set({"train.max_steps=3"}))).exit_code == 0);

  const RunResult refused = run_binary(corpus.train(
      "run", set({"model.size=32", "seed=8", "train.batch_tokens=256", "train.beta1=0.8"})));
  CHECK(refused.exit_code == 2);
  for (const std::string said : {"warning: train.beta1: was 0.9, is 0.8 now",
                                 "\n  seed: was 7, is 8 now", "\n  model.size: was 16, is 32 now",
                                 "\n  train.batch_tokens: was 128, is 256 now", "--fresh"}) {
    CHECK_THAT(refused.err, ContainsSubstring(said));
  }
  CHECK(named_step(corpus / "run", "latest") == 3);

  const RunResult extended =
      run_binary(corpus.train("run", set({"train.max_steps=5", "train.learning_rate=0.001"})));
  CHECK(extended.exit_code == 0);
  CHECK_THAT(extended.err, ContainsSubstring("train.max_steps: was 3, is 5 now"));
  CHECK_THAT(extended.err,
             ContainsSubstring("warning: train.learning_rate: was 0.01, is 0.001 now"));
  CHECK(named_step(corpus / "run", "latest") == 5);
}

TEST_CASE("a run does not go on with other text or vocabulary, and names all that has changed",
          "[train][resume]") {
  const TinyCorpus corpus;
  const auto train = [&](const std::vector<std::string>& values) {
    return run_binary(corpus.train("run", set(values)));
  };
  REQUIRE(train({"train.max_steps=3"}).exit_code == 0);
  const std::vector<std::string> before = listing(corpus / "run");
  const std::string source = read_file(corpus / "train.source");
  const std::string target = read_file(corpus / "train.target");
  const std::string vocabulary = read_file(corpus / "run/vocabulary.model");

  write_file_atomically(corpus / "train.target", "la" + target.substr(2));
  const RunResult changed = train({"train.max_steps=7"});
  INFO(changed.err);
  CHECK(changed.exit_code == 2);
  CHECK_THAT(changed.err,
             ContainsSubstring("\n  data.train.target: " + corpus.path("train.target") +
                               " has as many bytes, but others\n"));
  CHECK_THAT(changed.err, !ContainsSubstring("train.source"));

  corpus.append("train", "ba", "la");
  REQUIRE(run_binary({"vocab", corpus.config(), "--run", corpus.path("other"), "--set",
                      "vocabulary.type=bpe"})
              .exit_code == 0);
  std::filesystem::copy_file(corpus / "other/vocabulary.model", corpus / "run/vocabulary.model",
                             std::filesystem::copy_options::overwrite_existing);
  const RunResult all = train({"train.max_steps=7", "model.heads=4"});
  INFO(all.err);
  CHECK(all.exit_code == 2);
  const auto size = [](const std::string& text) { return std::to_string(text.size()); };
  for (const std::string& said :
       {std::string("\n  model.heads: was 2, is 4 now\n"),
        "\n  data.train.source: " + corpus.path("train.source") + " had " + size(source) +
            " bytes, has " + size(source + "ba\n") + " now\n",
        "\n  data.train.target: " + corpus.path("train.target") + " had " + size(target) +
            " bytes, has " + size(target + "la\n") + " now\n",
        "\n  vocabulary.path: " + corpus.path("run/vocabulary.model") +
            " is not the vocabulary of the run, which is " +
            (checkpoint_folder(corpus / "run", 3) / "vocab.model").string() + "\n"}) {
    CHECK_THAT(all.err, ContainsSubstring(said));
  }
  CHECK(listing(corpus / "run") == before);

  write_file_atomically(corpus / "train.source", source);
  write_file_atomically(corpus / "train.target", target);
  CHECK(train({"train.max_steps=7"}).exit_code == 2);
  write_file_atomically(corpus / "run/vocabulary.model", vocabulary);
  CHECK(train({"train.max_steps=7"}).exit_code == 0);
  std::filesystem::remove(corpus / "run/vocabulary.model");  // the checkpoint carries its own
  CHECK(train({"train.max_steps=8"}).exit_code == 0);
}

TEST_CASE("the flag --fresh puts the old run aside under a new name", "[train][resume]") {
  const TinyCorpus corpus;
  const std::vector<std::string> two_steps = set({"train.max_steps=2"});
  REQUIRE(run_binary(corpus.train("run", two_steps)).exit_code == 0);
  const std::vector<std::string> names = listing(corpus / "run");
  const std::string weights = checkpoint_file(corpus / "run", 2, "model.safetensors");
  for (const std::string aside : {"run.old", "run.old-2"}) {
    const RunResult result =
        run_binary(corpus.train("run/", {"--fresh", "--set", "train.max_steps=2"}));
    CHECK(result.exit_code == 0);
    CHECK_THAT(result.err, ContainsSubstring("run is put aside as " + corpus.path(aside)));
    CHECK(listing(corpus / aside) == names);
    CHECK(checkpoint_file(corpus / aside, 2, "model.safetensors") == weights);
  }
  CHECK(checkpoint_file(corpus / "run", 2, "model.safetensors") == weights);
  CHECK(run_binary(corpus.train("other", {"--fresh", "--dry-run"})).exit_code == 0);
  CHECK(!std::filesystem::exists(corpus / "other"));
}
