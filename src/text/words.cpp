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

}  // namespace calque
