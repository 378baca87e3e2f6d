#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "support/catch.h"

namespace calque::test {

/// `count` sentences of 1 to 12 words out of a small lexicon with endings, the same for the same
/// `seed`.
inline std::vector<std::string> sample_sentences(int64_t count, uint64_t seed) {
  static const std::vector<std::string> kWords = {
      "the",   "old",    "house",  "stands",      "beside", "a",    "river", "and",   "sleeps",
      "Größe", "straße", "wächst", "morgen",      "nicht",  "über", "kühe",  "schön", "weil",
      "dog",   "cat",    "walks",  "translation", "seven",  "he",   "she",   "they",  "garden"};
  static const std::vector<std::string> kEndings = {"", "s", "en", "ing", "lich", "ation", "-"};
  const RandomKey key{seed, 0, 0};
  std::vector<std::string> sentences;
  uint64_t draws = 0;
  for (int64_t i = 0; i < count; ++i) {
    std::string sentence;
    for (uint64_t words = 1 + random_u64(key, draws++) % 12; words > 0; --words) {
      if (!sentence.empty()) sentence += ' ';
      sentence += kWords[random_u64(key, draws++) % kWords.size()];
      sentence += kEndings[random_u64(key, draws++) % kEndings.size()];
    }
    sentences.push_back(sentence);
  }
  return sentences;
}

inline std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// Writes a file and returns its path.
inline std::string write_text(const std::filesystem::path& path, std::string_view text) {
  write_file_atomically(path, text);
  return path.string();
}

/// The message of the UserError that `action` throws; fails the test when it throws none.
template <class Action>
std::string user_error(const Action& action) {
  try {
    action();
  } catch (const UserError& error) {
    return error.what();
  }
  FAIL("no UserError was thrown");
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  INFO("looking for: " << part);
  INFO("in: " << text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

}  // namespace calque::test
