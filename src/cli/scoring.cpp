#include "cli/scoring.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/log.h"
#include "base/stopwatch.h"
#include "base/version.h"
#include "metrics/characters.h"
#include "metrics/tokenizers.h"
#include "text/text_files.h"

namespace calque {

namespace {

void check_line_counts(const std::vector<ScoredText>& texts) {
  const ScoredText& first = texts.front();
  for (const ScoredText& other : texts) {
    if (other.lines.size() == first.lines.size()) continue;
    throw UserError(
        fmt::format("{} has {} but {} has {}; line n of one must belong to line n of the other",
                    first.name, format_count(std::ssize(first.lines), "line"), other.name,
                    format_count(std::ssize(other.lines))));
  }
  if (first.lines.empty()) {
    throw UserError(fmt::format("{} is empty: there is nothing to score", first.name));
  }
}

}  // namespace

std::vector<ScoredText> read_scored_texts(const std::vector<std::string>& paths) {
  if (std::ranges::count(paths, "-") > 1) {
    throw UserError("standard input (-) can be read once only; name files for the others");
  }
  std::vector<ScoredText> texts;
  for (const std::string& path : paths) {
    if (is_metric_name(path) && !std::filesystem::exists(path)) {
      throw UserError(fmt::format(
          "cannot open {}: No such file or directory. To score with several metrics give --metric "
          "once for each: --metric bleu --metric {}",
          path, path));
    }
    texts.push_back({path == "-" ? "standard input" : path, {}});
    TextFiles file({path});
    for (std::string line; file.next(line);) texts.back().lines.push_back(line);
  }
  check_line_counts(texts);
  return texts;
}

std::string ScoredCorpus::signature() const {
  SignatureFields fields{.version = fmt::format("calque-{}", kVersion), .references = references};
  if (drawn) {
    fields.bootstrap_samples = drawn->samples;
    fields.bootstrap_seed = drawn->seed;
  }
  return calque::signature(counts.metric(), fields);
}

ScoredCorpus score_corpus(const Metric& metric, const std::vector<std::string>& hypotheses,
                          std::span<const ScoredText> references,
                          const std::optional<BootstrapOptions>& bootstrap) {
  ScoredCorpus scored{CorpusCounts(metric), static_cast<int>(references.size()), bootstrap, {}, {}};
  std::vector<std::string> of_line(references.size());
  for (size_t line = 0; line < hypotheses.size(); ++line) {
    for (size_t i = 0; i < references.size(); ++i) {
      of_line[i] = trim_right(references[i].lines[line]);
    }
    scored.counts.add(trim_right(hypotheses[line]), of_line);
  }
  if (bootstrap) {
    scored.samples = bootstrap_scores(scored.counts, *bootstrap);
    scored.confidence = confidence(scored.samples);
  }
  return scored;
}

std::vector<ScoredCorpus> score_all(const std::vector<std::unique_ptr<Metric>>& metrics,
                                    const std::vector<std::string>& hypotheses,
                                    std::span<const ScoredText> references,
                                    const std::optional<BootstrapOptions>& bootstrap) {
  std::vector<ScoredCorpus> scores;
  for (const auto& metric : metrics) {
    scores.push_back(score_corpus(*metric, hypotheses, references, bootstrap));
  }
  return scores;
}

std::string score_report(std::span<const ScoredCorpus> scores) {
  std::string text;
  for (const ScoredCorpus& scored : scores) {
    text += format_score(scored.counts.metric(), scored.counts.sums(), scored.confidence);
    text += fmt::format("\nsignature: {}\n", scored.signature());
  }
  return text;
}

nlohmann::ordered_json score_json(std::span<const ScoredCorpus> scores) {
  auto json = nlohmann::ordered_json::array();
  for (const ScoredCorpus& scored : scores) {
    json.push_back({{"name", scored.counts.metric().name()}, {"signature", scored.signature()}});
    add_figures(json.back(), scored);
  }
  return json;
}

void add_figures(nlohmann::ordered_json& json, const ScoredCorpus& scored) {
  json["score"] = scored.counts.score();
  json["sentences"] = scored.counts.sentences();
  for (const auto& [name, value] : scored.counts.metric().figures(scored.counts.sums())) {
    json[name] = value;
  }
  if (scored.confidence) {
    json["confidence_mean"] = scored.confidence->mean;
    json["confidence_half_width"] = scored.confidence->half_width;
  }
}

void warn_of_tokenizer(const MetricArguments& arguments, std::span<const ScoredText> texts) {
  if (!is_asked_for("bleu", arguments)) return;
  constexpr double kMany = 0.3;
  const auto share_of = [](const ScoredText& text, const auto& is_such) {
    return static_cast<double>(std::ranges::count_if(text.lines, is_such)) /
           static_cast<double>(text.lines.size());
  };
  const auto ends_apart = [](const std::string& line) {
    return line.ends_with(" .") || line.ends_with(" !") || line.ends_with(" ?");
  };
  const auto has_chinese = [](const std::string& line) {
    return std::ranges::any_of(to_characters(line),
                               [](char32_t c) { return c >= 0x3040 && c <= 0x9FFF; });
  };
  const WordTokenizer tokenizer = arguments.bleu.tokenizer;
  const bool finds_words = tokenizer == WordTokenizer::k13a || tokenizer == WordTokenizer::kIntl;
  for (const ScoredText& text : texts) {
    if (finds_words && share_of(text, ends_apart) > kMany) {
      log::warning(
          "{}: this text looks tokenised (its full stops stand apart): score detokenised text, or "
          "use --tokenize none",
          text.name);
    } else if ((finds_words || tokenizer == WordTokenizer::kNone) &&
               share_of(text, has_chinese) > kMany) {
      log::warning(
          "{}: this text is Chinese or Japanese, without spaces between words: use --tokenize zh "
          "or char",
          text.name);
    }
  }
}

}  // namespace calque
