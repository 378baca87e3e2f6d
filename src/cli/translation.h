#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/run_files.h"
#include "decode/translator.h"

namespace calque {

/// Lines that are sorted by length and translated together.
inline constexpr size_t kChunkLines = 2000;

/// What `--model` takes.
inline constexpr const char* kModelHelp =
    "The model: a run folder (its best checkpoint, else its latest), or one checkpoint folder";

/// Opens models with the number of threads that they will work with (0: all), which are used from
/// now on. Throws UserError when one cannot be opened.
std::vector<OpenedModel> open_for_decoding(const std::vector<std::string>& models, int64_t threads);

/// What the commands that translate are told about the model and the search.
struct TranslationArguments {
  std::vector<std::string> models;
  std::vector<double> ensemble_weights;
  std::optional<int64_t> beam;  // these: the first model's own setting where none is given
  std::optional<double> length_penalty;
  std::optional<double> max_length_ratio;
  std::optional<int64_t> batch_tokens;
  std::optional<int64_t> max_source;
  std::optional<int64_t> max_output;
  bool split_long_lines = false;
  std::string long_line_advice = "split it into sentences, or let --long-lines split do it";
  ConstraintOptions constraints;
  SamplingOptions sampling;
  kernels::Precision precision = kernels::Precision::kFloat32;
  int64_t samples = 1;  // of each line, where they are drawn
  int64_t threads = 0;  // 0: all that the process may use
};

/// The options of models, search and constraints, `--threads` and `--quiet`. `arguments` must live
/// as long as `command`.
void add_translation_options(CLI::App& command, TranslationArguments& arguments);

/// `--sample` and what belongs to it.
void add_sampling_options(CLI::App& command, TranslationArguments& arguments);

/// "float32", "bfloat16", "int8".
std::string_view precision_name(kernels::Precision precision);

/// Bytes at their most, by owner.
struct TranslationMemory {
  size_t parameters = 0;
  size_t prepared = 0;     // weights as the products want them
  size_t activations = 0;  // with the key-value cache
  size_t scratch = 0;
};

/// A model opened for translating, the memory that it works in, and a clock.
class TranslationSession {
 public:
  /// Called with the lines translated since the session began.
  using OnProgress = std::function<void(int64_t)>;

  /// Throws UserError when the model cannot be opened.
  explicit TranslationSession(const TranslationArguments& arguments);

  /// One line out for each line in, in order. Throws StoppedBySignal once a StopSignal that lives
  /// has noted a signal.
  std::vector<std::string> translate(std::span<const std::string> lines,
                                     const OnProgress& on_progress = {});
  /// The same with all that Translator::translate_n_best gives.
  std::vector<std::vector<Translation>> translate_n_best(const TranslationRequest& request,
                                                         const OnProgress& on_progress = {});

  /// What the search works with.
  const DecodeOptions& options() const { return translator_.options(); }
  const OpenedModel& first_model() const { return opened_.front(); }

  /// Tokens put out so far, ends counted.
  int64_t output_tokens() const { return translator_.output_tokens(); }
  /// So far.
  TranslationMemory memory() const;

  /// What translates: "runs/demo/checkpoints/step_00002000 (step 2,000, model 0123456789abcdef)",
  /// the last being the checksum of its weights; several are joined by " + ".
  std::string identity() const;

  /// "1,000 sentences, 13,456 tokens in 12.3 s: 81.3 sentences/s, 1,094 tokens/s", of all
  /// translating so far, without opening the model.
  std::string speed() const;

 private:
  std::vector<OpenedModel> opened_;
  Arena arena_;
  Workspace workspace_;
  kernels::PreparedWeights<Real> weights_;
  Translator translator_;
  int64_t lines_ = 0;
  double seconds_ = 0;

  /// Gives back the memory of a weight of one of the models that is packed.
  void discard_weight(MatrixView<const Real> weight);
};

}  // namespace calque
