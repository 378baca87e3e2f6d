#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace calque {

/// The scores of a text's translations: as it stands, with noise, or under attack.
struct Outcome {
  /// A kind of noise, and its rate.
  struct Noise {
    std::string kind;
    double rate = 0;
  };
  /// How tokens were chosen, how many of each sentence, and how many were replaced in all.
  struct Attack {
    std::string kind;
    int64_t tokens = 0;
    int64_t replaced = 0;
  };

  std::string name;
  std::optional<Noise> noise;
  std::optional<Attack> attack;
  int64_t changed_lines = 0;
  double bleu = 0;
  double chrf = 0;
  std::optional<double> log_probability;  // of all references, where it was asked for
};

/// A sentence whose translation got worse, where it got worst.
struct WorstSentence {
  int64_t line = 0;  // 1-based
  std::string name;  // of the outcome
  double clean_chrf = 0;
  double chrf = 0;
  std::string source;
  std::string changed;
  std::string reference;
  std::string clean_translation;
  std::string translation;

  double drop() const { return clean_chrf - chrf; }
};

/// What `calque robustness` found.
struct RobustnessReport {
  std::string model;
  Outcome clean;
  std::vector<Outcome> outcomes;
  std::vector<WorstSentence> worst;  // the worst first

  /// A table, and the worst sentences below.
  std::string to_string() const;
  /// "model"; "clean" with "bleu", "chrf" and "log_probability"; "noise" and "attacks", a list
  /// each, with what was done besides; "worst".
  nlohmann::ordered_json json() const;
};

}  // namespace calque
