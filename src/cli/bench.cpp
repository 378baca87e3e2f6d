#include "cli/bench.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/build_info.h"
#include "base/machine.h"
#include "base/parallel.h"
#include "base/version.h"
#include "cli/command.h"
#include "kernels/gemm.h"

namespace calque {

void add_json_option(CLI::App& command, bool& json) {
  command.add_flag("--json", json, "Print one JSON object with all figures instead of text");
}

std::string machine_text() {
  return fmt::format(
      "processor     {}\n"
      "engine        {}\n"
      "instructions  {}\n"
      "threads       {}\n",
      processor_name(), kernels::gemm_engine_name(kernels::gemm_engine()), instruction_set(),
      threads());
}

nlohmann::json machine_json() {
  return {{"calque", kVersion},
          {"processor", processor_name()},
          {"engine", kernels::gemm_engine_name(kernels::gemm_engine())},
          {"instruction_set", instruction_set()},
          {"threads", threads()}};
}

void add_sizes_option(CLI::App& command, std::string& config_file) {
  command
      .add_option("CONFIG", config_file,
                  "Take the sizes from this config (default: the base Transformer, 4096 tokens, "
                  "vocabulary 8000)")
      ->type_name("FILE");
}

RunConfig sizes_from(const std::string& config_file) {
  return config_file.empty() ? RunConfig() : load_config(config_file);
}

std::string in_billions(double per_second) {
  return per_second > 0 ? fmt::format("{:.1f}", per_second * 1e-9) : "";
}

void add_bench_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "bench", "Measure how fast this machine trains and translates, and how fast it could");
  command->require_subcommand(1);
  add_bench_train_command(*command);
  add_bench_translate_command(*command);
  add_bench_gemm_command(*command);
  add_bench_kernels_command(*command);
  for (CLI::App* below : command->get_subcommands(nullptr)) below->group("Commands");
  command->footer(
      "Figures of different machines, or of one machine with other work on it, do not\n"
      "compare; ratios within one command do. So each command measures its own ceiling\n"
      "in the same process, with the same threads.\n"
      "\n"
      "Examples:\n"
      "  calque bench train configs/transformer-base.yaml\n"
      "  calque bench translate --model runs/demo --source data/demo/test.en\n"
      "  calque bench gemm --shape 512x512x2048 --threads 1");
}

}  // namespace calque
