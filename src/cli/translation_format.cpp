#include "cli/translation_format.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/common_options.h"
#include "cli/n_best_list.h"
#include "config/visit.h"
#include "text/special_ids.h"

namespace calque {
namespace {

using Json = nlohmann::ordered_json;
using Layout = TranslationFormat::Layout;

constexpr Choice<Layout> kLayouts[] = {{"plain", Layout::kPlain}, {"json", Layout::kJson}};

using Alignment = TranslationFormat::Alignment;

constexpr Choice<Alignment> kAlignments[] = {{"hard", Alignment::kHard},
                                             {"soft", Alignment::kSoft}};

int64_t length(const Hypothesis& hypothesis) {
  return std::ssize(hypothesis.token_log_probabilities);
}

/// "0-0 1-2" with the separator in front, or nothing when none is wanted.
std::string plain_alignment(const TranslationFormat& format, const WordAlignment& alignment) {
  if (format.alignment == Alignment::kNone) return "";
  std::string text(kFieldSeparator);
  if (format.alignment == Alignment::kHard) {
    for (const auto& [source, target] : alignment.links()) {
      text += fmt::format("{}{}-{}", target > 0 ? " " : "", source, target);
    }
  } else {
    for (int64_t t = 0; t < alignment.target_words; ++t) {
      for (int64_t s = 0; s < alignment.source_words; ++s) {
        const char* const separator = s > 0 ? "," : (t > 0 ? " " : "");
        text += fmt::format("{}{:.4f}", separator, alignment.weight(t, s));
      }
    }
  }
  return text;
}

Json json_alignment(const TranslationFormat& format, const WordAlignment& alignment) {
  if (format.alignment == Alignment::kHard) return alignment.links();
  Json rows = Json::array();
  for (int64_t t = 0; t < alignment.target_words; ++t) {
    Json& row = rows.emplace_back(Json::array());
    for (int64_t s = 0; s < alignment.source_words; ++s) row.push_back(alignment.weight(t, s));
  }
  return rows;
}

std::string plain(const TranslationFormat& format, int64_t index,
                  std::span<const Translation> translations) {
  if (!format.n_best) {
    const Translation& best = translations.front();
    return best.text + plain_alignment(format, best.alignment);
  }
  std::string lines;
  for (const Translation& t : translations) {
    if (!lines.empty()) lines += '\n';
    NBestLine line{static_cast<size_t>(index), t.text, "", ""};
    add_feature(line, "log_probability", t.hypothesis.log_probability);
    line.features += fmt::format(" length= {}", length(t.hypothesis));
    line.rest = fmt::format("{:.6f}{}", t.hypothesis.score, plain_alignment(format, t.alignment));
    lines += to_string(line);
  }
  return lines;
}

Json json_of(const TranslationFormat& format, const Translation& translation,
             const Tokenizer& target) {
  const Hypothesis& h = translation.hypothesis;
  Json json{{"text", translation.text},
            {"score", h.score},
            {"log_probability", h.log_probability},
            {"length", length(h)}};
  if (format.token_scores) {
    Json pieces = Json::array();
    for (const int32_t id : h.ids) pieces.push_back(target.piece(id));
    if (length(h) > 0) pieces.push_back(target.piece(kEndId));
    json["tokens"] = std::move(pieces);
    json["token_log_probabilities"] = h.token_log_probabilities;
  }
  if (format.alignment != Alignment::kNone) {
    json["alignment"] = json_alignment(format, translation.alignment);
  }
  return json;
}

}  // namespace

void add_format_options(CLI::App& command, TranslationFormat& format) {
  add_value_option(command, "--n-best", format.n_best, Integer(1, 1000),
                   "Write the N best translations of each line, no more than the beam; plain: as "
                   "INDEX ||| TEXT ||| FEATURES ||| SCORE, with INDEX counted from 0")
      ->type_name("N");
  add_value_option(command, "--format", format.layout, OneOf<Layout>(kLayouts),
                   "plain: text; json: an object a line with text, score, log-probability and "
                   "length in tokens (default: plain)")
      ->type_name("FORMAT");
  command.add_flag("--token-scores", format.token_scores,
                   "With --format json: also the pieces and the log-probability of each, the end "
                   "of the sentence being the last");
  CLI::Option* const alignment_kind =
      add_value_option(command, "--alignment", format.alignment, OneOf<Alignment>(kAlignments),
                       "Add which word of the source each word of the translation comes from, "
                       "counted from 0, words being what spaces separate. hard: TRANSLATION ||| "
                       "0-0 1-2, as SOURCE-TARGET; soft: TRANSLATION ||| the weights of all source "
                       "words for each word")
          ->type_name("KIND");
  AlignmentOptions& alignment = format.alignment_options;
  add_value_option(command, "--alignment-layer", alignment.layer, Integer(1),
                   "The decoder's layer whose cross-attention is read, from 1 (default: the last "
                   "but one)")
      ->type_name("L")
      ->needs(alignment_kind);
  add_value_option(command, "--alignment-heads", alignment.heads, CommaList(Integer(1)),
                   "Its heads, from 1, as 1,3: their mean is taken (default: all)")
      ->type_name("H,H...")
      ->needs(alignment_kind);
}

void check_format(const TranslationFormat& format) {
  if (format.token_scores && format.layout != Layout::kJson) {
    throw UserError("--token-scores needs --format json: plain text has no place for them");
  }
}

void check_alignment(const AlignmentOptions& options, const TransformerOptions& model) {
  if (options.layer > model.decoder_layers) {
    throw UserError(
        fmt::format("--alignment-layer: expected one of the decoder's layers 1 to {}, found {}",
                    model.decoder_layers, options.layer));
  }
  for (const int64_t head : options.heads) {
    if (head <= model.heads) continue;
    throw UserError(
        fmt::format("--alignment-heads: expected some of the decoder's heads 1 to {}, found {}",
                    model.heads, head));
  }
}

std::string format_translations(const TranslationFormat& format, int64_t index,
                                std::span<const Translation> translations,
                                const Tokenizer& target) {
  if (format.layout == Layout::kPlain) return plain(format, index, translations);
  Json hypotheses = Json::array();
  for (const Translation& t : translations) hypotheses.push_back(json_of(format, t, target));
  const Json line{{"line", index + 1}, {"hypotheses", std::move(hypotheses)}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace calque
