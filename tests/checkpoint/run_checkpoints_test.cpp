#include "checkpoint/run_checkpoints.h"

#include "base/log.h"
#include "checkpoint/checkpoint_support.h"
#include "support/catch.h"

namespace calque {
namespace {

namespace fs = std::filesystem;
using test::SmallRun;
using test::TemporaryFolder;
using test::user_error;

/// A run with checkpoints of steps 10, 20 and 30, and a log file.
struct ThreeCheckpoints {
  TemporaryFolder folder;
  fs::path run = folder / "run";
  SmallRun small;

  ThreeCheckpoints() {
    for (const int64_t step : {10, 20, 30}) small.save(run, step);
    log::open_file(log_path());
  }
  ~ThreeCheckpoints() { log::close_file(); }

  std::string log_path() const { return folder / "log.txt"; }
  fs::path checkpoint(int64_t step) const { return run / "checkpoints" / checkpoint_name(step); }
  void damage(int64_t step, const char* file) const {
    write_file_atomically(checkpoint(step) / file, "no");
  }
  std::vector<int64_t> steps() const {
    std::vector<int64_t> steps;
    for (const CheckpointEntry& entry : list_checkpoints(run)) steps.push_back(entry.step);
    return steps;
  }
};

TEST_CASE("names of checkpoints sort by their step", "[checkpoint]") {
  CHECK(checkpoint_name(12000) == "step_00012000");
  CHECK(checkpoint_name(1234567890) == "step_1234567890");
}

TEST_CASE("only checkpoints are listed", "[checkpoint]") {
  const ThreeCheckpoints run;
  for (const char* name : {".tmp_step_00000040", "step_40", "step_0000004x", "step_-0000040"}) {
    fs::create_directory(run.run / "checkpoints" / name);
  }
  CHECK(run.steps() == std::vector<int64_t>{10, 20, 30});
  CHECK(list_checkpoints("/nowhere").empty());
}

TEST_CASE("a run goes on from its latest checkpoint", "[checkpoint]") {
  const ThreeCheckpoints run;
  CHECK(find_resumable_checkpoint(run.run) == run.checkpoint(30));
  write_file_atomically(run.run / "latest", "step_00000020\n");
  CHECK(find_resumable_checkpoint(run.run) == run.checkpoint(20));
  CHECK(read_file(run.log_path()).empty());
  CHECK_FALSE(find_resumable_checkpoint(run.folder / "new").has_value());
}

TEST_CASE("a damaged latest falls back to the newest good checkpoint", "[checkpoint]") {
  const ThreeCheckpoints run;
  const std::string file = GENERATE(as<std::string>(), kModelFile, kOptimizerFile, kStateFile);
  run.damage(30, file.c_str());
  CHECK(find_resumable_checkpoint(run.run) == run.checkpoint(20));
  CHECK_THAT(read_file(run.log_path()),
             ContainsSubstring((run.checkpoint(30) / file).string()) &&
                 ContainsSubstring("using " + run.checkpoint(20).string()));
}

TEST_CASE("a latest that leads nowhere falls back too", "[checkpoint]") {
  const ThreeCheckpoints run;
  const std::string line = GENERATE("", "step_00000040\n", "../../elsewhere\n");
  write_file_atomically(run.run / "latest", line);
  CHECK(find_resumable_checkpoint(run.run) == run.checkpoint(30));
  CHECK_FALSE(read_file(run.log_path()).empty());
}

TEST_CASE("a run goes back to a good checkpoint that was saved at its turn", "[checkpoint]") {
  ThreeCheckpoints run;
  CHECK(find_scheduled_checkpoint(run.run, 30) == run.checkpoint(30));
  CHECK(find_scheduled_checkpoint(run.run, 29) == run.checkpoint(20));
  CHECK_FALSE(find_scheduled_checkpoint(run.run, 9).has_value());
  run.small.state.scheduled = false;
  run.small.save(run.run, 30);
  CHECK(find_scheduled_checkpoint(run.run, 35) == run.checkpoint(20));
  CHECK(read_file(run.log_path()).empty());
  run.damage(20, kOptimizerFile);
  CHECK(find_scheduled_checkpoint(run.run, 35) == run.checkpoint(10));
  CHECK_THAT(read_file(run.log_path()),
             ContainsSubstring((run.checkpoint(20) / kOptimizerFile).string()));
}

TEST_CASE("a run without a good checkpoint is not begun anew in silence", "[checkpoint]") {
  const ThreeCheckpoints run;
  for (const int64_t step : {10, 20, 30}) run.damage(step, kModelFile);
  const std::string message = user_error([&] { find_resumable_checkpoint(run.run); });
  for (const int64_t step : {10, 20, 30}) {
    CHECK_THAT(message, ContainsSubstring((run.checkpoint(step) / kModelFile).string()));
  }
  for (const char* const part : {"can be used:\n", "\nPut the files of one back from a copy, or"}) {
    CHECK_THAT(user_error([&] { resolve_model_folder(run.run); }), ContainsSubstring(part));
  }
}

TEST_CASE("a model folder is a checkpoint, or a run's best, or its latest", "[checkpoint]") {
  const ThreeCheckpoints run;
  CHECK(resolve_model_folder(run.checkpoint(10)) == run.checkpoint(10));
  CHECK(resolve_model_folder(run.run) == run.checkpoint(30));
  mark_best(run.run, 20);
  CHECK(resolve_model_folder(run.run) == run.checkpoint(20));

  run.damage(20, kOptimizerFile);
  fs::remove(run.checkpoint(30) / kOptimizerFile);
  CHECK(resolve_model_folder(run.run) == run.checkpoint(20));
  CHECK(find_resumable_checkpoint(run.run) == run.checkpoint(10));

  run.damage(20, kModelFile);
  run.damage(30, kConfigFile);
  CHECK(resolve_model_folder(run.run) == run.checkpoint(10));
  CHECK_THAT(read_file(run.log_path()), ContainsSubstring("using " + run.checkpoint(10).string()));
}

TEST_CASE("the best checkpoint is the one that is marked", "[checkpoint]") {
  const ThreeCheckpoints run;
  CHECK_FALSE(best_step(run.run).has_value());
  mark_best(run.run, 20);
  CHECK(best_step(run.run) == 20);
}

TEST_CASE("what is no model folder is told what it is", "[checkpoint]") {
  const ThreeCheckpoints run;
  CHECK(user_error([&] { resolve_model_folder(run.folder / "no"); }) ==
        (run.folder / "no").string() + " does not exist");
  CHECK_THAT(user_error([&] { resolve_model_folder(run.log_path()); }),
             ContainsSubstring("is a file"));
  const std::string message = user_error([&] { resolve_model_folder(run.folder.path()); });
  CHECK_THAT(message,
             ContainsSubstring("neither a checkpoint folder (with state.json) nor a run folder"));
  CHECK_THAT(message, ContainsSubstring("it holds log.txt, run"));
  CHECK_THAT(user_error([&] {
               run.damage(10, kModelFile);
               resolve_model_folder(run.checkpoint(10));
             }),
             ContainsSubstring((run.checkpoint(10) / kModelFile).string()));
}

TEST_CASE("rotation keeps the newest, the best and the latest", "[checkpoint]") {
  ThreeCheckpoints run;
  mark_best(run.run, 10);
  run.small.save(run.run, 40);
  run.small.save(run.run, 50);
  remove_old_checkpoints(run.run, 2);
  CHECK(run.steps() == std::vector<int64_t>{10, 40, 50});
  remove_old_checkpoints(run.run, 0);
  CHECK(run.steps() == std::vector<int64_t>{10, 50});
  CHECK(std::distance(fs::directory_iterator(run.run / "checkpoints"), {}) == 2);
}

TEST_CASE("a save by the clock rotates no scheduled one out", "[checkpoint]") {
  ThreeCheckpoints run;
  run.small.state.scheduled = false;
  run.small.save(run.run, 33);
  run.small.save(run.run, 36);
  remove_old_checkpoints(run.run, 2);
  CHECK(run.steps() == std::vector<int64_t>{20, 30, 36});
}

TEST_CASE("rotation leaves what it cannot read", "[checkpoint]") {
  const ThreeCheckpoints run;
  run.damage(10, kStateFile);
  remove_old_checkpoints(run.run, 1);
  CHECK(run.steps() == std::vector<int64_t>{10, 30});
}

}  // namespace
}  // namespace calque
