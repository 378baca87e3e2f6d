// What every command has in common: help, mistakes on the command line, exit codes.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "support/catch.h"
#include "support/run_binary.h"
#include "support/running_binary.h"

using calque::test::check_usage_errors;
using calque::test::run_binary;
using calque::test::RunningBinary;
using calque::test::RunResult;

namespace {

struct Help {
  std::string command;
  std::vector<std::string> mentions;
};

const std::vector<Help> kHelp{
    {"train", {"--run", "--set", "--threads", "--fresh", "--dry-run", "--quiet", "--help-config"}},
    {"translate", {"--model",       "--input",          "--output",
                   "--beam",        "--length-penalty", "--max-length-ratio",
                   "--threads",     "--quiet",          "--line-buffered",
                   "--n-best",      "--format",         "--token-scores",
                   "--min-length",  "--max-length",     "--no-repeat-ngram",
                   "--unknown",     "--prefix",         "--sample",
                   "--temperature", "--top-k",          "--top-p",
                   "--seed",        "--alignment",      "--ensemble-weights",
                   "--long-lines",  "--batch-tokens"}},
    {"score",
     {"--model", "--source", "--target", "--output", "--n-best", "--feature", "--summary", "--json",
      "--batch-tokens"}},
    {"evaluate",
     {"--model", "--source", "--reference", "--hypothesis", "--beam", "--threads", "--metric",
      "--confidence", "--json"}},
    {"metrics", {"HYPOTHESIS", "REFERENCE", "--metric", "--confidence", "--samples", "--json"}},
    {"bleu", {"HYPOTHESIS", "REFERENCE", "--tokenize", "--score-only", "(default: 13a)"}},
    {"compare", {"SYSTEM", "--reference", "--source", "--examples", "(default: 1000)"}},
    {"vocab", {"CONFIG", "--set", "--output", "--run"}},
    {"check-data",
     {"CONFIG", "--source", "--target", "--test", "--vocabulary", "--set", "--json",
      "--write-clean", "(default: 5)"}},
    {"average", {"CHECKPOINT", "--output", "--run", "--last", "(default: 5)"}},
    {"export", {"DIR", "OUT", "--format", "ctranslate2", "safetensors"}},
    {"inspect", {"DIR", "--json"}},
    {"bench", {"\n  train", "\n  translate", "\n  gemm", "\n  kernels"}},
    {"version", {"CALQUE_GEMM", "CALQUE_FLOAT32"}},
};

const std::vector<Help> kBenchHelp{
    {"train", {"CONFIG", "--steps", "(default: 20)", "--tokens", "--set", "--threads", "--json"}},
    {"translate",
     {"--model", "--source", "--beam", "--batch-tokens", "--rounds", "(default: 5)", "--alone",
      "(default: 100)", "--threads", "--json"}},
    {"gemm", {"CONFIG", "--shape MxNxK", "--threads", "--json"}},
    {"kernels", {"CONFIG", "--threads", "--json"}},
};

size_t longest_line(const std::string& text) {
  size_t longest = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    longest = std::max(longest, end - begin);
    begin = end + 1;
  }
  return longest;
}

void check_help(std::vector<std::string> command, const std::vector<std::string>& mentions) {
  const std::string name = fmt::format("{}", fmt::join(command, " "));
  command.push_back("--help");
  const RunResult result = run_binary(command);
  INFO(result.out);
  CHECK(result.exit_code == 0);
  CHECK(result.err.empty());
  CHECK_THAT(result.out, ContainsSubstring("Usage: calque " + name));
  for (const std::string& mention : mentions) CHECK_THAT(result.out, ContainsSubstring(mention));
  CHECK(longest_line(result.out) <= 100);
}

}  // namespace

TEST_CASE("the program and each command explain themselves on standard output", "[cli]") {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{}, {"--help"}}) {
    const RunResult result = run_binary(arguments);
    CHECK(result.exit_code == 0);
    CHECK(result.err.empty());
    for (const Help& help : kHelp) CHECK_THAT(result.out, ContainsSubstring("\n  " + help.command));
  }
  for (const Help& help : kHelp) check_help({help.command}, help.mentions);
  for (const Help& help : kBenchHelp) check_help({"bench", help.command}, help.mentions);
}

TEST_CASE("an unknown command or option is the user's mistake, with a hint", "[cli]") {
  check_usage_errors({
      {{"tranlsate"}, "unknown command tranlsate; do you mean translate?"},
      {{"frobnicate"}, "unknown command frobnicate\n`calque --help`"},
      {{"--hepl"}, "unknown option --hepl; do you mean --help?"},
      {{"translate", "--model", "m", "--beem=3"}, "unknown option --beem=3; do you mean --beam?"},
      {{"--version"}, "unknown option --version; do you mean version?"},
      {{"version", "now"}, "unknown argument now\n`calque version --help` lists"},
  });
}

TEST_CASE("missing options and values out of range are the user's mistake", "[cli]") {
  check_usage_errors({
      {{"translate"}, "--model is required"},
      {{"translate", "--model", "m", "--beam", "0"},
       "--beam: expected an integer from 1 to 1000, found 0"},
      {{"translate", "--model", "m", "--beam", "many"},
       "--beam: expected an integer from 1 to 1000, found many"},
      {{"translate", "--model", "m", "--beam", "1e1"}, "found 1e1; write 10"},
      {{"translate", "--model", "m", "--beam"},
       "--beam: expected a value behind it, found nothing"},
      {{"score", "--model", "m", "--model", "n", "--source", "a", "--target", "b"},
       "--model is given twice"},
      {{"translate", "--model", "m", "--max-length-ratio", "0"},
       "--max-length-ratio: expected a number above 0, up to 100, found 0"},
      {{"translate", "--model", "m", "--length-penalty", "11"},
       "--length-penalty: expected a number from 0 to 10, found 11"},
      {{"translate", "--model", "m", "--threads", "0"},
       "--threads: expected an integer from 1 to 4096, found 0"},
      {{"average", "--output", "o", "--run", "r", "--last", "0"},
       "--last: expected an integer from 1 to 1000, found 0"},
      {{"bleu", "-", "-"}, "standard input (-) can be read once only"},
      {{"evaluate", "--model", "m", "--source", "s"}, "--reference is required"},
      {{"bleu", "h"}, "REFERENCE is required"},
      {{"bleu", "h", "r", "--tokenize", "14a"},
       "--tokenize: expected one of 13a, intl, zh, char, none, found 14a"},
      {{"metrics", "h", "r", "--metric", "bert"},
       "--metric: expected one of bleu, chrf, chrf++, ter, found bert"},
      {{"metrics", "h", "r", "--samples", "0"},
       "--samples: expected an integer from 1 to 1000000, found 0"},
      {{"compare", "a", "--reference", "r"}, "what is to be compared? Name two files"},
      {{"average", "--output", "o"}, "--run"},
      {{"inspect"}, "DIR is required"},
      {{"check-data"}, "what is to be checked? Either `calque check-data CONFIG`, or"},
      {{"check-data", "a.yaml", "--source", "a"}, "what is to be checked?"},
      {{"check-data", "--source", "a", "b", "--target", "c"},
       "--source names 2 files but --target 1: each file needs its translation"},
      {{"check-data", "--source", "-", "--target", "c"}, "data.train.source names -"},
  });
}

TEST_CASE("version tells engine, instruction set, threads and compiler", "[cli]") {
  const RunResult result = run_binary({"version"});
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("calque 0."));
  CHECK_THAT(result.out, ContainsSubstring("Eigen 3"));
  for (const char* part :
       {"engine ", "instructions ", "float32 ", "bfloat16 ", "threads ", "compiler "}) {
    CHECK_THAT(result.out, ContainsSubstring(part));
  }
}

TEST_CASE("what multiplies floats can be chosen, of what is there", "[cli]") {
  const auto version = [](const std::string& unit) {
    return RunningBinary({"version"}, {"CALQUE_GEMM=calque", "CALQUE_FLOAT32=" + unit}).wait();
  };
  const bool has_amx = version("").out.find("float32       AMX") != std::string::npos;
  CHECK_THAT(version("vectors").out, ContainsSubstring("float32       vectors"));
  CHECK(version("amx").exit_code == (has_amx ? 0 : 2));
  const RunResult wrong = version("avx");
  CHECK(wrong.exit_code == 2);
  CHECK_THAT(wrong.err, ContainsSubstring("CALQUE_FLOAT32=avx: expected "));
  const RunResult library = RunningBinary({"version"}, {"CALQUE_GEMM=eigen"}).wait();
  CHECK_THAT(library.out, ContainsSubstring("float32       Eigen"));
}

TEST_CASE("a folder without a model says what was looked for", "[cli]") {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"translate", "--model", "/nowhere/run"},
        {"inspect", "/nowhere/run"},
        {"export", "--format", "safetensors", "/nowhere/run", "o"},
        {"average", "--output", "o", "--run", "/nowhere/run"}}) {
    const RunResult result = run_binary(arguments);
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    CHECK_THAT(result.err, ContainsSubstring("/nowhere/run"));
  }
}
