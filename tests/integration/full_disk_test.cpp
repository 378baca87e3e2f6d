// What a training does when its disk takes no more: it goes on, keeps what it had, says why, and
// does not end as if all were well.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/file.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/run_checkpoints.h"
#include "support/catch.h"
#include "support/faulty_disk.h"
#include "support/file_size_limit.h"
#include "support/run_contents.h"
#include "support/running_binary.h"
#include "support/tiny_corpus.h"

namespace calque {
namespace {

namespace fs = std::filesystem;
using test::checkpoint_folder;
using test::named_step;
using test::read_metrics;
using test::run_binary;
using test::RunningBinary;
using test::RunResult;
using test::TinyCorpus;

const std::string kGoesOn = "; training goes on, and the next save tries again\n";

std::vector<std::string> until(const TinyCorpus& corpus, const std::string& run, int64_t step) {
  return corpus.train(run, test::set({"train.max_steps=" + std::to_string(step),
                                      "train.save_every=20", "train.log_every=1",
                                      "data.validation.source=[]", "data.validation.target=[]"}));
}

std::vector<std::string> endless(const TinyCorpus& corpus, const std::string& run) {
  return until(corpus, run, 1'000'000);
}

/// `latest` names a checkpoint that training can go on from. Returns its step.
int64_t check_latest_loads(const fs::path& run) {
  const int64_t latest = named_step(run, "latest");
  const fs::path folder = checkpoint_folder(run, latest);
  CHECK(find_resumable_checkpoint(run) == folder);
  REQUIRE_NOTHROW(Checkpoint(folder).verify(/*training=*/true));
  return latest;
}

/// Waits for a save of a later step. False when the program ends without it.
bool wait_for_save_behind(RunningBinary& process, const fs::path& run, int64_t step) {
  while (named_step(run, "latest") <= step) {
    if (!process.is_running()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

/// metrics.jsonl holds each step from the first to `last` once.
void check_each_step_once(const fs::path& run, int64_t last) {
  const auto metrics = read_metrics(run);
  REQUIRE(std::ssize(metrics) == last);
  for (int64_t i = 0; i < last; ++i) CHECK(metrics[static_cast<size_t>(i)]["step"] == i + 1);
}

TEST_CASE("a file system that is full ends no training and harms no checkpoint", "[train][disk]") {
  if (!test::may_mount()) {
    SUCCEED("left out");
    WARN("left out: this process may not mount a small file system");
    return;
  }
  const TinyCorpus corpus;
  const test::SmallDisk disk(corpus / "disk", size_t{8} << 20);
  const fs::path run = corpus / "disk/run";

  RunningBinary full(endless(corpus, "disk/run"));
  REQUIRE(full.wait_for("\nsaved "));
  disk.fill();
  REQUIRE(full.wait_for("warning: cannot write " + run.string() + "/checkpoints/step_"));
  const int64_t before = check_latest_loads(run);
  const auto failed_at = [&](int64_t step) {
    return "cannot write " + checkpoint_folder(run, step).string() + ": it takes 1.";
  };
  REQUIRE(full.wait_for(failed_at(before + 40)));
  REQUIRE(full.wait_for(failed_at(before + 60)));  // training went on, and tried again
  CHECK(check_latest_loads(run) == before);
  full.send(SIGTERM);
  const RunResult result = full.wait();
  INFO(result.err);
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, ContainsSubstring(kGoesOn));
  CHECK_THAT(result.err, ContainsSubstring(
                             "MB, but its file system has 0.0 MB left. Make room, or keep fewer"));
  CHECK_THAT(result.err,
             ContainsSubstring("warning: cannot write " + (run / "metrics.jsonl").string() +
                               ": No space left on device" + kGoesOn));
  CHECK_THAT(result.err, ContainsSubstring("calque: error: cannot write " + run.string()));
  CHECK(check_latest_loads(run) == before);
  disk.make_room();

  RunningBinary mended(endless(corpus, "disk/run"));
  REQUIRE(mended.wait_for("\nsaved "));
  disk.fill();
  REQUIRE(mended.wait_for("warning: cannot write " + run.string() + "/checkpoints/step_"));
  const int64_t kept = check_latest_loads(run);
  disk.make_room();
  REQUIRE(wait_for_save_behind(mended, run, kept));
  mended.send(SIGTERM);
  CHECK(mended.wait().exit_code == 143);
  const int64_t saved = check_latest_loads(run);
  check_each_step_once(run, saved);

  CHECK(run_binary(until(corpus, "disk/run", saved + 7)).exit_code == 0);
  CHECK(run_binary(until(corpus, "whole", saved + 7)).exit_code == 0);
  CHECK(test::checkpoint_file(run, saved + 7, kModelFile) ==
        test::checkpoint_file(corpus / "whole", saved + 7, kModelFile));
}

TEST_CASE("files that may not grow end no training and harm no checkpoint", "[train][disk]") {
  const TinyCorpus corpus;
  REQUIRE(run_binary(until(corpus, "run", 20)).exit_code == 0);
  {
    const test::FileSizeLimit limit(50'000);  // less than the optimizer's, more than all else
    const RunResult full = run_binary(until(corpus, "run", 50));
    INFO(full.err);
    CHECK(full.exit_code == 2);
    const std::string reason = "/optimizer.safetensors: File too large";
    CHECK_THAT(full.err, ContainsSubstring("warning: cannot write " + corpus.path("run")) &&
                             ContainsSubstring(reason + kGoesOn));
    CHECK_THAT(full.err, ContainsSubstring("calque: error: cannot write " + corpus.path("run")));
    CHECK_THAT(full.err, ContainsSubstring("step 50/50"));
  }
  CHECK(check_latest_loads(corpus / "run") == 20);
  CHECK(run_binary(until(corpus, "run", 50)).exit_code == 0);
  CHECK(check_latest_loads(corpus / "run") == 50);
  check_each_step_once(corpus / "run", 50);
}

TEST_CASE("a folder that became read-only ends no training and harms no checkpoint",
          "[train][disk]") {
  if (geteuid() == 0 && !test::may_mount()) {
    SUCCEED("left out");
    WARN("left out: permissions do not bind root, and this process may not mount");
    return;
  }
  const TinyCorpus corpus;
  const fs::path run = corpus / "run";
  RunningBinary training(endless(corpus, "run"));
  REQUIRE(training.wait_for("\nsaved "));
  int64_t before = 0;
  {
    const test::ReadOnlyFolder checkpoints(run / "checkpoints");
    REQUIRE(training.wait_for("warning: cannot create " + (run / "checkpoints").string()));
    REQUIRE(training.wait_for(kGoesOn));
    before = check_latest_loads(run);
  }
  REQUIRE(wait_for_save_behind(training, run, before));
  training.send(SIGTERM);
  const RunResult mended = training.wait();
  INFO(mended.err);
  CHECK(mended.exit_code == 143);
  const int64_t saved = check_latest_loads(run);
  check_each_step_once(run, saved);

  const test::ReadOnlyFolder checkpoints(run / "checkpoints");
  const RunResult refused = run_binary(until(corpus, "run", saved + 5));
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, ContainsSubstring("step " + std::to_string(saved + 5) + "/"));
  CHECK_THAT(refused.err, ContainsSubstring("calque: error: cannot create " + run.string()));
  CHECK(check_latest_loads(run) == saved);
}

}  // namespace
}  // namespace calque
