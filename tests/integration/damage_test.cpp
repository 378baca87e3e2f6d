// Damages of every kind to the files that a run leaves: what is loaded is what was saved, or the
// file is named.
#include "support/damage.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/run_checkpoints.h"
#include "config/run_files.h"
#include "support/catch.h"
#include "support/run_contents.h"
#include "support/tiny_corpus.h"

namespace calque {
namespace {

namespace fs = std::filesystem;
using test::checkpoint_folder;
using test::Damage;
using test::for_each_damage;
using test::kDamages;
using test::overwrite;
using test::run_binary;
using test::RunResult;

constexpr int64_t kLatest = 24;
constexpr int64_t kEarlier = 20;

const std::vector<std::string> kFiles = {kModelFile, kOptimizerFile, kStateFile, kConfigFile,
                                         kSharedVocabularyFile};

/// A run of 24 steps, with checkpoints of steps 10, 20 and 24.
struct TrainedRun {
  test::TinyCorpus corpus;
  fs::path run = corpus / "run";

  TrainedRun() {
    const RunResult result = run_binary(corpus.train("run", test::set({kAveraged})));
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
  }
  fs::path checkpoint(int64_t step) const { return checkpoint_folder(run, step); }

  static constexpr const char kAveraged[] = "train.moving_average=0.9";
};

/// All that a checkpoint gives to a training.
struct Loaded {
  CheckpointState state;
  std::map<std::string, std::string> texts;
  std::string config;
  std::string vocabulary;
  std::vector<Real> numbers;  // model, moments and weights

  bool operator==(const Loaded&) const = default;
};

Loaded load(const fs::path& folder) {
  const Checkpoint checkpoint(folder);
  checkpoint.verify(/*training=*/true);
  const TokenizerPair tokenizers = load_tokenizers(checkpoint);
  const RunConfig config = load_config(checkpoint);
  const Transformer model(config.model, tokenizers.source().size(), tokenizers.target().size(),
                          /*inference=*/true);
  const ParameterStore& layout = model.parameters();
  const auto count = static_cast<size_t>(layout.count());
  std::vector<Real> numbers(4 * count);
  const auto block = [&](size_t i) { return std::span(numbers).subspan(i * count, count); };
  checkpoint.load_model(layout, block(0));
  const std::vector<NamedBlock> blocks = {
      {"adam.first_moment", block(1)}, {"adam.second_moment", block(2)}, {"weights", block(3)}};
  checkpoint.load_optimizer(layout, blocks);
  return {checkpoint.state(), checkpoint.texts(), to_yaml(config), tokenizers.source().serialized(),
          numbers};
}

/// How attempts to load something damaged ended.
struct Outcomes {
  int identical = 0;
  int refused = 0;
  std::vector<std::string> unclear;  // errors that do not name the file
  std::vector<std::string> silent;   // loads of something else

  /// `load` returns whether what it loaded is what was saved.
  template <class Load>
  void add(const Damage& damage, const fs::path& file, const Load& load) {
    try {
      if (load()) {
        ++identical;
      } else {
        silent.push_back(damage.name);
      }
    } catch (const UserError& error) {
      ++refused;
      if (std::string(error.what()).find(file.string()) == std::string::npos) {
        unclear.push_back(damage.name + ": " + error.what());
      }
    }
  }
};

TEST_CASE("a damaged file of a checkpoint is named, and nothing of it is used", "[damage]") {
  const TrainedRun run;
  const fs::path folder = run.checkpoint(kLatest);
  const Loaded good = load(folder);
  const auto same_model = [&](const OpenedModel& opened) {
    return to_yaml(opened.config) == good.config &&
           opened.tokenizers.source().serialized() == good.vocabulary &&
           std::ranges::equal(opened.model->parameters().values(),
                              std::span(good.numbers).first(good.numbers.size() / 4));
  };
  REQUIRE(load(folder) == good);
  REQUIRE(same_model(open_model(folder)));

  for (const std::string& name : kFiles) {
    INFO(name);
    const fs::path file = folder / name;
    const std::string bytes = read_file(file);
    Outcomes training;
    Outcomes translation;
    for_each_damage(bytes, [&](const Damage& damage) {
      overwrite(file, damage.bytes);
      training.add(damage, file, [&] { return load(folder) == good; });
      translation.add(damage, file, [&] { return same_model(open_model(folder)); });
    });
    overwrite(file, bytes);
    const bool translates_without = name == kOptimizerFile;
    CHECK(training.refused == kDamages);
    CHECK(translation.refused == (translates_without ? 0 : kDamages));
    CHECK(translation.identical == (translates_without ? kDamages : 0));
    for (const Outcomes* outcomes : {&training, &translation}) {
      CHECK(outcomes->unclear == std::vector<std::string>());
      CHECK(outcomes->silent == std::vector<std::string>());
    }
  }
  CHECK(load(folder) == good);
}

TEST_CASE("the commands name a damaged file, and training goes on from the checkpoint before",
          "[train][damage]") {
  const TrainedRun run;
  const fs::path folder = run.checkpoint(kLatest);
  const std::vector<std::string> to_the_end = {TrainedRun::kAveraged, "train.max_steps=30"};
  REQUIRE(run_binary(run.corpus.train("whole", test::set(to_the_end))).exit_code == 0);
  const auto use = [&](const std::string& command, const fs::path& model) {
    const std::vector<std::string> arguments =
        command == "inspect" ? std::vector<std::string>{command, model.string()}
                             : std::vector<std::string>{command, "--model", model.string()};
    return run_binary(arguments, "ba du\n");
  };
  for (const std::string& name : kFiles) {
    INFO(name);
    const fs::path parts = run.corpus / "parts";
    fs::remove_all(parts);
    fs::copy(run.run, parts, fs::copy_options::recursive);
    const fs::path latest = checkpoint_folder(parts, kLatest);
    const std::string bytes = read_file(latest / name);
    std::string damaged = bytes;
    damaged[bytes.size() / 2] ^= 4;
    overwrite(latest / name, damaged);
    const std::string message = (latest / name).string() + " is damaged";
    const bool translates = name == kOptimizerFile;
    for (const std::string command : {"inspect", "translate"}) {
      INFO(command);
      const RunResult alone = use(command, latest);
      CHECK(alone.exit_code == (translates ? 0 : 2));
      if (!translates) CHECK_THAT(alone.err, ContainsSubstring("calque: error: " + message));
      const RunResult of_run = use(command, parts);  // `best` is the latest
      CHECK(of_run.exit_code == 0);
      if (!translates) {
        CHECK_THAT(of_run.err,
                   ContainsSubstring("warning: " + message) &&
                       ContainsSubstring("; using " + checkpoint_folder(parts, kEarlier).string()));
      }
    }
    const RunResult resumed = run_binary(run.corpus.train("parts", test::set(to_the_end)));
    CHECK(resumed.exit_code == 0);
    CHECK_THAT(resumed.err, ContainsSubstring("warning: " + message) &&
                                ContainsSubstring("going on from " +
                                                  checkpoint_folder(parts, kEarlier).string()));
    for (const std::string file : {kModelFile, kOptimizerFile}) {
      CHECK(test::checkpoint_file(parts, 30, file) ==
            test::checkpoint_file(run.corpus / "whole", 30, file));
    }
  }
}

TEST_CASE("a damaged token cache is made again, and training ends in the same bytes",
          "[train][damage]") {
  const TrainedRun run;
  int64_t steps = kLatest;
  for (const std::string ending : {".ids", ".index", ".json"}) {
    const fs::path file = run.run / "cache" / ("train" + ending);
    const std::string good = read_file(file);
    std::string changed = good;
    changed[good.size() / 3] ^= 1;
    for (const std::string& damaged : {changed, good.substr(0, good.size() / 2)}) {
      INFO(file << " of " << damaged.size() << " bytes");
      overwrite(file, damaged);
      steps += 2;
      const RunResult result = run_binary(run.corpus.train(
          "run", test::set({TrainedRun::kAveraged, "train.max_steps=" + std::to_string(steps)})));
      INFO(result.err);
      CHECK(result.exit_code == 0);
      CHECK_THAT(result.err, ContainsSubstring("train: making the token cache") &&
                                 ContainsSubstring(file.string() + " is damaged"));
      CHECK(read_file(file) == good);
    }
  }
  const RunResult whole = run_binary(run.corpus.train(
      "whole", test::set({TrainedRun::kAveraged, "train.max_steps=" + std::to_string(steps)})));
  CHECK(whole.exit_code == 0);
  for (const std::string file : {kModelFile, kOptimizerFile}) {
    CHECK(test::checkpoint_file(run.run, steps, file) ==
          test::checkpoint_file(run.corpus / "whole", steps, file));
  }
}

}  // namespace
}  // namespace calque
