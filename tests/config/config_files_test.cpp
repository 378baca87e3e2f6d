#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/file.h"
#include "config/known_keys.h"
#include "config/run_config.h"
#include "support/catch.h"

namespace calque {
namespace {

std::vector<std::filesystem::path> config_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(CALQUE_SOURCE_DIR "/configs")) {
    files.push_back(entry.path());
  }
  return files;
}

/// The comment right above each line that is a key with a value, its lines joined by spaces, by the
/// full key. Relies on the files' two spaces a block.
std::map<std::string, std::string> comments_by_key(const std::filesystem::path& file) {
  std::map<std::string, std::string> comments;
  std::vector<std::string> blocks;
  std::string comment;
  for (const std::string& line : read_lines(file)) {
    const size_t indent = line.find_first_not_of(' ');
    if (indent == std::string::npos) {
      comment.clear();
    } else if (line[indent] == '#') {
      comment += line.substr(indent + 1);
    } else {
      const size_t colon = line.find(':');
      blocks.resize(indent / 2);
      std::string key;
      for (const std::string& block : blocks) key += block + ".";
      blocks.push_back(line.substr(indent, colon - indent));
      if (colon + 1 < line.size()) comments[key + blocks.back()] = comment;
      comment.clear();
    }
  }
  return comments;
}

}  // namespace

TEST_CASE("every file in configs is a valid config", "[config]") {
  CHECK(config_files().size() >= 5);
  for (const auto& file : config_files()) {
    CAPTURE(file.string());
    const RunConfig config = load_config(file);
    CHECK(config.name == file.stem());
    CHECK(config.data.train.source.size() == 1);
    CHECK(config.data.validation.source.size() == 1);
  }
}

TEST_CASE("every key in configs has a comment with unit and default", "[config]") {
  for (const auto& file : config_files()) {
    const auto comments = comments_by_key(file);
    CHECK(comments.size() > 30);
    for (const KnownKey& known : known_keys()) {
      const auto found = comments.find(known.key);
      if (found == comments.end()) continue;
      CAPTURE(file.string(), known.key, found->second);
      CHECK(found->second.size() > 10);
      CHECK(found->second.find(known.unit) != std::string::npos);
      const bool is_needed = known.key.find("data.train.") == 0;
      CHECK(found->second.find(is_needed ? "Needed" : "default " + known.default_text) !=
            std::string::npos);
    }
  }
}

TEST_CASE("the demo's config shows every key", "[config]") {
  const auto comments = comments_by_key(CALQUE_SOURCE_DIR "/configs/demo.yaml");
  for (const KnownKey& known : known_keys()) {
    CAPTURE(known.key);
    CHECK(comments.count(known.key) == 1);
  }
}

}  // namespace calque
