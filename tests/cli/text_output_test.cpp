#include "cli/text_output.h"

#include "base/error.h"
#include "base/temporary_folder.h"
#include "support/catch.h"

using calque::read_file;
using calque::TextOutput;
using calque::test::TemporaryFolder;

namespace {

size_t files_in(const std::filesystem::path& folder) {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

}  // namespace

TEST_CASE("a file takes its name when it is finished, and not before", "[cli]") {
  const TemporaryFolder folder;
  const auto path = folder / "out";
  calque::write_file_atomically(path, "old\n");
  {
    TextOutput unfinished(path);
    unfinished.write_line("new");
    CHECK(read_file(path) == "old\n");
  }
  CHECK(read_file(path) == "old\n");
  CHECK(files_in(folder.path()) == 1);

  TextOutput output(path);
  output.write_line("new");
  output.write_line("");
  output.finish();
  CHECK(read_file(path) == "new\n\n");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a file that is written as it comes has what is flushed, and keeps it", "[cli]") {
  const TemporaryFolder folder;
  const auto path = folder / "out";
  {
    TextOutput output(path, TextOutput::Writing::kAsItComes);
    output.write_line("first");
    output.flush();
    CHECK(read_file(path) == "first\n");
    output.write_line("lost");
  }
  CHECK(read_file(path) == "first\n");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("output follows a symbolic link and leaves devices in place", "[cli]") {
  const TemporaryFolder folder;
  calque::write_file_atomically(folder / "target", "old\n");
  std::filesystem::create_symlink(folder / "target", folder / "link");
  TextOutput through_link(folder / "link");
  through_link.write_line("new");
  through_link.finish();
  CHECK(read_file(folder / "target") == "new\n");
  CHECK(std::filesystem::is_symlink(folder / "link"));

  TextOutput device("/dev/null");
  device.write_line("gone");
  device.finish();
  CHECK(std::filesystem::is_character_file("/dev/null"));
  CHECK_THROWS_AS(TextOutput((folder / "no") / "folder"), calque::UserError);
}

TEST_CASE("an output that is also read is refused, through links too", "[cli]") {
  const TemporaryFolder folder;
  const std::string input = folder / "input";
  const std::string link = folder / "link";
  calque::write_file_atomically(input, "text\n");
  calque::write_file_atomically(folder / "other", "text\n");
  std::filesystem::create_symlink(input, link);
  std::filesystem::create_hard_link(input, folder / "hard");
  using calque::check_is_no_input;
  CHECK_THROWS_WITH(check_is_no_input("--output", link, input),
                    "--output " + link + " is also read, as " + input +
                        ": writing would destroy it; name another file");
  CHECK_THROWS_AS(check_is_no_input("--output", input, input), calque::UserError);
  CHECK_THROWS_AS(check_is_no_input("--output", folder / "hard", link), calque::UserError);
  CHECK_NOTHROW(check_is_no_input("--output", folder / "other", input));
  CHECK_NOTHROW(check_is_no_input("--output", folder / "new", input));
  CHECK_NOTHROW(check_is_no_input("--output", "-", input));
  CHECK_NOTHROW(check_is_no_input("--output", "/dev/null", "/dev/null"));
}

TEST_CASE("a file in a folder that does not exist is refused by its own name", "[cli]") {
  const TemporaryFolder folder;
  const std::string missing = folder / "missing";
  CHECK_THROWS_WITH(TextOutput(missing + "/out"),
                    "cannot create " + missing + "/out: there is no folder " + missing);
}
