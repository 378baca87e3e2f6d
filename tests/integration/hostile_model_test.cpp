// A model folder from a stranger, through the real binary: it can at worst be refused.
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "checkpoint/forgery.h"
#include "checkpoint/run_checkpoints.h"
#include "config/run_config.h"
#include "support/catch.h"
#include "support/sentencepiece_message.h"
#include "support/tiny_corpus.h"

namespace calque::test {
namespace {

namespace fs = std::filesystem;

/// A checkpoint that was honestly trained; every test works on a copy.
const fs::path& honest() {
  static const TinyCorpus corpus;
  static const fs::path checkpoint = [] {
    const RunResult result = run_binary(corpus.train("run"));
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return corpus / "run" / kCheckpointsFolder / checkpoint_name(24);
  }();
  return checkpoint;
}

class Copy {
 public:
  Copy() { fs::copy(honest(), folder_ / "model"); }
  fs::path path() const { return folder_ / "model"; }
  std::string text(const std::string& file) const { return read_file(path() / file); }
  /// Forges a file, see there.
  void put(const std::string& file, const std::string& content) const {
    forge(path(), file, content);
  }
  /// Forges the config with some values changed.
  template <class Change>
  void change_config(const Change& change) const {
    RunConfig config = parse_config(text(kConfigFile), kConfigFile);
    change(config);
    put(kConfigFile, to_yaml(config));
  }
  fs::path beside(const std::string& name) const { return folder_ / name; }

 private:
  TemporaryFolder folder_;
};

RunResult translate(const Copy& model) {
  return run_binary({"translate", "--model", model.path(), "--threads", "1"}, "ba di\n\nko fu\n");
}

/// Checks that these commands refuse a model; by default all that open one.
void check_refused(const Copy& model, const std::string& message,
                   const std::vector<std::string>& commands = {"translate", "evaluate", "inspect",
                                                               "export", "average"}) {
  const std::string folder = model.path();
  const std::string text = model.beside("text");
  write_file_atomically(text, "ba di\n");
  const std::map<std::string, std::vector<std::string>> arguments = {
      {"translate", {"--model", folder, "--input", text}},
      {"evaluate", {"--model", folder, "--source", text, "--reference", text}},
      {"inspect", {folder}},
      {"export", {"--format", "safetensors", folder, model.beside("exported")}},
      {"average", {folder, "--output", model.beside("average")}}};
  for (const std::string& command : commands) {
    std::vector<std::string> words = arguments.at(command);
    words.insert(words.begin(), command);
    const RunResult result = run_binary(words);
    INFO(command << ": " << result.err);
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    CHECK_THAT(result.err, ContainsSubstring(message));
  }
}

/// The commands that need what averaging only copies, or that need the model as a whole.
const std::vector<std::string> kReaders = {"translate", "evaluate", "inspect", "export"};
const std::vector<std::string> kTranslators = {"translate", "evaluate", "export"};

TEST_CASE("the honest model translates", "[hostile]") {
  const RunResult result = translate(Copy());
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(std::count(result.out.begin(), result.out.end(), '\n') == 3);
}

TEST_CASE("sizes in a config are not believed", "[hostile]") {
  const std::vector<void (*)(TransformerOptions&)> changes = {
      [](TransformerOptions& model) { model.model = 65536; },
      [](TransformerOptions& model) { model.hidden = 65536; },
      [](TransformerOptions& model) { model.encoder_layers = 1000; },
      [](TransformerOptions& model) {
        model.positions = Positions::kLearned;
        model.max_positions = 65536;
      },
      [](TransformerOptions& model) { model.tied_embeddings = Tying::kNone; }};
  for (const auto& change : changes) {
    const Copy model;
    model.change_config([&](RunConfig& config) { change(config.model); });
    check_refused(model, "does not fit the model of this configuration", kTranslators);
  }
  const Copy model;
  model.change_config([](RunConfig& config) { config.model.model = int64_t{1} << 40; });
  check_refused(model, "model.size: expected an integer from 1 to 65536, found 1099511627776");
}

TEST_CASE("a config is bounded, and its aliases and nesting stay what they are", "[hostile]") {
  const Copy model;
  const std::string config = model.text(kConfigFile);
  model.put(kConfigFile, config + std::string(300'000, '#'));
  check_refused(model, "bytes are too many for a config");

  std::string laughs = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n";
  for (int i = 1; i < 30; ++i) {
    laughs += fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  }
  model.put(kConfigFile, config + laughs);
  check_refused(model, "aliases are not supported");
  for (const std::string deep : {"[", "{a: ", "? "}) {
    std::string nested = "a: ";
    for (int i = 0; i < 50'000; ++i) nested += deep;
    model.put(kConfigFile, config + nested + "\n");
    check_refused(model, "config.yaml");
  }
}

TEST_CASE("paths in a config are not opened", "[hostile]") {
  const Copy model;
  const std::string pipe = model.beside("pipe");  // opening it would wait for ever
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  model.change_config([&](RunConfig& config) {
    for (ParallelFiles* files : {&config.data.train, &config.data.validation}) {
      *files = {{pipe}, {pipe}};
    }
    config.vocabulary.path = pipe;
    config.train.initial_model = pipe;
  });
  const RunResult translated = translate(model);
  INFO(translated.err);
  CHECK(translated.exit_code == 0);
  CHECK(translated.out == translate(Copy()).out);
  CHECK(run_binary({"inspect", model.path()}).exit_code == 0);
  CHECK(run_binary({"average", model.path(), "--output", model.beside("average")}).exit_code == 0);
}

TEST_CASE("files that lead elsewhere are refused", "[hostile]") {
  for (const char* const file : {kModelFile, kConfigFile, kSharedVocabularyFile, kStateFile}) {
    const Copy model;
    fs::rename(model.path() / file, model.beside("elsewhere"));
    fs::create_symlink(model.beside("elsewhere"), model.path() / file);
    check_refused(model, "should be an ordinary file");
    fs::remove(model.path() / file);
    REQUIRE(mkfifo((model.path() / file).c_str(), 0600) == 0);
    check_refused(model, "should be an ordinary file");
  }
}

TEST_CASE("a vocabulary that would mislead SentencePiece is refused", "[hostile]") {
  const Copy model;
  const std::string vocabulary = model.text(kSharedVocabularyFile);
  // The root of the rules leads two gigabytes away.
  model.put(kSharedVocabularyFile,
            vocabulary + normalizer_field(make_rules({0xFFFF'FF00U}, std::string(1, '\0'))));
  check_refused(model, "its normalization rules are broken", kReaders);
  model.put(kSharedVocabularyFile, vocabulary.substr(0, vocabulary.size() / 2));
  check_refused(model, "expected a SentencePiece model", kReaders);
  model.put(kSharedVocabularyFile, vocabulary + message_field(1, message_field(1, "more")));
  check_refused(model, "does not fit the model of this configuration", kTranslators);
}

TEST_CASE("weights that are not finite are refused", "[hostile]") {
  const Copy model;
  std::string weights = model.text(kModelFile);
  model.put(kModelFile, weights.replace(weights.size() - 4, 4, "\xFF\xFF\xFF\x7F"));
  check_refused(model, "holds numbers that are not finite", {"translate", "evaluate", "average"});
}

TEST_CASE("weights beyond all measure give some line for each line", "[hostile]") {
  const Copy model;
  std::string weights = model.text(kModelFile);
  const float huge = 3e38F;
  uint64_t header = 0;
  std::memcpy(&header, weights.data(), sizeof header);
  for (size_t at = sizeof header + header; at < weights.size(); at += sizeof huge) {
    std::memcpy(weights.data() + at, &huge, sizeof huge);
  }
  model.put(kModelFile, weights);
  const RunResult result = translate(model);
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(std::count(result.out.begin(), result.out.end(), '\n') == 3);
}

TEST_CASE("a model cannot speak to the terminal", "[hostile]") {
  const Copy model;
  CheckpointState state = Checkpoint(model.path()).state();
  state.gemm_engine = "\x1B]0;owned\x07";
  state.corpus.files
      ["\x1B[2J\xC2\x9B"
       "2J"] = {1, 2};
  write_file_atomically(model.path() / kStateFile, to_json(state));
  const RunResult shown = run_binary({"inspect", model.path()});
  CHECK(shown.exit_code == 0);
  CHECK(shown.out.find('\x1B') == std::string::npos);
  CHECK(shown.out.find('\x07') == std::string::npos);
  CHECK(shown.out.find("\xC2\x9B") == std::string::npos);
  CHECK(run_binary({"inspect", model.path(), "--json"}).out.find('\x1B') == std::string::npos);

  std::string weights = model.text(kModelFile);
  const size_t name = weights.find("decoder.");
  model.put(kModelFile, weights.replace(name, 8, "\\u001b[2"));
  const RunResult refused = translate(model);
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, ContainsSubstring("[2"));
  CHECK(refused.err.find('\x1B') == std::string::npos);
}

}  // namespace
}  // namespace calque::test
