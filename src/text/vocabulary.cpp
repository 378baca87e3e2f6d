#include "text/vocabulary.h"

#include <sentencepiece_trainer.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/file_descriptor.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/random.h"
#include "base/stop_signal.h"
#include "base/stopwatch.h"
#include "text/text_files.h"

namespace calque {
namespace {

constexpr int64_t kSpecialPieces = 3;
/// From twice as many bytes of drawn lines on, SentencePiece needs 64-bit positions, and says so
/// only by dying; it then takes 36 bytes of memory a character instead of 20.
constexpr int64_t kLargeSampleBytes = int64_t{1} << 30;

/// Hands the lines of files, or a sample of them, to SentencePiece's trainer. From the last line on
/// it trains, and a signal ends the process.
class SampledLines : public sentencepiece::SentenceIterator {
 public:
  SampledLines(const std::vector<std::string>& files, const LinePolicies& policies, int64_t lines,
               int64_t wanted, uint64_t seed)
      : text_(files, policies),
        order_(static_cast<uint64_t>(lines), {seed, 0, streams::kVocabulary}),
        wanted_(static_cast<uint64_t>(wanted)),
        progress_(std::in_place, "drawing lines for the vocabulary", lines, "lines") {
    Next();
  }

  bool done() const override { return done_; }
  void Next() override {
    do {
      if (index_ % kLinesPerUpdate == 0) progress_->update_or_stop(static_cast<int64_t>(index_));
      done_ = !text_.next(line_);
      if (done_) return end();
    } while (order_(index_++) >= wanted_);
  }
  const std::string& value() const override { return line_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  TextFiles text_;
  KeyedPermutation order_;
  uint64_t wanted_;
  uint64_t index_ = 0;
  std::string line_;
  bool done_ = false;
  std::optional<Progress> progress_;
  std::optional<SignalsEndProcess> training_;

  void end() {
    progress_.reset();
    training_.emplace();
  }
};

const char* normalization_name(Normalization normalization) {
  return normalization == Normalization::kIdentity ? "identity" : "nmt_nfkc";
}

std::unordered_map<std::string, std::string> trainer_arguments(const VocabularyOptions& options,
                                                               const TextSurvey& survey) {
  const bool identity = options.normalization == Normalization::kIdentity;
  const double share = std::min(
      1.0, static_cast<double>(options.max_sentences) / static_cast<double>(survey.all_lines));
  const double drawn_bytes = share * static_cast<double>(survey.bytes);
  return {
      {"model_type", vocabulary_type_name(options.type)},
      {"vocab_size", fmt::format("{}", options.size)},
      {"character_coverage", fmt::format("{}", options.character_coverage)},
      {"normalization_rule_name", normalization_name(options.normalization)},
      {"remove_extra_whitespaces", identity ? "false" : "true"},
      {"hard_vocab_limit", "true"},
      {"num_threads", "1"},  // the result depends on it
      {"input_sentence_size", "0"},
      {"max_sentence_length", "1073741824"},  // by default lines over 4192 bytes are passed over
      {"train_extremely_large_corpus", drawn_bytes > kLargeSampleBytes ? "true" : "false"},
      {"minloglevel", "3"},
  };
}

/// The number behind `marker` in `message`, or -1.
int64_t number_behind(std::string_view message, std::string_view marker) {
  const size_t at = message.find(marker);
  if (at == std::string_view::npos) return -1;
  return std::strtoll(std::string(message.substr(at + marker.size())).c_str(), nullptr, 10);
}

/// Says what SentencePiece's trainer said, in terms of the config.
[[noreturn]] void explain_failure(const std::string& message, const VocabularyOptions& options,
                                  const std::string& text) {
  const int64_t largest = number_behind(message, "Please set it to a value <= ");
  if (largest >= 0) {
    throw UserError(
        fmt::format("vocabulary.size is {} but {} allows at most {} pieces; set vocabulary.size to "
                    "{} or less, or give more training text",
                    options.size, text, largest, largest));
  }
  const int64_t smallest =
      number_behind(message, fmt::format("smaller than required_chars. {} vs ", options.size));
  if (smallest >= 0) {
    throw UserError(fmt::format(
        "vocabulary.size is {} but {} needs at least {} pieces, one for each character; set "
        "vocabulary.size to more than {}, or vocabulary.character_coverage below {}",
        options.size, text, smallest, smallest, options.character_coverage));
  }
  throw UserError(fmt::format("SentencePiece cannot train a vocabulary on {}: {}", text, message));
}

void check_options(const VocabularyOptions& options, const std::vector<std::string>& files) {
  if (files.empty()) throw UserError("no text files are given to train the vocabulary on");
  if (options.size <= kSpecialPieces) {
    throw UserError(
        fmt::format("vocabulary.size should be more than the {} special pieces but is {}",
                    kSpecialPieces, options.size));
  }
  if (options.max_sentences < 1) {
    throw UserError(fmt::format("vocabulary.max_sentences should be at least 1 but is {}",
                                options.max_sentences));
  }
}

/// "de-en.model" -> "de-en.source.model".
std::filesystem::path with_side(const std::filesystem::path& path, const char* side) {
  std::filesystem::path result = path;
  result.replace_filename(path.stem().string() + "." + side + path.extension().string());
  return result;
}

/// What a vocabulary was made of, by config key: `<name>.json` beside `<name>.model`. The options
/// that decide about its pieces come first, then what they were found in.
using Record = std::map<std::string, std::string>;

constexpr const char kModelKey[] = "model";  // hash of the model that the record belongs to

/// The keys whose values the config states; the others say which text and sample it was.
bool is_stated(const std::string& key) {
  return key.starts_with("vocabulary.") && key != "vocabulary.max_sentences";
}

Record make_record(const VocabularyOptions& options, uint64_t text, uint64_t seed) {
  return {{"vocabulary.type", vocabulary_type_name(options.type)},
          {"vocabulary.size", fmt::format("{}", options.size)},
          {"vocabulary.normalization", normalization_name(options.normalization)},
          {"vocabulary.character_coverage", fmt::format("{}", options.character_coverage)},
          {"vocabulary.max_sentences", fmt::format("{}", options.max_sentences)},
          {"seed", fmt::format("{}", seed)},
          {"text", fmt::format("{:016x}", text)}};
}

std::string hash_of_model(const std::string& serialized) {
  return fmt::format("{:016x}", hash_bytes(serialized));
}

std::filesystem::path record_path(const std::filesystem::path& model) {
  return std::filesystem::path(model).replace_extension(".json");
}

/// The record of a model; none when there is no such file, or it belongs to another model.
std::optional<Record> read_record(const std::filesystem::path& model,
                                  const std::string& serialized) {
  const std::filesystem::path path = record_path(model);
  if (path == model || !std::filesystem::exists(path)) return std::nullopt;
  const auto json = nlohmann::json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  Record record;
  for (const auto& [key, value] : json.items()) {
    if (value.is_string()) record[key] = value.get<std::string>();
  }
  if (record[kModelKey] != hash_of_model(serialized)) return std::nullopt;
  record.erase(kModelKey);
  return record;
}

/// Writes a model with its record. At no moment does a record lie beside a model that it does not
/// belong to: the model goes first and comes last.
void write_vocabulary(const std::filesystem::path& path, const std::string& serialized,
                      Record record) {
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) throw_file_error("replace", path, error.value());
  record[kModelKey] = hash_of_model(serialized);
  write_file_atomically(record_path(path), nlohmann::json(record).dump(2) + "\n");
  write_file_atomically(path, serialized);
}

/// "vocabulary.type: was unigram, is bpe now" for each key that differs and that `wanted` asks for.
template <class Wanted>
std::vector<std::string> differences(const Record& before, const Record& now,
                                     const Wanted& wanted) {
  std::vector<std::string> lines;
  for (const auto& [key, value] : now) {
    const auto found = before.find(key);
    const std::string old = found == before.end() ? "unknown" : found->second;
    if (old == value || !wanted(key)) continue;
    lines.push_back(key == "text" ? "the training text: has changed"
                                  : fmt::format("{}: was {}, is {} now", key, old, value));
  }
  return lines;
}

/// One model file of a run, and what it is made of.
struct VocabularyPlan {
  const VocabularyOptions& options;
  std::filesystem::path path;
  std::vector<std::string> files;
  uint64_t seed;
  LinePolicies policies;
  bool may_replace;
};

/// Trains on files that were surveyed.
std::string train_surveyed(const VocabularyOptions& options, const std::vector<std::string>& files,
                           const TextSurvey& survey, uint64_t seed, const LinePolicies& policies) {
  check_options(options, files);
  const std::string text = join_paths(files);
  if (!survey.visible) {  // SentencePiece would end the process
    throw UserError(fmt::format("there is no text in {} to train the vocabulary on", text));
  }
  SampledLines lines(files, policies, survey.all_lines, options.max_sentences, seed);
  std::string serialized;
  const auto status = sentencepiece::SentencePieceTrainer::Train(trainer_arguments(options, survey),
                                                                 &lines, &serialized);
  if (!status.ok()) explain_failure(status.ToString(), options, text);
  return serialized;
}

/// What a survey of both sides' files together finds, but for the lines of each file.
TextSurvey join_surveys(const TextSurvey& source, const TextSurvey& target) {
  TextSurvey both;
  both.all_lines = source.all_lines + target.all_lines;
  both.bytes = source.bytes + target.bytes;
  both.visible = source.visible || target.visible;
  const std::array<uint64_t, 2> hashes{source.hash, target.hash};
  both.hash = hash_bytes(std::as_bytes(std::span(hashes)));
  return both;
}

Tokenizer train_and_write(const VocabularyPlan& plan, const TextSurvey& text,
                          const Record& record) {
  const VocabularyOptions& options = plan.options;
  log::info("vocabulary: training {} {} pieces on {}", options.size,
            vocabulary_type_name(options.type), join_paths(plan.files));
  if (plan.path.has_parent_path()) make_folders(plan.path.parent_path());
  const Stopwatch watch;
  const std::string serialized =
      train_surveyed(options, plan.files, text, plan.seed, plan.policies);
  write_vocabulary(plan.path, serialized, record);
  log::info("vocabulary: written to {} after {}", plan.path.string(),
            format_duration(watch.seconds()));
  return Tokenizer(serialized, plan.path.string());
}

/// `text`: gives the survey of the training text, once it was checked.
template <class Text>
Tokenizer load_or_train(const VocabularyPlan& plan, const Text& text) {
  const VocabularyOptions& options = plan.options;
  const std::string name = plan.path.string();
  const auto now = [&] { return make_record(options, text().hash, plan.seed); };
  if (!std::filesystem::exists(plan.path)) return train_and_write(plan, text(), now());
  std::string serialized = read_file(plan.path);
  if (const std::optional<Record> before = read_record(plan.path, serialized)) {
    const Record wanted = now();
    const auto changes = differences(*before, wanted, [](const std::string&) { return true; });
    if (!changes.empty() && plan.may_replace) {
      log::info("vocabulary: {} was made otherwise ({}) and is made anew", name,
                fmt::to_string(fmt::join(changes, "; ")));
      return train_and_write(plan, text(), wanted);
    }
    const auto stated = differences(*before, wanted, is_stated);
    if (!stated.empty()) {
      throw UserError(fmt::format(
          "{} was made with other options than the config states:\n  {}\nGive the config the old "
          "values, or vocabulary.path a file that does not exist, to train another",
          name, fmt::join(stated, "\n  ")));
    }
    for (const std::string& change : changes) log::info("vocabulary: {}: {}", name, change);
  }
  Tokenizer tokenizer(std::move(serialized), name);
  if (tokenizer.size() != options.size) {
    throw UserError(
        fmt::format("{} has {} pieces but vocabulary.size is {}; set vocabulary.size to {}, or "
                    "vocabulary.path to a file that does not exist, to train another",
                    name, tokenizer.size(), options.size, tokenizer.size()));
  }
  log::info("vocabulary: using {} ({} pieces)", name, format_count(tokenizer.size()));
  return tokenizer;
}

}  // namespace

const char* vocabulary_type_name(VocabularyType type) {
  return type == VocabularyType::kBpe ? "bpe" : "unigram";
}

std::string train_vocabulary(const VocabularyOptions& options,
                             const std::vector<std::string>& files, uint64_t seed,
                             const LinePolicies& policies) {
  return train_surveyed(options, files, survey_text(files, policies), seed, policies);
}

VocabularyPaths vocabulary_paths(const VocabularyOptions& options,
                                 const std::filesystem::path& run_folder) {
  const std::filesystem::path path =
      options.path.empty() ? run_folder / "vocabulary.model" : std::filesystem::path(options.path);
  if (options.shared) return {path, path};
  return {with_side(path, "source"), with_side(path, "target")};
}

TokenizerPair load_or_train_vocabulary(const VocabularyOptions& options,
                                       const std::filesystem::path& run_folder,
                                       const std::vector<std::string>& source_files,
                                       const std::vector<std::string>& target_files, uint64_t seed,
                                       const LinePolicies& policies, OtherVocabulary other) {
  const VocabularyPaths paths = vocabulary_paths(options, run_folder);
  const bool may_replace = other == OtherVocabulary::kReplace && options.path.empty();
  std::optional<std::pair<TextSurvey, TextSurvey>> surveys;  // of source and target
  const auto text = [&] {
    if (!surveys) {
      surveys = {survey_text(source_files, policies), survey_text(target_files, policies)};
      check_equal_lines(source_files, surveys->first.lines, target_files, surveys->second.lines);
    }
    return *surveys;
  };
  if (!options.shared) {
    Tokenizer source =
        load_or_train({options, paths.source, source_files, seed, policies, may_replace},
                      [&] { return text().first; });
    return {std::move(source),
            load_or_train({options, paths.target, target_files, seed, policies, may_replace},
                          [&] { return text().second; })};
  }
  std::vector<std::string> files = source_files;
  files.insert(files.end(), target_files.begin(), target_files.end());
  return TokenizerPair(load_or_train({options, paths.source, files, seed, policies, may_replace},
                                     [&] { return join_surveys(text().first, text().second); }));
}

}  // namespace calque
