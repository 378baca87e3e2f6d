#include <fmt/format.h>

#include <nlohmann/json.hpp>

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
  bool json = false;
};

std::string to_text(const std::vector<bench::KernelResult>& kernels, double bandwidth) {
  std::string text = machine_text();
  text += fmt::format("memory        {} GB/s (triad a = b + s c)\n\n", in_billions(bandwidth));
  text += fmt::format("{:<28} {:<22} {:>9} {:>9} {:>7} {:>10}\n", "kernel", "size", "ms", "GFLOP/s",
                      "GB/s", "of memory");
  for (const bench::KernelResult& kernel : kernels) {
    const double bytes = kernel.work.bytes / kernel.seconds;
    text += fmt::format("{:<28} {:<22} {:>9.3f} {:>9} {:>7} {:>8.0f} %\n", kernel.name, kernel.size,
                        kernel.seconds * 1e3, in_billions(kernel.work.flops / kernel.seconds),
                        in_billions(bytes), 100 * bytes / bandwidth);
  }
  return text;
}

nlohmann::json to_json(const std::vector<bench::KernelResult>& kernels, double bandwidth) {
  nlohmann::json json = machine_json();
  json["memory_bytes_per_second"] = bandwidth;
  json["kernels"] = nlohmann::json::array();
  for (const bench::KernelResult& kernel : kernels) {
    json["kernels"].push_back({{"kernel", kernel.name},
                               {"size", kernel.size},
                               {"seconds", kernel.seconds},
                               {"flops", kernel.work.flops},
                               {"bytes", kernel.work.bytes}});
  }
  return json;
}

void bench_kernels(const BenchKernelsArguments& arguments) {
  const RunConfig config = sizes_from(arguments.config);
  use_threads(arguments.threads > 0 ? arguments.threads : config.threads);
  const double bandwidth = bench::memory_bandwidth();
  const std::vector<bench::KernelResult> kernels =
      bench::bench_kernels(config.model, config.vocabulary.size, config.train.batch_tokens);
  write_to_stdout(arguments.json ? to_json(kernels, bandwidth).dump(2) + "\n"
                                 : to_text(kernels, bandwidth));
}

}  // namespace

void add_bench_kernels_command(CLI::App& bench) {
  auto arguments = std::make_shared<BenchKernelsArguments>();
  CLI::App* command = bench.add_subcommand(
      "kernels", "Time of every other kernel of a training step, against the memory's speed");
  add_sizes_option(*command, arguments->config);
  add_threads_option(*command, arguments->threads, kThreadsEffect);
  add_json_option(*command, arguments->json);
  command->footer(
      "GB/s count what a kernel has to read and write at the least. What a cache still holds\n"
      "from the call before counts too, and a kernel that works in place spares the memory\n"
      "the fetching of what it writes: so more than the triad's speed is no error. GFLOP/s\n"
      "count matrix products only.\n"
      "\n"
      "Example: calque bench kernels configs/multi30k-en-de.yaml --threads 1");
  command->callback([arguments] { bench_kernels(*arguments); });
}

}  // namespace calque
