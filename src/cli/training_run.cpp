#include "cli/training_run.h"

#include <algorithm>

#include "base/build_info.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/parallel.h"
#include "base/profile.h"
#include "base/scratch_folder.h"
#include "base/version.h"
#include "checkpoint/run_checkpoints.h"
#include "cli/borrowed_vocabulary.h"
#include "cli/teacher.h"
#include "cli/teacher_folder.h"
#include "config/data_files.h"
#include "config/rules.h"
#include "config/run_files.h"
#include "kernels/gemm.h"
#include "train/memory_estimate.h"

namespace calque {
namespace {

bool has_validation(const RunConfig& config) { return !config.data.validation.source.empty(); }

/// The text of a run, opened: vocabulary and tokenised corpora.
struct RunData {
  TokenizerPair tokenizers;
  ParallelCorpus train;
  std::optional<ParallelCorpus> validation;
};

/// Makes what is missing in `folder`; a token cache in `borrowed` is used too, but not written.
/// `text`: what the vocabulary is made of.
RunData open_data(const RunConfig& config, const ParallelFiles& text,
                  const std::optional<Checkpoint>& checkpoint, const RunFolder& folder,
                  const std::filesystem::path& borrowed = {}) {
  TokenizerPair tokenizers =
      checkpoint ? load_tokenizers(*checkpoint)
                 : load_or_train_vocabulary(config.vocabulary, folder.path(), text.source,
                                            text.target, config.seed, config.data.lines);
  Variation(config.data, tokenizers);  // refuses what they do not allow, before text is read
  const auto open = [&](const char* name, const ParallelFiles& files) {
    return ParallelCorpus(name, files, config.data, tokenizers, folder.cache_folder(), borrowed);
  };
  ParallelCorpus train = open("train", config.data.train);
  std::optional<ParallelCorpus> validation;
  if (has_validation(config)) validation = open("validation", config.data.validation);
  return {std::move(tokenizers), std::move(train), std::move(validation)};
}

RunData open_data_until_stopped(const RunConfig& config, const ParallelFiles& text,
                                const std::optional<Checkpoint>& checkpoint,
                                const RunFolder& folder) {
  try {
    return open_data(config, text, checkpoint, folder);
  } catch (const StoppedBySignal&) {
    log::info("stopped by a signal before training; the same command goes on from there");
    throw;
  }
}

std::optional<Validator> make_validator(const RunConfig& config, const RunData& data,
                                        Transformer& model) {
  if (!data.validation) return std::nullopt;
  return Validator(model, data.tokenizers, *data.validation, config.data.validation,
                   config.validation, config.train, config.data.lines);
}

CorpusRecord corpus_record(const ParallelCorpus& corpus) {
  return {corpus.fingerprint(), corpus.size(), corpus.files()};
}

/// Refuses to go on over other tokens than the run has seen; that files and config are the same was
/// checked before.
void check_same_corpus(const CheckpointState& before, const CorpusRecord& now) {
  if (before.corpus.fingerprint == now.fingerprint) return;
  throw UserError(fmt::format(
      "the training text gives other tokens than when this run was started: Calque {}, which "
      "started it, read it otherwise. Go on with that version, choose another folder with --run, "
      "or start over with --fresh",
      before.calque_version));
}

/// What multiplies, and a warning where bfloat16 is no gain.
void describe_precision(kernels::Precision precision) {
  log::info("precision: {}", kernels::precision_in_use(precision));
  if (precision != kernels::Precision::kBfloat16 ||
      kernels::bfloat16_unit() != kernels::Bfloat16Unit::kFloat32) {
    return;
  }
  log::warning(
      "train.precision: bfloat16 will be slow: {}. train.precision: float32 is faster here",
      kernels::gemm_engine() == kernels::GemmEngine::kCalque
          ? "this processor, or the compiler's flags, lack AVX512_BF16 and AMX"
          : "only Calque's own engine multiplies bfloat16 numbers (unset CALQUE_GEMM)");
}

/// Returns the bytes of memory that are available.
double describe_machine() {
  const double memory = available_memory();
  log::info("Calque {}: {}, {}, {}", kVersion, kernels::gemm_engine_name(kernels::gemm_engine()),
            instruction_set(), format_count(threads(), "thread"));
  log::info("machine: {}, {} allowed, {} of memory available", processor_name(),
            format_count(available_processors(), "processor"),
            memory > 0 ? format_bytes(memory) : "an unknown amount");
  return memory;
}

void describe_config(const RunConfig& config) {
  log::info("config {}: seed {}", config.name, config.seed);
  describe_precision(config.train.precision);
  for (const auto& [key, value, wanted] : settings_without_effect(config.model)) {
    log::warning("{}: {} has no effect without {}", key, value, wanted);
  }
}

/// `memory`: bytes available; 0 where that is unknown.
void describe_model(const RunConfig& config, const Transformer& model, const RunData& data,
                    double memory) {
  const TransformerOptions& m = config.model;
  const int64_t count = model.parameters().count();
  log::info("model: {}+{} layers, model {}, hidden {}, {}, vocabulary {}+{}: {}", m.encoder_layers,
            m.decoder_layers, m.model, m.hidden, format_count(m.heads, "head"),
            model.source_vocab(), model.target_vocab(), format_count(count, "parameter"));
  MemoryEstimate estimate =
      estimate_memory(m, config.train, count, model.target_vocab(), data.train);
  if (data.validation) {
    estimate.decoding =
        estimate_decoding(m, config.validation.decode, model.target_vocab(), *data.validation);
  }
  log::info("memory, estimated: {}", estimate.to_string());
  if (memory > 0 && estimate.total() > memory) {
    log::warning(
        "training will need about {} of memory, but {} is available. Lower train.batch_tokens (and "
        "raise train.accumulate to make up for it), or validation.batch_tokens",
        format_bytes(estimate.total()), format_bytes(memory));
  }
}

/// Some real updates, to say what all of them will take. Nothing is saved.
void time_updates(const RunConfig& config, Trainer& trainer) {
  constexpr int kWarmUp = 1;
  constexpr int kTimed = 3;
  for (int i = 0; i < kWarmUp; ++i) trainer.update();
  profile::reset();
  const Stopwatch watch;
  const double epochs_before = trainer.epochs();
  int64_t tokens = 0;
  for (int i = 0; i < kTimed; ++i) {
    const UpdateResult result = trainer.update();
    tokens += result.source_tokens + result.target_tokens;
  }
  const double per_update = watch.seconds() / kTimed;
  const double per_epoch = kTimed / (trainer.epochs() - epochs_before);
  log::info("memory, measured: activations {}, their gradients {}, scratch {}",
            format_bytes(static_cast<double>(trainer.learner().activation_bytes())),
            format_bytes(static_cast<double>(trainer.learner().gradient_bytes())),
            format_bytes(static_cast<double>(trainer.learner().scratch_bytes())));
  log::info("speed, measured over {} updates: {} tokens/s (source + target), {} an update", kTimed,
            format_count(std::llround(static_cast<double>(tokens) / watch.seconds())),
            format_duration(per_update));
  log::info("an epoch is about {}; {} would take about {}, without validation",
            format_count(std::llround(per_epoch), "update"),
            format_count(config.train.max_steps, "update"),
            format_duration(per_update * static_cast<double>(config.train.max_steps)));
}

/// And starts anew: a run has a table of its own behind its teacher's.
void report_profile() {
  if (profile::enabled()) log::info("where the time went:\n{}", profile::table());
  profile::reset();
}

/// The checkpoint of `train.initial_model`, where a run begins.
std::optional<Checkpoint> open_initial_model(const RunConfig& config) {
  if (config.train.initial_model.empty()) return std::nullopt;
  try {
    return Checkpoint(resolve_model_folder(config.train.initial_model));
  } catch (const UserError& error) {
    throw UserError(fmt::format("train.initial_model: {}", error.what()));
  }
}

/// The weights that a run begins with.
std::unique_ptr<Transformer> make_model(const RunConfig& config, const TokenizerPair& tokenizers,
                                        const std::optional<Checkpoint>& initial) {
  auto model = std::make_unique<Transformer>(config.model, tokenizers.source().size(),
                                             tokenizers.target().size(), /*inference=*/false);
  model->parameters().initialize(config.seed);
  if (initial) {
    load_initial_model(*initial, config, tokenizers, *model);
    log::info("weights from {} (train.initial_model)", initial->folder().string());
  }
  return model;
}

/// The checkpoint that training goes on from, if the folder holds a run; it is checked to be one of
/// this config and text.
std::optional<Checkpoint> open_checkpoint(const RunConfig& config, const ParallelFiles& text,
                                          const std::filesystem::path& run_path) {
  const auto found = find_resumable_checkpoint(run_path);
  if (!found) return std::nullopt;
  log::info("{} holds a run: going on from {}", run_path.string(), found->string());
  Checkpoint checkpoint(*found);
  check_resumable(checkpoint, config, text, run_path);
  return checkpoint;
}

/// "all 24 steps (train.max_steps) are done", of a run that has come to its end or was past it.
std::string describe_end(int64_t step, int64_t max_steps) {
  return step == max_steps
             ? fmt::format("all {} steps (train.max_steps) are done", step)
             : fmt::format("the run is at step {} and train.max_steps is {}", step, max_steps);
}

/// Why a run that stands at `state` has nothing left to do, and what to do then; empty when it has.
std::string why_done(const CheckpointState& state, const RunConfig& config) {
  if (has_validation(config) && is_validation_due(state, config.train)) return "";
  const int64_t steps = config.train.max_steps;
  if (state.step >= steps) {
    return describe_end(state.step, steps) +
           ". A larger train.max_steps goes on; --fresh starts over";
  }
  if (!is_patience_over(state, config.train)) return "";
  return fmt::format(
      "the last {} found nothing better and train.patience is {}. A larger train.patience, or 0 "
      "for no such end, goes on; --fresh starts over",
      format_count(state.validations_without_best, "validation"), config.train.patience);
}

/// `options`: as the user gave them.
void report_end(StopReason reason, const Trainer& trainer, const RunFolder& folder,
                const TrainOptions& options, const StopSignal& stop) {
  const std::string where = folder.path().string();
  switch (reason) {
    case StopReason::kSignal:
      log::info("stopped by a signal at step {}; the same command goes on from there",
                trainer.step());
      throw StoppedBySignal{stop.received()};
    case StopReason::kMaxMinutes:
      log::info(
          "the {:g} minutes of this call (train.max_minutes) are over at step {}; the same command "
          "goes on from there for as long again",
          options.max_minutes, trainer.step());
      break;
    case StopReason::kPatience:
      log::info("the last {} were no better than the best (train.patience): done at step {}",
                format_count(trainer.state().validations_without_best, "validation"),
                trainer.step());
      break;
    case StopReason::kMaxSteps:
      log::info("{}", describe_end(trainer.step(), options.max_steps));
      break;
  }
  if (trainer.state().best) {
    log::info("best: step {}, {:.4g}", trainer.state().best->step, trainer.state().best->value);
  }
  log::info("translate with: calque translate --model {}", where);
}

}  // namespace

StopReason train_in(const RunFolder& folder, const RunConfig& kept, const RunConfig& effective,
                    const StopSignal& stop) {
  const RunConfig& config = effective;
  const double memory = describe_machine();
  describe_config(config);
  const std::optional<Checkpoint> checkpoint =
      open_checkpoint(kept, config.data.train, folder.path());
  throw_if_stopped();
  if (checkpoint) {
    if (const std::string why = why_done(checkpoint->state(), config); !why.empty()) {
      log::info("nothing left to do: {}", why);
      return StopReason::kMaxSteps;
    }
  }
  const std::optional<Checkpoint> initial = checkpoint ? std::nullopt : open_initial_model(config);
  const RunData data = open_data_until_stopped(config, kept.data.train, checkpoint, folder);
  const CorpusRecord record = corpus_record(data.train);
  if (checkpoint) check_same_corpus(checkpoint->state(), record);
  write_file_atomically(folder.config_file(), to_yaml(kept));

  const auto model = make_model(config, data.tokenizers, initial);
  describe_model(config, *model, data, memory);
  std::optional<Validator> validator = make_validator(config, data, *model);
  const auto variation = make_variation(config.data, data.tokenizers);
  Trainer trainer(config.train,
                  {*model, data.train, validator ? &*validator : nullptr, folder, config.seed,
                   checkpoint_texts(kept, data.tokenizers), record, variation.get()});
  if (checkpoint) {
    trainer.resume(*checkpoint);
  } else {
    folder.cut_metrics(-1, -1);  // of a run that was killed before its first checkpoint
    folder.cut_skipped({});
  }
  const StopReason reason = trainer.train(stop);
  report_profile();
  report_end(reason, trainer, folder, kept.train, stop);
  return reason;
}

void spend_minutes(TrainOptions& options, const Stopwatch& watch) {
  double& minutes = options.max_minutes;
  if (minutes > 0) minutes = std::max(minutes - watch.seconds() / 60, 1e-9);  // 0: no limit
}

void train_run(const RunConfig& config, const std::filesystem::path& run_path, bool fresh) {
  const Stopwatch watch;
  check_data_files(config.data);
  const bool has_teacher = config.train.teacher_steps > 0;
  if (fresh ||
      (list_checkpoints(run_path).empty() && list_checkpoints(teacher_path(run_path)).empty())) {
    open_initial_model(config);  // refused before anything is made or put aside
  }
  std::filesystem::path aside;
  if (fresh) aside = RunFolder::put_aside(run_path);
  const RunFolder folder(run_path);
  log::open_file(folder.log_file().string());
  if (!aside.empty()) log::info("{} is put aside as {}", run_path.string(), aside.string());
  const StopSignal stop;
  if (!has_teacher) {
    check_without_teacher(run_path);
    train_in(folder, config, config, stop);
    return;
  }
  if (!prepare_with_teacher(config, folder, watch, stop)) return;
  RunConfig effective = with_teacher(config, run_path);
  spend_minutes(effective.train, watch);
  train_in(folder, config, effective, stop);
}

void dry_run(const RunConfig& given, const std::filesystem::path& run_path, bool fresh) {
  const double memory = describe_machine();
  describe_config(given);
  check_data_files(given.data);
  const bool has_teacher = given.train.teacher_steps > 0;
  if (!fresh && !has_teacher) check_without_teacher(run_path);
  if (!fresh && has_teacher && list_checkpoints(run_path).empty()) find_teacher(given, run_path);
  const bool waits = has_teacher && (fresh || !teacher_is_done(given, run_path));
  RunConfig config = has_teacher && !waits ? with_teacher(given, run_path) : given;
  std::optional<Checkpoint> checkpoint;
  if (!fresh) checkpoint = open_checkpoint(given, config.data.train, run_path);
  const ScratchFolder scratch;
  std::optional<Checkpoint> initial;
  if (!checkpoint) {
    initial = open_initial_model(config);
    borrow_vocabulary(config.vocabulary, fresh ? std::filesystem::path() : run_path,
                      scratch.path());
  }
  const RunFolder folder(scratch.path());
  const RunData data = open_data(config, given.data.train, checkpoint, folder, run_path / "cache");
  if (checkpoint) check_same_corpus(checkpoint->state(), corpus_record(data.train));
  const auto model = make_model(config, data.tokenizers, initial);
  describe_model(config, *model, data, memory);
  make_validator(config, data, *model);
  if (const std::string why = checkpoint ? why_done(checkpoint->state(), config) : "";
      !why.empty()) {
    log::info("nothing left to do: {}", why);
  }
  const auto variation = make_variation(config.data, data.tokenizers);
  Trainer trainer(config.train,
                  {*model, data.train, nullptr, folder, config.seed, {}, {}, variation.get()});
  time_updates(config, trainer);
  report_profile();
  if (waits) {
    log::info(
        "before that, a teacher makes {} (train.teacher_steps) and translates both sides of the "
        "text: the run learns from three times as many pairs as were counted here",
        format_count(config.train.teacher_steps, "update"));
  }
  log::info("dry run: config and data are good, nothing was written");
}

}  // namespace calque
