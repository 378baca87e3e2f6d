#include "cli/translation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/log.h"
#include "base/parallel.h"
#include "base/stop_signal.h"
#include "base/stopwatch.h"
#include "cli/common_options.h"
#include "config/visit.h"

namespace calque {
namespace {

constexpr Choice<bool> kUnknownPolicies[] = {{"allow", true}, {"forbid", false}};
constexpr Choice<bool> kLongLines[] = {{"cut", false}, {"split", true}};
constexpr Choice<kernels::Precision> kTranslatingPrecisions[] = {
    {"float32", kernels::Precision::kFloat32},
    {"bfloat16", kernels::Precision::kBfloat16},
    {"int8", kernels::Precision::kInt8}};

DecodeOptions decode_options(const RunConfig& config, const TranslationArguments& arguments) {
  DecodeOptions options = config.validation.decode;
  options.beam = arguments.beam.value_or(options.beam);
  options.length_penalty = arguments.length_penalty.value_or(options.length_penalty);
  options.max_length_ratio = arguments.max_length_ratio.value_or(options.max_length_ratio);
  options.batch_tokens = arguments.batch_tokens.value_or(options.batch_tokens);
  options.max_source = arguments.max_source.value_or(options.max_source);
  options.max_output = arguments.max_output.value_or(options.max_output);
  options.split_long_lines = arguments.split_long_lines;
  options.long_line_advice = arguments.long_line_advice;
  options.constraints = arguments.constraints;
  options.sampling = arguments.sampling;
  if (options.sampling.on) options.beam = arguments.samples;
  const std::string search =
      options.sampling.on
          ? fmt::format("drawing {} of each line with seed {}, temperature {}",
                        format_count(options.beam, "translation"), options.sampling.seed,
                        options.sampling.temperature)
          : fmt::format("beam {}, length penalty {}", options.beam, options.length_penalty);
  log::info("{}, max length ratio {}, {}, {}", search, options.max_length_ratio,
            precision_name(arguments.precision), format_count(threads(), "thread"));
  if (arguments.precision == kernels::Precision::kBfloat16 &&
      kernels::bfloat16_unit() == kernels::Bfloat16Unit::kFloat32) {
    log::warning(
        "--precision bfloat16: there is no unit for it here, so it is rounded to, but slower than "
        "float32");
  }
  return options;
}

/// What differs between two vocabularies, for a message.
std::string vocabulary_difference(const Tokenizer& first, const Tokenizer& second) {
  if (first.size() != second.size()) {
    return fmt::format("one has {} pieces, the other {}", format_count(first.size()),
                       format_count(second.size()));
  }
  for (int32_t id = 0; id < static_cast<int32_t>(first.size()); ++id) {
    if (first.piece(id) == second.piece(id)) continue;
    return fmt::format("piece {} is {} in one and {} in the other", id, first.piece(id),
                       second.piece(id));
  }
  return "their pieces are the same, but not their scores or their normalisation";
}

void check_same_vocabularies(const OpenedModel& first, const OpenedModel& second) {
  const auto check = [&](const char* side, const Tokenizer& a, const Tokenizer& b) {
    if (a.serialized() == b.serialized()) return;
    throw UserError(fmt::format(
        "{} and {} cannot translate together: their {} vocabularies differ ({}); train models for "
        "an ensemble with one vocabulary (vocabulary.path)",
        first.checkpoint.string(), second.checkpoint.string(), side, vocabulary_difference(a, b)));
  };
  check("source", first.tokenizers.source(), second.tokenizers.source());
  check("target", first.tokenizers.target(), second.tokenizers.target());
}

/// `weights`: empty, or one for each model.
Ensemble make_ensemble(const std::vector<OpenedModel>& opened, const std::vector<double>& weights) {
  if (!weights.empty() && weights.size() != opened.size()) {
    throw UserError(fmt::format("--ensemble-weights: expected {}, one for each --model, found {}",
                                format_count(std::ssize(opened), "number"), weights.size()));
  }
  std::vector<Ensemble::Member> members;
  for (size_t i = 0; i < opened.size(); ++i) {
    check_same_vocabularies(opened.front(), opened[i]);
    members.push_back({opened[i].model.get(), weights.empty() ? 1 : weights[i]});
  }
  return Ensemble(std::move(members));
}

}  // namespace

std::string_view precision_name(kernels::Precision precision) {
  return std::ranges::find(kTranslatingPrecisions, precision, &Choice<kernels::Precision>::value)
      ->name;
}

std::vector<OpenedModel> open_for_decoding(const std::vector<std::string>& models,
                                           int64_t threads) {
  use_threads(threads);
  std::vector<OpenedModel> opened;
  for (const std::string& model : models) {
    opened.push_back(open_model(model));
    log::info("using {}", opened.back().checkpoint.string());
  }
  return opened;
}

void add_translation_options(CLI::App& command, TranslationArguments& arguments) {
  const std::string models_own = " (default: as the model's config says in `validation`)";
  command
      .add_option("--model", arguments.models,
                  std::string(kModelHelp) +
                      "; several times: models of one vocabulary that translate together")
      ->type_name("DIR")
      ->allow_extra_args(false)
      ->required();
  add_value_option(command, "--ensemble-weights", arguments.ensemble_weights,
                   CommaList(Number::above(0)),
                   "How much each --model counts in the mean of their probabilities, as 2,1,1 "
                   "(default: all the same)")
      ->type_name("W,W...");
  add_value_option(command, "--beam", arguments.beam, kBeam,
                   "Translations that are followed side by side; 1 is greedy search" + models_own)
      ->type_name("N");
  add_value_option(command, "--length-penalty", arguments.length_penalty, kLengthPenalty,
                   "The search ranks by log-probability / length^A: more than the default favours "
                   "longer translations, 0 short ones" +
                       models_own)
      ->type_name("A");
  add_value_option(
      command, "--max-length-ratio", arguments.max_length_ratio, kMaxLengthRatio,
      "A translation ends at R times the source's tokens + 10, behind a prefix" + models_own)
      ->type_name("R");
  add_value_option(command, "--min-length", arguments.constraints.min_length, kCountOrNone,
                   "Fewest tokens of a translation, its end counted, where the limits above and "
                   "below allow as many (default: 0)")
      ->type_name("N");
  add_value_option(command, "--max-length", arguments.max_output, kCount,
                   "Most tokens of a translation, its end counted (default: the ratio decides)")
      ->type_name("N");
  add_value_option(command, "--no-repeat-ngram", arguments.constraints.no_repeat_ngram,
                   kCountOrNone,
                   "No N tokens in a row occur twice in a translation; 0: they may (default: 0)")
      ->type_name("N");
  add_value_option(command, "--unknown", arguments.constraints.allow_unknown,
                   OneOf<bool>(kUnknownPolicies),
                   "Whether a translation may hold the piece for unknown text, which reads "
                   "\u2047: allow or forbid (default: allow)")
      ->type_name("POLICY");
  add_value_option(command, "--max-source-length", arguments.max_source, Integer(2),
                   "Most tokens of a line to translate, its end counted, but no more than "
                   "validation.max_length of the model's config, the default")
      ->type_name("N");
  add_value_option(command, "--long-lines", arguments.split_long_lines, OneOf<bool>(kLongLines),
                   "What is done with longer ones, with a warning: cut, or split them behind "
                   "punctuation and join the translations of the parts, each of which keeps the "
                   "limits and constraints above for itself (default: cut)")
      ->type_name("POLICY");
  add_value_option(command, "--batch-tokens", arguments.batch_tokens, kCount,
                   "Bound of source tokens times beam of what is translated together; no result "
                   "depends on it" +
                       models_own)
      ->type_name("N");
  add_value_option(command, "--precision", arguments.precision,
                   OneOf<kernels::Precision>(kTranslatingPrecisions),
                   "What the weights, and what they are multiplied with, are rounded to: float32, "
                   "bfloat16 or int8")
      ->type_name("NAME")
      ->default_str("float32");
  add_threads_option(command, arguments.threads);
  add_quiet_option(command);
}

void add_sampling_options(CLI::App& command, TranslationArguments& arguments) {
  SamplingOptions& sampling = arguments.sampling;
  CLI::Option* const sample = command.add_flag(
      "--sample", sampling.on,
      "Draw translations at random as likely as the model finds them, in place of the search; "
      "with --n-best N, N of each line, in the order in which they were drawn");
  add_value_option(command, "--temperature", sampling.temperature, Number::above(0),
                   "Draws are likelier to be likely below 1, more even above (default: 1)")
      ->type_name("T")
      ->needs(sample);
  add_value_option(command, "--top-k", sampling.top_k, kCountOrNone,
                   "Draw each token from the K likeliest alone; 0: from all (default: 0)")
      ->type_name("K")
      ->needs(sample);
  add_value_option(command, "--top-p", sampling.top_p, Number::above(0, 1),
                   "Draw each token from the fewest that have probability P together (default: 1)")
      ->type_name("P")
      ->needs(sample);
  add_value_option(command, "--seed", sampling.seed, Integer(0),
                   "Another seed gives other draws. A draw depends on it, on the line's number and "
                   "on the text, on nothing else (default: 1)")
      ->type_name("N")
      ->needs(sample);
}

TranslationSession::TranslationSession(const TranslationArguments& arguments)
    : opened_(open_for_decoding(arguments.models, arguments.threads)),
      workspace_(threads()),
      weights_(arguments.precision, kernels::Float32Unit::kVectors,
               [this](MatrixView<const Real> weight) { discard_weight(weight); }),
      translator_(make_ensemble(opened_, arguments.ensemble_weights), opened_.front().tokenizers,
                  decode_options(opened_.front().config, arguments), arena_, workspace_,
                  &weights_) {}

void TranslationSession::discard_weight(MatrixView<const Real> weight) {
  for (OpenedModel& opened : opened_) {
    const std::span<const Real> values = opened.model->parameters().values();
    const bool owned = weight.data >= values.data() && weight.data < values.data() + values.size();
    if (owned) opened.model->discard_weight(weight);
  }
}

std::vector<std::string> TranslationSession::translate(std::span<const std::string> lines,
                                                       const OnProgress& on_progress) {
  return best_texts(translate_n_best({lines}, on_progress));
}

std::vector<std::vector<Translation>> TranslationSession::translate_n_best(
    const TranslationRequest& request, const OnProgress& on_progress) {
  const Stopwatch watch;
  auto translations = translator_.translate_n_best(request, [&](int64_t done) {
    throw_if_stopped();
    if (on_progress) on_progress(lines_ + done);
  });
  lines_ += std::ssize(request.lines);
  seconds_ += watch.seconds();
  return translations;
}

TranslationMemory TranslationSession::memory() const {
  size_t parameters = 0;
  for (const OpenedModel& opened : opened_) {
    parameters += opened.model->parameters().values().size_bytes();
  }
  return {parameters, weights_.bytes(), arena_.peak(), workspace_.peak()};
}

std::string TranslationSession::identity() const {
  std::string all;
  for (const OpenedModel& opened : opened_) {
    const CheckpointState state = Checkpoint(opened.checkpoint).state();
    all += fmt::format("{}{} (step {}, model {:016x})", all.empty() ? "" : " + ",
                       opened.checkpoint.string(), format_count(state.step),
                       state.files.at(kModelFile).hash);
  }
  return all;
}

std::string TranslationSession::speed() const {
  const auto tokens = static_cast<double>(translator_.output_tokens());
  const double seconds = std::max(seconds_, 1e-9);
  return fmt::format(
      "{}, {} in {}: {:.1f} sentences/s, {} tokens/s", format_count(lines_, "sentence"),
      format_count(translator_.output_tokens(), "token"), format_duration(seconds_),
      static_cast<double>(lines_) / seconds, format_count(std::llround(tokens / seconds)));
}

}  // namespace calque
