#include "checkpoint/checkpoint.h"

#include <sys/stat.h>

#include "checkpoint/checkpoint_support.h"
#include "support/catch.h"

namespace calque {
namespace {

namespace fs = std::filesystem;
using test::SmallRun;
using test::TemporaryFolder;
using test::user_error;

const std::vector<std::string> kAllFiles = {kModelFile, kOptimizerFile, kStateFile, kConfigFile,
                                            kSharedVocabularyFile};

/// Opens a checkpoint and loads all that it holds into a run.
void load(const fs::path& folder, SmallRun& run) {
  const Checkpoint checkpoint(folder);
  checkpoint.verify(/*training=*/true);
  checkpoint.load_model(run.store, run.store.values());
  checkpoint.load_optimizer(run.store, run.blocks());
  run.state = checkpoint.state();
  run.state.files.clear();
}

TEST_CASE("a checkpoint holds the very bytes of the run", "[checkpoint]") {
  const TemporaryFolder folder;
  SmallRun run(1);
  const fs::path saved = save_checkpoint(folder.path(), run.contents());
  CHECK(saved == folder / "checkpoints/step_00012000");

  SmallRun other(100);
  other.state = {};
  load(saved, other);
  CHECK(std::ranges::equal(other.store.values(), run.store.values()));
  CHECK(other.first_moments == run.first_moments);
  CHECK(other.second_moments == run.second_moments);
  CHECK(other.weights == run.weights);
  CHECK(other.state == run.state);

  const Checkpoint checkpoint(saved);
  CHECK(checkpoint.is_resumable());
  CHECK(checkpoint.texts() == run.contents().texts);
  CHECK(checkpoint.text(kConfigFile) == "model: 4\n");
  CHECK(checkpoint.tensors(kModelFile).find("decoder.weight")->shape == Shape{2, 5});
  CHECK(checkpoint.tensors(kOptimizerFile).find("adam.first_moment.encoder.bias") != nullptr);
  CHECK_THAT(user_error([&] { checkpoint.text(kSourceVocabularyFile); }),
             ContainsSubstring(saved.string()) && ContainsSubstring("has no source.vocab.model"));
}

TEST_CASE("saving the same run twice gives the same bytes", "[checkpoint]") {
  const TemporaryFolder first;
  const TemporaryFolder second;
  SmallRun().save(first.path(), 5);
  SmallRun().save(second.path(), 5);
  CHECK(test::all_files(first.path()) == test::all_files(second.path()));
}

TEST_CASE("a checkpoint without optimizer state translates only", "[checkpoint]") {
  const TemporaryFolder folder;
  SmallRun run;
  CheckpointContents contents = run.contents();
  contents.optimizer.clear();
  const Checkpoint checkpoint(save_checkpoint(folder.path(), contents));
  CHECK_FALSE(checkpoint.is_resumable());
  checkpoint.load_model(run.store, run.store.values());
  CHECK_THAT(user_error([&] { checkpoint.load_optimizer(run.store, run.blocks()); }),
             ContainsSubstring("has no optimizer.safetensors"));
}

TEST_CASE("each damaged file of a checkpoint is named", "[checkpoint]") {
  const TemporaryFolder folder;
  SmallRun run;
  const fs::path saved = save_checkpoint(folder.path(), run.contents());
  const std::string name = GENERATE(from_range(kAllFiles));
  const fs::path path = saved / name;
  const std::string good = read_file(path);
  const auto error = [&] { return user_error([&] { load(saved, run); }); };

  for (size_t i = 0; i < 40; ++i) {
    const size_t place = i * good.size() / 40;
    std::string changed = good;
    changed[place] = static_cast<char>(changed[place] ^ (1 << (i % 8)));
    write_file_atomically(path, changed);
    CHECK_THAT(error(), ContainsSubstring(path.string()) && ContainsSubstring("damaged"));
    write_file_atomically(path, good.substr(0, place));
    CHECK_THAT(error(), ContainsSubstring(path.string()) && ContainsSubstring("damaged"));
  }
  write_file_atomically(path, good + "x");
  CHECK_THAT(error(), ContainsSubstring(path.string()) && ContainsSubstring("damaged"));
  fs::remove(path);
  CHECK(error() == path.string() + " is missing");
  fs::create_directory(path);
  CHECK(error() == path.string() + " should be an ordinary file");
}

TEST_CASE("nothing outside of a checkpoint is read through it", "[checkpoint]") {
  const TemporaryFolder folder;
  SmallRun run;
  const fs::path saved = save_checkpoint(folder.path(), run.contents());
  const std::string name = GENERATE(from_range(kAllFiles));
  fs::rename(saved / name, folder / "elsewhere");

  SECTION("no link is followed") {
    REQUIRE_NOTHROW(fs::create_symlink(folder / "elsewhere", saved / name));
  }
  SECTION("no pipe is waited for") { REQUIRE(mkfifo((saved / name).c_str(), 0600) == 0); }
  CHECK(user_error([&] { load(saved, run); }) ==
        (saved / name).string() + " should be an ordinary file");
}

TEST_CASE("a state cannot name files of its own choice", "[checkpoint]") {
  const TemporaryFolder folder;
  SmallRun run;
  const fs::path saved = save_checkpoint(folder.path(), run.contents());
  CheckpointState state = Checkpoint(saved).state();
  state.files["../../latest"] = {14, 0};
  write_file_atomically(saved / kStateFile, to_json(state));
  CHECK_THAT(user_error([&] { Checkpoint checkpoint(saved); }),
             ContainsSubstring("names a file that does not belong to a checkpoint"));
  state.files.clear();
  write_file_atomically(saved / kStateFile, to_json(state));
  CHECK_THAT(user_error([&] { Checkpoint checkpoint(saved); }),
             ContainsSubstring("names no model"));
}

TEST_CASE("all differences to the model are listed at once", "[checkpoint]") {
  const TemporaryFolder folder;
  SmallRun run;
  const Checkpoint checkpoint(save_checkpoint(folder.path(), run.contents()));
  ParameterStore other;
  other.declare("encoder.weight", {4, 3}, Init::kZeros);
  other.declare("encoder.gain", {3}, Init::kZeros);
  other.declare("decoder.weight", {2, 5}, Init::kZeros);
  other.allocate(/*inference=*/true);
  std::ranges::fill(other.values(), 7.0F);

  const std::string message = user_error([&] { checkpoint.load_model(other, other.values()); });
  CHECK_THAT(message, ContainsSubstring("model.safetensors"));
  CHECK_THAT(message, ContainsSubstring("encoder.weight should be [4, 3] but is [3, 4]"));
  CHECK_THAT(message, ContainsSubstring("encoder.gain is missing"));
  CHECK_THAT(message, ContainsSubstring("encoder.bias is not known to the model"));
  CHECK_THAT(message, !ContainsSubstring("decoder.weight"));
  CHECK(std::ranges::all_of(other.values(), [](Real value) { return value == 7; }));

  const std::vector<NamedBlock> blocks = {{"adam.first_moment", run.first_moments},
                                          {"adam.third_moment", run.second_moments}};
  const std::string moments = user_error([&] { checkpoint.load_optimizer(run.store, blocks); });
  CHECK_THAT(moments, ContainsSubstring("adam.third_moment.encoder.bias is missing"));
  CHECK_THAT(moments, ContainsSubstring("adam.second_moment.encoder.bias is not known"));
  CHECK_THAT(moments, ContainsSubstring("weights.encoder.bias is not known"));
}

}  // namespace
}  // namespace calque
