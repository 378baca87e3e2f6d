#include "text/words.h"

#include <algorithm>

namespace calque {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t'; }

bool begins_word(std::string_view line, size_t at) {
  return !is_space(line[at]) && (at == 0 || is_space(line[at - 1]));
}

}  // namespace

int64_t count_words(std::string_view line) {
  int64_t count = 0;
  for (size_t at = 0; at < line.size(); ++at) count += begins_word(line, at) ? 1 : 0;
  return count;
}

std::vector<int32_t> words_at(std::string_view line, std::span<const size_t> bytes) {
  std::vector<int32_t> words;
  size_t at = 0;
  int32_t begun = 0;  // words, before `at`
  for (const size_t byte : bytes) {
    for (; at < line.size() && (at <= byte || is_space(line[at - 1])); ++at) {
      if (begins_word(line, at)) ++begun;
    }
    words.push_back(std::max(begun - 1, 0));
  }
  return words;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (size_t at = 0; at < line.size(); ++at) {
    if (!begins_word(line, at)) continue;
    size_t end = at;
    while (end < line.size() && !is_space(line[end])) ++end;
    words.push_back(line.substr(at, end - at));
  }
  return words;
}

std::string without_word(std::string_view line, int64_t word) {
  const std::string_view removed = words_of(line).at(static_cast<size_t>(word));
  const auto begin = static_cast<size_t>(removed.data() - line.data());
  size_t end = begin + removed.size();
  while (end < line.size() && is_space(line[end])) ++end;
  return std::string(line.substr(0, begin)) + std::string(line.substr(end));
}

}  // namespace calque
