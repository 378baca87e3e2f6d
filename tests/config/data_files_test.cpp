#include "config/data_files.h"

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_folder.h"
#include "support/catch.h"

namespace calque {
namespace {

std::string error_of(const DataOptions& data) {
  try {
    check_data_files(data);
  } catch (const UserError& error) {
    return error.what();
  }
  return {};
}

/// Works in another folder while it lives.
class WorkingIn {
 public:
  explicit WorkingIn(const std::filesystem::path& path) : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(path);
  }
  ~WorkingIn() { std::filesystem::current_path(before_); }
  WorkingIn(const WorkingIn&) = delete;
  WorkingIn& operator=(const WorkingIn&) = delete;

 private:
  std::filesystem::path before_;
};

TEST_CASE("a missing text file is named with its key and where it comes from", "[config]") {
  const test::TemporaryFolder folder;
  const WorkingIn working(folder.path());
  const std::string here = std::filesystem::current_path().string();
  DataOptions data;
  CHECK(error_of(data).empty());
  data.train.source = {"data/set/train.en"};
  const std::string missing =
      "data.train.source names data/set/train.en, which does not exist; paths are relative to the "
      "working directory, " +
      here;
  CHECK(error_of(data) == missing);
  make_folders("scripts");
  write_file_atomically("scripts/get_set.sh", "");
  CHECK(error_of(data) == missing + "; scripts/get_set.sh fetches it");

  make_folders("data/set");
  write_file_atomically("data/set/train.en", "a\n");
  CHECK(error_of(data).empty());
  data.validation.target = {"data/set/train.en", (folder / "nowhere").string()};
  CHECK(error_of(data) ==
        "data.validation.target names " + (folder / "nowhere").string() + ", which does not exist");
  data.validation.target = {"data"};
  CHECK(error_of(data) == "data.validation.target: cannot open data: Is a directory");
}

}  // namespace
}  // namespace calque
