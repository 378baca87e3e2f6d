#include "data/corpus.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/stop_signal.h"
#include "base/stopwatch.h"
#include "text/text_files.h"

namespace calque {
namespace {

/// Changes with the layout of the cache and with what the first pass does to a sentence.
constexpr uint64_t kFormatVersion = 1;

uint64_t hash_values(const std::vector<uint64_t>& values) {
  return hash_bytes(std::as_bytes(std::span(values)));
}

FileRecord record_with_progress(const std::string& file) {
  constexpr int kShift = 20;
  std::error_code unknown;  // also a pipe may be read: then without a total
  const uintmax_t bytes = std::filesystem::file_size(file, unknown);
  Progress progress("checking " + file, unknown ? 0 : static_cast<int64_t>(bytes >> kShift), "MB");
  return record_file(file, [&](int64_t read) { progress.update_or_stop(read >> kShift); });
}

FileRecords record_files(const ParallelFiles& files) {
  FileRecords records;
  for (const auto* side : {&files.source, &files.target}) {
    for (const std::string& file : *side) {
      if (!records.contains(file)) records[file] = record_with_progress(file);
    }
  }
  return records;
}

uint64_t hash_inputs(const ParallelFiles& files, const FileRecords& records,
                     const DataOptions& options, const TokenizerPair& tokenizers) {
  std::vector<uint64_t> values = {kFormatVersion, static_cast<uint64_t>(options.max_length),
                                  hash_bytes(tokenizers.source().serialized()),
                                  hash_bytes(tokenizers.target().serialized())};
  for (const auto* side : {&files.source, &files.target}) {
    values.push_back(side->size());
    for (const std::string& file : *side) values.push_back(records.at(file).hash);
  }
  return hash_values(values);
}

void check_given(const std::string& name, const char* side, const std::vector<std::string>& files) {
  if (files.empty()) {
    throw UserError(
        fmt::format("data.{}.{} should name at least one file but is empty", name, side));
  }
}

/// `files`, when both sides are given.
const ParallelFiles& checked(const std::string& name, const ParallelFiles& files) {
  check_given(name, "source", files.source);
  check_given(name, "target", files.target);
  return files;
}

/// Some pairs of lines on their way through the tokenizers; its memory is used again and again.
class Block {
 public:
  Block() : pairs_(kPairs) {}

  struct Pair {
    std::string source_line;
    std::string target_line;
    TextPlace source_place;
    TextPlace target_place;
    std::vector<int32_t> source;
    std::vector<int32_t> target;
  };

  /// Reads the next lines; false when there are none.
  bool read(TextFiles& source, TextFiles& target) {
    size_ = 0;
    while (size_ < kPairs && read_pair(source, target, pairs_[size_])) ++size_;
    return size_ > 0;
  }

  /// Fills `source` and `target` of the pairs, on all threads.
  void tokenize(const TokenizerPair& tokenizers) {
    parallel_for(static_cast<int64_t>((size_ + kPairsPerTask - 1) / kPairsPerTask),
                 [&](int64_t task, int) {
                   const size_t begin = static_cast<size_t>(task) * kPairsPerTask;
                   for (size_t i = begin; i < std::min(begin + kPairsPerTask, size_); ++i) {
                     tokenizers.source().encode(pairs_[i].source_line, pairs_[i].source);
                     tokenizers.target().encode(pairs_[i].target_line, pairs_[i].target);
                   }
                 });
  }

  std::span<const Pair> pairs() const { return std::span(pairs_).first(size_); }

 private:
  static constexpr size_t kPairs = 4096;
  static constexpr size_t kPairsPerTask = 64;
  std::vector<Pair> pairs_;
  size_t size_ = 0;

  static bool read_pair(TextFiles& source, TextFiles& target, Pair& pair) {
    if (!source.next(pair.source_line) || !target.next(pair.target_line)) return false;
    pair.source_place = source.place();
    pair.target_place = target.place();
    return true;
  }
};

/// Why a pair cannot be trained on, if so.
std::optional<DropReason> judge(const Block::Pair& pair, int64_t max_length) {
  if (pair.source.empty() && pair.target.empty()) return DropReason::kEmptyBoth;
  if (pair.source.empty()) return DropReason::kEmptySource;
  if (pair.target.empty()) return DropReason::kEmptyTarget;
  const auto most =
      static_cast<size_t>(std::max<int64_t>(max_length - 1, 0));  // without the end id
  if (pair.source.size() > most) return DropReason::kSourceTooLong;
  if (pair.target.size() > most) return DropReason::kTargetTooLong;
  return std::nullopt;
}

const TextPlace& place_of(DropReason reason, const Block::Pair& pair) {
  const bool at_target = reason == DropReason::kEmptyTarget || reason == DropReason::kTargetTooLong;
  return at_target ? pair.target_place : pair.source_place;
}

/// Reads the first `lines` lines again, which are in the cache already.
void pass_over(TextFiles& text, int64_t lines) {
  Progress progress("passing over what is tokenised", lines, "lines");
  std::string line;
  for (int64_t i = 0; i < lines && text.next(line); ++i) {
    if (i % kLinesPerUpdate == 0) progress.update_or_stop(i);
  }
}

/// The first pass over a corpus, from where the writer stands.
void make_cache(const std::string& name, const ParallelFiles& files, const DataOptions& options,
                const TokenizerPair& tokenizers, TokenCacheWriter& writer) {
  constexpr double kSecondsPerSave = 30;
  const TextSurvey survey = survey_text(files.source);
  check_equal_lines(files.source, survey.lines, files.target, survey_text(files.target).lines);
  TextFiles source(files.source);
  TextFiles target(files.target);
  DropReport report = writer.saved();
  if (report.read > 0) log::info("{}: going on behind pair {}", name, format_count(report.read));
  pass_over(source, report.read);
  pass_over(target, report.read);
  Progress progress("tokenising " + name, survey.all_lines, "pairs", report.read);
  Stopwatch since_save;
  for (Block block; block.read(source, target); progress.update(report.read)) {
    block.tokenize(tokenizers);
    for (const Block::Pair& pair : block.pairs()) {
      ++report.read;
      const std::optional<DropReason> reason = judge(pair, options.max_length);
      if (reason) {
        report.add(*reason, place_of(*reason, pair).to_string());
      } else {
        writer.add(report.read, pair.source, pair.target);
      }
    }
    if (stop_requested() || since_save.seconds() >= kSecondsPerSave) {
      writer.save(report);
      if (stop_requested()) {
        log::info("{}: {} of {} pairs are tokenised and saved", name, format_count(report.read),
                  format_count(survey.all_lines));
      }
      throw_if_stopped();
      since_save.restart();
    }
  }
  progress.finish();
  writer.finish(report);
}

TokenCache open_cache(const std::string& name, const ParallelFiles& files, uint64_t fingerprint,
                      const DataOptions& options, const TokenizerPair& tokenizers,
                      const std::filesystem::path& folder, const std::filesystem::path& borrowed) {
  const std::filesystem::path stem = folder / name;
  const int64_t source_vocab = tokenizers.source().size();
  const int64_t target_vocab = tokenizers.target().size();
  const int64_t most_resident = options.cache_memory << 20;
  if (!borrowed.empty()) {
    try {
      return TokenCache(borrowed / name, fingerprint, source_vocab, target_vocab, most_resident);
    } catch (const BadCache&) {  // made below, where it may be written
    }
  }
  try {
    return TokenCache(stem, fingerprint, source_vocab, target_vocab, most_resident);
  } catch (const BadCache& why) {
    log::info("{}: making the token cache {}: {}", name, stem.string(), why.what());
  }
  TokenCacheWriter writer(stem, fingerprint, source_vocab, target_vocab);
  make_cache(name, files, options, tokenizers, writer);
  try {
    return TokenCache(stem, fingerprint, source_vocab, target_vocab, most_resident);
  } catch (const BadCache& why) {
    throw UserError(
        fmt::format("the token cache {} was just written but cannot be used: {}; is "
                    "the disk sound, and does nothing else write there?",
                    stem.string(), why.what()));
  }
}

void refuse(const std::string& name, const DropReport& report, DropReason reason, DropPolicy policy,
            const char* key, const char* remedy) {
  const DropReport::Count& count = report.of(reason);
  if (policy != DropPolicy::kError || count.pairs == 0) return;
  throw UserError(fmt::format("pairs of data.{} cannot be used: {}; {}, or set data.{}: skip", name,
                              describe(reason, count), remedy, key));
}

/// Throws when the options do not allow to go on with what was left out.
void check_report(const std::string& name, const DropReport& report, const DataOptions& options) {
  for (const DropReason reason :
       {DropReason::kEmptySource, DropReason::kEmptyTarget, DropReason::kEmptyBoth}) {
    refuse(name, report, reason, options.empty, "empty", "mend these lines");
  }
  for (const DropReason reason : {DropReason::kSourceTooLong, DropReason::kTargetTooLong}) {
    refuse(name, report, reason, options.too_long, "too_long", "raise data.max_length");
  }
  const std::string lines = fmt::format("{}", fmt::join(report.lines(name), "\n  "));
  if (report.kept() == 0) {
    throw UserError(fmt::format("no sentence pair is left in data.{}:\n  {}", name, lines));
  }
  const double share =
      static_cast<double>(report.dropped_pairs()) / static_cast<double>(report.read);
  if (share > options.max_dropped) {
    throw UserError(fmt::format(
        "{:.2f} % of the pairs of data.{} would be left out, more than data.max_dropped ({:.2f} %) "
        "allows; mend the text, or raise data.max_length or data.max_dropped:\n  {}",
        100 * share, name, 100 * options.max_dropped, lines));
  }
}

}  // namespace

ParallelCorpus::ParallelCorpus(std::string name, const ParallelFiles& files,
                               const DataOptions& options, const TokenizerPair& tokenizers,
                               const std::filesystem::path& cache_folder,
                               const std::filesystem::path& borrowed)
    : name_(std::move(name)),
      files_(record_files(checked(name_, files))),
      cache_(open_cache(name_, files, hash_inputs(files, files_, options, tokenizers), options,
                        tokenizers, cache_folder, borrowed)) {
  check_report(name_, drop_report(), options);
  for (const std::string& line : drop_report().lines(name_)) log::info("{}", line);
}

ParallelCorpus::ParallelCorpus(std::string name, TokenCache cache)
    : name_(std::move(name)), cache_(std::move(cache)) {}

void ParallelCorpus::append_source(int64_t pair, std::vector<int32_t>& ids) const {
  cache_.append_source(pair, ids);
}

void ParallelCorpus::append_target(int64_t pair, std::vector<int32_t>& ids) const {
  cache_.append_target(pair, ids);
}

}  // namespace calque
