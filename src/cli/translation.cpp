#include "cli/translation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "base/parallel.h"
#include "base/stop_signal.h"
#include "base/stopwatch.h"
#include "cli/common_options.h"
#include "config/visit.h"

namespace calque {
namespace {

constexpr Choice<kernels::Precision> kTranslatingPrecisions[] = {
    {"float32", kernels::Precision::kFloat32},
    {"bfloat16", kernels::Precision::kBfloat16},
    {"int8", kernels::Precision::kInt8}};

}  // namespace

std::string_view precision_name(kernels::Precision precision) {
  return std::ranges::find(kTranslatingPrecisions, precision, &Choice<kernels::Precision>::value)
      ->name;
}

namespace {

DecodeOptions decode_options(const RunConfig& config, const TranslationArguments& arguments) {
  DecodeOptions options = config.validation.decode;
  options.beam = arguments.beam.value_or(options.beam);
  options.length_penalty = arguments.length_penalty.value_or(options.length_penalty);
  options.max_length_ratio = arguments.max_length_ratio.value_or(options.max_length_ratio);
  options.batch_tokens = arguments.batch_tokens.value_or(options.batch_tokens);
  log::info("beam {}, length penalty {}, max length ratio {}, {}, {}", options.beam,
            options.length_penalty, options.max_length_ratio, precision_name(arguments.precision),
            format_count(threads(), "thread"));
  if (arguments.precision == kernels::Precision::kBfloat16 &&
      kernels::bfloat16_unit() == kernels::Bfloat16Unit::kFloat32) {
    log::warning(
        "--precision bfloat16: there is no unit for it here, so it is rounded to, but slower than "
        "float32");
  }
  return options;
}

/// The model is opened with the number of threads that will translate.
OpenedModel open_with_threads(const TranslationArguments& arguments) {
  use_threads(arguments.threads);
  OpenedModel opened = open_model(arguments.model);
  log::info("translating with {}", opened.checkpoint.string());
  return opened;
}

}  // namespace

void add_translation_options(CLI::App& command, TranslationArguments& arguments) {
  const std::string models_own = " (default: as the model's config says in `validation`)";
  command
      .add_option("--model", arguments.model,
                  "The model: a run folder (its best checkpoint, else its latest), or one "
                  "checkpoint folder")
      ->type_name("DIR")
      ->required();
  add_value_option(command, "--beam", arguments.beam, kBeam,
                   "Translations that are followed side by side; 1 is greedy search" + models_own)
      ->type_name("N");
  add_value_option(command, "--length-penalty", arguments.length_penalty, kLengthPenalty,
                   "The search ranks by log-probability / length^A: more than the default favours "
                   "longer translations, 0 short ones" +
                       models_own)
      ->type_name("A");
  add_value_option(command, "--max-length-ratio", arguments.max_length_ratio, kMaxLengthRatio,
                   "A translation ends at R times the source's tokens + 10" + models_own)
      ->type_name("R");
  add_value_option(command, "--precision", arguments.precision,
                   OneOf<kernels::Precision>(kTranslatingPrecisions),
                   "What the weights, and what they are multiplied with, are rounded to: float32, "
                   "bfloat16 or int8")
      ->type_name("NAME")
      ->default_str("float32");
  add_threads_option(command, arguments.threads);
  add_quiet_option(command);
}

TranslationSession::TranslationSession(const TranslationArguments& arguments)
    : opened_(open_with_threads(arguments)),
      options_(decode_options(opened_.config, arguments)),
      workspace_(threads()),
      weights_(arguments.precision,
               [this](MatrixView<const Real> weight) { opened_.model->discard_weight(weight); }),
      translator_(*opened_.model, opened_.tokenizers, options_, arena_, workspace_, &weights_) {}

std::vector<std::string> TranslationSession::translate(std::span<const std::string> lines,
                                                       const OnProgress& on_progress) {
  const StopSignal stop;
  const Stopwatch watch;
  std::vector<std::string> translations = translator_.translate(lines, [&](int64_t done) {
    if (stop.received() != 0) throw StoppedBySignal{stop.received()};
    if (on_progress) on_progress(lines_ + done);
  });
  lines_ += static_cast<int64_t>(lines.size());
  seconds_ += watch.seconds();
  return translations;
}

TranslationMemory TranslationSession::memory() const {
  return {opened_.model->parameters().values().size_bytes(), weights_.bytes(), arena_.peak(),
          workspace_.peak()};
}

std::string TranslationSession::identity() const {
  const CheckpointState state = Checkpoint(opened_.checkpoint).state();
  return fmt::format("{} (step {}, model {:016x})", opened_.checkpoint.string(),
                     format_count(state.step), state.files.at(kModelFile).hash);
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
