#include "checkpoint/average.h"

#include "checkpoint/checkpoint_support.h"
#include "support/catch.h"

namespace calque {
namespace {

namespace fs = std::filesystem;
using test::SmallRun;
using test::TemporaryFolder;
using test::user_error;

TEST_CASE("an average is the mean of its checkpoints", "[checkpoint]") {
  const TemporaryFolder folder;
  std::vector<fs::path> folders;
  for (const int64_t step : {20, 30, 10}) {
    folders.push_back(SmallRun(static_cast<float>(step)).save(folder.path(), step));
  }
  average_checkpoints(folders, folder / "averages/three");

  const Checkpoint checkpoint(folder / "averages/three");
  SmallRun expected(20);
  SmallRun found;
  checkpoint.load_model(found.store, found.store.values());
  CHECK(std::ranges::equal(found.store.values(), expected.store.values()));
  CHECK(checkpoint.state().averaged_steps == std::vector<int64_t>{20, 30, 10});
  CHECK(checkpoint.state().step == 30);
  CHECK_FALSE(checkpoint.is_resumable());
  CHECK(checkpoint.texts() == expected.contents().texts);
  CHECK(resolve_model_folder(folder / "averages/three") == folder / "averages/three");
  CHECK(std::distance(fs::directory_iterator(folder / "averages"), {}) == 1);
}

TEST_CASE("an average is summed in double", "[checkpoint]") {
  const TemporaryFolder folder;
  std::vector<fs::path> folders;
  int64_t step = 0;
  for (const float value : {1e8F, 3.0F, -1e8F}) {
    SmallRun run;
    std::ranges::fill(run.store.values(), value);
    folders.push_back(run.save(folder.path(), ++step));
  }
  average_checkpoints(folders, folder / "average");
  for (const float value :
       Checkpoint(folder / "average").tensors(kModelFile).floats("encoder.bias")) {
    CHECK(value == 1);
  }
}

TEST_CASE("checkpoints that differ are not averaged", "[checkpoint]") {
  const TemporaryFolder folder;
  SmallRun run;
  const fs::path first = run.save(folder.path(), 10);
  run.state.step = 20;
  CheckpointContents contents = run.contents();
  contents.texts[kConfigFile] = "model: 8\n";
  ParameterStore other;
  other.declare("encoder.weight", {4, 3}, Init::kZeros);
  other.declare("extra", {13}, Init::kZeros);
  const fs::path second = save_checkpoint(
      folder.path(), {other, run.store.values(), {}, contents.texts, contents.state});

  const std::vector<fs::path> folders = {first, second};
  const std::string message = user_error([&] { average_checkpoints(folders, folder / "average"); });
  CHECK_THAT(message, ContainsSubstring(first.string() + " and " + second.string()));
  CHECK_THAT(message, !ContainsSubstring("config.yaml"));
  CHECK_THAT(message, !ContainsSubstring("vocab.model"));
  CHECK_THAT(message,
             ContainsSubstring("encoder.weight is [3, 4] in the first and [4, 3] in the second"));
  CHECK_THAT(message, ContainsSubstring("encoder.bias is in the first alone"));
  CHECK_THAT(message, ContainsSubstring("extra is in the second alone"));
  CHECK_FALSE(fs::exists(folder / "average"));
}

TEST_CASE("an average replaces nothing", "[checkpoint]") {
  const TemporaryFolder folder;
  const std::vector<fs::path> folders = {SmallRun().save(folder.path(), 10)};
  CHECK_THAT(user_error([&] { average_checkpoints(folders, folders.front()); }),
             ContainsSubstring("exists already"));
  const std::vector<fs::path> twice = {folders.front(), folders.front() / ""};
  CHECK(user_error([&] { average_checkpoints(twice, folder / "average"); }) ==
        twice.back().string() + " is named twice; name each checkpoint once");
  CHECK_FALSE(user_error([&] { average_checkpoints({}, folder / "average"); }).empty());
}

}  // namespace
}  // namespace calque
