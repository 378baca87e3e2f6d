#include "export/new_folder.h"

#include <csignal>

#include "base/file.h"
#include "base/stop_signal.h"
#include "base/temporary_folder.h"
#include "support/catch.h"
#include "support/run_contents.h"
#include "text/sample_text.h"

namespace calque {
namespace {

namespace fs = std::filesystem;
using test::listing;
using test::TemporaryFolder;
using test::user_error;

void fill(const fs::path& folder) { test::write_text(folder / "file", "text"); }

TEST_CASE("a new folder is made with its parents, and an empty one is filled", "[export]") {
  const TemporaryFolder folder;
  write_new_folder(folder / "a/b", fill);
  write_new_folder(folder / "c/", fill);
  fs::create_directory(folder / "d");
  fs::create_symlink("d", folder / "e");
  write_new_folder(folder / "e", fill);
  CHECK(listing(folder.path()) ==
        std::vector<std::string>{"a", "a/b", "a/b/file", "c", "c/file", "d", "d/file", "e"});
}

TEST_CASE("what is there is not replaced, and nothing is done for it", "[export]") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "full");
  test::write_text(folder / "full/file", "old");
  for (const char* name : {"full", "full/", "full/file"}) {
    const std::string message = user_error(
        [&] { write_new_folder(folder / name, [](const fs::path&) { FAIL("filled"); }); });
    CHECK_THAT(message, ContainsSubstring("exists already; name a new folder, or an empty one"));
  }
  CHECK(read_file(folder / "full/file") == "old");
}

TEST_CASE("a name that leads nowhere is refused before any work", "[export]") {
  const TemporaryFolder folder;
  fs::create_symlink("nowhere", folder / "link");
  const auto message = [](const fs::path& path) {
    return user_error([&] { write_new_folder(path, [](const fs::path&) { FAIL("filled"); }); });
  };
  CHECK(message("") == "expected the name of a folder to make, found an empty one");
  CHECK(message(folder / "link") == (folder / "link").string() +
                                        " is a link to nowhere, which is not there; name a new "
                                        "folder");
  CHECK(listing(folder.path()) == std::vector<std::string>{"link"});
}

TEST_CASE("what another process left of the same folder is not touched", "[export]") {
  const TemporaryFolder folder;
  fs::create_directory(folder / ".tmp1_out");
  write_new_folder(folder / "out", fill);
  CHECK(listing(folder.path()) == std::vector<std::string>{".tmp1_out", "out", "out/file"});
}

TEST_CASE("a folder that fills up meanwhile is not replaced either", "[export]") {
  const TemporaryFolder folder;
  const std::string message = user_error([&] {
    write_new_folder(folder / "out", [&](const fs::path& beside) {
      fill(beside);
      fs::create_directory(folder / "out");
      test::write_text(folder / "out/theirs", "theirs");
    });
  });
  CHECK_THAT(message, ContainsSubstring("cannot create " + (folder / "out").string()));
  CHECK(listing(folder.path()) == std::vector<std::string>{"out", "out/theirs"});
}

TEST_CASE("nothing stays of a folder that could not be finished", "[export]") {
  const TemporaryFolder folder;
  CHECK_THROWS_AS(write_new_folder(folder / "out",
                                   [](const fs::path& beside) {
                                     fill(beside);
                                     throw UserError("disk full");
                                   }),
                  UserError);
  CHECK_THROWS_AS(write_new_folder(folder / "out",
                                   [](const fs::path& beside) {
                                     fill(beside);
                                     raise(SIGTERM);
                                   }),
                  StoppedBySignal);
  CHECK(listing(folder.path()).empty());
  write_new_folder(folder / "out", fill);
  CHECK(listing(folder.path()) == std::vector<std::string>{"out", "out/file"});
}

}  // namespace
}  // namespace calque
