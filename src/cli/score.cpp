#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/log.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/stop_signal.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/scoring.h"
#include "cli/text_output.h"
#include "cli/translation.h"
#include "config/visit.h"
#include "decode/teacher_forcing.h"
#include "text/special_ids.h"
#include "text/text_files.h"

namespace calque {
namespace {

/// Lines that are scored and written together.
constexpr size_t kChunkLines = 2000;

struct ScoreArguments {
  std::string model;
  std::string source;
  std::string target;
  std::string output = "-";
  std::string feature = "calque";
  std::optional<int64_t> batch_tokens;
  int64_t threads = 0;
  bool n_best = false;
  bool summary = false;
  bool json = false;
};

/// Log-probability over tokens, ends counted.
struct Score {
  double log_probability = 0;
  int64_t length = 0;

  void add(const Score& other) {
    log_probability += other.log_probability;
    length += other.length;
  }
  double perplexity() const {
    return std::exp(-log_probability / static_cast<double>(std::max<int64_t>(length, 1)));
  }
  nlohmann::ordered_json json() const {
    return {{"log_probability", log_probability}, {"length", length}, {"perplexity", perplexity()}};
  }
};

/// A model that scores pairs of lines, chunk by chunk.
class ScoreSession {
 public:
  explicit ScoreSession(const ScoreArguments& arguments)
      : opened_(std::move(open_for_decoding({arguments.model}, arguments.threads).front())),
        workspace_(threads()),
        batch_tokens_(arguments.batch_tokens.value_or(kBatchTokens)),
        source_(opened_.tokenizers.source(), most_pieces(), "scored"),
        target_(opened_.tokenizers.target(), most_pieces(), "scored") {}

  /// `first_line`: of the targets, for warnings.
  std::vector<Score> score(std::span<const std::string> sources,
                           std::span<const std::string> targets, int64_t first_line,
                           const std::function<void(int64_t)>& progress) {
    std::vector<std::vector<int32_t>> source_ids;
    std::vector<std::vector<int32_t>> target_ids;
    std::vector<ForcedPair> pairs;
    for (size_t i = 0; i < targets.size(); ++i) {
      const int64_t number = first_line + static_cast<int64_t>(i);
      source_ids.push_back(source_.encode(sources[i], number));
      source_ids.back().push_back(kEndId);
      target_ids.push_back(target_.encode(targets[i], number));
    }
    for (size_t i = 0; i < targets.size(); ++i) pairs.push_back({source_ids[i], target_ids[i]});
    std::vector<Score> scores;
    for (const std::vector<Real>& tokens : score_pairs(*opened_.model, pairs, batch_tokens_,
                                                       {arena_, workspace_, &weights_}, progress)) {
      Score& score = scores.emplace_back();
      for (const Real token : tokens) score.add({static_cast<double>(token), 1});
    }
    return scores;
  }

 private:
  static constexpr int64_t kBatchTokens = 4096;

  OpenedModel opened_;
  Arena arena_;
  Workspace workspace_;
  kernels::PreparedWeights<Real> weights_{kernels::Precision::kFloat32,
                                          kernels::Float32Unit::kVectors};
  int64_t batch_tokens_;
  LineEncoder source_;
  LineEncoder target_;

  int64_t most_pieces() const {
    return std::min(opened_.model->longest_sentence(),
                    opened_.config.validation.decode.max_length) -
           1;
  }
};

/// A line of an n-best list: "INDEX ||| TEXT ||| FEATURES ||| SCORE", as `translate --n-best`
/// writes it; what stands behind the text may be missing.
struct NBestLine {
  size_t index = 0;
  std::string text;
  std::string features;
  std::string rest;  // with its " ||| "
};

constexpr std::string_view kSeparator = " ||| ";

/// Takes what stands before the next separator.
std::string_view take_field(std::string_view& line) {
  const size_t end = line.find(kSeparator);
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + kSeparator.size());
  return field;
}

NBestLine read_n_best_line(std::string_view line, const std::string& place, size_t sources) {
  NBestLine result;
  const std::string_view index = take_field(line);
  const auto read = std::from_chars(index.data(), index.data() + index.size(), result.index);
  if (index.empty() || read.ec != std::errc() || read.ptr != index.data() + index.size()) {
    throw UserError(fmt::format("{}: expected INDEX ||| TEXT ||| ..., found no number: {}", place,
                                index.substr(0, 40)));
  }
  if (result.index >= sources) {
    throw UserError(
        fmt::format("{}: the index {} is beyond the source, which has {}; it counts from 0", place,
                    result.index, format_count(static_cast<int64_t>(sources), "line")));
  }
  result.text = take_field(line);
  result.features = take_field(line);
  if (!line.empty()) result.rest = fmt::format("{}{}", kSeparator, line);
  return result;
}

/// The targets with the source of each; for an n-best list also what else stands in each line.
struct ScoreInput {
  std::vector<std::string> sources;
  std::vector<std::string> targets;
  std::vector<NBestLine> n_best;
};

ScoreInput read_input(const ScoreArguments& arguments) {
  ScoreInput input;
  if (!arguments.n_best) {
    std::vector<ScoredText> texts = read_scored_texts({arguments.source, arguments.target});
    input.sources = std::move(texts[0].lines);
    input.targets = std::move(texts[1].lines);
    return input;
  }
  const ScoredText source = std::move(read_scored_texts({arguments.source}).front());
  TextFiles list({arguments.target});
  for (std::string line; list.next(line);) {
    input.n_best.push_back(read_n_best_line(line, list.place().to_string(), source.lines.size()));
    input.sources.push_back(source.lines[input.n_best.back().index]);
    input.targets.push_back(input.n_best.back().text);
  }
  return input;
}

std::string score_line(const ScoreArguments& arguments, const ScoreInput& input, size_t line,
                       const Score& score) {
  if (arguments.json) {
    nlohmann::ordered_json json{{"line", line + 1}};
    if (arguments.n_best) json["index"] = input.n_best[line].index;
    json.update(score.json());
    return json.dump();
  }
  if (arguments.n_best) {
    const NBestLine& of = input.n_best[line];
    return fmt::format("{} ||| {} ||| {}{}{}= {:.6f}{}", of.index, of.text, of.features,
                       of.features.empty() ? "" : " ", arguments.feature, score.log_probability,
                       of.rest);
  }
  return fmt::format("{:.6f}\t{}\t{:.4f}", score.log_probability, score.length, score.perplexity());
}

void score(const ScoreArguments& arguments) {
  for (const std::string& input : {arguments.source, arguments.target}) {
    check_is_no_input("--output", arguments.output, input);
  }
  const ScoreInput input = read_input(arguments);
  TextOutput output(arguments.output);
  ScoreSession session(arguments);
  const StopSignal stop;
  const size_t lines = input.targets.size();
  Progress progress("scoring", static_cast<int64_t>(lines), "sentences");
  Score total;
  for (size_t begin = 0; begin < lines; begin += kChunkLines) {
    const size_t count = std::min(kChunkLines, lines - begin);
    const std::vector<Score> scores = session.score(
        std::span(input.sources).subspan(begin, count),
        std::span(input.targets).subspan(begin, count), static_cast<int64_t>(begin) + 1,
        [&](int64_t done) { progress.update_or_stop(static_cast<int64_t>(begin) + done); });
    for (size_t i = 0; i < count; ++i) {
      total.add(scores[i]);
      if (arguments.summary) continue;
      output.write_line(score_line(arguments, input, begin + i, scores[i]));
    }
    output.flush();
  }
  clear_status_line();
  const auto sentences = static_cast<int64_t>(lines);
  if (!arguments.summary) {
    log::info("{}, {}: log-probability {:.4f}, perplexity {:.4f}",
              format_count(sentences, "sentence"), format_count(total.length, "token"),
              total.log_probability, total.perplexity());
  } else if (arguments.json) {
    nlohmann::ordered_json json{{"sentences", sentences}};
    json.update(total.json());
    output.write_line(json.dump());
  } else {
    output.write_line(fmt::format("log-probability {:.6f}\ntokens {}\nperplexity {:.6f}",
                                  total.log_probability, total.length, total.perplexity()));
  }
  output.finish();
}

}  // namespace

void add_score_command(CLI::App& app) {
  auto arguments = std::make_shared<ScoreArguments>();
  CLI::App* command = app.add_subcommand("score", "Say how likely a model finds translations");
  command->add_option("--model", arguments->model, kModelHelp)->type_name("DIR")->required();
  command->add_option("--source", arguments->source, "What was translated, a sentence a line")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--target", arguments->target,
                   "Its translations, line for line; with --n-best a list of them")
      ->type_name("FILE")
      ->required();
  command->add_option("--output", arguments->output, "Where the scores go; - is standard output")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_flag("--n-best", arguments->n_best,
                    "The target is INDEX ||| TEXT ||| FEATURES ||| SCORE, as `translate --n-best` "
                    "writes it: write it again with the log-probability among the features");
  command->add_option("--feature", arguments->feature, "What --n-best calls it in the features")
      ->type_name("NAME")
      ->capture_default_str();
  command->add_flag("--summary", arguments->summary, "Write only the total of all sentences");
  command->add_flag("--json", arguments->json, "Write JSON, an object a line");
  add_value_option(*command, "--batch-tokens", arguments->batch_tokens, kCount,
                   "Bound of the tokens that are scored together (default: 4096)")
      ->type_name("N");
  add_threads_option(*command, arguments->threads);
  add_quiet_option(*command);
  command->footer(
      "A line gives its log-probability (natural logarithm), its length in tokens with the end,\n"
      "and its perplexity, exp(-log-probability / length), between tabs. The total goes to\n"
      "standard error.\n"
      "\n"
      "The text is cut into pieces as in training. A search may have put a translation together\n"
      "from other pieces; then `translate` gives another log-probability for it.\n"
      "\n"
      "Examples:\n"
      "  calque score --model runs/demo --source test.en --target test.de\n"
      "  calque score --model runs/demo --source test.en --target test.de --summary --json\n"
      "  calque score --model runs/other --source test.en --target test.nbest --n-best");
  command->callback([arguments] { score(*arguments); });
}

}  // namespace calque
