#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "base/log.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/stop_signal.h"
#include "cli/command.h"
#include "cli/common_options.h"
#include "cli/n_best_list.h"
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

/// The targets, each with its source.
struct ScoreInput {
  ScoredText source;
  ScoredText target;
  std::vector<size_t> source_of;  // which line of the source each target is a translation of
  std::vector<NBestLine> n_best;  // what else stands in each line, where the target is a list
};

ScoreInput read_n_best_input(const ScoreArguments& arguments) {
  if (arguments.source == "-" && arguments.target == "-") {
    throw UserError("--source and --target cannot both be standard input (-); name a file for one");
  }
  ScoreInput input{std::move(read_scored_texts({arguments.source}).front()), {}, {}, {}};
  TextFiles list({arguments.target});
  for (std::string line; list.next(line);) {
    const std::string place = list.place().to_string();
    const NBestLine& read =
        input.n_best.emplace_back(read_n_best_line(line, place, input.source.lines.size()));
    if (has_feature(read, arguments.feature)) {
      throw UserError(fmt::format("{}: there is a feature {} already; give --feature another name",
                                  place, arguments.feature));
    }
    input.source_of.push_back(read.index);
    input.target.lines.push_back(read.text);
  }
  input.target.name = arguments.target == "-" ? "standard input" : arguments.target;
  if (input.n_best.empty()) {
    throw UserError(fmt::format("{} is empty: there is nothing to score", input.target.name));
  }
  return input;
}

ScoreInput read_input(const ScoreArguments& arguments) {
  if (arguments.n_best) return read_n_best_input(arguments);
  std::vector<ScoredText> texts = read_scored_texts({arguments.source, arguments.target});
  ScoreInput input{std::move(texts[0]), std::move(texts[1]), {}, {}};
  input.source_of.resize(input.target.lines.size());
  std::iota(input.source_of.begin(), input.source_of.end(), size_t{0});
  return input;
}

/// A model that scores targets, chunk by chunk.
class ScoreSession {
 public:
  /// Keeps a reference to `input`.
  ScoreSession(const ScoreArguments& arguments, const ScoreInput& input)
      : input_(input),
        opened_(std::move(open_for_decoding({arguments.model}, arguments.threads).front())),
        workspace_(threads()),
        batch_tokens_(arguments.batch_tokens.value_or(kBatchTokens)),
        source_encoder_(opened_.tokenizers.source(), bound(), "scored"),
        target_encoder_(opened_.tokenizers.target(), bound(), "scored"),
        sources_(input.source.lines.size()) {}

  /// The scores of `count` targets from `begin` on.
  std::vector<Score> score(size_t begin, size_t count,
                           const std::function<void(int64_t)>& progress) {
    std::vector<std::vector<int32_t>> targets;
    for (size_t i = begin; i < begin + count; ++i) {
      targets.push_back(
          target_encoder_.encode(input_.target.lines[i], place(input_.target, i)).ids);
    }
    std::vector<ForcedPair> pairs;
    for (size_t i = 0; i < count; ++i) {
      pairs.push_back({source_ids(input_.source_of[begin + i]), targets[i]});
    }
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

  const ScoreInput& input_;
  OpenedModel opened_;
  Arena arena_;
  Workspace workspace_;
  kernels::PreparedWeights<Real> weights_{kernels::Precision::kFloat32,
                                          kernels::Float32Unit::kVectors};
  int64_t batch_tokens_;
  LineEncoder source_encoder_;
  LineEncoder target_encoder_;
  std::vector<std::vector<int32_t>> sources_;  // with their ends; empty until they are wanted

  LengthBound bound() const {
    return length_bound(opened_.model->longest_sentence(),
                        opened_.config.validation.decode.max_length);
  }

  static std::string place(const ScoredText& text, size_t line) {
    return TextPlace{text.name, static_cast<int64_t>(line) + 1}.to_string();
  }

  /// Encoded once, and so warned of once, however many translations there are.
  const std::vector<int32_t>& source_ids(size_t line) {
    std::vector<int32_t>& ids = sources_[line];
    if (ids.empty()) {
      ids = source_encoder_.encode(input_.source.lines[line], place(input_.source, line)).ids;
      ids.push_back(kEndId);
    }
    return ids;
  }
};

std::string score_line(const ScoreArguments& arguments, const ScoreInput& input, size_t line,
                       const Score& score) {
  if (arguments.json) {
    nlohmann::ordered_json json{{"line", line + 1}};
    if (arguments.n_best) json["index"] = input.n_best[line].index;
    json.update(score.json());
    return json.dump();
  }
  if (arguments.n_best) {
    NBestLine scored = input.n_best[line];
    add_feature(scored, arguments.feature, score.log_probability);
    return to_string(scored);
  }
  return fmt::format("{:.6f}\t{}\t{:.4f}", score.log_probability, score.length, score.perplexity());
}

void score(const ScoreArguments& arguments) {
  check_feature_name("--feature", arguments.feature);
  for (const std::string& input : {arguments.source, arguments.target}) {
    check_is_no_input("--output", arguments.output, input);
  }
  const ScoreInput input = read_input(arguments);
  const StopSignal stop;
  TextOutput output(arguments.output);
  ScoreSession session(arguments, input);
  const size_t lines = input.target.lines.size();
  Progress progress("scoring", static_cast<int64_t>(lines), "sentences");
  Score total;
  for (size_t begin = 0; begin < lines; begin += kChunkLines) {
    const size_t count = std::min(kChunkLines, lines - begin);
    const std::vector<Score> scores = session.score(begin, count, [&](int64_t done) {
      progress.update_or_stop(static_cast<int64_t>(begin) + done);
    });
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
  CLI::Option* const n_best = command->add_flag(
      "--n-best", arguments->n_best,
      "The target is INDEX ||| TEXT ||| FEATURES ||| SCORE, as `translate --n-best` "
      "writes it: write it again with the log-probability among the features");
  command->add_option("--feature", arguments->feature, "What --n-best calls it in the features")
      ->type_name("NAME")
      ->capture_default_str()
      ->needs(n_best);
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
      "from other pieces; then `translate` gives another log-probability for it, as it does with\n"
      "several models or less precision, and for a line without text, which it does not score.\n"
      "\n"
      "Examples:\n"
      "  calque score --model runs/demo --source test.en --target test.de\n"
      "  calque score --model runs/demo --source test.en --target test.de --summary --json\n"
      "  calque score --model runs/other --source test.en --target test.nbest --n-best");
  command->callback([arguments] { score(*arguments); });
}

}  // namespace calque
