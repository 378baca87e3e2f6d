#include "support/tiny_corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <sstream>

#include "base/file.h"

namespace calque::test {
namespace {

constexpr std::string_view kSourceConsonants = "bdfgk";
constexpr std::string_view kTargetConsonants = "lmnpr";
constexpr std::string_view kVowels = "aeiouy";

std::string target_word(const std::string& source) {
  return {kTargetConsonants[kSourceConsonants.find(source[0])], source[1]};
}

constexpr const char kConfig[] = R"(seed: 7
data:
  train: {{source: {0}/train.source, target: {0}/train.target}}
  validation: {{source: {0}/validation.source, target: {0}/validation.target}}
  max_length: 32
vocabulary: {{size: 60}}
model:
  size: 16
  heads: 2
  hidden: 32
  encoder: {{layers: 1}}
  decoder: {{layers: 1}}
train:
  max_steps: 24
  batch_tokens: 128
  log_every: 5
  validate_every: 10
  save_every: 10
  learning_rate: 0.01
  warmup_steps: 10
  best_metric: loss
validation: {{beam: 2, samples: 2}}
)";

}  // namespace

std::string tiny_translation(const std::string& source) {
  std::istringstream words(source);
  std::string translation;
  for (std::string word; words >> word;) {
    translation = target_word(word) + (translation.empty() ? "" : " ") + translation;
  }
  return translation;
}

std::vector<std::string> tiny_sentences(int count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::string> sentences;
  for (int i = 0; i < count; ++i) {
    std::string sentence;
    for (auto words = 2 + random() % 6; words > 0; --words) {
      if (!sentence.empty()) sentence += ' ';
      sentence += kSourceConsonants[random() % kSourceConsonants.size()];
      sentence += kVowels[random() % kVowels.size()];
    }
    sentences.push_back(sentence);
  }
  return sentences;
}

TinyCorpus::TinyCorpus() {
  write_pairs("train", 300, 1);
  write_pairs("validation", 20, 2);
  write_file_atomically(config(), fmt::format(kConfig, folder_.path().string()));
}

void TinyCorpus::write_pairs(const std::string& name, int count, unsigned seed) const {
  std::string source;
  std::string target;
  for (const std::string& sentence : tiny_sentences(count, seed)) {
    source += sentence + "\n";
    target += tiny_translation(sentence) + "\n";
  }
  write_file_atomically(*this / (name + ".source"), source);
  write_file_atomically(*this / (name + ".target"), target);
}

void TinyCorpus::append(const std::string& name, const std::string& source,
                        const std::string& target) const {
  for (const auto& [side, line] : {std::pair(".source", source), std::pair(".target", target)}) {
    const std::filesystem::path file = *this / (name + side);
    write_file_atomically(file, read_file(file) + line + "\n");
  }
}

std::vector<std::string> TinyCorpus::train(const std::string& run,
                                           const std::vector<std::string>& more) const {
  std::vector<std::string> arguments{"train", config(), "--run", path(run)};
  if (std::find(more.begin(), more.end(), "--threads") == more.end()) {
    arguments.insert(arguments.end(), {"--threads", "1"});
  }
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<std::string> set(const std::vector<std::string>& assignments) {
  std::vector<std::string> arguments;
  for (const std::string& assignment : assignments) {
    arguments.insert(arguments.end(), {"--set", assignment});
  }
  return arguments;
}

}  // namespace calque::test
