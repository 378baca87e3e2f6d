#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace calque::test {

/// A field of a Protocol Buffers message that holds text or another message. Behind a SentencePiece
/// model, it adds to what is there: pieces are added, other fields replaced.
inline std::string message_field(int number, std::string_view bytes) {
  std::string field(1, static_cast<char>(number << 3 | 2));
  size_t length = bytes.size();
  for (; length >= 0x80; length >>= 7) field += static_cast<char>((length & 0x7F) | 0x80);
  field += static_cast<char>(length);
  return field.append(bytes);
}

/// ModelProto.normalizer_spec with these rules (`precompiled_charsmap`).
inline std::string normalizer_field(std::string_view rules) {
  return message_field(3, message_field(2, rules));
}

/// Normalization rules: the length of the trie, its units, the texts.
inline std::string make_rules(const std::vector<uint32_t>& units, std::string_view texts) {
  const auto length = static_cast<uint32_t>(units.size() * sizeof(uint32_t));
  std::string rules(sizeof length + length, '\0');
  std::memcpy(rules.data(), &length, sizeof length);
  std::ranges::copy(std::as_bytes(std::span(units)),
                    std::as_writable_bytes(std::span(rules)).begin() + sizeof length);
  return rules.append(texts);
}

}  // namespace calque::test
