#include "metrics/tokenizers.h"

#include <algorithm>
#include <cstddef>

#include "metrics/characters.h"

namespace calque {
namespace {

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

void replace_entities(std::string& text) {
  replace_all(text, "&quot;", "\"");
  replace_all(text, "&amp;", "&");
  replace_all(text, "&lt;", "<");
  replace_all(text, "&gt;", ">");
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

/// Rule 4.
std::string separate_marks(std::string_view line) {
  std::string text = separate_after_non_digit(line);
  text = separate_before_non_digit(text);
  return separate_hyphen_after_digit(text);
}

/// Rules 3 and 4.
std::string separate_western(std::string_view line) {
  return separate_marks(separate_symbols(line));
}

/// Which of two neighbours becomes a word of its own.
struct Apart {
  bool first = false;
  bool second = false;
};

/// The same scan for any two neighbours of Unicode.
template <class Rule>
std::u32string separate_pairs(std::u32string_view text, const Rule& rule) {
  std::u32string result;
  result.reserve(2 * text.size());
  size_t i = 0;
  while (i + 1 < text.size()) {
    const Apart apart = rule(text[i], text[i + 1]);
    if (apart.first) {
      result.append({U' ', text[i], U' ', text[i + 1]});
    } else if (apart.second) {
      result.append({text[i], U' ', text[i + 1], U' '});
    } else {
      result.push_back(text[i++]);
      continue;
    }
    i += 2;
  }
  return result.append(text.substr(std::min(i, text.size())));
}

/// What sacreBLEU takes for Chinese. Two of its ranges are meant to begin at U+20000 and U+2F800,
/// but written so that they are U+2001-2A6D and U+2F81-2FA1; a score is comparable only if ours are
/// too.
bool is_chinese(char32_t c) {
  constexpr char32_t kRanges[][2] = {
      {0x2001, 0x2A6D}, {0x2E80, 0x2EFF}, {0x2F00, 0x2FDF}, {0x2FF0, 0x2FFF}, {0x3000, 0x303F},
      {0x3100, 0x312F}, {0x31A0, 0x31BF}, {0x31C0, 0x31EF}, {0x3200, 0x33FF}, {0x3400, 0x4DB5},
      {0x4E00, 0x9FBB}, {0xF900, 0xFA2D}, {0xFA30, 0xFA6A}, {0xFA70, 0xFAD9}, {0xFE10, 0xFE1F},
      {0xFE30, 0xFE4F}, {0xFF00, 0xFFEF}};
  return std::ranges::any_of(kRanges, [&](const auto& r) { return r[0] <= c && c <= r[1]; });
}

/// Spaces around each character that `is_apart`.
template <class Predicate>
std::string spaced(std::string_view line, const Predicate& is_apart) {
  std::string text;
  text.reserve(2 * line.size());
  for (size_t at = 0; at < line.size();) {
    const size_t begin = at;
    const bool apart = is_apart(next_character(line, at));
    if (apart) text.push_back(' ');
    text.append(line.substr(begin, at - begin));
    if (apart) text.push_back(' ');
  }
  return text;
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

/// `line` without the white space at both ends.
std::string_view trim(std::string_view line) {
  const std::vector<std::string_view> words = split_words(line);
  if (words.empty()) return {};
  const char* const begin = words.front().data();
  return {begin, static_cast<size_t>(words.back().data() + words.back().size() - begin)};
}

/// Words of `line` by mteval-v14.pl's rules (`--international-tokenization`): a punctuation mark
/// (category P) is a word of its own unless it stands between two numbers (N), and so is every
/// symbol (S). What has which category is what the linked ICU's version of Unicode says.
std::string tokenize_intl(std::string_view line) {
  std::u32string text = to_characters(line);
  text = separate_pairs(text, [](char32_t first, char32_t second) -> Apart {
    return {.second = !is_number(first) && is_punctuation(second)};
  });
  text = separate_pairs(text, [](char32_t first, char32_t second) -> Apart {
    return {.first = is_punctuation(first) && !is_number(second)};
  });
  return join_words(spaced(to_utf8(text), is_symbol));
}

/// Words of Chinese: Chinese characters and their punctuation are words of their own, then rules 3
/// and 4 of `tokenize_13a`.
std::string tokenize_zh(std::string_view line) {
  return join_words(separate_western(spaced(trim(line), is_chinese)));
}

}  // namespace

std::string_view tokenizer_name(WordTokenizer tokenizer) {
  switch (tokenizer) {
    case WordTokenizer::k13a:
      return "13a";
    case WordTokenizer::kIntl:
      return "intl";
    case WordTokenizer::kZh:
      return "zh";
    case WordTokenizer::kChar:
      return "char";
    case WordTokenizer::kNone:
      return "none";
  }
  return {};
}

std::string tokenize(WordTokenizer tokenizer, std::string_view line) {
  switch (tokenizer) {
    case WordTokenizer::k13a:
      return tokenize_13a(line);
    case WordTokenizer::kIntl:
      return tokenize_intl(line);
    case WordTokenizer::kZh:
      return tokenize_zh(line);
    case WordTokenizer::kChar:
      return join_words(spaced(line, [](char32_t) { return true; }));
    case WordTokenizer::kNone:
      return join_words(line);
  }
  return {};
}

std::vector<std::string_view> split_words(std::string_view line) {
  std::vector<std::string_view> words;
  size_t begin = 0;
  for (size_t at = 0; at < line.size();) {
    const size_t here = at;
    if (!is_white_space(next_character(line, at))) continue;
    if (here > begin) words.push_back(line.substr(begin, here - begin));
    begin = at;
  }
  if (begin < line.size()) words.push_back(line.substr(begin));
  return words;
}

std::string_view trim_right(std::string_view line) {
  const std::string_view trimmed = trim(line);
  if (trimmed.empty()) return {};
  return line.substr(0, static_cast<size_t>(trimmed.data() + trimmed.size() - line.data()));
}

std::string tokenize_13a(std::string_view line) {
  std::string text;
  text.reserve(line.size() + 2);
  text.append(line);
  replace_all(text, "<skipped>", "");
  replace_all(text, "-\n", "");
  replace_all(text, "\n", " ");
  replace_entities(text);
  // The rules ask for a neighbour on each side, so the line's ends get one.
  text.insert(text.begin(), ' ');
  text.push_back(' ');
  return join_words(separate_western(text));
}

std::string tokenize_tercom(std::string_view line) {
  std::string text(line);
  replace_all(text, "\n-", "");
  replace_all(text, "\n", " ");
  replace_entities(text);
  text = separate_symbols(" " + text + " ");
  replace_all(text, "'s ", " 's ");
  return join_words(separate_marks(text));
}

}  // namespace calque
