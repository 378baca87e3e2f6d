#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/stopwatch.h"
#include "bench/attention_bench.h"
#include "bench/kernel_bench.h"
#include "bench/machine.h"
#include "cli/bench.h"
#include "cli/common_options.h"
#include "cli/text_output.h"

namespace calque {
namespace {

struct BenchKernelsArguments {
  std::string config;
  int64_t threads = 0;
  int64_t longest = 8192;
  bool json = false;
};

/// Everything measured.
struct Figures {
  double bandwidth = 0;
  std::vector<bench::KernelResult> kernels;
  bench::GemmPeak peak;
  std::string heads;  // "8 heads of 64"
  std::vector<bench::SentenceAttention> sentences;
};

std::string sentences_text(const Figures& figures) {
  if (figures.sentences.empty()) return "";
  std::string text = fmt::format(
      "\nAttention in one sentence, {}, dropout 0.1; GEMM peak by vectors {} GFLOP/s ({})\n\n"
      "{:<8} {:>10} {:>9} {:>12} {:>9} {:>13} {:>10} {:>10}\n",
      figures.heads, in_billions(figures.peak.flops), figures.peak.multiplier.name(), "tokens",
      "forward ms", "GFLOP/s", "backward ms", "GFLOP/s", "of GEMM time", "scratch", "kept");
  for (const bench::SentenceAttention& sentence : figures.sentences) {
    text += fmt::format("{:<8} {:>10.3f} {:>9} {:>12.3f} {:>9} {:>11.2f} x {:>10} {:>10}\n",
                        sentence.tokens, sentence.forward_seconds * 1e3,
                        in_billions(sentence.forward.flops / sentence.forward_seconds),
                        sentence.backward_seconds * 1e3,
                        in_billions(sentence.backward.flops / sentence.backward_seconds),
                        sentence.times_of_flops(figures.peak.flops),
                        format_bytes(static_cast<double>(sentence.scratch)),
                        format_bytes(static_cast<double>(sentence.kept)));
  }
  return text;
}

std::string to_text(const Figures& figures) {
  std::string text = machine_text();
  text +=
      fmt::format("memory        {} GB/s (triad a = b + s c)\n\n", in_billions(figures.bandwidth));
  text += fmt::format("{:<28} {:<22} {:>9} {:>9} {:>7} {:>10}\n", "kernel", "size", "ms", "GFLOP/s",
                      "GB/s", "of memory");
  for (const bench::KernelResult& kernel : figures.kernels) {
    const double bytes = kernel.work.bytes / kernel.seconds;
    text += fmt::format("{:<28} {:<22} {:>9.3f} {:>9} {:>7} {:>8.0f} %\n", kernel.name, kernel.size,
                        kernel.seconds * 1e3, in_billions(kernel.work.flops / kernel.seconds),
                        in_billions(bytes), 100 * bytes / figures.bandwidth);
  }
  return text + sentences_text(figures);
}

nlohmann::json to_json(const Figures& figures) {
  nlohmann::json json = machine_json();
  json["memory_bytes_per_second"] = figures.bandwidth;
  json["kernels"] = nlohmann::json::array();
  for (const bench::KernelResult& kernel : figures.kernels) {
    json["kernels"].push_back({{"kernel", kernel.name},
                               {"size", kernel.size},
                               {"seconds", kernel.seconds},
                               {"flops", kernel.work.flops},
                               {"bytes", kernel.work.bytes}});
  }
  json["gemm_peak"] = figures.peak.flops;
  json["sentence_attention"] = nlohmann::json::array();
  for (const bench::SentenceAttention& sentence : figures.sentences) {
    json["sentence_attention"].push_back(
        {{"tokens", sentence.tokens},
         {"forward_seconds", sentence.forward_seconds},
         {"forward_flops", sentence.forward.flops},
         {"backward_seconds", sentence.backward_seconds},
         {"backward_flops", sentence.backward.flops},
         {"times_of_gemm", sentence.times_of_flops(figures.peak.flops)},
         {"scratch_bytes", sentence.scratch},
         {"kept_bytes", sentence.kept}});
  }
  return json;
}

void bench_kernels(const BenchKernelsArguments& arguments) {
  const RunConfig config = sizes_from(arguments.config);
  use_threads(arguments.threads > 0 ? arguments.threads : config.threads);
  const TransformerOptions& model = config.model;
  Figures figures;
  figures.bandwidth = bench::memory_bandwidth();
  figures.kernels = bench::bench_kernels(model, config.vocabulary.size, config.train.batch_tokens);
  figures.peak = bench::vector_gemm_peak();
  figures.heads =
      fmt::format("{} of {}", format_count(model.heads, "head"), model.model / model.heads);
  figures.sentences = bench::bench_sentence_attention(model.model, model.heads, arguments.longest);
  write_to_stdout(arguments.json ? to_json(figures).dump(2) + "\n" : to_text(figures));
}

}  // namespace

void add_bench_kernels_command(CLI::App& bench) {
  auto arguments = std::make_shared<BenchKernelsArguments>();
  CLI::App* command = bench.add_subcommand(
      "kernels", "Time of every other kernel of a training step, against the memory's speed");
  add_sizes_option(*command, arguments->config);
  add_value_option(*command, "--longest", arguments->longest, Integer(1, 65536),
                   "Longest sentence that attention is measured in (default 8192)")
      ->type_name("TOKENS");
  add_threads_option(*command, arguments->threads, kThreadsEffect);
  add_json_option(*command, arguments->json);
  command->footer(
      "GB/s count what a kernel has to read and write at the least. What a cache still holds\n"
      "from the call before counts too, and a kernel that works in place spares the memory\n"
      "the fetching of what it writes: so more than the triad's speed is no error. GFLOP/s\n"
      "count matrix products only.\n"
      "\n"
      "Attention in one sentence: time of forward and backward together over the time that\n"
      "the fastest matrix product of any engine (calque bench gemm) would need for as many\n"
      "FLOPs; the scratch memory of all threads; and what forward keeps for backward.\n"
      "\n"
      "Example: calque bench kernels configs/multi30k-en-de-tiny.yaml --threads 1");
  command->callback([arguments] { bench_kernels(*arguments); });
}

}  // namespace calque
