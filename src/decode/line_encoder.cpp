#include "decode/line_encoder.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/log.h"

namespace calque {
namespace {

/// Text beyond this is cut before it is tokenised: a piece has 16 characters at most.
constexpr int64_t kMostBytesPerPiece = 64;

/// The longest prefix of UTF-8 `text` with at most `bytes` bytes that cuts no character.
std::string_view cut_to_bytes(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

/// Whether a sentence or a part of it may end with this piece.
bool ends_with_punctuation(const std::string& piece) {
  constexpr std::array<std::string_view, 9> kMarks{".", "!",      "?",      ";",     ":",
                                                   ",", "\u3002", "\uff01", "\uff1f"};
  return std::ranges::any_of(kMarks, [&](std::string_view mark) { return piece.ends_with(mark); });
}

}  // namespace

LineEncoder::LineEncoder(const Tokenizer& tokenizer, int64_t most_pieces, std::string purpose)
    : tokenizer_(tokenizer), most_pieces_(most_pieces), purpose_(std::move(purpose)) {}

std::vector<int32_t> LineEncoder::encode(const std::string& line, int64_t number) const {
  const std::string_view text =
      cut_to_bytes(line, static_cast<size_t>((most_pieces_ + 1) * kMostBytesPerPiece));
  std::vector<int32_t> ids;
  tokenizer_.encode(text, ids);
  const bool cut = text.size() < line.size();
  if (std::ssize(ids) > most_pieces_) {
    log::warning(
        "line {} has {}{} tokens: only the first {} are {}, as many as the model or "
        "validation.max_length allows; split it into sentences",
        number, cut ? "more than " : "", ids.size(), most_pieces_, purpose_);
    ids.resize(static_cast<size_t>(most_pieces_));
  } else if (cut) {
    log::warning("line {} has {} bytes: only the first {} are {}; split it into sentences", number,
                 line.size(), text.size(), purpose_);
  }
  return ids;
}

std::vector<std::vector<int32_t>> LineEncoder::encode_in_parts(const std::string& line,
                                                               int64_t number) const {
  std::vector<int32_t> ids;
  tokenizer_.encode(line, ids);
  std::vector<std::vector<int32_t>> parts;
  for (std::span<const int32_t> rest(ids); !rest.empty() && most_pieces_ > 0;) {
    const std::ptrdiff_t end = std::ssize(rest) > most_pieces_ ? part_end(rest) : std::ssize(rest);
    parts.emplace_back(rest.begin(), rest.begin() + end);
    rest = rest.subspan(static_cast<size_t>(end));
  }
  if (parts.size() > 1) {
    log::warning("line {} has {} tokens, more than {}: it is {} in {} parts", number, ids.size(),
                 most_pieces_, purpose_, parts.size());
  }
  return parts;
}

std::ptrdiff_t LineEncoder::part_end(std::span<const int32_t> ids) const {
  std::ptrdiff_t between_words = 0;
  for (std::ptrdiff_t end = most_pieces_; end > most_pieces_ / 2; --end) {
    if (!tokenizer_.piece(ids[static_cast<size_t>(end)]).starts_with("\u2581")) continue;
    if (ends_with_punctuation(tokenizer_.piece(ids[static_cast<size_t>(end - 1)]))) return end;
    if (between_words == 0) between_words = end;
  }
  return between_words > 0 ? between_words : most_pieces_;
}

}  // namespace calque
