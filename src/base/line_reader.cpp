#include <unistd.h>
#include <zlib.h>

#include <cstring>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/file_descriptor.h"

namespace calque {
namespace {

constexpr size_t kBuffer = size_t{1} << 18;

/// Unpacks a stream of gzip members, one after another (RFC 1952).
class Inflater {
 public:
  Inflater() {
    constexpr int kGzipOnly = 16;
    CALQUE_CHECK(inflateInit2(&stream_, MAX_WBITS + kGzipOnly) == Z_OK, "inflateInit2 failed");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  void give(unsigned char* packed, size_t bytes) {
    stream_.next_in = packed;
    stream_.avail_in = static_cast<uInt>(bytes);
  }
  bool wants_input() const { return stream_.avail_in == 0; }
  bool inside_member() const { return inside_member_; }

  /// Unpacks into `text` and returns the number of bytes, or -1 when the data are damaged.
  ptrdiff_t unpack(char* text, size_t bytes) {
    if (!inside_member_) {
      while (stream_.avail_in > 0 && *stream_.next_in == 0) {  // padding, as tape blocks have it
        ++stream_.next_in;
        --stream_.avail_in;
      }
      if (stream_.avail_in == 0) return 0;
      inflateReset(&stream_);
      inside_member_ = true;
    }
    stream_.next_out = reinterpret_cast<unsigned char*>(text);
    stream_.avail_out = static_cast<uInt>(bytes);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      inside_member_ = false;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return -1;
    }
    return static_cast<ptrdiff_t>(bytes - stream_.avail_out);
  }
  const char* message() const { return stream_.msg != nullptr ? stream_.msg : "bad data"; }

 private:
  z_stream stream_{};
  bool inside_member_ = false;
};

FileDescriptor open_input(const std::filesystem::path& path) {
  if (path == "-") return FileDescriptor(STDIN_FILENO, "standard input");
  return open_for_reading(path);
}

}  // namespace

struct LineReader::State {
  explicit State(const std::filesystem::path& from) : path(from), file(open_input(from)) {}

  std::filesystem::path path;
  FileDescriptor file;
  std::unique_ptr<Inflater> inflater;  // for gzip alone
  std::vector<char> packed;            // for gzip alone
  std::vector<char> text;              // empty until the first read
  size_t begin = 0;                    // what of `text` is not yet given
  size_t end = 0;
  int64_t line_number = 0;

  [[noreturn]] void throw_damaged(const char* reason) const {
    throw UserError(fmt::format(
        "{}:{}: damaged gzip data ({}); make or fetch the file again, `gzip -t` tests it",
        path.string(), line_number + 1, reason));
  }

  /// First read: tells gzip from plain text.
  void start() {
    text.resize(kBuffer);
    end = file.read(text.data(), 1);
    // Only a possible gzip file waits for the second byte: a terminal may send a single '\n'.
    if (end == 1 && text[0] == '\x1f') end += file.read(text.data() + 1, 1);
    if (end < 2 || text[1] != '\x8b') return;
    packed.assign(text.begin(), text.begin() + 2);
    packed.resize(kBuffer);
    inflater = std::make_unique<Inflater>();
    inflater->give(reinterpret_cast<unsigned char*>(packed.data()), 2);
    end = 0;
  }

  /// Reads further bytes into `text`. False at the end of the file.
  bool fill() {
    if (text.empty()) {
      start();
      if (end > 0) return true;
    }
    begin = 0;
    end = inflater ? unpack() : file.read(text.data(), text.size());
    return end > 0;
  }

  size_t unpack() {
    for (;;) {
      if (inflater->wants_input()) {
        const size_t got = file.read(packed.data(), packed.size());
        if (got == 0 && inflater->inside_member()) throw_damaged("it ends too early");
        if (got == 0) return 0;
        inflater->give(reinterpret_cast<unsigned char*>(packed.data()), got);
      }
      const ptrdiff_t bytes = inflater->unpack(text.data(), text.size());
      if (bytes < 0) throw_damaged(inflater->message());
      if (bytes > 0) return static_cast<size_t>(bytes);
    }
  }
};

LineReader::LineReader(const std::filesystem::path& path) : state_(std::make_unique<State>(path)) {}
LineReader::~LineReader() = default;
LineReader::LineReader(LineReader&&) noexcept = default;

bool LineReader::next(std::string& line) {
  State& state = *state_;
  line.clear();
  for (;;) {
    const char* const from = state.text.data() + state.begin;
    const size_t left = state.end - state.begin;
    const void* const newline = left > 0 ? std::memchr(from, '\n', left) : nullptr;
    if (newline != nullptr) {
      const auto length = static_cast<size_t>(static_cast<const char*>(newline) - from);
      line.append(from, length);
      state.begin += length + 1;
      ++state.line_number;
      return true;
    }
    line.append(from, left);
    state.begin = state.end;
    if (!state.fill()) {
      if (line.empty()) return false;
      ++state.line_number;
      return true;
    }
  }
}

int64_t LineReader::line_number() const { return state_->line_number; }

const std::filesystem::path& LineReader::path() const { return state_->path; }

std::vector<std::string> read_lines(const std::filesystem::path& path) {
  LineReader reader(path);
  std::vector<std::string> lines;
  std::string line;
  while (reader.next(line)) lines.push_back(line);
  return lines;
}

}  // namespace calque
