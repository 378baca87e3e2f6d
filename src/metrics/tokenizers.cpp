#include "metrics/tokenizers.h"

#include <cstddef>

namespace calque {
namespace {

/// Bytes of the white-space character that begins at `position`; 0 if none does.
std::size_t whitespace_length(std::string_view text, std::size_t position) {
  const auto byte = [&](std::size_t offset) -> unsigned {
    return position + offset < text.size() ? static_cast<unsigned char>(text[position + offset])
                                           : 0u;
  };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return (first >= 0x09 && first <= 0x0d) || (first >= 0x1c && first <= 0x20) ? 1 : 0;
  }
  const unsigned second = byte(1);
  if (first == 0xc2) {  // U+0085, U+00A0
    return second == 0x85 || second == 0xa0 ? 2 : 0;
  }
  const unsigned third = byte(2);
  bool is_space = false;
  if (first == 0xe1) {  // U+1680
    is_space = second == 0x9a && third == 0x80;
  } else if (first == 0xe2 && second == 0x80) {  // U+2000-200A, U+2028, U+2029, U+202F
    is_space = (third >= 0x80 && third <= 0x8a) || third == 0xa8 || third == 0xa9 || third == 0xaf;
  } else if (first == 0xe2 && second == 0x81) {  // U+205F
    is_space = third == 0x9f;
  } else if (first == 0xe3) {  // U+3000
    is_space = second == 0x80 && third == 0x80;
  }
  return is_space ? 3 : 0;
}

/// Replaces every `from` in `text`, left to right; what a replacement creates is not looked at.
void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::size_t found = text.find(from);
  if (found == std::string::npos) return;
  std::string result;
  result.reserve(text.size());
  std::size_t begin = 0;
  for (; found != std::string::npos; found = text.find(from, begin)) {
    result.append(text, begin, found - begin).append(to);
    begin = found + from.size();
  }
  result.append(text, begin);
  text.swap(result);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_period_or_comma(char c) { return c == '.' || c == ','; }

/// ASCII punctuation and symbols but ' , - . : the characters that stand alone wherever they are.
bool is_separate_symbol(char c) {
  return (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || c == '/' || (c >= ':' && c <= '@') ||
         (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

void append_spaced(std::string& text, char c) {
  text.push_back(' ');
  text.push_back(c);
  text.push_back(' ');
}

// Each of the four rules below is one left-to-right scan; a rule that looks at two characters goes
// on behind both of them, so in ",," the second comma is not the first one's neighbour once more.
// Bytes may stand for characters here, because a rule only tells ASCII characters from the rest.

std::string separate_symbols(std::string_view text) {
  std::string result;
  result.reserve(2 * text.size());
  for (const char c : text) {
    if (is_separate_symbol(c)) {
      append_spaced(result, c);
    } else {
      result.push_back(c);
    }
  }
  return result;
}

std::string separate_after_non_digit(std::string_view text) {
  std::string result;
  result.reserve(2 * text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    result.push_back(text[i]);
    if (i + 1 < text.size() && !is_digit(text[i]) && is_period_or_comma(text[i + 1])) {
      append_spaced(result, text[++i]);
    }
  }
  return result;
}

std::string separate_before_non_digit(std::string_view text) {
  std::string result;
  result.reserve(2 * text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 1 < text.size() && is_period_or_comma(text[i]) && !is_digit(text[i + 1])) {
      append_spaced(result, text[i]);
      result.push_back(text[++i]);
    } else {
      result.push_back(text[i]);
    }
  }
  return result;
}

std::string separate_hyphen_after_digit(std::string_view text) {
  std::string result;
  result.reserve(2 * text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    result.push_back(text[i]);
    if (i + 1 < text.size() && is_digit(text[i]) && text[i + 1] == '-') {
      append_spaced(result, text[++i]);
    }
  }
  return result;
}

std::string join_words(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const std::string_view word : split_words(text)) {
    if (!result.empty()) result.push_back(' ');
    result.append(word);
  }
  return result;
}

}  // namespace

std::vector<std::string_view> split_words(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < line.size();) {
    const std::size_t space = whitespace_length(line, i);
    if (space == 0) {
      ++i;
      continue;
    }
    if (i > begin) words.push_back(line.substr(begin, i - begin));
    i += space;
    begin = i;
  }
  if (begin < line.size()) words.push_back(line.substr(begin));
  return words;
}

std::string_view trim_right(std::string_view line) {
  const auto trailing_space = [&]() -> std::size_t {
    for (std::size_t length = 1; length <= 3 && length <= line.size(); ++length) {
      if (whitespace_length(line, line.size() - length) == length) return length;
    }
    return 0;
  };
  for (std::size_t space = trailing_space(); space > 0; space = trailing_space()) {
    line.remove_suffix(space);
  }
  return line;
}

std::string tokenize_13a(std::string_view line) {
  std::string text;
  text.reserve(line.size() + 2);
  text.append(line);
  replace_all(text, "<skipped>", "");
  replace_all(text, "-\n", "");
  replace_all(text, "\n", " ");
  replace_all(text, "&quot;", "\"");
  replace_all(text, "&amp;", "&");
  replace_all(text, "&lt;", "<");
  replace_all(text, "&gt;", ">");

  // The rules ask for a neighbour on each side, so the line's ends get one.
  text.insert(text.begin(), ' ');
  text.push_back(' ');
  text = separate_symbols(text);
  text = separate_after_non_digit(text);
  text = separate_before_non_digit(text);
  text = separate_hyphen_after_digit(text);
  return join_words(text);
}

}  // namespace calque
