#include "text/text_files.h"

#include "base/temporary_folder.h"
#include "support/catch.h"
#include "text/sample_text.h"

namespace calque {
namespace {

TEST_CASE("several files are one text, and each line knows its place", "[text]") {
  test::TemporaryFolder folder;
  const std::string first = test::write_text(folder / "a", "one\n\ntwo\n");
  const std::string empty = test::write_text(folder / "b", "");
  const std::string last = test::write_text(folder / "c",
                                            "thr\xC2\x85"
                                            "ee\r\nfour");
  TextFiles text({first, empty, last});
  std::vector<std::string> lines;
  std::vector<std::string> places;
  for (std::string line; text.next(line);) {
    lines.push_back(line);
    places.push_back(text.place().to_string());
  }
  CHECK(lines == std::vector<std::string>{"one", "", "two",
                                          "thr\xC2\x85"
                                          "ee\r",
                                          "four"});
  CHECK(places == std::vector<std::string>{first + ":1", first + ":2", first + ":3", last + ":1",
                                           last + ":2"});
  CHECK(text.lines_per_file() == std::vector<int64_t>{3, 0, 2});
  std::string line;
  CHECK_FALSE(text.next(line));
  CHECK(join_paths({"a", "b"}) == "a, b");
}

TEST_CASE("a line that is not UTF-8 is an error with its place", "[text]") {
  test::TemporaryFolder folder;
  const std::string good = test::write_text(folder / "good", "fine\n");
  const std::string bad = test::write_text(folder / "bad", "fine\nM\xFCll\n");
  TextFiles text({good, bad});
  std::string line;
  REQUIRE(text.next(line));
  REQUIRE(text.next(line));
  const std::string message = test::user_error([&] { text.next(line); });
  test::contains(message, bad + ":2: byte 2 of the line (0xFC) is not UTF-8");
  test::contains(message, "iconv");
}

TEST_CASE("a zero byte is an error with its place", "[text]") {
  test::TemporaryFolder folder;
  const std::string file = test::write_text(folder / "utf16", std::string("fine\na\0b\0\n", 10));
  TextFiles text({file});
  std::string line;
  REQUIRE(text.next(line));
  const std::string message = test::user_error([&] { text.next(line); });
  test::contains(message, file + ":2: byte 2 of the line is 0x00, which no text holds");
  test::contains(message, "iconv -f UTF-16 -t UTF-8");
}

}  // namespace
}  // namespace calque
