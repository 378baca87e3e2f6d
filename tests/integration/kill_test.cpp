// Training is killed at random moments, many of them inside a save, and goes on each time: nothing
// that was saved is lost, and the end is that of a run which was never killed.
//   CALQUE_KILLS=100 kills so often instead of ten times (scripts/kill_test.sh).
#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include "base/file.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/run_checkpoints.h"
#include "support/catch.h"
#include "support/run_contents.h"
#include "support/running_binary.h"
#include "support/tiny_corpus.h"

namespace calque {
namespace {

namespace fs = std::filesystem;
using test::run_binary;
using test::RunningBinary;
using test::RunResult;
using test::TinyCorpus;

int kills_wanted() {
  const char* const text = std::getenv("CALQUE_KILLS");
  return text == nullptr ? 10 : std::stoi(text);
}

std::vector<std::string> training(const TinyCorpus& corpus, const std::string& run, int64_t steps,
                                  int threads) {
  std::vector<std::string> more = test::set(
      {"model.dropout.residual=0.2", "train.accumulate=2", "train.moving_average=0.9",
       "train.save_every=5", "train.validate_every=20", "train.keep_last=2", "train.log_every=1"});
  more.insert(more.end(), {"--set", fmt::format("train.max_steps={}", steps), "--threads",
                           std::to_string(threads)});
  return corpus.train(run, more);
}

/// Whether a save is under way, or was when the process was killed that made it.
bool is_inside_save(const fs::path& run) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(run / kCheckpointsFolder, ignored)) {
    if (entry.path().filename().string().starts_with(".tmp_")) return true;
  }
  const std::vector<CheckpointEntry> entries = list_checkpoints(run);
  if (entries.empty()) return false;
  const fs::path latest = run / kLatestFile;
  return !fs::exists(latest, ignored) || test::named_step(run, kLatestFile) != entries.back().step;
}

/// Waits for a save behind the first, which removes what a killed one has left. False when the
/// program ends without it.
bool wait_for_save(RunningBinary& process, const fs::path& run) {
  if (!process.wait_for("\nsaved ")) return false;
  while (process.is_running()) {
    if (is_inside_save(run)) return true;
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  return false;
}

/// The step of the last "saved .../step_00000012" that a training has told; 0 when it told none.
int64_t last_saved(const std::string& text) {
  const size_t place = text.rfind("\nsaved ");
  if (place == std::string::npos) return 0;
  return std::stoll(text.substr(text.find("step_", place) + std::string("step_").size()));
}

/// Every checkpoint of the run is whole, the one to go on from is `latest` or a newer one, and the
/// program opens the run. Returns the step that a training would go on from.
int64_t check_loads(const fs::path& run) {
  for (const CheckpointEntry& entry : list_checkpoints(run)) {
    REQUIRE_NOTHROW(Checkpoint(entry.folder).verify(/*training=*/true));
  }
  const std::optional<fs::path> found = find_resumable_checkpoint(run);
  if (!found) return 0;
  const RunResult result = run_binary({"inspect", run.string()});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return Checkpoint(*found).state().step;
}

TEST_CASE("killed at random moments, a third of them inside a save, a run loses no save and no bit",
          "[train][kill]") {
  const TinyCorpus corpus;
  const fs::path run = corpus / "parts";
  constexpr int64_t kEndless = 1'000'000;
  const int wanted = kills_wanted();
  std::mt19937 random(1);
  int inside = 0;
  int64_t step = 0;
  int kills = 0;
  for (; kills < wanted || 3 * inside < wanted; ++kills) {
    INFO("kill " << kills << " behind step " << step);
    RunningBinary process(training(corpus, "parts", kEndless, 1 + kills % 3));
    const bool aimed = 3 * inside <= kills;
    if (aimed) {
      REQUIRE(wait_for_save(process, run));
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
    } else {  // one in four may hit the start, where files are read
      if (random() % 4 != 0) REQUIRE(process.wait_for("tokens/s  ETA"));
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 500));
    }
    process.send(SIGKILL);
    const RunResult result = process.wait();
    INFO(result.err);
    REQUIRE(result.exit_code == 137);
    if (aimed && is_inside_save(run)) ++inside;
    const int64_t loads = check_loads(run);
    REQUIRE(loads >= std::max(step, last_saved(result.err)));
    step = loads;
  }
  const int64_t end = step + 9;
  CHECK(run_binary(training(corpus, "parts", end, 2)).exit_code == 0);
  CHECK(run_binary(training(corpus, "whole", end, 1)).exit_code == 0);
  for (const std::string file : {kModelFile, kOptimizerFile}) {
    INFO(file);
    const bool equal = test::checkpoint_file(corpus / "parts", end, file) ==
                       test::checkpoint_file(corpus / "whole", end, file);
    CHECK(equal);
  }
  CHECK(test::measured_steps(corpus / "parts") == test::measured_steps(corpus / "whole"));
  fmt::print("killed {} times, {} of them inside a save; the same bytes at step {}\n", kills,
             inside, end);
}

}  // namespace
}  // namespace calque
