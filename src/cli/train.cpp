#include <filesystem>

#include "base/build_info.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/profile.h"
#include "base/version.h"
#include "checkpoint/run_checkpoints.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/text_output.h"
#include "config/run_files.h"
#include "kernels/gemm.h"
#include "train/memory_estimate.h"
#include "train/trainer.h"

namespace calque {
namespace {

struct TrainArguments {
  std::string config;
  std::string run;
  std::vector<std::string> overrides;
  int64_t threads = 0;
  bool fresh = false;
  bool dry_run = false;
  bool profile = false;
  bool help_config = false;
};

/// The text of a run, opened: vocabulary and tokenised corpora.
struct RunData {
  TokenizerPair tokenizers;
  ParallelCorpus train;
  std::optional<ParallelCorpus> validation;
};

RunData open_data(const RunConfig& config, const std::optional<Checkpoint>& checkpoint,
                  const RunFolder& folder) {
  TokenizerPair tokenizers =
      checkpoint
          ? load_tokenizers(*checkpoint)
          : load_or_train_vocabulary(config.vocabulary, folder.path(), config.data.train.source,
                                     config.data.train.target, config.seed);
  ParallelCorpus train("train", config.data.train, config.data, tokenizers, folder.cache_folder());
  std::optional<ParallelCorpus> validation;
  if (!config.data.validation.source.empty()) {
    validation.emplace("validation", config.data.validation, config.data, tokenizers,
                       folder.cache_folder());
  }
  return {std::move(tokenizers), std::move(train), std::move(validation)};
}

CorpusRecord corpus_record(const RunConfig& config, const ParallelCorpus& corpus) {
  CorpusRecord record{corpus.fingerprint(), corpus.size(), {}};
  for (const auto* files : {&config.data.train.source, &config.data.train.target}) {
    for (const std::string& file : *files) {
      record.files[file] = {static_cast<int64_t>(std::filesystem::file_size(file)),
                            hash_file(file)};
    }
  }
  return record;
}

/// Refuses to go on over other text than the run has seen, naming the file that changed.
void check_same_corpus(const CorpusRecord& before, const CorpusRecord& now) {
  if (before.fingerprint == now.fingerprint) return;
  std::string changed;
  for (const auto& [file, record] : now.files) {
    const auto old = before.files.find(file);
    if (old == before.files.end() || old->second != record) changed += "\n  " + file;
  }
  throw UserError(
      fmt::format("the training text is not what this run was started with; changed:{}\nGive the "
                  "old text back, "
                  "choose another folder with --run, or start over with --fresh",
                  changed.empty() ? " the way it is read (data.*)" : changed));
}

void describe_machine(const RunConfig& config) {
  log::info("Calque {}: {}, {}, {} thread{}", kVersion,
            kernels::gemm_engine_name(kernels::gemm_engine()), instruction_set(), threads(),
            threads() == 1 ? "" : "s");
  log::info("config {}: seed {}", config.name, config.seed);
}

void describe_model(const RunConfig& config, const Transformer& model) {
  const TransformerOptions& m = config.model;
  const int64_t count = model.parameters().count();
  log::info("model: {}+{} layers, model {}, hidden {}, {} heads, vocabulary {}+{}: {} parameters",
            m.encoder_layers, m.decoder_layers, m.model, m.hidden, m.heads, model.source_vocab(),
            model.target_vocab(), format_count(count));
  log::info("memory, estimated: {}",
            estimate_memory(m, count, model.target_vocab(), config.train.batch_tokens,
                            config.train.moving_average > 0)
                .to_string());
}

/// Some real updates, to say what all of them will take. Nothing is saved.
void time_updates(const RunConfig& config, Trainer& trainer, const ParallelCorpus& corpus) {
  constexpr int kWarmUp = 1;
  constexpr int kTimed = 3;
  for (int i = 0; i < kWarmUp; ++i) trainer.update();
  profile::reset();
  const Stopwatch watch;
  int64_t tokens = 0;
  for (int i = 0; i < kTimed; ++i) {
    const UpdateResult result = trainer.update();
    tokens += result.source_tokens + result.target_tokens;
  }
  const double per_update = watch.seconds() / kTimed;
  const double per_epoch =
      static_cast<double>(corpus.source_pieces() + corpus.target_pieces() + 2 * corpus.size()) /
      (static_cast<double>(tokens) / kTimed);
  log::info("memory, measured: activations {}, their gradients {}, scratch {}",
            format_bytes(static_cast<double>(trainer.activation_bytes())),
            format_bytes(static_cast<double>(trainer.gradient_bytes())),
            format_bytes(static_cast<double>(trainer.scratch_bytes())));
  log::info("speed, measured over {} updates: {} tokens/s (source + target), {} an update", kTimed,
            format_count(std::llround(static_cast<double>(tokens) / watch.seconds())),
            format_duration(per_update));
  log::info("an epoch is about {} updates; {} updates would take about {}, without validation",
            format_count(std::llround(per_epoch)), format_count(config.train.max_steps),
            format_duration(per_update * static_cast<double>(config.train.max_steps)));
}

void report_profile() {
  if (profile::enabled()) log::info("where the time went:\n{}", profile::table());
}

/// A folder that is removed again, for what a dry run has to write.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "calque-dry-run-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw UserError("cannot make a temporary folder: " + name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::unique_ptr<Transformer> make_model(const RunConfig& config, const TokenizerPair& tokenizers) {
  auto model = std::make_unique<Transformer>(config.model, tokenizers.source().size(),
                                             tokenizers.target().size(), /*inference=*/false);
  model->parameters().initialize(config.seed);
  return model;
}

void dry_run(RunConfig config) {
  describe_machine(config);
  const TemporaryFolder temporary;
  const VocabularyPaths paths = vocabulary_paths(config.vocabulary, temporary.path());
  if (!std::filesystem::exists(paths.source) || !std::filesystem::exists(paths.target)) {
    config.vocabulary.path.clear();  // trained into the temporary folder
  }
  const RunFolder folder(temporary.path());
  RunData data = open_data(config, std::nullopt, folder);
  const auto model = make_model(config, data.tokenizers);
  describe_model(config, *model);
  Trainer trainer(config.train, {*model, data.train, nullptr, folder, config.seed, {}, {}});
  time_updates(config, trainer, data.train);
  report_profile();
  log::info("dry run: config and data are good, nothing was written");
}

void report_end(StopReason reason, const Trainer& trainer, const RunFolder& folder,
                const StopSignal& stop) {
  const std::string where = folder.path().string();
  switch (reason) {
    case StopReason::kSignal:
      log::info("stopped by a signal at step {}; the same command goes on from there",
                trainer.step());
      throw StoppedBySignal{stop.received()};
    case StopReason::kMaxMinutes:
      log::info("train.max_minutes is over at step {}; the same command goes on from there",
                trainer.step());
      break;
    case StopReason::kPatience:
      log::info("no better validation in the last {} (train.patience): done at step {}",
                trainer.state().validations_without_best, trainer.step());
      break;
    case StopReason::kMaxSteps:
      log::info("all {} steps are done", trainer.step());
      break;
  }
  if (trainer.state().best) {
    log::info("best: step {}, {:.4g}", trainer.state().best->step, trainer.state().best->value);
  }
  log::info("translate with: calque translate --model {}", where);
}

void train(const RunConfig& config, const std::filesystem::path& run_path) {
  const RunFolder folder(run_path);
  log::open_file(folder.log_file().string());
  describe_machine(config);
  std::optional<Checkpoint> checkpoint;
  if (const auto found = find_resumable_checkpoint(run_path)) {
    checkpoint.emplace(*found);
    log::info("{} holds a run: going on from {}", run_path.string(), found->string());
    check_resumable(load_config(*checkpoint), config, run_path);
    if (checkpoint->state().step >= config.train.max_steps) {
      log::info(
          "nothing left to do: all {} steps (train.max_steps) are done. A larger "
          "train.max_steps goes on; --fresh starts over",
          checkpoint->state().step);
      return;
    }
  }
  RunData data = open_data(config, checkpoint, folder);
  const CorpusRecord record = corpus_record(config, data.train);
  if (checkpoint) check_same_corpus(checkpoint->state().corpus, record);
  write_file_atomically(folder.config_file(), to_yaml(config));

  const auto model = make_model(config, data.tokenizers);
  if (!checkpoint && !config.train.initial_model.empty()) {
    load_initial_model(config.train.initial_model, data.tokenizers, *model);
    log::info("weights from {} (train.initial_model)", config.train.initial_model);
  }
  describe_model(config, *model);
  std::optional<Validator> validator;
  if (data.validation) {
    validator.emplace(*model, data.tokenizers, *data.validation, config.data.validation,
                      config.validation, config.train.label_smoothing, config.train.batch_tokens);
  }
  Trainer trainer(config.train, {*model, data.train, validator ? &*validator : nullptr, folder,
                                 config.seed, checkpoint_texts(config, data.tokenizers), record});
  if (checkpoint) {
    trainer.resume(*checkpoint);
  } else {
    folder.cut_metrics(-1);  // of a run that was killed before its first checkpoint
  }
  const StopSignal stop;
  const StopReason reason = trainer.train(stop);
  report_profile();
  report_end(reason, trainer, folder, stop);
}

/// `--run`, or its default, without a slash at its end.
std::filesystem::path run_folder_path(const TrainArguments& arguments, const RunConfig& config) {
  if (arguments.run.empty()) return std::filesystem::path("runs") / config.name;
  const std::filesystem::path path = std::filesystem::path(arguments.run).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

void run(const TrainArguments& arguments) {
  if (arguments.help_config) {
    write_to_stdout(help_config());
    return;
  }
  if (arguments.config.empty())
    throw UserError("which config? `calque train CONFIG`, as in: calque train configs/demo.yaml");
  const RunConfig config = load_config(arguments.config, arguments.overrides);
  use_threads(arguments.threads > 0 ? arguments.threads : config.threads);
  const std::filesystem::path run_path = run_folder_path(arguments, config);
  profile::enable(arguments.profile);
  if (arguments.dry_run) return dry_run(config);
  if (arguments.fresh) {
    if (const auto aside = RunFolder::put_aside(run_path); !aside.empty()) {
      log::info("{} is put aside as {}", run_path.string(), aside.string());
    }
  }
  train(config, run_path);
}

}  // namespace

void add_train_command(CLI::App& app) {
  auto arguments = std::make_shared<TrainArguments>();
  CLI::App* command = app.add_subcommand(
      "train", "Train a translation model from a YAML config, or go on with a stopped training");
  command->add_option("CONFIG", arguments->config, "The config file, e.g. configs/demo.yaml")
      ->type_name("FILE");
  command
      ->add_option("--run", arguments->run,
                   "Run folder: checkpoints, vocabulary, log, metrics (default: runs/<config "
                   "name>). A run that it holds goes on from its latest checkpoint")
      ->type_name("DIR");
  add_set_option(*command, arguments->overrides);
  add_threads_option(*command, arguments->threads);
  add_quiet_option(*command);
  command->add_flag("--fresh", arguments->fresh,
                    "Start over; an old run folder is put aside under a new name, never deleted");
  command->add_flag("--dry-run", arguments->dry_run,
                    "Check config and data, print sizes, memory and expected time, write nothing");
  command->add_flag(
      "--profile", arguments->profile,
      "Print at the end where the time went: a table of parts. With --dry-run, of a few "
      "updates alone");
  command->add_flag("--help-config", arguments->help_config,
                    "Print every config key with meaning, unit, default and range");
  command->footer(
      "Ctrl-C saves and stops; the same command goes on from there, to the same bits.\n"
      "Example: calque train configs/multi30k-en-de.yaml --set train.max_minutes=60");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace calque
