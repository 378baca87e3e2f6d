#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "base/scratch_folder.h"
#include "bench/training_bench.h"
#include "cli/bench.h"
#include "cli/common_options.h"
#include "cli/text_output.h"
#include "data/batch_export.h"
#include "data/random_corpus.h"

namespace calque {
namespace {

constexpr int64_t kWarmUpSteps = 3;
/// Batches that are exported at least, so that others find equal lengths among them.
constexpr int64_t kLeastExported = 100;
constexpr int64_t kMostSteps = 1000000;

struct BenchTrainArguments {
  std::string config;
  std::vector<std::string> overrides;
  int64_t steps = 20;
  int64_t tokens = 0;
  int64_t threads = 0;
  std::string export_batches;
  bool json = false;
};

/// The first training file that is not there; empty when all are.
std::string missing_file(const ParallelFiles& files) {
  for (const auto* side : {&files.source, &files.target}) {
    for (const std::string& file : *side) {
      if (!std::filesystem::exists(file)) return file;
    }
  }
  return "";
}

/// What the steps are trained on.
struct BenchData {
  ParallelCorpus corpus;
  int64_t source_vocab;
  int64_t target_vocab;
  std::optional<TokenizerPair> tokenizers;  // of real text
  std::string missing_file;                 // random ids in its place; empty for real text
};

/// Whatever has to be written goes into `scratch`.
BenchData open_data(RunConfig config, const RunFolder& scratch) {
  const std::string missing = missing_file(config.data.train);
  if (!missing.empty()) {
    const DataOptions& options = config.data;
    if (options.bidirectional_epochs > 0 || options.subword_sampling > 0 || options.noise.any()) {
      throw UserError(fmt::format(
          "{} does not exist, and the random ids in its place cannot be varied; expected the text, "
          "or 0 for data.bidirectional_epochs, data.subword_sampling and data.noise.probability",
          missing));
    }
    const int64_t vocab = config.vocabulary.size;
    const int64_t pairs = 2 * config.train.batch_tokens;  // some thirty batches
    const int64_t longest = std::min(config.data.max_length, config.train.batch_tokens);
    return {make_random_corpus(scratch.cache_folder(), pairs, longest, vocab, vocab, config.seed),
            vocab, vocab, std::nullopt, missing};
  }
  const VocabularyPaths paths = vocabulary_paths(config.vocabulary, scratch.path());
  if (!std::filesystem::exists(paths.source) || !std::filesystem::exists(paths.target)) {
    config.vocabulary.path.clear();
  }
  TokenizerPair tokenizers =
      load_or_train_vocabulary(config.vocabulary, scratch.path(), config.data.train.source,
                               config.data.train.target, config.seed, config.data.lines);
  Variation(config.data, tokenizers);  // refuses what they do not allow, before text is read
  ParallelCorpus corpus("train", config.data.train, config.data, tokenizers,
                        scratch.cache_folder());
  const int64_t source_vocab = tokenizers.source().size();
  const int64_t target_vocab = tokenizers.target().size();
  return {std::move(corpus), source_vocab, target_vocab, std::move(tokenizers), ""};
}

/// All that is printed.
struct Report {
  RunConfig config;
  int64_t parameters;
  int64_t source_vocab;
  int64_t target_vocab;
  std::string missing_file;
  double fma_one_thread;
  double fma_all_threads;
  bench::TrainingBenchmark training;

  double shortest_step() const {
    return *std::min_element(training.step_seconds.begin(), training.step_seconds.end());
  }
  double longest_step() const {
    return *std::max_element(training.step_seconds.begin(), training.step_seconds.end());
  }
};

std::string to_text(const Report& report) {
  const bench::TrainingBenchmark& training = report.training;
  const TransformerOptions& m = report.config.model;
  const auto steps = static_cast<double>(training.step_seconds.size());
  std::string text = machine_text();
  text += fmt::format(
      "model         {}+{} layers, model {}, hidden {}, {} heads, vocabulary {}+{}: {} "
      "parameters\n",
      m.encoder_layers, m.decoder_layers, m.model, m.hidden, m.heads, report.source_vocab,
      report.target_vocab, format_count(report.parameters));
  text +=
      report.missing_file.empty()
          ? fmt::format("data          {}\n", fmt::join(report.config.data.train.source, ", "))
          : fmt::format("data          RANDOM ids, 5 to 40 tokens a sentence: {} does not exist\n",
                        report.missing_file);
  text += fmt::format(
      "steps         {}, after {} to warm up; {} source + {} target tokens a step\n", steps,
      kWarmUpSteps, format_count(std::llround(static_cast<double>(training.source_tokens) / steps)),
      format_count(std::llround(static_cast<double>(training.target_tokens) / steps)));
  text +=
      fmt::format("precision     {}\n", kernels::precision_in_use(report.config.train.precision));
  text += fmt::format("speed         {} tokens/s (source + target)\n",
                      format_count(std::llround(training.tokens_per_second())));
  text += fmt::format("step time     median {:.1f} ms, least {:.1f}, most {:.1f}\n",
                      training.median_step() * 1e3, report.shortest_step() * 1e3,
                      report.longest_step() * 1e3);
  text +=
      fmt::format("utilisation   {:.3f} of the GEMM peak: {} GFLOP/s in linear layers\n",
                  training.utilisation(), in_billions(training.linear_flops / training.seconds()));
  text +=
      fmt::format("GEMM peak     {} GFLOP/s, {} x {} x {} by {} ({} before the steps, {} after)\n",
                  in_billions(training.peak().flops), bench::kPeakRows, bench::kPeakCols,
                  bench::kPeakInner, training.peak().multiplier.name(),
                  in_billions(training.peak_before.flops), in_billions(training.peak_after.flops));
  text += fmt::format("FMA peak      {} GFLOP/s on {}, {} on one thread\n",
                      in_billions(report.fma_all_threads),
                      threads() == 1 ? "1 thread" : fmt::format("{} threads", threads()),
                      in_billions(report.fma_one_thread));
  text += "\n" + profile::table(training.parts) + "\n";
  const bench::TrainingMemory& memory = training.memory;
  const auto bytes = [](size_t count) { return format_bytes(static_cast<double>(count)); };
  text += fmt::format(
      "peak memory   parameters {}, their gradients {}, optimizer {}, activations {},\n"
      "              their gradients {}, scratch {}; the whole process {}\n",
      bytes(memory.parameters), bytes(memory.parameter_gradients), bytes(memory.optimizer),
      bytes(memory.activations), bytes(memory.activation_gradients), bytes(memory.scratch),
      bytes(memory.process));
  return text;
}

nlohmann::json parts_json(const std::vector<profile::Part>& parts) {
  double total = 0;
  for (const profile::Part& part : parts) total += part.seconds;
  nlohmann::json rows = nlohmann::json::array();
  for (const profile::Part& part : parts) {
    rows.push_back({{"part", part.name},
                    {"calls", part.calls},
                    {"seconds", part.seconds},
                    {"share", total > 0 ? part.seconds / total : 0.0},
                    {"flops", part.work.flops},
                    {"bytes", part.work.bytes}});
  }
  return rows;
}

/// Every key of the config with its value's text: {"model.size": "512", ...}.
nlohmann::json settings_json(const RunConfig& config) {
  nlohmann::json settings;
  for (const auto& [key, text] : written_values(config)) settings[key] = text;
  return settings;
}

nlohmann::json to_json(const Report& report) {
  const bench::TrainingBenchmark& training = report.training;
  const bench::TrainingMemory& memory = training.memory;
  nlohmann::json json = machine_json();
  json.update({{"config", report.config.name},
               {"settings", settings_json(report.config)},
               {"data", report.missing_file.empty() ? "text" : "random"},
               {"parameters", report.parameters},
               {"source_vocabulary", report.source_vocab},
               {"target_vocabulary", report.target_vocab},
               {"precision", kernels::precision_in_use(report.config.train.precision)},
               {"batch_tokens", report.config.train.batch_tokens},
               {"warm_up_steps", kWarmUpSteps},
               {"steps", training.step_seconds.size()},
               {"source_tokens", training.source_tokens},
               {"target_tokens", training.target_tokens},
               {"tokens_per_second", training.tokens_per_second()},
               {"step_seconds",
                {{"median", training.median_step()},
                 {"min", report.shortest_step()},
                 {"max", report.longest_step()},
                 {"all", training.step_seconds}}},
               {"linear_flops", training.linear_flops},
               {"utilisation", training.utilisation()},
               {"gemm_peak",
                {{"engine", training.peak().multiplier.name()},
                 {"m", bench::kPeakRows},
                 {"n", bench::kPeakCols},
                 {"k", bench::kPeakInner},
                 {"flops_per_second", training.peak().flops},
                 {"before", training.peak_before.flops},
                 {"after", training.peak_after.flops}}},
               {"fma_peak",
                {{"one_thread", report.fma_one_thread}, {"all_threads", report.fma_all_threads}}},
               {"parts", parts_json(training.parts)},
               {"memory_bytes",
                {{"parameters", memory.parameters},
                 {"parameter_gradients", memory.parameter_gradients},
                 {"optimizer", memory.optimizer},
                 {"activations", memory.activations},
                 {"activation_gradients", memory.activation_gradients},
                 {"scratch", memory.scratch},
                 {"process_peak", memory.process}}}});
  return json;
}

void bench_train(BenchTrainArguments arguments) {
  if (arguments.tokens > 0) {
    arguments.overrides.push_back(fmt::format("train.batch_tokens={}", arguments.tokens));
  }
  RunConfig config = load_config(arguments.config, arguments.overrides);
  config.train.max_steps = std::max(config.train.max_steps, kWarmUpSteps + arguments.steps);
  use_threads(arguments.threads > 0 ? arguments.threads : config.threads);

  const ScratchFolder scratch;
  const RunFolder folder(scratch.path());
  const BenchData data = open_data(config, folder);
  std::unique_ptr<const Variation> variation;
  if (data.tokenizers) variation = make_variation(config.data, *data.tokenizers);
  if (!arguments.export_batches.empty()) {
    const BatcherOptions options = batcher_options(config.train, config.seed, variation.get());
    const int64_t taken = (kWarmUpSteps + arguments.steps) * config.train.accumulate;
    export_batches(Batcher(data.corpus, options), std::max(taken, kLeastExported),
                   arguments.export_batches);
  }
  Transformer model(config.model, data.source_vocab, data.target_vocab, /*inference=*/false);
  model.parameters().initialize(config.seed);
  Trainer trainer(config.train,
                  {model, data.corpus, nullptr, folder, config.seed, {}, {}, variation.get()});
  const double fma_one_thread = bench::fma_peak(1);
  const double fma_all_threads = bench::fma_peak(threads());
  const Report report{config,
                      model.parameters().count(),
                      data.source_vocab,
                      data.target_vocab,
                      data.missing_file,
                      fma_one_thread,
                      fma_all_threads,
                      bench::benchmark_training(trainer, model, kWarmUpSteps, arguments.steps)};
  write_to_stdout(arguments.json ? to_json(report).dump(2) + "\n" : to_text(report));
}

}  // namespace

void add_bench_train_command(CLI::App& bench) {
  auto arguments = std::make_shared<BenchTrainArguments>();
  CLI::App* command = bench.add_subcommand(
      "train", "Time whole training steps of a config, part by part, against the GEMM peak");
  command->add_option("CONFIG", arguments->config, "The config file, e.g. configs/demo.yaml")
      ->type_name("FILE")
      ->required();
  add_value_option(*command, "--steps", arguments->steps, Integer(1, kMostSteps), "Steps to time")
      ->type_name("N")
      ->default_str(fmt::format("{}", arguments->steps));
  add_value_option(*command, "--tokens", arguments->tokens, Integer(1),
                   "Tokens of a batch a side, as --set train.batch_tokens=N")
      ->type_name("N");
  command
      ->add_option("--export-batches", arguments->export_batches,
                   "Write the batches of all steps, those to warm up first, and what follows up to "
                   "100, to FILE: a JSON object a line, {\"source\": [[ID, ...], ...], "
                   "\"target\": ...}")
      ->type_name("FILE");
  add_set_option(*command, arguments->overrides);
  add_threads_option(*command, arguments->threads, kThreadsEffect);
  add_json_option(*command, arguments->json);
  add_quiet_option(*command);
  command->footer(
      "A step is one update of the weights: batch, forward, backward, optimizer. Where the\n"
      "training text does not exist, random ids stand in for it, with lengths and\n"
      "frequencies like those of text. Nothing is saved.\n"
      "\n"
      "Utilisation is what the linear layers need (2 M N K FLOPs forward, twice that\n"
      "backward, the output projection included, attention not; with R-Drop and with\n"
      "adversarial training for each of both passes), over the time of the\n"
      "steps, over the GEMM peak: the best that any engine built in reaches, in\n"
      "train.precision, on 4096 x 512 x 2048 in this process with the same threads, before\n"
      "or after the steps. The FMA peak is what multiply-adds reach that never leave the "
      "registers.\n"
      "\n"
      "In the table, GFLOP/s count matrix products only, and GB/s what a part has to\n"
      "read and write at the least. A part's time leaves out the parts inside it.\n"
      "\n"
      "Example: calque bench train configs/transformer-base.yaml --steps 5 --threads 2");
  command->callback([arguments] { bench_train(*arguments); });
}

}  // namespace calque
