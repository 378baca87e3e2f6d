#include <fmt/format.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "bench/gemm_bench.h"
#include "cli/bench.h"
#include "cli/common_options.h"
#include "cli/text_output.h"

namespace calque {
namespace {

struct BenchGemmArguments {
  std::string config;
  std::vector<std::string> shapes;
  int64_t threads = 0;
  bool json = false;
};

/// "4096x512x2048" -> m, n, k.
std::array<int64_t, 3> parse_shape(const std::string& text) {
  std::array<int64_t, 3> sizes{};
  const char* at = text.data();
  const char* const end = at + text.size();
  bool good = true;
  for (size_t i = 0; i < sizes.size() && good; ++i) {
    if (i > 0) good = at != end && *at++ == 'x';
    const auto [stopped, error] = std::from_chars(at, end, sizes[i]);
    good = good && error == std::errc() && sizes[i] > 0 && sizes[i] <= (1 << 20);
    at = stopped;
  }
  if (!good || at != end) {
    throw UserError(fmt::format(
        "--shape {}: expected MxNxK, three sizes from 1 to 1048576, as in 4096x512x2048", text));
  }
  return sizes;
}

struct Row {
  bench::GemmCase gemm;
  std::vector<double> flops;  // a second, by multiplier
};

std::vector<bench::GemmCase> cases_of(const BenchGemmArguments& arguments,
                                      const RunConfig& config) {
  std::vector<bench::GemmCase> cases =
      bench::gemm_forms(bench::kPeakRows, bench::kPeakCols, bench::kPeakInner);
  if (arguments.shapes.empty()) {
    const std::vector<bench::GemmCase> of_model =
        bench::model_gemms(config.model, config.vocabulary.size, config.train.batch_tokens);
    cases.insert(cases.end(), of_model.begin(), of_model.end());
  }
  for (const std::string& shape : arguments.shapes) {
    const auto [m, n, k] = parse_shape(shape);
    const std::vector<bench::GemmCase> forms = bench::gemm_forms(m, n, k);
    cases.insert(cases.end(), forms.begin(), forms.end());
  }
  return cases;
}

std::vector<std::string> multiplier_names() {
  std::vector<std::string> names;
  for (const bench::Multiplier& multiplier : bench::multipliers()) {
    names.push_back(multiplier.name());
  }
  return names;
}

std::string to_text(const std::vector<Row>& rows) {
  std::string text = machine_text() + "\nGFLOP/s\n";
  text += fmt::format("{:<36} {:>4} {:>7} {:>7} {:>7}", "product", "form", "M", "N", "K");
  const std::vector<std::string> names = multiplier_names();
  for (const std::string& name : names) text += fmt::format(" {:>13}", name);
  text += "\n";
  for (const Row& row : rows) {
    const bench::GemmCase& gemm = row.gemm;
    text += fmt::format("{:<36} {:>4} {:>7} {:>7} {:>7}", gemm.use, bench::form_name(gemm.form),
                        gemm.m, gemm.n, gemm.k);
    for (size_t i = 0; i < names.size(); ++i) {
      text +=
          fmt::format(" {:>{}}", in_billions(row.flops[i]), std::max<size_t>(13, names[i].size()));
    }
    text += "\n";
  }
  return text;
}

nlohmann::json to_json(const std::vector<Row>& rows) {
  nlohmann::json json = machine_json();
  json["products"] = nlohmann::json::array();
  const std::vector<std::string> names = multiplier_names();
  for (const Row& row : rows) {
    nlohmann::json by_name;
    for (size_t i = 0; i < names.size(); ++i) by_name[names[i]] = row.flops[i];
    json["products"].push_back({{"use", row.gemm.use},
                                {"form", bench::form_name(row.gemm.form)},
                                {"m", row.gemm.m},
                                {"n", row.gemm.n},
                                {"k", row.gemm.k},
                                {"flops_per_second", by_name}});
  }
  return json;
}

void bench_gemm(const BenchGemmArguments& arguments) {
  const RunConfig config = sizes_from(arguments.config);
  const std::vector<bench::GemmCase> cases = cases_of(arguments, config);
  use_threads(arguments.threads > 0 ? arguments.threads : config.threads);
  std::vector<Row> rows;
  for (const bench::GemmCase& gemm : cases) rows.push_back({gemm, bench::measure_gemm(gemm)});
  write_to_stdout(arguments.json ? to_json(rows).dump(2) + "\n" : to_text(rows));
}

}  // namespace

void add_bench_gemm_command(CLI::App& bench) {
  auto arguments = std::make_shared<BenchGemmArguments>();
  CLI::App* command = bench.add_subcommand(
      "gemm",
      "Speed of every engine built in, and of bfloat16, for the products of a training step");
  add_sizes_option(*command, arguments->config);
  command
      ->add_option("--shape", arguments->shapes,
                   "Measure M x N x K, in all three forms, instead of the shapes of a model; may "
                   "be given several times")
      ->type_name("MxNxK")
      ->allow_extra_args(false);
  add_threads_option(*command, arguments->threads, kThreadsEffect);
  add_json_option(*command, arguments->json);
  command->footer(
      "The result is M x N, the inner size K. Of a linear layer y = x W^T, form NT is the\n"
      "forward product, NN the input's gradient, TN the weight's gradient. The first rows\n"
      "are the shape that `calque bench train` takes its peak from.\n"
      "\n"
      "Examples:\n"
      "  calque bench gemm configs/multi30k-en-de-tiny.yaml\n"
      "  calque bench gemm --shape 128x128x4096 --shape 24x64x24 --threads 1");
  command->callback([arguments] { bench_gemm(*arguments); });
}

}  // namespace calque
