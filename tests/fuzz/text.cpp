#include <unicode/utf8.h>
#include <zlib.h>

#include "base/error.h"
#include "fuzz/scratch_file.h"
#include "fuzz/targets.h"
#include "text/text_files.h"

namespace calque::fuzz {
namespace {

/// What one file gives: the lines up to the first that is refused.
struct Lines {
  std::vector<std::string> lines;
  bool accepted = true;

  bool operator==(const Lines&) const = default;
};

Lines read(const std::filesystem::path& path) {
  Lines read;
  try {
    TextFiles text({path.string()});
    for (std::string line; text.next(line);) read.lines.push_back(line);
    CALQUE_CHECK(text.lines_per_file() == std::vector{std::ssize(read.lines)}, "{} lines",
                 read.lines.size());
  } catch (const UserError&) {
    read.accepted = false;
  }
  return read;
}

/// The bytes as two members of a gzip file.
std::string packed(std::string_view bytes) {
  std::string result;
  for (const std::string_view part :
       {bytes.substr(0, bytes.size() / 2), bytes.substr(bytes.size() / 2)}) {
    z_stream stream{};
    constexpr int kSmallestGzip = 9 + 16;
    CALQUE_CHECK(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kSmallestGzip, /*memLevel=*/1,
                              Z_DEFAULT_STRATEGY) == Z_OK,
                 "deflateInit2 failed");
    std::string member(deflateBound(&stream, part.size()), '\0');
    stream.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(part.data()));
    stream.avail_in = static_cast<uInt>(part.size());
    stream.next_out = reinterpret_cast<unsigned char*>(member.data());
    stream.avail_out = static_cast<uInt>(member.size());
    CALQUE_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END, "deflate failed");
    result.append(member, 0, stream.total_out);
    deflateEnd(&stream);
  }
  return result;
}

/// What find_invalid_utf8 should find, by ICU.
size_t first_invalid(std::string_view text) {
  const auto length = static_cast<int32_t>(text.size());
  for (int32_t at = 0; at < length;) {
    const int32_t begin = at;
    UChar32 character = 0;
    U8_NEXT(text.data(), at, length, character);
    if (character < 0) return static_cast<size_t>(begin);
  }
  return std::string_view::npos;
}

/// The lines of plain text, found by looking at each byte.
Lines expected(std::string_view bytes) {
  Lines lines;
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view line = bytes.substr(0, end);
    if (line.find('\0') != std::string_view::npos ||
        first_invalid(line) != std::string_view::npos) {
      lines.accepted = false;
      return lines;
    }
    lines.lines.emplace_back(line);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return lines;
}

}  // namespace

bool text(std::string_view bytes) {
  CALQUE_CHECK(find_invalid_utf8(bytes) == first_invalid(bytes), "ICU finds other bad bytes");
  const Lines lines = read(scratch_file("text", bytes));
  const bool is_packed = bytes.starts_with("\x1f\x8b");
  CALQUE_CHECK(is_packed || lines == expected(bytes), "the lines are not those of the file");
  CALQUE_CHECK(read(scratch_file("text.gz", packed(bytes))) == expected(bytes),
               "packed text has other lines");
  return lines.accepted;
}

}  // namespace calque::fuzz
