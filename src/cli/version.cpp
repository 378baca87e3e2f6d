#include "base/version.h"

#include <fmt/format.h>

#include "base/build_info.h"
#include "base/parallel.h"
#include "cli/command.h"
#include "cli/text_output.h"
#include "kernels/gemm.h"

namespace calque {
namespace {

std::string compiler() {
#if defined(__clang__)
  return fmt::format("Clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("GCC {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

void print_version() {
  const kernels::GemmEngine in_use = kernels::gemm_engine();
  std::string engines = kernels::gemm_engine_name(in_use);
  for (const kernels::GemmEngine engine : kernels::gemm_engines()) {
    if (engine != in_use) engines += fmt::format(" (also: {})", kernels::gemm_engine_name(engine));
  }
  write_to_stdout(fmt::format(
      "calque {}\n"
      "engine        {}\n"
      "instructions  {}\n"
      "float32       {}\n"
      "bfloat16      {}\n"
      "threads       {}\n"
      "compiler      {}\n",
      kVersion, engines, instruction_set(),
      in_use == kernels::GemmEngine::kCalque ? kernels::float32_unit_name(kernels::float32_unit())
                                             : kernels::gemm_engine_name(in_use),
      kernels::bfloat16_unit_name(kernels::bfloat16_unit()), threads(), compiler()));
}

}  // namespace

void add_version_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("version", "Print version, engine, instruction set and threads");
  command->footer(
      "The engine multiplies matrices; CALQUE_GEMM=calque, onednn or eigen in the\n"
      "environment chooses one. float32 and bfloat16 are what training multiplies by with\n"
      "that train.precision; CALQUE_FLOAT32=amx or vectors chooses the first for Calque's\n"
      "own engine. Results are equal to the bit where all of these and the instruction set\n"
      "are; the number of threads does not change them.");
  command->callback(print_version);
}

}  // namespace calque
