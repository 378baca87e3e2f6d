#include "base/file.h"

#include <functional>

#include "base/error.h"
#include "base/stream_hash.h"
#include "base/temporary_folder.h"
#include "support/catch.h"
#include "support/file_size_limit.h"

using namespace calque;
using calque::test::FileSizeLimit;
using calque::test::TemporaryFolder;

namespace {

size_t entries(const std::filesystem::path& folder) {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const UserError& error) {
    return error.what();
  }
  return "no UserError";
}

}  // namespace

TEST_CASE("what is written is read back, replaced as a whole", "[base]") {
  const TemporaryFolder folder;
  const std::string bytes("a\0\r\n\xff", 5);
  write_file_atomically(folder / "x", "old and longer");
  write_file_atomically(folder / "x", bytes);
  CHECK(read_file(folder / "x") == bytes);
  write_file_atomically(folder / "x", "");
  CHECK(read_file(folder / "x").empty());
  CHECK(entries(folder.path()) == 1);
  CHECK_FALSE(read_file("/proc/self/status").empty());  // a file that says its size is 0
}

TEST_CASE("a failed atomic write keeps the old content and leaves nothing behind", "[base]") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "x", "old");
  {
    const FileSizeLimit limit(1000);
    const std::string message =
        message_of([&] { write_file_atomically(folder / "x", std::string(5000, 'n')); });
    CHECK(message.find("cannot write " + (folder / "x").string()) != std::string::npos);
    CHECK(message.find("File too large") != std::string::npos);
  }
  CHECK(read_file(folder / "x") == "old");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("an atomic write that cannot replace its target leaves nothing behind", "[base]") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "x/y");
  CHECK_THROWS_AS(write_file_atomically(folder / "x", "new"), UserError);
  CHECK(std::filesystem::is_directory(folder / "x/y"));
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("file errors name path and reason", "[base]") {
  const TemporaryFolder folder;
  const auto missing = folder / "missing";
  const std::string reason = missing.string() + ": No such file or directory";
  CHECK(message_of([&] { read_file(missing); }) == "cannot open " + reason);
  CHECK(message_of([&] { record_file(missing); }) == "cannot open " + reason);
  CHECK(message_of([&] { MappedFile file(missing); }) == "cannot open " + reason);
  CHECK(message_of([&] { LineReader reader(missing); }) == "cannot open " + reason);
  CHECK(message_of([&] { sync_folder(missing); }) == "cannot open " + reason);
  CHECK(message_of([&] {
          FileWriter writer(missing / "x");
        }).find("missing/x: No such file or directory") != std::string::npos);
  CHECK(message_of([&] { read_file(folder.path()); }) ==
        "cannot open " + folder.path().string() + ": Is a directory");
}

TEST_CASE("a FileWriter keeps only what it finished", "[base]") {
  const TemporaryFolder folder;
  std::string expected;
  {
    FileWriter writer(folder / "kept");
    for (int i = 0; i < 300; ++i) {  // about 3 MB, more than the buffer
      const std::string part(static_cast<size_t>(i * 71), static_cast<char>('a' + i % 26));
      writer.write(part);
      expected += part;
    }
    writer.finish();
    CHECK_THROWS_AS(writer.write("more"), InternalError);
    CHECK_THROWS_AS(writer.finish(), InternalError);
  }
  CHECK(read_file(folder / "kept") == expected);
  { FileWriter(folder / "dropped").write("something"); }
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a mapped file shows the file's bytes, and moves", "[base]") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "x", "abc");
  write_file_atomically(folder / "empty", "");
  MappedFile mapped(folder / "x");
  MappedFile other(std::move(mapped));
  MappedFile target;
  target = std::move(other);
  const auto bytes = target.bytes();
  CHECK(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == "abc");
  CHECK(MappedFile(folder / "empty").bytes().empty());
  CHECK(MappedFile().bytes().empty());
}

TEST_CASE("hashes are XXH3", "[base]") {
  CHECK(hash_bytes("") == 0x2D06800538D394C2u);  // xxHash's documented value of no bytes, seed 0
  CHECK(hash_bytes("a") != hash_bytes("b"));
  const TemporaryFolder folder;
  for (const size_t size : {0u, 5u, 1000u, 3000000u}) {
    std::string content(size, 'x');
    for (size_t i = 0; i < size; i += 7) content[i] = static_cast<char>(i);
    write_file_atomically(folder / "x", content);
    CHECK(record_file(folder / "x").hash == hash_bytes(content));
    CHECK(hash_bytes(std::as_bytes(std::span(content))) == hash_bytes(content));
    StreamHash parts;
    for (size_t at = 0; at < size; at += 999) {
      parts.update(std::as_bytes(std::span(content)).subspan(at, std::min<size_t>(999, size - at)));
      CHECK(parts.digest() == hash_bytes(std::string_view(content).substr(0, at + 999)));
      if (at > 20000) break;  // the rest tells no more
    }
  }
}
