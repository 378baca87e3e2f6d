#include "text/vocabulary.h"

#include <sentencepiece_trainer.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <cstdlib>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "base/stopwatch.h"
#include "text/text_files.h"

namespace calque {
namespace {

constexpr int64_t kSpecialPieces = 3;
/// Above so many bytes SentencePiece needs 64-bit positions, and says so only by dying.
constexpr int64_t kLargeCorpusBytes = int64_t{1} << 30;

struct TextSize {
  int64_t lines = 0;
  int64_t bytes = 0;
  bool visible = false;  // there is a character to make a piece of
};

/// True when the text has a character that is not a space (as U+2581 is to SentencePiece), control
/// or format character.
bool has_visible(std::string_view line) {
  const auto length = static_cast<int32_t>(line.size());
  for (int32_t at = 0; at < length;) {
    UChar32 character;
    U8_NEXT(line.data(), at, length, character);
    if (u_isgraph(character) && character != 0x2581) return true;
  }
  return false;
}

TextSize measure(const std::vector<std::string>& files) {
  TextFiles text(files);
  TextSize size;
  for (std::string line; text.next(line); ++size.lines) {
    size.bytes += static_cast<int64_t>(line.size());
    size.visible = size.visible || has_visible(line);
  }
  return size;
}

/// Hands the lines of files, or a sample of them, to SentencePiece's trainer.
class SampledLines : public sentencepiece::SentenceIterator {
 public:
  SampledLines(const std::vector<std::string>& files, int64_t lines, int64_t wanted, uint64_t seed)
      : text_(files),
        order_(static_cast<uint64_t>(lines), {seed, 0, streams::kVocabulary}),
        wanted_(static_cast<uint64_t>(wanted)) {
    Next();
  }

  bool done() const override { return done_; }
  void Next() override {
    do {
      done_ = !text_.next(line_);
      if (done_) return;
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
};

std::unordered_map<std::string, std::string> trainer_arguments(const VocabularyOptions& options,
                                                               int64_t bytes) {
  const bool identity = options.normalization == Normalization::kIdentity;
  return {
      {"model_type", options.type == VocabularyType::kBpe ? "bpe" : "unigram"},
      {"vocab_size", fmt::format("{}", options.size)},
      {"character_coverage", fmt::format("{}", options.character_coverage)},
      {"normalization_rule_name", identity ? "identity" : "nmt_nfkc"},
      {"remove_extra_whitespaces", identity ? "false" : "true"},
      {"hard_vocab_limit", "true"},
      {"num_threads", "1"},  // the result depends on it
      {"input_sentence_size", "0"},
      {"max_sentence_length", "1073741824"},  // by default lines over 4192 bytes are passed over
      {"train_extremely_large_corpus", bytes > kLargeCorpusBytes ? "true" : "false"},
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

Tokenizer load_or_train(const VocabularyOptions& options, const std::filesystem::path& path,
                        const std::vector<std::string>& files, uint64_t seed) {
  if (!std::filesystem::exists(path)) {
    log::info("vocabulary: training {} {} pieces on {}", options.size,
              options.type == VocabularyType::kBpe ? "bpe" : "unigram", join_paths(files));
    const Stopwatch watch;
    const std::string serialized = train_vocabulary(options, files, seed);
    write_file_atomically(path, serialized);
    log::info("vocabulary: written to {} after {}", path.string(),
              format_duration(watch.seconds()));
  }
  Tokenizer tokenizer(read_file(path), path.string());
  if (tokenizer.size() != options.size) {
    throw UserError(
        fmt::format("{} has {} pieces but vocabulary.size is {}; set vocabulary.size to {}, or "
                    "vocabulary.path to a file that does not exist, to train another",
                    path.string(), tokenizer.size(), options.size, tokenizer.size()));
  }
  return tokenizer;
}

}  // namespace

std::string train_vocabulary(const VocabularyOptions& options,
                             const std::vector<std::string>& files, uint64_t seed) {
  check_options(options, files);
  const TextSize size = measure(files);
  const std::string text = join_paths(files);
  if (!size.visible) {  // SentencePiece would end the process
    throw UserError(fmt::format("there is no text in {} to train the vocabulary on", text));
  }
  SampledLines lines(files, size.lines, options.max_sentences, seed);
  std::string serialized;
  const auto status = sentencepiece::SentencePieceTrainer::Train(
      trainer_arguments(options, size.bytes), &lines, &serialized);
  if (!status.ok()) explain_failure(status.ToString(), options, text);
  return serialized;
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
                                       const std::vector<std::string>& target_files,
                                       uint64_t seed) {
  const VocabularyPaths paths = vocabulary_paths(options, run_folder);
  if (!options.shared) {
    Tokenizer source = load_or_train(options, paths.source, source_files, seed);
    return {std::move(source), load_or_train(options, paths.target, target_files, seed)};
  }
  std::vector<std::string> files = source_files;
  files.insert(files.end(), target_files.begin(), target_files.end());
  return TokenizerPair(load_or_train(options, paths.source, files, seed));
}

}  // namespace calque
