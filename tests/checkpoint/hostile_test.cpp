// Checkpoints from a stranger, who can write right checksums: they can at worst be refused.
#include <limits>

#include "checkpoint/average.h"
#include "checkpoint/checkpoint_support.h"
#include "checkpoint/forgery.h"
#include "support/catch.h"

namespace calque {
namespace {

namespace fs = std::filesystem;
using test::forge;
using test::forge_state;
using test::SmallRun;
using test::TemporaryFolder;
using test::user_error;

/// A safetensors file of this header and so many bytes of zeros.
std::string tensor_file(const std::string& header, size_t data_bytes = 0) {
  const uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header +
         std::string(data_bytes, '\0');
}

std::string many(size_t count, const std::string& text) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += text;
  return all;
}

/// `count` members of a JSON object, a comma behind each.
std::string members(size_t count, const std::string& value) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += fmt::format("\"m{}\":{},", i, value);
  return all;
}

TEST_CASE("nesting and numbers of entries in a header do no harm", "[checkpoint][hostile]") {
  const auto read = [](const std::string& bytes) {
    return user_error([&] { SafetensorsFile(std::as_bytes(std::span(bytes)), "x"); });
  };
  constexpr size_t kDeep = 200'000;
  CHECK_FALSE(read(tensor_file(many(kDeep, "["))).empty());
  CHECK_FALSE(read(tensor_file(many(kDeep, "{\"a\":"))).empty());
  CHECK_FALSE(read(tensor_file("{\"a\":" + many(kDeep, "[") + many(kDeep, "]") + "}")).empty());

  // Each took time in proportion to the number of those before it.
  std::string crowd = members(50'000, R"({"dtype":"F32","shape":[0],"data_offsets":[0,0]})");
  crowd.back() = '}';
  CHECK(read(tensor_file("{" + crowd)).empty());
}

TEST_CASE("a header longer than that of any model is not parsed", "[checkpoint][hostile]") {
  const TemporaryFolder folder;
  const auto path = folder / "long.safetensors";
  const uint64_t length = uint64_t{40} << 20;
  write_file_atomically(path, {reinterpret_cast<const char*>(&length), sizeof length});
  fs::resize_file(path, length + sizeof length);
  CHECK_THAT(user_error([&] { SafetensorsFile file(path); }),
             ContainsSubstring("its header should have 41943040 bytes"));
}

TEST_CASE("nesting and numbers of entries in a state do no harm", "[checkpoint][hostile]") {
  const TemporaryFolder folder;
  SmallRun run;
  const fs::path checkpoint = run.save(folder.path(), 10);
  const auto open = [&] { return user_error([&] { Checkpoint opened(checkpoint); }); };
  const std::string honest = read_file(checkpoint / kStateFile);
  CHECK(open().empty());

  constexpr size_t kDeep = 200'000;
  forge_state(checkpoint, many(kDeep, "["));
  CHECK_THAT(open(), ContainsSubstring("state.json is no JSON object"));
  forge_state(checkpoint, "{\"step\":" + many(kDeep, "[") + many(kDeep, "]"));
  CHECK_THAT(open(), ContainsSubstring("step should be a whole number"));
  forge_state(checkpoint, "{" + members(100'000, "0") + "\"step\": -1");
  CHECK_THAT(open(), ContainsSubstring("step should be a whole number of at least 0"));
  forge_state(checkpoint, test::body_of(honest) + ",\"averaged_steps\":[18446744073709551615]");
  CHECK_THAT(open(), ContainsSubstring("averaged_steps should be a list of whole numbers"));
  forge_state(checkpoint, std::string(size_t{17} << 20, ' '));
  CHECK_THAT(open(), ContainsSubstring("state.json is damaged: it has"));
}

TEST_CASE("a vocabulary larger than any is not taken into memory", "[checkpoint][hostile]") {
  const TemporaryFolder folder;
  SmallRun run;
  const fs::path checkpoint = run.save(folder.path(), 10);
  const fs::path vocabulary = checkpoint / kSharedVocabularyFile;
  fs::resize_file(vocabulary, uintmax_t{65} << 20);
  CheckpointState state = Checkpoint(run.save(folder / "other", 10)).state();
  state.files[kSharedVocabularyFile] = record_file(vocabulary);
  write_file_atomically(checkpoint / kStateFile, to_json(state));
  CHECK_THAT(user_error([&] { Checkpoint(checkpoint).text(kSharedVocabularyFile); }),
             ContainsSubstring("vocab.model has 68157440 bytes; expected 67108864 at most"));
}

TEST_CASE("a state names no path", "[checkpoint][hostile]") {
  const TemporaryFolder folder;
  SmallRun run;
  const fs::path checkpoint = run.save(folder.path(), 10);
  for (const char* const name : {"../model.safetensors", "/etc/passwd", "state.json", "", "."}) {
    CheckpointState state = Checkpoint(checkpoint).state();
    state.files[name] = state.files.at(kModelFile);
    const std::string honest = read_file(checkpoint / kStateFile);
    write_file_atomically(checkpoint / kStateFile, to_json(state));
    CHECK_THAT(user_error([&] { Checkpoint opened(checkpoint); }),
               ContainsSubstring("names a file that does not belong to a checkpoint"));
    write_file_atomically(checkpoint / kStateFile, honest);
  }
}

TEST_CASE("numbers that are not finite are not loaded, nor averaged", "[checkpoint][hostile]") {
  const TemporaryFolder folder;
  SmallRun run;
  const fs::path honest = run.save(folder.path(), 10);
  const fs::path checkpoint = run.save(folder.path(), 20);
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    for (const char* const file : {kModelFile, kOptimizerFile}) {
      std::string bytes = read_file(honest / file);
      bytes.replace(bytes.size() - sizeof value, sizeof value,
                    reinterpret_cast<const char*>(&value), sizeof value);
      forge(checkpoint, file, bytes);
    }
    const std::string problem = "decoder.weight\" holds numbers that are not finite";
    const Checkpoint opened(checkpoint);
    CHECK_THAT(user_error([&] { opened.load_model(run.store, run.store.values()); }),
               ContainsSubstring(problem));
    CHECK_THAT(user_error([&] { opened.load_optimizer(run.store, run.blocks()); }),
               ContainsSubstring(problem));
    const std::vector<fs::path> both = {honest, checkpoint};
    CHECK_THAT(user_error([&] { average_checkpoints(both, folder / "average"); }),
               ContainsSubstring(problem));
    CHECK(!fs::exists(folder / "average"));
  }
}

TEST_CASE("a run folder leads to nothing outside itself", "[checkpoint][hostile]") {
  const TemporaryFolder folder;
  SmallRun run;
  const fs::path elsewhere = run.save(folder / "elsewhere", 10);
  fs::create_directories(folder / "run" / kCheckpointsFolder);

  // A checkpoint that is a link.
  const fs::path link = folder / "run" / kCheckpointsFolder / "step_00000010";
  fs::create_directory_symlink(elsewhere, link);
  CHECK_THAT(user_error([&] { resolve_model_folder(folder / "run"); }),
             ContainsSubstring(link.string() + " is a link"));
  CHECK(resolve_model_folder(link) == link);  // named by the user

  // The folder of checkpoints is a link.
  fs::create_directories(folder / "other");
  fs::create_directory_symlink(folder / "elsewhere" / kCheckpointsFolder,
                               folder / "other" / kCheckpointsFolder);
  CHECK_THAT(user_error([&] { resolve_model_folder(folder / "other"); }),
             ContainsSubstring((folder / "other" / kCheckpointsFolder).string() + " is a link"));

  // `best` is a link: it is not read, and the newest checkpoint taken.
  const fs::path newest = run.save(folder / "elsewhere", 20);
  mark_best(folder / "elsewhere", 10);
  CHECK(resolve_model_folder(folder / "elsewhere") == elsewhere);
  fs::rename(folder / "elsewhere" / kBestFile, folder / "best");
  fs::create_symlink(folder / "best", folder / "elsewhere" / kBestFile);
  CHECK(resolve_model_folder(folder / "elsewhere") == newest);
}

}  // namespace
}  // namespace calque
