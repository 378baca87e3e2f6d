#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "decode/translator.h"

namespace calque {

/// How translations are written out.
struct TranslationFormat {
  enum class Layout { kPlain, kJson };
  Layout layout = Layout::kPlain;
  std::optional<int64_t> n_best = {};  // none: the best alone
  bool token_scores = false;
  enum class Alignment { kNone, kHard, kSoft };
  Alignment alignment = Alignment::kNone;
  AlignmentOptions alignment_options = {};

  int64_t most() const { return n_best.value_or(1); }
};

/// `--n-best`, `--format`, `--token-scores`, `--alignment...`. `format` must live as long as
/// `command`.
void add_format_options(CLI::App& command, TranslationFormat& format);

/// Throws UserError for options that do not go together.
void check_format(const TranslationFormat& format);

/// Throws UserError for a layer or a head that the model does not have.
void check_alignment(const AlignmentOptions& options, const TransformerOptions& model);

/// What is written for one line of text, without the last '\n'. `index`: the line's number from 0;
/// `target`: what knows the pieces.
///   plain: the translation; with n-best a line for each, in the layout of Moses:
///          "0 ||| text ||| log_probability= -3.2 length= 7 ||| -0.457", the last being the score
///          An alignment stands behind it all: " ||| 0-0 1-2", SOURCE-TARGET; soft: for each word
///          of the translation the weights of all words of the source, " ||| 0.9,0.1 0.2,0.8"
///   JSON:  one object, {"line": 1, "hypotheses": [{"text", "score", "log_probability", "length"},
///          ...]}, with the end of sentence counted in "length"; "alignment" holds pairs, or rows
std::string format_translations(const TranslationFormat& format, int64_t index,
                                std::span<const Translation> translations, const Tokenizer& target);

}  // namespace calque
