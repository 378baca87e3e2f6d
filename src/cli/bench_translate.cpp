#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/stop_signal.h"
#include "bench/measure.h"
#include "bench/translation_bench.h"
#include "cli/bench.h"
#include "cli/common_options.h"
#include "cli/text_output.h"
#include "cli/translation.h"
#include "text/text_files.h"

namespace calque {
namespace {

constexpr int64_t kMostRounds = 1000000;

struct BenchTranslateArguments {
  TranslationArguments translation;
  std::string source;
  int64_t rounds = 5;
  int64_t alone = 100;
  bool json = false;
};

/// Everything measured.
struct Report {
  std::string model;
  DecodeOptions options;
  kernels::Precision precision;
  bench::TranslationBenchmark benchmark;
  TranslationMemory memory;
  size_t process;
};

std::string to_text(const Report& report) {
  const bench::TranslationBenchmark& benchmark = report.benchmark;
  std::string text = machine_text();
  text += fmt::format("model         {}\n", report.model);
  text += fmt::format("search        beam {}, {} source tokens times beam a batch, {}\n",
                      report.options.beam, format_count(report.options.batch_tokens),
                      precision_name(report.precision));
  if (!benchmark.round_seconds.empty()) {
    text +=
        fmt::format("text          {}, {} put out; {}\n", format_count(benchmark.lines, "sentence"),
                    format_count(benchmark.tokens, "token"),
                    format_count(std::ssize(benchmark.round_seconds), "round"));
    text += fmt::format(
        "in batches    {:.1f} sentences/s, {} tokens/s; median round {:.3f} s, least "
        "{:.3f}, most {:.3f}\n",
        benchmark.sentences_per_second(), format_count(std::llround(benchmark.tokens_per_second())),
        benchmark.median_round(), bench::quantile(benchmark.round_seconds, 0),
        bench::quantile(benchmark.round_seconds, 1));
  }
  if (!benchmark.line_seconds.empty()) {
    text += fmt::format("line by line  {:.1f} sentences/s; p50 {:.2f} ms, p95 {:.2f} ms, of {}\n",
                        benchmark.lines_per_second(), benchmark.latency(0.5) * 1e3,
                        benchmark.latency(0.95) * 1e3,
                        format_count(std::ssize(benchmark.line_seconds), "sentence"));
  }
  const auto bytes = [](size_t count) { return format_bytes(static_cast<double>(count)); };
  text += fmt::format(
      "peak memory   parameters {}, prepared for products {}, activations and cache {},\n"
      "              scratch {}; the whole process {}\n",
      bytes(report.memory.parameters), bytes(report.memory.prepared),
      bytes(report.memory.activations), bytes(report.memory.scratch), bytes(report.process));
  return text;
}

nlohmann::json to_json(const Report& report) {
  const bench::TranslationBenchmark& benchmark = report.benchmark;
  nlohmann::json json = machine_json();
  json.update({{"model", report.model},
               {"beam", report.options.beam},
               {"length_penalty", report.options.length_penalty},
               {"max_length_ratio", report.options.max_length_ratio},
               {"batch_tokens", report.options.batch_tokens},
               {"precision", precision_name(report.precision)},
               {"sentences", benchmark.lines},
               {"output_tokens", benchmark.tokens},
               {"round_seconds", benchmark.round_seconds},
               {"sentences_per_second", benchmark.sentences_per_second()},
               {"tokens_per_second", benchmark.tokens_per_second()},
               {"alone",
                {{"sentences", benchmark.line_seconds.size()},
                 {"output_tokens", benchmark.line_tokens},
                 {"sentences_per_second", benchmark.lines_per_second()},
                 {"p50_seconds", benchmark.latency(0.5)},
                 {"p95_seconds", benchmark.latency(0.95)}}},
               {"memory_bytes",
                {{"parameters", report.memory.parameters},
                 {"prepared", report.memory.prepared},
                 {"activations", report.memory.activations},
                 {"scratch", report.memory.scratch},
                 {"process_peak", report.process}}}});
  return json;
}

/// All lines, as `calque translate` reads them.
std::vector<std::string> read_text(const std::string& path) {
  TextFiles text({path});
  std::vector<std::string> lines;
  for (std::string line; text.next(line);) lines.push_back(line);
  if (lines.empty()) {
    throw UserError(fmt::format("{} has no lines; name a text to translate with --source", path));
  }
  return lines;
}

void bench_translate(const BenchTranslateArguments& arguments) {
  if (arguments.rounds == 0 && arguments.alone == 0) {
    throw UserError("--rounds 0 and --alone 0 leave nothing to measure; ask for one of them");
  }
  const StopSignal stop;
  const std::vector<std::string> lines = read_text(arguments.source);
  TranslationSession session(arguments.translation);
  const bench::Translating translating{
      [&](std::span<const std::string> some) { return session.translate(some); },
      [&] { return session.output_tokens(); }};
  const bench::TranslationBenchmark benchmark =
      bench::benchmark_translation(translating, lines, arguments.rounds, arguments.alone);
  const Report report{session.identity(), session.options(), arguments.translation.precision,
                      benchmark,          session.memory(),  bench::peak_resident_bytes()};
  write_to_stdout(arguments.json ? to_json(report).dump(2) + "\n" : to_text(report));
}

}  // namespace

void add_bench_translate_command(CLI::App& bench) {
  auto arguments = std::make_shared<BenchTranslateArguments>();
  CLI::App* command =
      bench.add_subcommand("translate", "Time a model's translating: in batches, and line by line");
  add_translation_options(*command, arguments->translation);
  command->add_option("--source", arguments->source, "Text to translate, a sentence a line")
      ->type_name("FILE")
      ->required();
  add_value_option(*command, "--rounds", arguments->rounds, Integer(0, kMostRounds),
                   "How often the text is translated in batches; 0: not at all")
      ->type_name("N")
      ->default_str(fmt::format("{}", arguments->rounds));
  add_value_option(*command, "--alone", arguments->alone, Integer(0),
                   "How many of its lines are then translated one by one, for the latency")
      ->type_name("N")
      ->default_str(fmt::format("{}", arguments->alone));
  add_json_option(*command, arguments->json);
  command->footer(
      "From text to text: cutting it into pieces counts, opening the model does not. The\n"
      "text is translated once before the rounds that count, and all of it is sorted by\n"
      "length at once. Speeds are those of the median round. p95: 95 of 100 lines take no\n"
      "longer.\n"
      "\n"
      "scripts/bench/translate_vs_ctranslate2 compares with CTranslate2.\n"
      "\n"
      "Example: calque bench translate --model runs/demo --source data/demo/test.en --beam 4");
  command->callback([arguments] { bench_translate(*arguments); });
}

}  // namespace calque
