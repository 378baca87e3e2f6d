#include "checkpoint/save.h"

#include "checkpoint/checkpoint_support.h"
#include "support/catch.h"
#include "support/file_size_limit.h"

namespace calque {
namespace {

namespace fs = std::filesystem;
using test::all_files;
using test::FileSizeLimit;
using test::SmallRun;
using test::TemporaryFolder;
using test::user_error;

TEST_CASE("a save leaves its files and nothing else", "[checkpoint]") {
  const TemporaryFolder folder;
  SmallRun run;
  run.save(folder.path(), 10);
  run.save(folder.path(), 20);
  std::vector<std::string> names;
  for (const auto& [name, bytes] : all_files(folder.path())) names.push_back(name);
  CHECK(
      names ==
      std::vector<std::string>{
          "checkpoints", "checkpoints/step_00000010", "checkpoints/step_00000010/config.yaml",
          "checkpoints/step_00000010/model.safetensors",
          "checkpoints/step_00000010/optimizer.safetensors", "checkpoints/step_00000010/state.json",
          "checkpoints/step_00000010/vocab.model", "checkpoints/step_00000020",
          "checkpoints/step_00000020/config.yaml", "checkpoints/step_00000020/model.safetensors",
          "checkpoints/step_00000020/optimizer.safetensors", "checkpoints/step_00000020/state.json",
          "checkpoints/step_00000020/vocab.model", "latest"});
  CHECK_THAT(read_file(folder / "latest"), Catch::Matchers::StartsWith("step_00000020\n"));
}

TEST_CASE("a checkpoint of the same step is replaced", "[checkpoint]") {
  const TemporaryFolder folder;
  SmallRun(1).save(folder.path(), 10);
  const size_t files = all_files(folder.path()).size();
  SmallRun changed(2);
  const fs::path saved = changed.save(folder.path(), 10);
  SmallRun loaded;
  Checkpoint(saved).load_model(loaded.store, loaded.store.values());
  CHECK(std::ranges::equal(loaded.store.values(), changed.store.values()));
  CHECK(all_files(folder.path()).size() == files);
}

TEST_CASE("what a killed save has left is removed by the next one", "[checkpoint]") {
  const TemporaryFolder folder;
  SmallRun run;
  run.save(folder.path(), 10);
  fs::create_directory(folder / "checkpoints/.tmp_step_00000020");
  write_file_atomically(folder / "checkpoints/.tmp_step_00000020/model.safetensors", "half");
  write_file_atomically(folder / "latest.tmp123", "step_0");
  write_file_atomically(folder / "log.txt", "kept");
  CHECK(list_checkpoints(folder.path()).size() == 1);
  run.save(folder.path(), 30);
  CHECK_FALSE(fs::exists(folder / "checkpoints/.tmp_step_00000020"));
  CHECK_FALSE(fs::exists(folder / "latest.tmp123"));
  CHECK(fs::exists(folder / "log.txt"));
}

TEST_CASE("a full disk leaves everything as it was", "[checkpoint]") {
  const TemporaryFolder folder;
  SmallRun run;
  run.save(folder.path(), 10);
  const auto before = all_files(folder.path());
  SmallRun next(5);
  const rlim_t limit = GENERATE(0U, 100U, 300U, 600U, 1000U);
  const int64_t step = GENERATE(10, 20);
  std::string message;
  {
    const FileSizeLimit full(limit);
    message = user_error([&] { next.save(folder.path(), step); });
  }
  CHECK_THAT(message,
             ContainsSubstring(folder.path().string()) && ContainsSubstring("File too large"));
  CHECK(all_files(folder.path()) == before);
}

TEST_CASE("a run folder that cannot be one is named", "[checkpoint]") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "file", "");
  CHECK_THAT(user_error([&] { SmallRun().save(folder / "file", 10); }),
             ContainsSubstring((folder / "file").string()) && ContainsSubstring("Not a directory"));
  CHECK(all_files(folder.path()) == std::map<std::string, std::string>{{"file", ""}});
}

TEST_CASE("a checkpoint takes no file of an unknown name", "[checkpoint]") {
  const TemporaryFolder folder;
  SmallRun run;
  CheckpointContents contents = run.contents();
  contents.texts["../notes.txt"] = "text";
  CHECK_THROWS_AS(save_checkpoint(folder.path(), contents), InternalError);
  CHECK(fs::is_empty(folder / "checkpoints"));
}

}  // namespace
}  // namespace calque
