#include "decode/line_encoder.h"

#include <algorithm>
#include <array>
#include <span>
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

bool ends_with_any(std::string_view text, std::span<const std::string_view> marks) {
  return std::ranges::any_of(marks, [&](std::string_view mark) { return text.ends_with(mark); });
}

/// A sentence or a part of it may end with these where a space follows...
constexpr std::array<std::string_view, 6> kMarks{".", "!", "?", ";", ":", ","};
/// ...and with these, as they stand in the line, anywhere: their languages write no spaces.
constexpr std::array<std::string_view, 8> kWideMarks{"\u3002", "\uff01", "\uff1f", "\uff1b",
                                                     "\uff1a", "\uff0c", "\uff0e", "\u3001"};

}  // namespace

LengthBound length_bound(int64_t positions, int64_t max_length, int64_t asked_for) {
  return std::ranges::min({LengthBound{asked_for, "were asked for"},
                           LengthBound{max_length, "validation.max_length allows"},
                           LengthBound{positions, "the model has positions for"}},
                          {}, &LengthBound::tokens);
}

LineEncoder::LineEncoder(const Tokenizer& tokenizer, LengthBound bound, std::string purpose,
                         std::string advice)
    : tokenizer_(tokenizer),
      bound_(std::move(bound)),
      most_pieces_(bound_.tokens - 1),
      purpose_(std::move(purpose)),
      advice_(std::move(advice)) {}

EncodedLine LineEncoder::encode_all(std::string_view text) const {
  EncodedLine encoded;
  tokenizer_.encode(text, encoded.ids, encoded.begins);
  return encoded;
}

EncodedLine LineEncoder::encode(const std::string& line, const std::string& place) const {
  const std::string_view text =
      cut_to_bytes(line, static_cast<size_t>((most_pieces_ + 1) * kMostBytesPerPiece));
  EncodedLine encoded = encode_all(text);
  const bool cut = text.size() < line.size();
  if (std::ssize(encoded.ids) > most_pieces_) {
    log::warning("{} has {}{} tokens: only the first {} are {}, with the end as many as {}; {}",
                 place, cut ? "more than " : "", encoded.ids.size(), most_pieces_, purpose_,
                 bound_.reason, advice_);
    encoded.ids.resize(static_cast<size_t>(most_pieces_));
    encoded.begins.resize(static_cast<size_t>(most_pieces_));
  } else if (cut) {
    log::warning("{} has {} bytes: only the first {} are {}; {}", place, line.size(), text.size(),
                 purpose_, advice_);
  }
  return encoded;
}

std::vector<EncodedLine> LineEncoder::encode_in_parts(const std::string& line,
                                                      const std::string& place) const {
  const EncodedLine whole = encode_all(line);
  std::vector<EncodedLine> parts;
  for (size_t begin = 0; begin < whole.ids.size() && most_pieces_ > 0;) {
    const size_t end = part_end(line, whole, begin);
    const auto from = static_cast<std::ptrdiff_t>(begin);
    const auto to = static_cast<std::ptrdiff_t>(end);
    parts.push_back({{whole.ids.begin() + from, whole.ids.begin() + to},
                     {whole.begins.begin() + from, whole.begins.begin() + to}});
    begin = end;
  }
  if (parts.size() > 1) {
    log::warning("{} has {} tokens, more than {}: it is {} in {} parts", place, whole.ids.size(),
                 most_pieces_, purpose_, parts.size());
  }
  return parts;
}

size_t LineEncoder::part_end(std::string_view line, const EncodedLine& whole, size_t begin) const {
  const auto most = static_cast<size_t>(most_pieces_);
  if (whole.ids.size() - begin <= most) return whole.ids.size();
  size_t between_words = 0;
  for (size_t end = begin + most; end > begin + most / 2; --end) {
    if (ends_with_any(line.substr(0, whole.begins[end]), kWideMarks)) return end;
    if (!tokenizer_.piece(whole.ids[end]).starts_with("\u2581")) continue;
    if (ends_with_any(tokenizer_.piece(whole.ids[end - 1]), kMarks)) return end;
    if (between_words == 0) between_words = end;
  }
  return between_words > 0 ? between_words : begin + most;
}

}  // namespace calque
