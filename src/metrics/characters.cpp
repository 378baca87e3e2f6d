#include "metrics/characters.h"

#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <limits>

#include "base/error.h"

namespace calque {
namespace {

constexpr char32_t kLoneByte = 0xDC00;

bool has_category(char32_t character, uint32_t categories) {
  return (U_GET_GC_MASK(static_cast<UChar32>(character)) & categories) != 0;
}

}  // namespace

char32_t next_character(std::string_view text, size_t& at) {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  const size_t begin = at;
  UChar32 character = 0;
  U8_NEXT(bytes, at, text.size(), character);
  if (character >= 0) return static_cast<char32_t>(character);
  at = begin + 1;
  return kLoneByte + bytes[begin];
}

std::u32string to_characters(std::string_view text) {
  std::u32string characters;
  characters.reserve(text.size());
  for (size_t at = 0; at < text.size();) characters.push_back(next_character(text, at));
  return characters;
}

std::string to_utf8(std::u32string_view characters) {
  std::string text;
  text.reserve(characters.size());
  for (const char32_t character : characters) {
    if (character >= kLoneByte && character < kLoneByte + 256) {
      text.push_back(static_cast<char>(character - kLoneByte));
      continue;
    }
    uint8_t bytes[U8_MAX_LENGTH];
    size_t length = 0;
    U8_APPEND_UNSAFE(bytes, length, character);
    text.append(reinterpret_cast<const char*>(bytes), length);
  }
  return text;
}

bool is_white_space(char32_t c) {
  if (c <= 0x20) return (c >= 0x09 && c <= 0x0D) || c >= 0x1C;
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_number(char32_t character) { return has_category(character, U_GC_N_MASK); }
bool is_punctuation(char32_t character) { return has_category(character, U_GC_P_MASK); }
bool is_symbol(char32_t character) { return has_category(character, U_GC_S_MASK); }

std::string lower_case(std::string_view text) {
  CALQUE_CHECK(text.size() <= std::numeric_limits<int32_t>::max(), "a line of {} bytes",
               text.size());
  std::string lower;
  icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())})
      .toLower(icu::Locale::getRoot())
      .toUTF8String(lower);
  return lower;
}

}  // namespace calque
