#include "base/growing_file.h"

#include "base/temporary_folder.h"
#include "support/catch.h"

using namespace calque;
using calque::test::TemporaryFolder;

namespace {

/// About 3 MB, more than the buffer holds.
std::string long_text() {
  std::string text;
  for (int i = 0; i < 300; ++i)
    text += std::string(static_cast<size_t>(i * 71), char('a' + i % 26));
  return text;
}

}  // namespace

TEST_CASE("a growing file goes on behind what was synced", "[base]") {
  const TemporaryFolder folder;
  const std::string text = long_text();
  FileRecord kept;
  for (size_t begin = 0; begin < text.size(); begin += 700000) {
    GrowingFile file(folder / "x", kept);
    file.write(text.data() + begin, std::min<size_t>(700000, text.size() - begin));
    kept = file.sync();
    CHECK(kept == record_file(folder / "x"));
    const std::string lost(2000000, '?');  // never synced
    file.write(lost.data(), lost.size());
  }
  GrowingFile(folder / "x", kept);
  CHECK(read_file(folder / "x") == text);
  GrowingFile(folder / "x");
  CHECK(read_file(folder / "x").empty());
}

TEST_CASE("a growing file that does not begin as it was left is refused", "[base]") {
  const TemporaryFolder folder;
  const std::string text = long_text();
  write_file_atomically(folder / "x", text);
  const FileRecord kept = record_file(folder / "x");
  const std::string message = (folder / "x").string() + " is not as it was left";
  std::string damaged = text;
  damaged[text.size() / 2] ^= 1;
  for (const std::string& content : {damaged, text.substr(1), std::string()}) {
    write_file_atomically(folder / "x", content);
    CHECK_THROWS_WITH(GrowingFile(folder / "x", kept), message);
    CHECK(read_file(folder / "x") == content);
  }
  CHECK_THROWS_WITH(GrowingFile(folder / "no/x"), ContainsSubstring("No such file"));
}
