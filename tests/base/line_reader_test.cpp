#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/stop_signal.h"
#include "base/temporary_folder.h"
#include "support/catch.h"

using namespace calque;
using calque::test::TemporaryFolder;

namespace {

using Lines = std::vector<std::string>;

std::string gzip(const std::string& text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
  std::string input = text;
  stream.next_in = reinterpret_cast<unsigned char*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<unsigned char*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// Some megabytes in lines of many lengths, one of them longer than any buffer.
Lines many_lines() {
  Lines lines;
  for (size_t i = 0; i < 20000; ++i) {
    lines.push_back("line " + std::to_string(i * 2654435761u) + std::string(i % 150, 'x'));
  }
  lines[777] = std::string(1 << 20, 'y');
  return lines;
}

std::string joined(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

class File {
 public:
  explicit File(const std::string& content) { write_file_atomically(path(), content); }
  std::filesystem::path path() const { return folder_ / "lines"; }
  Lines lines() const { return read_lines(path()); }
  /// The message of the UserError that reading all lines throws.
  std::string failure() const {
    try {
      lines();
    } catch (const UserError& error) {
      return error.what();
    }
    return "";
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("lines end at line feeds only", "[base]") {
  CHECK(File("one\ntwo\n").lines() == Lines{"one", "two"});
  CHECK(File("one\ntwo").lines() == Lines{"one", "two"});
  CHECK(File("\n\nx\n\n").lines() == Lines{"", "", "x", ""});
  CHECK(File("dos\r\nmac\rno\v\f\xC2\x85\xE2\x80\xA8 end\n").lines() ==
        Lines{"dos\r", "mac\rno\v\f\xC2\x85\xE2\x80\xA8 end"});
  CHECK(File(std::string("a\0b\n\0\n", 6)).lines() ==
        Lines{std::string("a\0b", 3), std::string("\0", 1)});
  CHECK(File("").lines().empty());
  CHECK(File("\x1f").lines() == Lines{"\x1f"});
  CHECK(File("\x1f\n\x8b").lines() == Lines{"\x1f", "\x8b"});
}

TEST_CASE("lines longer than the buffer come whole", "[base]") {
  const Lines lines = many_lines();
  CHECK(File(joined(lines)).lines() == lines);
  CHECK(File(gzip(joined(lines))).lines() == lines);
}

TEST_CASE("gzip files of one or more members read like plain ones", "[base]") {
  CHECK(File(gzip("one\ntwo")).lines() == Lines{"one", "two"});
  CHECK(File(gzip("one\ntw") + gzip("") + gzip("o\nthree\n")).lines() ==
        Lines{"one", "two", "three"});
  CHECK(File(gzip("")).lines().empty());
  CHECK(File(gzip("one\n") + std::string(1000, '\0')).lines() == Lines{"one"});
}

TEST_CASE("damaged gzip files are errors with file and line, wherever they are cut", "[base]") {
  const std::string packed = gzip("one\ntwo\nthree\n");
  for (size_t size = 2; size < packed.size(); ++size) {
    const File file(packed.substr(0, size));
    REQUIRE(file.failure().find(file.path().string() + ":") == 0);
    REQUIRE(file.failure().find("it ends too early") != std::string::npos);
    REQUIRE_FALSE(File(gzip("before\n") + packed.substr(0, size)).failure().empty());
  }
  CHECK_FALSE(File(gzip("before\n") + packed.substr(0, 1)).failure().empty());
  CHECK_FALSE(File(packed + "rubbish").failure().empty());
  std::string wrong_sum = packed;
  wrong_sum[wrong_sum.size() - 6] ^= 1;
  CHECK(File(wrong_sum).failure().find("damaged gzip data (incorrect data check)") !=
        std::string::npos);
}

TEST_CASE("a reader counts its lines and stays at the end", "[base]") {
  const File file("one\ntwo");
  LineReader first(file.path());
  CHECK(first.line_number() == 0);
  CHECK(first.path() == file.path());
  std::string line;
  REQUIRE(first.next(line));
  LineReader reader(std::move(first));
  REQUIRE(reader.next(line));
  CHECK(line == "two");
  CHECK(reader.line_number() == 2);
  CHECK_FALSE(reader.next(line));
  CHECK_FALSE(reader.next(line));
  CHECK(reader.line_number() == 2);
}

TEST_CASE("the file - is standard input, plain or gzip, read piece by piece", "[base]") {
  for (const std::string& bytes : {std::string("one\ntwo"), gzip("one\ntwo")}) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    REQUIRE(write(ends[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    close(ends[1]);
    const int before = dup(STDIN_FILENO);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    const Lines lines = read_lines("-");
    dup2(before, STDIN_FILENO);
    close(before);
    CHECK(lines == Lines{"one", "two"});
  }
}

TEST_CASE("a signal ends the waiting for a line, not the reading of those that are there",
          "[base]") {
  const TemporaryFolder folder;
  const std::string path = folder / "pipe";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  const int writer = open(path.c_str(), O_RDWR | O_CLOEXEC);  // does not wait for a reader
  REQUIRE(write(writer, "first\nsecond\n", 13) == 13);
  const StopSignal stop;
  LineReader reader(path);
  std::string line;
  CHECK(reader.next(line));
  raise(SIGINT);
  CHECK(reader.next(line));
  CHECK(line == "second");
  CHECK_THROWS_AS(reader.next(line), StoppedBySignal);
  close(writer);
}
