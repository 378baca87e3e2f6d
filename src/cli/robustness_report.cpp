#include "cli/robustness_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace calque {
namespace {

std::string table_row(const Outcome& outcome, const Outcome* clean) {
  const auto change = [&](double now, double before) {
    return clean == nullptr ? std::string(8, ' ') : fmt::format("{:+8.2f}", now - before);
  };
  std::string row =
      fmt::format("{:<34}{:>8}{:8.2f}{}{:8.2f}{}", outcome.name, outcome.changed_lines,
                  outcome.bleu, change(outcome.bleu, clean ? clean->bleu : 0), outcome.chrf,
                  change(outcome.chrf, clean ? clean->chrf : 0));
  if (outcome.log_probability) row += fmt::format("{:14.1f}", *outcome.log_probability);
  row.erase(row.find_last_not_of(' ') + 1);
  return row + '\n';
}

nlohmann::ordered_json scores_json(const Outcome& outcome) {
  nlohmann::ordered_json json{{"bleu", outcome.bleu}, {"chrf", outcome.chrf}};
  if (outcome.log_probability) json["log_probability"] = *outcome.log_probability;
  return json;
}

nlohmann::ordered_json outcome_json(const Outcome& outcome) {
  nlohmann::ordered_json json;
  if (outcome.noise) json = {{"kind", outcome.noise->kind}, {"rate", outcome.noise->rate}};
  if (outcome.attack) {
    json = {{"kind", outcome.attack->kind},
            {"tokens", outcome.attack->tokens},
            {"replaced", outcome.attack->replaced}};
  }
  json["changed_lines"] = outcome.changed_lines;
  json.update(scores_json(outcome));
  return json;
}

nlohmann::ordered_json worst_json(const WorstSentence& sentence) {
  return {{"line", sentence.line},
          {"name", sentence.name},
          {"clean_chrf", sentence.clean_chrf},
          {"chrf", sentence.chrf},
          {"source", sentence.source},
          {"changed", sentence.changed},
          {"reference", sentence.reference},
          {"clean_translation", sentence.clean_translation},
          {"translation", sentence.translation}};
}

}  // namespace

std::string RobustnessReport::to_string() const {
  std::string text =
      fmt::format("model: {}\n\n{:<34}{:>8}{:>8}{:>8}{:>8}{:>8}{}\n", model, "", "changed", "BLEU",
                  "", "chrF", "", clean.log_probability ? "  log p(ref)" : "");
  text.erase(text.find_last_not_of(" \n") + 1);
  text += '\n' + table_row(clean, nullptr);
  for (const Outcome& outcome : outcomes) text += table_row(outcome, &clean);
  if (!worst.empty()) text += "\nThe sentences whose chrF fell most:\n";
  for (const WorstSentence& sentence : worst) {
    text += fmt::format("\nline {}, {}: chrF {:.1f} -> {:.1f}\n", sentence.line, sentence.name,
                        sentence.clean_chrf, sentence.chrf);
    text += fmt::format("  source       {}\n  changed to   {}\n  reference    {}\n",
                        sentence.source, sentence.changed, sentence.reference);
    text += fmt::format("  translation  {}\n  changed to   {}\n", sentence.clean_translation,
                        sentence.translation);
  }
  return text;
}

nlohmann::ordered_json RobustnessReport::json() const {
  auto noise = nlohmann::ordered_json::array();
  auto attacks = nlohmann::ordered_json::array();
  for (const Outcome& outcome : outcomes) {
    (outcome.attack ? attacks : noise).push_back(outcome_json(outcome));
  }
  auto sentences = nlohmann::ordered_json::array();
  for (const WorstSentence& sentence : worst) sentences.push_back(worst_json(sentence));
  return {{"model", model},
          {"clean", scores_json(clean)},
          {"noise", noise},
          {"attacks", attacks},
          {"worst", sentences}};
}

}  // namespace calque
