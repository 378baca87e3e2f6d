#include "cli/attention_faithfulness.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/stopwatch.h"
#include "cli/text_output.h"

namespace calque {
namespace {

struct Names {
  const char* for_people;
  const char* for_programs;
};

constexpr std::array<Names, kRemovedWords.size()> kNames{
    {{"most attended", "attended"}, {"largest gradient", "gradient"}, {"random", "random"}}};

int64_t tokens_of(const std::vector<SentenceFaithfulness>& sentences) {
  int64_t tokens = 0;
  for (const SentenceFaithfulness& sentence : sentences) tokens += sentence.tokens;
  return tokens;
}

std::string with_error(const Estimate& estimate, double factor = 1) {
  return fmt::format("{:.2f} \u00b1 {:.2f}", factor * estimate.mean,
                     factor * estimate.standard_error);
}

}  // namespace

std::string faithfulness_table(const std::vector<SentenceFaithfulness>& sentences, int64_t lines) {
  const FaithfulnessSummary summary = summarize(sentences);
  std::string text = fmt::format("{:<18}{:>16}{:>12}{:>18}{:>18}\n{:<18}{:>16}{:>12}{:>18}{:>18}\n",
                                 "word taken out", "log-probability", "a token", "over random",
                                 "falls more", "", "falls by", "", "", "than random, %");
  for (size_t i = 0; i < kNames.size(); ++i) {
    const FaithfulnessSummary::Row& row = summary.rows[i];
    // U+00B1 has two bytes, and one column.
    text += fmt::format("{:<18}{:>17}{:>12.3f}", kNames[i].for_people, with_error(row.fall),
                        row.fall_per_token);
    if (kRemovedWords[i] != RemovedWord::kRandom) {
      text += fmt::format("{:>19}{:>19}", with_error(row.over_random),
                          with_error(row.beats_random, 100));
    }
    text += '\n';
  }
  text += fmt::format("\nattention and gradient choose the same word in {} % of the sentences\n",
                      with_error(summary.same_word, 100));
  const auto measured = std::ssize(sentences);
  text +=
      fmt::format("{}, {} of output; mean and standard error over sentences\n",
                  format_count(measured, "sentence"), format_count(tokens_of(sentences), "token"));
  if (measured < lines) {
    text += fmt::format("{} left out: fewer than two words, or too long\n",
                        format_count(lines - measured, "line"));
  }
  return text;
}

std::string faithfulness_json(const std::vector<SentenceFaithfulness>& sentences, int64_t lines,
                              const FaithfulnessOptions& options) {
  const FaithfulnessSummary summary = summarize(sentences);
  double log_probability = 0;
  for (const SentenceFaithfulness& s : sentences) log_probability += s.log_probability;
  nlohmann::ordered_json json{{"sentences", sentences.size()},
                              {"left_out", lines - std::ssize(sentences)},
                              {"tokens", tokens_of(sentences)},
                              {"log_probability", log_probability},
                              {"seed", options.seed}};
  for (size_t i = 0; i < kNames.size(); ++i) {
    const FaithfulnessSummary::Row& row = summary.rows[i];
    json["removed"].push_back({{"word", kNames[i].for_programs},
                               {"fall", row.fall.mean},
                               {"fall_standard_error", row.fall.standard_error},
                               {"fall_per_token", row.fall_per_token},
                               {"over_random", row.over_random.mean},
                               {"over_random_standard_error", row.over_random.standard_error},
                               {"beats_random", row.beats_random.mean},
                               {"beats_random_standard_error", row.beats_random.standard_error}});
  }
  json["same_word"] = summary.same_word.mean;
  json["same_word_standard_error"] = summary.same_word.standard_error;
  return json_text(json);
}

}  // namespace calque
