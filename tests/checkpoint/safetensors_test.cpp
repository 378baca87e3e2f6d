#include "checkpoint/safetensors.h"

#include <cstring>

#include "checkpoint/checkpoint_support.h"
#include "support/catch.h"

namespace calque {
namespace {

using test::TemporaryFolder;
using test::user_error;

/// A safetensors file of this header and so many bytes of data.
std::string file_bytes(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, '\1');
}

std::string error_of(const TemporaryFolder& folder, const std::string& bytes) {
  const auto path = folder / "strange.safetensors";
  write_file_atomically(path, bytes);
  return user_error([&] { SafetensorsFile file(path); });
}

TEST_CASE("what is written to a safetensors file is read again", "[checkpoint]") {
  const TemporaryFolder folder;
  const auto path = folder / "file.safetensors";
  const std::vector<TensorToWrite> tensors = {{"b", {2, 3}}, {"a", {4}}, {"scalar", {}}};
  const std::vector<float> values = {0, -1, 2.5F, 1e-30F, 4, 5, 6, 7, 8, 9, 10};
  SafetensorsWriter writer(path, tensors, {{"format", "pt"}});
  writer.write(std::span(values).first(3));
  writer.write(std::span(values).subspan(3));
  writer.finish();

  const SafetensorsFile file(path);
  REQUIRE(file.tensors().size() == 3);
  CHECK(file.tensors()[0].name == "b");
  CHECK(file.tensors()[0].shape == Shape{2, 3});
  CHECK(file.tensors()[2].shape == Shape{});
  CHECK(file.floats("b") == std::vector<float>(values.begin(), values.begin() + 6));
  CHECK(file.floats("a") == std::vector<float>(values.begin() + 6, values.begin() + 10));
  CHECK(file.floats("scalar") == std::vector<float>{10});
  CHECK(file.metadata() == TensorMetadata{{"format", "pt"}});
  CHECK(file.find("c") == nullptr);
  CHECK(user_error([&] { file.floats("c"); }) == path.string() + " holds no tensor c of type F32");
  CHECK_FALSE(user_error([&] { file.integers("a"); }).empty());
  CHECK(std::filesystem::file_size(path) ==
        SafetensorsWriter::file_size(tensors, {{"format", "pt"}}));
}

TEST_CASE("a safetensors file that another program wrote is read", "[checkpoint]") {
  const SafetensorsFile file(CALQUE_SOURCE_DIR "/tests/fixtures/transformer/pre_norm.safetensors");
  const std::vector<int32_t> lengths = file.integers("source.lengths");
  const std::vector<int32_t> ids = file.integers("source.ids");
  int32_t sum = 0;
  for (const int32_t length : lengths) sum += length;
  CHECK(std::ssize(ids) == sum);
  CHECK(file.metadata().at("unknown_id") == "0");
}

TEST_CASE("data that is not aligned is read", "[checkpoint]") {
  const TemporaryFolder folder;
  const auto path = folder / "odd.safetensors";
  const std::string header = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  std::string bytes = file_bytes(header + (header.size() % 4 == 0 ? " " : ""), 0);
  const float values[] = {1.5F, -2};
  bytes.append(reinterpret_cast<const char*>(values), sizeof values);
  write_file_atomically(path, bytes);
  CHECK(SafetensorsFile(path).floats("a") == std::vector<float>{1.5F, -2});
}

TEST_CASE("an unfinished writer leaves no file", "[checkpoint]") {
  const TemporaryFolder folder;
  const std::vector<TensorToWrite> tensors = {{"a", {4}}};
  {
    SafetensorsWriter writer(folder / "file.safetensors", tensors, {});
    CHECK_THROWS_AS(writer.finish(), InternalError);
    const std::vector<float> many(5);
    CHECK_THROWS_AS(writer.write(many), InternalError);
  }
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a header that does not agree with its file is refused", "[checkpoint]") {
  const TemporaryFolder folder;
  const auto tensor = [](const char* type, const char* shape, const char* offsets) {
    return fmt::format(R"("a":{{"dtype":{},"shape":{},"data_offsets":{}}})", type, shape, offsets);
  };
  const auto one = [&](const char* type, const char* shape, const char* offsets) {
    return "{" + tensor(type, shape, offsets) + "}";
  };
  const std::string good = tensor("\"F32\"", "[2]", "[0,8]");
  struct Case {
    std::string bytes;
    std::string message;
  };
  const std::vector<Case> cases = {
      {"", "it has 0 bytes"},
      {"\1\0\0", "too few for a header"},
      {std::string(8, '\xFF'), "its header should have 18446744073709551615 bytes, but 0 follow"},
      {file_bytes("{}", 0).substr(0, 9), "its header should have 2 bytes, but 1 follow"},
      {file_bytes("", 0), "its header is not a JSON object"},
      {file_bytes("[1]", 0), "its header is not a JSON object"},
      {file_bytes("{\"a\":", 0), "its header is not a JSON object"},
      {file_bytes("{\"\xFF\":1}", 0), "its header is not a JSON object"},
      {file_bytes(std::string(100000, '['), 0), "its header is not a JSON object"},
      {file_bytes("{\"a\":7}", 0), "tensor \"a\" is not described by an object"},
      {file_bytes("{\"a\":{}}", 0), "tensor \"a\" has no dtype"},
      {file_bytes("{" + good + "," + good + "}", 8), "its header names \"a\" twice"},
      {file_bytes(one("\"F16\"", "[2]", "[0,8]"), 8), "dtype \"F16\"; F32 and I32"},
      {file_bytes(one("3", "[2]", "[0,8]"), 8), "has no dtype"},
      {file_bytes(one("\"F32\"", "2", "[0,8]"), 8), "no list called shape"},
      {file_bytes(one("\"F32\"", "[-2]", "[0,8]"), 8), "not a list of whole numbers"},
      {file_bytes(one("\"F32\"", "[2.0]", "[0,8]"), 8), "not a list of whole numbers"},
      {file_bytes(one("\"F32\"", "[1,1,1,1,2]", "[0,8]"), 8), "has 5 dimensions"},
      {file_bytes(one("\"F32\"", "[4294967296,4294967296]", "[0,8]"), 8), "is impossibly large"},
      {file_bytes(one("\"F32\"", "[0,18446744073709551615]", "[0,0]"), 0), "is impossibly large"},
      {file_bytes(one("\"F32\"", "[3]", "[0,8]"), 8), "takes 12 bytes, but its offsets hold 8"},
      {file_bytes(one("\"F32\"", "[2]", "[0]"), 8), "needs two data_offsets"},
      {file_bytes(one("\"F32\"", "[2]", "[8,0]"), 8), "lies at bytes 8 to 0"},
      {file_bytes(one("\"F32\"", "[2]", "[0,8]"), 7), "but the file holds 7 bytes of data"},
      {file_bytes(one("\"F32\"", "[2]", "[0,18446744073709551608]"), 8), "bytes of data"},
      {file_bytes(one("\"F32\"", "[2]", "[4,12]"), 12), "begins at byte 4 of the data, where 0"},
      {file_bytes(one("\"F32\"", "[2]", "[0,8]"), 9), "its tensors take 8 bytes, but 9 follow"},
      {file_bytes("{" + good + R"(,"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12),
       "tensor \"b\" begins at byte 4 of the data, where 8 was expected"},
      {file_bytes(R"({"__metadata__":[]})", 0), "its metadata is not an object"},
      {file_bytes(R"({"__metadata__":{"x":1}})", 0), "metadata \"x\" is no text"},
  };
  for (const Case& c : cases) {
    const std::string message = error_of(folder, c.bytes);
    CHECK_THAT(message, ContainsSubstring("strange.safetensors is not a safetensors file"));
    CHECK_THAT(message, ContainsSubstring(c.message));
  }
}

TEST_CASE("a tensor's name cannot upset a terminal", "[checkpoint]") {
  const TemporaryFolder folder;
  const std::string message =
      error_of(folder, file_bytes(R"({"\u001b[2J\n)" + std::string(5000, 'x') + R"(":{}})", 0));
  CHECK(message.find('\x1b') == std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
  CHECK(message.size() < 400);
}

TEST_CASE("a file that is not there is named", "[checkpoint]") {
  CHECK_THAT(user_error([] { SafetensorsFile file("/nowhere/model.safetensors"); }),
             ContainsSubstring("/nowhere/model.safetensors"));
}

}  // namespace
}  // namespace calque
